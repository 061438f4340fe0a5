package org.svisor.test;

import static org.svisor.test.Checks.equal;
import static org.svisor.test.Checks.isTrue;
import static org.svisor.test.Checks.test;
import static org.svisor.test.Checks.waitFor;
import static org.svisor.test.Keys.check;

import java.net.URI;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

import org.svisor.events.EventListener;
import org.svisor.events.EventSubscriber;
import org.svisor.events.EventType;
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

/**
 * The subscriber, at the server of tests/integration/java_events.py, which does what the first word of the path says; the headers that are asked for
 * follow it.
 */
public final class EventsTest {
    private static String server;

    private EventsTest() {
    }

    static String kindOf(ProcessEvent event) {
        if (event.process().isPresent())
            return " disabled or enabled";
        if (event.identifier().isEmpty())
            return "";
        return event.disabled().isPresent() ? " told" : " forced";
    }

    /** Keeps what it hears. */
    static class Ear implements EventListener {
        final Set<String> headers = Collections.synchronizedSet(new TreeSet<>());
        final List<RuntimeException> problems = new CopyOnWriteArrayList<>();
        final List<String> ends = new CopyOnWriteArrayList<>();
        final AtomicInteger connections = new AtomicInteger();

        @Override
        public void onSupvisors(StateModes state) {
            heard("supvisors", state);
        }

        @Override
        public void onInstance(InstanceInfo instance) {
            heard("instance", instance);
        }

        @Override
        public void onApplication(ApplicationInfo application) {
            heard("application", application);
        }

        @Override
        public void onProcessEvent(ProcessEvent event) {
            heard("event " + event.state() + kindOf(event), event);
        }

        @Override
        public void onProcess(ClusterProcess process) {
            heard("process", process);
        }

        @Override
        public void onHostStatistics(HostStatistics statistics) {
            heard("hstats", statistics);
        }

        @Override
        public void onProcessStatistics(ProcessStatistics statistics) {
            heard("pstats", statistics);
        }

        @Override
        public void onDeath(PublishedDeath death) {
            heard("death", death);
        }

        @Override
        public void onShortage(PublishedShortage shortage) {
            heard("resource", shortage);
        }

        @Override
        public void onDecision(Decision decision) {
            heard("mesh", decision);
        }

        @Override
        public void onPublished(EventCounts counts) {
            heard("published", counts);
        }

        @Override
        public void onMissed(EventCounts counts) {
            heard("missed", counts);
        }

        @Override
        public void onOther(String header, Map<String, Object> body) {
            headers.add("other " + header);
        }

        @Override
        public void onConnected() {
            connections.incrementAndGet();
        }

        @Override
        public void onDisconnected(String reason) {
            ends.add(reason);
        }

        @Override
        public void onProblem(RuntimeException problem) {
            problems.add(problem);
        }

        private void heard(String what, Object body) {
            try {
                check(body);
                headers.add(what);
            } catch (AssertionError unknownKey) {
                problems.add(new IllegalStateException(unknownKey));
            }
        }
    }

    private static EventSubscriber.Builder at(String scenario, EventListener ear) {
        return EventSubscriber.builder(URI.create(server + "/" + scenario), ear);
    }

    private static void allHeaders() throws Exception {
        Ear ear = new Ear();
        Set<String> wanted = Set.of("supvisors", "instance", "application", "process", "event RUNNING told", "event FATAL forced",
                "event DELETED", "event STOPPED disabled or enabled", "hstats", "pstats", "death", "resource", "mesh", "published", "missed", "other future");
        try (EventSubscriber subscriber = at("bodies", ear).start()) {
            isTrue(subscriber.uri().getPath().equals("/bodies/all"), subscriber.uri().toString());
            waitFor("all events", () -> ear.headers.containsAll(wanted) || !ear.problems.isEmpty());
        }
        equal(ear.problems, List.of(), "problems");
        equal(ear.headers, wanted, "what was heard");
        System.out.println("# classes checked: " + String.join(" ", Keys.seen()));
    }

    private static void chosenHeaders() throws Exception {
        Ear ear = new Ear();
        try (EventSubscriber subscriber = at("echo", ear).types(EventType.PROCESS, EventType.DEATH).start()) {
            waitFor("what was asked for", () -> ear.headers.contains("other /echo/process/death"));
        }
    }

    private static void goesOn() throws Exception {
        Ear ear = new Ear() {
            @Override
            public void onApplication(ApplicationInfo application) {
                super.onApplication(application);
                throw new IllegalStateException("a listener that fails");
            }
        };
        try (EventSubscriber subscriber = at("nonsense", ear).start()) {
            waitFor("the last event", () -> ear.headers.contains("pstats"));
        }
        equal(ear.problems.size(), 7, "problems: " + ear.problems);
        equal(ear.ends, List.of(), "ends");
    }

    private static void again() throws Exception {
        Ear ear = new Ear();
        try (EventSubscriber subscriber = at("closes", ear).start()) {
            waitFor("three connections", () -> ear.connections.get() >= 3);
        }
        isTrue(ear.ends.size() >= 2 && ear.ends.get(0).contains("1001"), "ends: " + ear.ends);
        int connections = ear.connections.get();
        Thread.sleep(200); // nothing may come: there is no event to wait for
        equal(ear.connections.get(), connections, "connections after close()");
    }

    private static void failingListener() throws Exception {
        Ear ear = new Ear() {
            @Override
            public void onDisconnected(String reason) {
                throw new IllegalStateException("a listener that fails");
            }
        };
        try (EventSubscriber subscriber = at("closes", ear).start()) {
            waitFor("a second connection", () -> ear.connections.get() >= 2);
        }
        isTrue(!ear.problems.isEmpty(), "the failure of the listener is told");
    }

    /** The log of the JDK, where a subscriber that nobody answers is noticed; by the name of its logger. */
    private static void refused() throws Exception {
        List<String> told = new CopyOnWriteArrayList<>();
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord line) {
                told.add(new SimpleFormatter().formatMessage(line));
            }

            @Override
            public void flush() {
            }

            @Override
            public void close() {
            }
        };
        Logger logger = Logger.getLogger("org.svisor.events");
        logger.setUseParentHandlers(false);
        logger.addHandler(handler);
        Ear ear = new Ear();
        try (EventSubscriber subscriber = at("refuses", ear).start()) {
            waitFor("a line in the log, and a connection at last", () -> ear.connections.get() > 0);
        }
        logger.removeHandler(handler);
        equal(told.size(), 1, "lines, of two attempts: " + told);
        isTrue(told.get(0).contains("/refuses/all: HTTP status 401"), told.toString());
    }

    private static void passwordInAddress() throws Exception {
        Ear ear = new Ear();
        URI address = URI.create(server.replace("://", "://alice:a%20word@") + "/password");
        try (EventSubscriber subscriber = EventSubscriber.builder(address, ear).start()) {
            isTrue(!subscriber.uri().toString().contains("alice"), "the password stays out of logs: " + subscriber.uri());
            waitFor("what was sent", () -> ear.headers.contains("other alice:a word"));
        }
    }

    private static void silence() throws Exception {
        Ear ear = new Ear();
        try (EventSubscriber subscriber = at("silent", ear).silence(Duration.ofMillis(300)).start()) {
            waitFor("a second connection", () -> ear.connections.get() >= 2);
        }
        isTrue(ear.ends.get(0).contains("nothing was heard"), "ends: " + ear.ends);
        Ear patient = new Ear();
        try (EventSubscriber subscriber = at("pongs", patient).silence(Duration.ofMillis(300)).start()) {
            waitFor("the event after a long pause", () -> patient.headers.contains("other late"));
        }
        equal(patient.connections.get(), 1, "connections to a server that answers pings");
    }

    private static void slowListener() throws Exception {
        Ear ear = new Ear() {
            @Override
            public void onSupvisors(StateModes state) {
                super.onSupvisors(state);
                try {
                    Thread.sleep(700);
                } catch (InterruptedException ended) {
                    Thread.currentThread().interrupt();
                }
            }
        };
        try (EventSubscriber subscriber = at("bodies", ear).silence(Duration.ofMillis(300)).start()) {
            waitFor("the last event", () -> ear.headers.contains("other future"));
        }
        equal(ear.ends, List.of(), "ends");
    }

    private static void tooLarge() throws Exception {
        Ear ear = new Ear();
        try (EventSubscriber subscriber = at("large", ear).messageCharsMax(10_000).start()) {
            waitFor("a refusal", () -> !ear.ends.isEmpty());
        }
        isTrue(ear.ends.get(0).contains("more than 10000"), "ends: " + ear.ends);
    }

    /** @param arguments {@code ws://host:port} */
    public static void main(String[] arguments) {
        server = arguments[0];
        test("each of Supvisors' headers has its class, and each key a method", EventsTest::allHeaders);
        test("the headers that are asked for are in the path", EventsTest::chosenHeaders);
        test("what is no event is a problem, and the next one is heard", EventsTest::goesOn);
        test("a connection that is closed is made again, until the subscriber is closed", EventsTest::again);
        test("a listener that throws at the end of a connection gets another one", EventsTest::failingListener);
        test("a server that refuses is told once, with the reason", EventsTest::refused);
        test("name and password may stand in the address", EventsTest::passwordInAddress);
        test("a server that gives no sign of life is left, one that answers pings is not", EventsTest::silence);
        test("a listener that is slower than a silence costs no connection", EventsTest::slowListener);
        test("a message that is too large ends the connection", EventsTest::tooLarge);
        Checks.finish();
    }
}
