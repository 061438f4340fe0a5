package org.svisor.test;

import static org.svisor.test.Checks.equal;
import static org.svisor.test.Checks.isTrue;
import static org.svisor.test.Checks.test;
import static org.svisor.test.Checks.thrown;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

import com.sun.net.httpserver.HttpServer;

import org.svisor.HttpStatusException;
import org.svisor.ProtocolException;
import org.svisor.SvisorClient;
import org.svisor.TransportException;

/** Servers that do what a svisord would not: answer nothing, half, too much, or something else. */
public final class ServerTest {
    private static final String ANSWER = "<?xml version='1.0'?><methodResponse><params><param><value><string>3.0</string></value></param>"
            + "</params></methodResponse>";
    private static final Duration SHORT = Duration.ofMillis(300);

    private ServerTest() {
    }

    private static HttpServer serve(com.sun.net.httpserver.HttpHandler handler) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/RPC2", handler);
        server.setExecutor(java.util.concurrent.Executors.newCachedThreadPool(work -> {
            Thread thread = new Thread(work);
            thread.setDaemon(true);
            return thread;
        }));
        server.start();
        return server;
    }

    private static SvisorClient.Builder client(int port) {
        return SvisorClient.builder(URI.create("http://127.0.0.1:" + port)).timeout(SHORT);
    }

    private static void stalledBody() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        HttpServer server = serve(exchange -> {
            exchange.sendResponseHeaders(200, 1000);
            exchange.getResponseBody().write("<?xml".getBytes(StandardCharsets.UTF_8));
            exchange.getResponseBody().flush();
            try {
                end.await();
            } catch (InterruptedException ended) {
                Thread.currentThread().interrupt();
            }
        });
        try {
            long begin = System.nanoTime();
            thrown(TransportException.class, () -> client(server.getAddress().getPort()).build().supervisor().getAPIVersion());
            isTrue(System.nanoTime() - begin < 5_000_000_000L, "it took too long");
        } finally {
            end.countDown();
            server.stop(0);
        }
    }

    private static void tooLarge() throws Exception {
        HttpServer server = serve(exchange -> {
            exchange.sendResponseHeaders(200, 0);
            try (OutputStream body = exchange.getResponseBody()) {
                for (int i = 0; i < 100; i++)
                    body.write(new byte[10_000]);
            }
        });
        try {
            SvisorClient client = client(server.getAddress().getPort()).responseBytesMax(50_000).timeout(Duration.ofSeconds(5)).build();
            thrown(ProtocolException.class, () -> client.supervisor().getAPIVersion());
        } finally {
            server.stop(0);
        }
    }

    private static void statuses() throws Exception {
        HttpServer server = serve(exchange -> {
            String given = exchange.getRequestHeaders().getFirst("Authorization");
            byte[] answer = ANSWER.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders("Basic YWxpY2U6c2U6Y3JldA==".equals(given) ? 200 : 401, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        try {
            int port = server.getAddress().getPort();
            equal(client(port).credentials("alice", "se:cret").build().supervisor().getAPIVersion(), "3.0", "the answer");
            URI inUri = URI.create("http://alice:se%3Acret@127.0.0.1:" + port);
            equal(SvisorClient.builder(inUri).build().supervisor().getAPIVersion(), "3.0", "the answer, by the URI");
            equal(thrown(HttpStatusException.class, () -> client(port).build().supervisor().getAPIVersion()).status(), 401, "status");
        } finally {
            server.stop(0);
        }
    }

    /** Takes connections, reads a request from each, and closes it without a word. */
    private static void brokenConnections() throws Exception {
        AtomicInteger requests = new AtomicInteger();
        try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            Thread thread = new Thread(() -> {
                try {
                    while (true) {
                        try (java.net.Socket one = server.accept()) {
                            if (one.getInputStream().read(new byte[10_000]) > 0)
                                requests.incrementAndGet();
                        }
                    }
                } catch (IOException closed) {
                    return;
                }
            });
            thread.setDaemon(true);
            thread.start();
            SvisorClient client = client(server.getLocalPort()).timeout(Duration.ofSeconds(5)).build();
            thrown(TransportException.class, () -> client.supervisor().getAPIVersion());
            equal(requests.get(), 2, "attempts of a query");
            thrown(TransportException.class, () -> client.supervisor().startProcess("web"));
            equal(requests.get(), 3, "attempts with a command");
        }
    }

    private static void manyThreads() throws Exception {
        HttpServer server = serve(exchange -> {
            byte[] answer = ANSWER.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        try {
            SvisorClient client = client(server.getAddress().getPort()).timeout(Duration.ofSeconds(20)).build();
            AtomicInteger done = new AtomicInteger();
            Thread[] threads = new Thread[16];
            for (int i = 0; i < threads.length; i++) {
                threads[i] = new Thread(() -> {
                    for (int n = 0; n < 50; n++)
                        if (client.supervisor().getAPIVersion().equals("3.0"))
                            done.incrementAndGet();
                });
                threads[i].start();
            }
            for (Thread thread : threads)
                thread.join();
            equal(done.get(), 16 * 50, "answers");
        } finally {
            server.stop(0);
        }
    }

    private static void nobody() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        thrown(TransportException.class, () -> client(port).build().supervisor().getAPIVersion());
    }

    /** @param arguments none */
    public static void main(String[] arguments) {
        test("a server that stops in the middle of an answer is left when the time is over", ServerTest::stalledBody);
        test("an answer that is too large is refused while it comes", ServerTest::tooLarge);
        test("name and password are sent, and a status other than 200 is told", ServerTest::statuses);
        test("a query whose connection breaks is made again, a command is not", ServerTest::brokenConnections);
        test("one client serves many threads", ServerTest::manyThreads);
        test("a port where nobody listens is a TransportException", ServerTest::nobody);
        Checks.finish();
    }
}
