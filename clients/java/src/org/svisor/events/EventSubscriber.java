package org.svisor.events;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;

import org.svisor.ProtocolException;
import org.svisor.model.ApplicationInfo;
import org.svisor.model.ClusterProcess;
import org.svisor.model.Decision;
import org.svisor.model.EventCounts;
import org.svisor.model.HostStatistics;
import org.svisor.model.InstanceInfo;
import org.svisor.model.ProcessEvent;
import org.svisor.model.ProcessStatistics;
import org.svisor.model.PublishedDeath;
import org.svisor.model.PublishedShortage;
import org.svisor.model.StateModes;
import org.svisor.wire.Failures;
import org.svisor.wire.JsonReader;

/**
 * Hears the events of one instance ({@code event_link} WS or ALL), until it is closed.
 *
 * <pre>{@code
 * EventListener listener = new EventListener() {
 *     public void onProcess(ClusterProcess process) {
 *         System.out.println(process.namespec() + " " + process.state());
 *     }
 * };
 * try (EventSubscriber subscriber = EventSubscriber.builder(URI.create("ws://node1:9002"), listener).start()) {
 *     ...
 * }
 * }</pre>
 *
 * <p>A message is a JSON array of header and body; the path of the connection says which headers are wanted. A connection that breaks, or over
 * which nothing comes for a while although the other side is asked for a sign of life, is made anew: at once, then with growing pauses. What
 * happened meanwhile is not repeated; {@link EventListener#onConnected} is the place to ask for the state.
 */
public final class EventSubscriber implements AutoCloseable {
    private static final System.Logger LOGGER = System.getLogger("org.svisor.events");
    private static final Map<EventType, BiConsumer<EventListener, Map<String, Object>>> TELLERS = tellers();
    private static final long RETRY_MS_MIN = 100;
    private static final long RETRY_MS_MAX = 5000;

    private final URI uri;
    private final EventListener listener;
    private final String authorization;
    private final Duration silence;
    private final int messageCharsMax;
    private final HttpClient http;
    private final ScheduledExecutorService timer;

    /** Guards what is below, and the calls of the listener. */
    private final Object lock = new Object();
    private Connection connection;
    private boolean isClosed;
    private boolean isTold; // that there is no connection: once, and not at each attempt
    private long retryMs = RETRY_MS_MIN;

    private EventSubscriber(Builder builder) {
        uri = builder.target();
        listener = builder.listener;
        authorization = builder.authorization;
        silence = builder.silence;
        messageCharsMax = builder.messageCharsMax;
        http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
        timer = Executors.newSingleThreadScheduledExecutor(work -> {
            Thread thread = new Thread(work, "svisor-events");
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * @param uri      {@code ws://host:port} of the instance that publishes; a path of its own is kept, and the headers are added to it;
     *                 {@code user:password@} before the host counts as {@link Builder#credentials}
     * @param listener who hears the events
     * @return a builder of subscribers
     */
    public static Builder builder(URI uri, EventListener listener) {
        return new Builder(uri, listener);
    }

    /** Ends the connection. When it returns, the listener is not called any more, unless it is itself who closes. */
    @Override
    public void close() {
        synchronized (lock) {
            isClosed = true;
            if (connection != null)
                connection.abort();
            connection = null;
        }
        timer.shutdownNow();
    }

    /** @return where it listens, with the headers */
    public URI uri() {
        return uri;
    }

    private void connect() {
        Connection made = new Connection();
        synchronized (lock) {
            if (isClosed)
                return;
            connection = made;
        }
        WebSocket.Builder builder = http.newWebSocketBuilder().connectTimeout(Duration.ofSeconds(5));
        if (authorization != null)
            builder.header("Authorization", authorization);
        builder.buildAsync(uri, made).whenComplete((socket, failure) -> {
            if (failure != null)
                made.lost(Failures.inWords(failure));
        });
    }

    private void after(long delayMs, Runnable work) {
        try {
            timer.schedule(work, delayMs, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closed) {
            LOGGER.log(System.Logger.Level.DEBUG, "closed");
        }
    }

    private void dispatch(String message) {
        try {
            Object parsed = JsonReader.parse(message);
            List<?> pair = parsed instanceof List ? (List<?>) parsed : List.of();
            if (pair.size() != 2 || !(pair.get(0) instanceof String) || !(pair.get(1) instanceof Map))
                throw new ProtocolException("an event is [header, {body}]");
            @SuppressWarnings("unchecked") // the reader makes no other maps
            Map<String, Object> body = (Map<String, Object>) pair.get(1);
            tell((String) pair.get(0), body);
        } catch (RuntimeException problem) {
            listener.onProblem(problem);
        }
    }

    private void tell(String header, Map<String, Object> body) {
        BiConsumer<EventListener, Map<String, Object>> teller = EventType.ofHeader(header).map(TELLERS::get).orElse(null);
        if (teller != null)
            teller.accept(listener, body);
        else
            listener.onOther(header, body);
    }

    private static Map<EventType, BiConsumer<EventListener, Map<String, Object>>> tellers() {
        Map<EventType, BiConsumer<EventListener, Map<String, Object>>> table = new EnumMap<>(EventType.class);
        table.put(EventType.SUPVISORS, (listener, body) -> listener.onSupvisors(new StateModes(body)));
        table.put(EventType.INSTANCE, (listener, body) -> listener.onInstance(new InstanceInfo(body)));
        table.put(EventType.APPLICATION, (listener, body) -> listener.onApplication(new ApplicationInfo(body)));
        table.put(EventType.EVENT, (listener, body) -> listener.onProcessEvent(new ProcessEvent(body)));
        table.put(EventType.PROCESS, (listener, body) -> listener.onProcess(new ClusterProcess(body)));
        table.put(EventType.HSTATS, (listener, body) -> listener.onHostStatistics(new HostStatistics(body)));
        table.put(EventType.PSTATS, (listener, body) -> listener.onProcessStatistics(new ProcessStatistics(body)));
        table.put(EventType.DEATH, (listener, body) -> listener.onDeath(new PublishedDeath(body)));
        table.put(EventType.RESOURCE, (listener, body) -> listener.onShortage(new PublishedShortage(body)));
        table.put(EventType.MESH, (listener, body) -> listener.onDecision(new Decision(body)));
        table.put(EventType.PUBLISHED, (listener, body) -> listener.onPublished(new EventCounts(body)));
        table.put(EventType.MISSED, (listener, body) -> listener.onMissed(new EventCounts(body)));
        return table;
    }

    /** One WebSocket, from the attempt to its end. What an old one still says is not heard. */
    private final class Connection implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();
        private WebSocket socket;
        private volatile long heardNs = System.nanoTime();

        private boolean isCurrent() {
            return connection == this && !isClosed;
        }

        private void abort() {
            if (socket != null)
                socket.abort();
        }

        private void lost(String reason) {
            synchronized (lock) {
                if (!isCurrent())
                    return;
                connection = null;
                abort();
                System.Logger.Level level = socket == null && !isTold ? System.Logger.Level.WARNING : System.Logger.Level.DEBUG;
                LOGGER.log(level, "{0}: {1}; trying again", uri, reason);
                isTold = isTold || socket == null;
                after(retryMs, EventSubscriber.this::connect); // first: what the listener throws must not end the attempts
                retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
                if (socket != null)
                    call(() -> listener.onDisconnected(reason));
            }
        }

        /** A dead host closes nothing: it is asked for a sign of life, and has the time of one silence for it. */
        private void watch() {
            synchronized (lock) { // not while the listener works: then nothing is read
                long silentNs = System.nanoTime() - heardNs;
                if (!isCurrent())
                    return;
                if (silentNs > silence.toNanos()) {
                    lost("nothing was heard for " + silentNs / 1_000_000 + " ms");
                    return;
                }
            }
            socket.sendPing(ByteBuffer.allocate(0));
            after(Math.max(1, silence.toMillis() / 3), this::watch);
        }

        @Override
        public void onOpen(WebSocket opened) {
            synchronized (lock) {
                socket = opened;
                heardNs = System.nanoTime();
                if (!isCurrent()) {
                    abort();
                    return;
                }
                retryMs = RETRY_MS_MIN;
                isTold = false;
                call(listener::onConnected);
            }
            after(Math.max(1, silence.toMillis() / 3), this::watch);
            opened.request(1);
        }

        private void call(Runnable method) {
            try {
                method.run();
            } catch (RuntimeException problem) {
                listener.onProblem(problem);
            }
        }

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence piece, boolean isLast) {
            heardNs = System.nanoTime();
            if (text.length() + piece.length() > messageCharsMax) {
                lost("a message of more than " + messageCharsMax + " characters");
                return null;
            }
            text.append(piece);
            if (isLast) {
                synchronized (lock) {
                    if (isCurrent())
                        dispatch(text.toString());
                    heardNs = System.nanoTime(); // however long the listener took
                }
                text.setLength(0);
            }
            from.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onBinary(WebSocket from, ByteBuffer data, boolean isLast) {
            lost("binary data, where texts are expected");
            return null;
        }

        @Override
        public CompletionStage<?> onPong(WebSocket from, ByteBuffer message) {
            heardNs = System.nanoTime();
            from.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onPing(WebSocket from, ByteBuffer message) {
            heardNs = System.nanoTime();
            from.request(1);
            return null; // the JDK answers
        }

        @Override
        public CompletionStage<?> onClose(WebSocket from, int status, String reason) {
            lost("closed by the server: " + status + (reason.isEmpty() ? "" : ", " + reason));
            return null;
        }

        @Override
        public void onError(WebSocket from, Throwable failure) {
            lost(failure.toString());
        }
    }

    /** Says what a subscriber listens to, and how. */
    public static final class Builder {
        private final URI uri;
        private final EventListener listener;
        private final Set<EventType> types = EnumSet.noneOf(EventType.class);
        private String authorization;
        private Duration silence = Duration.ofSeconds(30);
        private int messageCharsMax = 16 << 20;

        private Builder(URI uri, EventListener listener) {
            if (uri.getHost() == null || uri.getScheme() == null || !uri.getScheme().matches("wss?"))
                throw new IllegalArgumentException(uri + ": write ws://host:port");
            this.uri = uri;
            this.listener = Objects.requireNonNull(listener);
            String user = uri.getUserInfo();
            if (user != null)
                credentials(user.replaceFirst(":.*", ""), user.contains(":") ? user.substring(user.indexOf(':') + 1) : "");
        }

        /**
         * What to listen to; without a call of it, to the seven of Supvisors ({@link EventType#isClassic}).
         *
         * @param wanted which
         * @return this builder
         */
        public Builder types(EventType... wanted) {
            types.addAll(List.of(wanted));
            return this;
        }

        /**
         * Name and password of the server, where events are published on its HTTP port.
         *
         * @param user     the name
         * @param password the password
         * @return this builder
         */
        public Builder credentials(String user, String password) {
            byte[] both = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
            authorization = "Basic " + Base64.getEncoder().encodeToString(both);
            return this;
        }

        /**
         * @param value how long the server may give no sign of life before the connection is made anew; 30 s
         * @return this builder
         */
        public Builder silence(Duration value) {
            if (value.isNegative() || value.isZero())
                throw new IllegalArgumentException("a silence is more than 0");
            silence = value;
            return this;
        }

        /**
         * @param value how many characters a message may have; 16 Mi
         * @return this builder
         */
        public Builder messageCharsMax(int value) {
            if (value <= 0)
                throw new IllegalArgumentException("messageCharsMax: write more than 0");
            messageCharsMax = value;
            return this;
        }

        private URI target() {
            String path = uri.getRawPath() == null ? "" : uri.getRawPath().replaceFirst("/+$", "");
            String names = types.isEmpty() ? "all" : types.stream().map(EventType::header).collect(Collectors.joining("/"));
            String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
            return URI.create(uri.getScheme() + "://" + uri.getHost() + port + path + "/" + names);
        }

        /** @return a subscriber that connects, and goes on until it is closed; a server that is not there yet is waited for */
        public EventSubscriber start() {
            EventSubscriber subscriber = new EventSubscriber(this);
            subscriber.connect();
            return subscriber;
        }
    }
}
