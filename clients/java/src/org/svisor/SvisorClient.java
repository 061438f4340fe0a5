package org.svisor;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import org.svisor.wire.BoundedBody;
import org.svisor.wire.Failures;
import org.svisor.wire.XmlRpcReader;
import org.svisor.wire.XmlRpcWriter;

/**
 * One svisord (or supervisord) that can be called.
 *
 * <pre>{@code
 * SvisorClient client = SvisorClient.builder(URI.create("http://node1:9001")).credentials("alice", "secret").build();
 * for (ProcessInfo process : client.supervisor().getAllProcessInfo())
 *     System.out.println(process.name() + " " + process.state());
 * client.supvisors().startApplication(StartingStrategy.CONFIG, "shop");
 * }</pre>
 *
 * <p>A client is thread-safe and meant to be kept: it holds connections open and uses them again. Calls of several threads go over
 * several connections, and none waits for another. There is nothing to close; connections that are not used go away by themselves.
 *
 * <p>A query whose connection breaks is made a second time. A command is not: the server may have obeyed already. Each call is told to
 * the logger {@code org.svisor} (level DEBUG), with its outcome and how long it took; parameters and results are not.
 */
public final class SvisorClient {
    private static final System.Logger LOGGER = System.getLogger("org.svisor");

    private final URI uri;
    private final String authorization;
    private final Duration timeout;
    private final Duration waitTimeout;
    private final int responseBytesMax;
    private final HttpClient http;
    private final SupervisorMethods supervisor = new SupervisorCalls(this::call);
    private final SystemMethods system = new SystemCalls(this::call);
    private final SvisorMethods svisor = new SvisorCalls(this::call);
    private final SupvisorsMethods supvisors = new SupvisorsCalls(this::call);

    private SvisorClient(Builder builder) {
        uri = builder.uri;
        authorization = builder.authorization;
        timeout = builder.timeout;
        waitTimeout = builder.waitTimeout;
        responseBytesMax = builder.responseBytesMax;
        // svisord speaks HTTP/1.1; the default would offer an upgrade in each request.
        http = builder.http != null ? builder.http
                : HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(builder.connectTimeout).build();
    }

    /**
     * @param uri {@code http://host:port}; without a path, {@code /RPC2} is called; {@code user:password@} before the host counts as
     *            {@link Builder#credentials}
     * @return a builder of clients
     */
    public static Builder builder(URI uri) {
        return new Builder(uri);
    }

    /** @return the methods of {@code supervisor.*}: processes of this daemon */
    public SupervisorMethods supervisor() {
        return supervisor;
    }

    /** @return the methods of {@code system.*}: about the methods themselves */
    public SystemMethods system() {
        return system;
    }

    /** @return the methods of {@code svisor.*}: what neither Supervisor nor Supvisors has */
    public SvisorMethods svisor() {
        return svisor;
    }

    /** @return the methods of {@code supvisors.*}: the cluster; without {@code [rpcinterface:supvisors]} they are unknown to the server */
    public SupvisorsMethods supvisors() {
        return supvisors;
    }

    /**
     * Calls a method by its name, such as one that this version of the client does not know.
     *
     * @param method     its name
     * @param parameters text, numbers, booleans, enums, byte[], LocalDateTime, null, and lists and maps of them
     * @return String, Integer, Long, Double, Boolean, byte[], LocalDateTime, List, Map or null
     * @throws SvisorException if there is no result
     */
    public Object call(String method, Object... parameters) {
        return call(Caller.Kind.LONG_COMMAND, method, parameters);
    }

    /** @return where calls go to */
    public URI uri() {
        return uri;
    }

    @Override
    public String toString() {
        return "SvisorClient(" + uri + ")";
    }

    private Object call(Caller.Kind kind, String method, Object... parameters) {
        byte[] body = XmlRpcWriter.call(method, parameters);
        long begin = System.nanoTime();
        String outcome = "failed";
        try {
            Object result = XmlRpcReader.response(exchange(kind, method, body));
            outcome = "done";
            return result;
        } catch (FaultException fault) {
            outcome = fault.fault().toString();
            throw fault;
        } finally {
            LOGGER.log(System.Logger.Level.DEBUG, "{0}: {1} after {2} us", method, outcome,
                    Long.toString((System.nanoTime() - begin) / 1000));
        }
    }

    private byte[] exchange(Caller.Kind kind, String method, byte[] body) {
        Duration bound = kind == Caller.Kind.LONG_COMMAND ? waitTimeout : timeout;
        try {
            return once(method, body, bound);
        } catch (TransportException broken) {
            // A server that closes an idle connection may cross our request on its way.
            boolean isBroken = broken.getCause() instanceof IOException
                    && !(broken.getCause() instanceof java.net.ConnectException)
                    && !(broken.getCause() instanceof java.net.http.HttpTimeoutException);
            if (kind != Caller.Kind.QUERY || !isBroken)
                throw broken;
            return once(method, body, bound);
        }
    }

    /**
     * The time bounds the whole exchange. HttpRequest.timeout() would end with the headers of the answer, and a server that stops in the
     * middle of the body would hold the caller for ever.
     */
    private byte[] once(String method, byte[] body, Duration bound) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri).header("Content-Type", "text/xml")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        if (authorization != null)
            request.header("Authorization", authorization);
        BoundedBody reader = new BoundedBody(responseBytesMax);
        CompletableFuture<HttpResponse<byte[]>> future = http.sendAsync(request.build(), info -> reader);
        try {
            HttpResponse<byte[]> response = future.get(bound.toNanos(), TimeUnit.NANOSECONDS);
            if (response.statusCode() != 200)
                throw new HttpStatusException(method + " at " + uri + ": HTTP status " + response.statusCode(), response.statusCode());
            return response.body();
        } catch (TimeoutException late) {
            throw new TransportException(method + " at " + uri + ": no answer within " + bound, late);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new TransportException(method + " at " + uri + ": interrupted", interrupted);
        } catch (ExecutionException failed) {
            Throwable cause = failed.getCause();
            if (cause instanceof ProtocolException)
                throw new ProtocolException(method + " at " + uri + ": " + cause.getMessage(), cause);
            throw new TransportException(method + " at " + uri + ": " + Failures.inWords(cause), cause);
        } finally {
            if (!future.isDone()) {
                future.cancel(true);
                reader.cancel();
            }
        }
    }

    /** Says how a client behaves. Each has its default but the address. */
    public static final class Builder {
        private final URI uri;
        private String authorization;
        private Duration connectTimeout = Duration.ofSeconds(5);
        private Duration timeout = Duration.ofSeconds(30);
        private Duration waitTimeout = Duration.ofMinutes(10);
        private int responseBytesMax = 64 << 20;
        private HttpClient http;

        private Builder(URI given) {
            if (given.getHost() == null || given.getScheme() == null || !given.getScheme().matches("https?"))
                throw new IllegalArgumentException(given + ": write http://host:port");
            String path = given.getRawPath() == null || given.getRawPath().length() < 2 ? "/RPC2" : given.getRawPath();
            String port = given.getPort() < 0 ? "" : ":" + given.getPort();
            uri = URI.create(given.getScheme() + "://" + given.getHost() + port + path);
            String user = given.getUserInfo();
            if (user != null)
                credentials(user.replaceFirst(":.*", ""), user.contains(":") ? user.substring(user.indexOf(':') + 1) : "");
        }

        /**
         * Name and password of {@code [inet_http_server]}. They are sent with every call (basic authentication), readable by whoever sees the
         * traffic.
         *
         * @param user     the name; it cannot have a colon
         * @param password the password
         * @return this builder
         */
        public Builder credentials(String user, String password) {
            if (user.indexOf(':') >= 0)
                throw new IllegalArgumentException("a user name cannot have a colon: " + user);
            byte[] both = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
            authorization = "Basic " + Base64.getEncoder().encodeToString(both);
            return this;
        }

        /**
         * @param value how long a connection may take to be made; 5 s
         * @return this builder
         */
        public Builder connectTimeout(Duration value) {
            connectTimeout = positive(value);
            return this;
        }

        /**
         * @param value how long a call may take from its begin to the last byte of the answer; 30 s
         * @return this builder
         */
        public Builder timeout(Duration value) {
            timeout = positive(value);
            return this;
        }

        /**
         * @param value the same for calls that wait on the server: starts, stops, {@link SystemMethods#multicall}; 10 minutes
         * @return this builder
         */
        public Builder waitTimeout(Duration value) {
            waitTimeout = positive(value);
            return this;
        }

        /**
         * @param value how many bytes an answer may have; 64 MiB, more than a log that is read as a whole should be
         * @return this builder
         */
        public Builder responseBytesMax(int value) {
            if (value <= 0)
                throw new IllegalArgumentException("responseBytesMax: write more than 0");
            responseBytesMax = value;
            return this;
        }

        /**
         * For proxies, TLS contexts and executors of your own; then {@link #connectTimeout} is that client's.
         *
         * @param value the client to use
         * @return this builder
         */
        public Builder httpClient(HttpClient value) {
            http = Objects.requireNonNull(value);
            return this;
        }

        /** @return a client; nothing is sent yet */
        public SvisorClient build() {
            return new SvisorClient(this);
        }

        private static Duration positive(Duration value) {
            if (value.isNegative() || value.isZero())
                throw new IllegalArgumentException("a timeout is more than 0");
            return value;
        }
    }
}
