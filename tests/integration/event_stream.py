# seconds: 500
# Events as text/event-stream on the HTTP ports, read by http.client: what is missed while a connection is broken comes later, or is said to be missing.
import base64
import contextlib
import http.client
import json
import os
import socket
import sys
import threading
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import schema
import tap
from compare import HEAD
from daemon import Server, wait_until
from event_cluster import RUNNING, STARTING, restart_one, start_and_stop
from event_cluster import cluster_of as cluster_built
from frames import STALL_SECONDS
from probe import descriptor_count, memory_kb
from subscribers import StreamSubscriber, WsSubscriber

KEPT = 4096  # events
options = tap.arguments()


def cluster_of(count, link="NONE", library="json"):
    return cluster_built(options.build, count, link, library=library)


def told(heard):
    return [(header, body) for header, body, _ in heard.messages]


@tap.test("the path says what a client hears, and it hears what a WebSocket hears, whatever event_link is")
def _():
    for link in ("NONE", "ZMQ"):
        with cluster_of(2, link, library="websockets") as cluster:
            cluster.start()
            cluster.wait_state("OPERATION")
            port = cluster.ports[0]
            path = "/events/event/process/application/death"
            with StreamSubscriber(port, path) as stream, WsSubscriber(port, path) as websocket, \
                    StreamSubscriber(port, "/events/instance") as other:
                tap.check(stream.response.getheader("Content-Type"), "text/event-stream; charset=utf-8", "its type")
                tap.check(stream.response.getheader("Cache-Control"), "no-store", "caching")
                tap.check(stream.retry, "1000", "when to come back")
                restart_one(cluster)
                running = stream.wait("event", name="one", state=RUNNING)
                os.kill(running["pid"], 9)  # of the program that we have just started
                stream.wait("death", name="one")
                websocket.wait("death", name="one")
                other.wait("instance")
                wait_until(lambda: len(stream.messages) == len(websocket.messages), 5, "the same number")
                tap.check(told(stream), told(websocket), "what both hear")
                tap.check({header for header, _ in told(other)}, {"instance"}, "what the other hears")


@tap.test("a client whose connection breaks again and again hears a thousand events, each once, in their order")
def _():
    with cluster_of(1) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        port, path = cluster.ports[0], "/events/event/process/application"
        with StreamSubscriber(port, path) as steady:
            work = threading.Thread(target=start_and_stop, args=(cluster, 125))
            heard, breaks = [], 0
            broken = StreamSubscriber(port, path)
            work.start()
            while work.is_alive():
                count = len(broken.messages)
                if count >= 7 or not work.is_alive():
                    broken.close()
                    heard += told(broken)
                    breaks += 1
                    broken = StreamSubscriber(port, path, broken.last_id)
            work.join()
            wait_until(lambda: len(heard) + len(broken.messages) >= len(steady.messages) >= 1000, 10, "all to be heard")
            broken.close()
            heard += told(broken)
            print(f"# {len(heard)} events, {breaks} breaks")
            tap.check_true(breaks >= 10, f"only {breaks} breaks")
            tap.check(heard, told(steady), "what it heard")
            later = StreamSubscriber(port, "/events/death", broken.last_id)  # which nobody had asked for
            tap.check("no longer kept" in later.wait("missed")["why"], True, "another filter is told that it cannot be known")
            later.close()


@tap.test("an id also comes in the query; the header goes before it")
def _():
    with cluster_of(1) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        port = cluster.ports[0]
        with StreamSubscriber(port, "/events/event") as first:
            begin = first.last_id
            restart_one(cluster)
            first.wait("event", state=RUNNING)
        with StreamSubscriber(port, f"/events/event?last_event_id={begin}") as again:
            again.wait("event", state=RUNNING)
            tap.check(told(again), told(first), "all of it once more")
        with StreamSubscriber(port, f"/events/event?last_event_id={begin}", first.last_id) as last:
            restart_one(cluster)
            last.wait("event", state=RUNNING)
            tap.check(last.messages[0][1]["now_monotonic"] > first.messages[-1][1]["now_monotonic"], True, "only what is new")


@tap.test("what is no longer kept is said to be missing; what happened under other headers does not count")
def _():
    with cluster_of(1) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        port = cluster.ports[0]
        with StreamSubscriber(port, "/events/event") as first, StreamSubscriber(port, "/events/mesh") as quiet, \
                StreamSubscriber(port, "/events/event") as stays:
            first.close()
            quiet.close()
            start_and_stop(cluster, KEPT // 4 + 10)
            wait_until(lambda: len(stays.messages) >= KEPT + 40, 10, "all to be told")
        with StreamSubscriber(port, "/events/event", first.last_id) as again:
            missed = again.wait("missed")
            tap.check(schema.faults(missed, schema.load("missed")), [], "its schema")
            tap.check((len(again.messages), "no longer kept" in missed["why"]), (1, True), "what it hears")
            restart_one(cluster)
            again.wait("event", state=STARTING)
            resumed = again.last_id
        with StreamSubscriber(port, "/events/event", resumed) as whole, \
                StreamSubscriber(port, "/events/mesh", quiet.last_id) as quiet_again:
            restart_one(cluster)
            whole.wait("event", state=STARTING)
            cluster.servers[0].rpc(over="tcp").supervisor.stopProcess("shop:one")
            with contextlib.suppress(xmlrpc.client.Fault):  # it has nothing to start, and the cluster says so
                cluster.call(0, "start_application", 0, "shop", False)
            quiet_again.wait("mesh")
            tap.check(whole.of("missed") + quiet_again.of("missed"), [], "what was missed")


@tap.test("after a restart of the daemon, at another instance, and with nonsense for an id, a client is told that it cannot be known")
def _():
    with cluster_of(2) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        port = cluster.ports[0]
        with StreamSubscriber(port, "/events/event") as first:
            restart_one(cluster)
            first.wait("event", state=RUNNING)
            with StreamSubscriber(cluster.ports[1], "/events/event", first.last_id) as there:
                tap.check("none of this svisord" in there.wait("missed")["why"], True, "at another instance")
            cluster.servers[0].disconnect()
            cluster.servers[0].stop()
            wait_until(lambda: first.error, 10, "the stream to end")
            tap.check(first.error, "end of the stream", "in good order")
        cluster.servers[0].process = None
        cluster.start()
        cluster.wait_state("OPERATION")
        for last_id in (first.last_id, "x", "-", first.last_id + "0" * 500, "\xff\xfe", "%s%n", "0" * 16 + "-1", "null"):
            with StreamSubscriber(port, "/events/event", last_id) as heard:
                missed = heard.wait("missed")
                tap.check(missed["counts"], {}, "nobody counts that")
                tap.check(heard.last_id != last_id, True, "it has a good id now")
        with StreamSubscriber(port, "/events/event", "") as heard:
            restart_one(cluster)
            heard.wait("event", state=RUNNING)
            tap.check(heard.of("missed"), [], "an empty one is none")


class Slow:
    """A client that has asked, and reads when it is told to."""

    def __init__(self, port, path):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(STALL_SECONDS)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        response = http.client.HTTPResponse(self.socket)
        response.begin()
        self.response = response

    def read(self, is_last):
        found, header = [], None
        for raw in iter(self.response.readline, b""):
            name, _, value = raw.decode().rstrip("\n").partition(": ")
            header = value if name == "event" else header
            if name == "data":
                found.append((header, json.loads(value)))
                if is_last(*found[-1]):
                    return found
        return found

    def close(self):
        self.response.close()
        self.socket.close()


@tap.test("a client that does not read costs bounded memory, and is told exactly what it has missed")
def _():
    with cluster_of(1) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        port, path, pid = cluster.ports[0], "/events/event/process/application", cluster.servers[0].process.pid
        slow = [Slow(port, path) for _ in range(20)]
        with StreamSubscriber(port, path) as quick:
            before = memory_kb(pid)
            start_and_stop(cluster, 3000)
            grown = memory_kb(pid) - before
            wait_until(lambda: len(quick.messages) >= 36000, 20, "the others to hear all")
            tap.check(quick.of("missed"), [], "what the quick one has missed")
            everything = told(quick)
            read = slow[0].read(lambda header, _: header == "missed")
            _, missed = read.pop()
            print(f"# {grown} KB; read {len(read)}, missed {sum(missed['counts'].values())}")
            tap.check_true(grown < 20000, f"svisord has grown by {grown} KB")
            tap.check(schema.faults(missed, schema.load("missed")), [], "its schema")
            tap.check(read, everything[:len(read)], "what it had before the gap")
            behind = len(read) + sum(missed["counts"].values())
            lost = [header for header, _ in everything[len(read):behind]]
            tap.check(missed["counts"], {header: lost.count(header) for header in set(lost)}, "what it has missed")
            rest = slow[0].read(lambda *event: event == everything[-1])
            tap.check(rest, everything[behind:], "what comes after the gap")
        for client in slow:
            client.close()


def answer(port, method, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    status, kind = response.status, response.getheader("Content-Type", "")
    body = b"" if status == 200 and method == "GET" else response.read()
    response.close()
    connection.close()
    return status, kind.split(";")[0], body


@tap.test("HEAD, other verbs, unknown headers, pages of another origin and wrong passwords get the answer that they should")
def _():
    with cluster_of(1) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        port = cluster.ports[0]
        for status, method, path, headers in (
                (200, "HEAD", "/events/all", {}), (405, "POST", "/events/all", {}), (405, "DELETE", "/events/all", {}),
                (404, "GET", "/events/", {}), (404, "GET", "/events/nothing", {}), (200, "GET", "/events/nothing/process", {}),
                (403, "GET", "/events/all", {"Origin": "http://elsewhere"}), (403, "GET", "/events/all", {"Sec_Fetch_Site": "cross-site"}),
                (403, "HEAD", "/events/all", {"Sec_Fetch_Site": "same-site"}), (200, "GET", "/events/all", {"Sec_Fetch_Site": "same-origin"}),
                (200, "GET", "/events/all", {"Origin": f"http://127.0.0.1:{port}"}), (426, "GET", "/events/all", {"Upgrade": "h2c"})):
            found = answer(port, method, path, **headers)
            tap.check(found[0], status, f"{method} {path} {headers}: {found}")
        tap.check(answer(port, "HEAD", "/events/all"), (200, "text/event-stream", b""), "HEAD")
    with cluster_of(1) as cluster:
        server = cluster.servers[0]
        server.write_config(server.config.replace("port=127.0.0.1:@PORT@", "port=127.0.0.1:@PORT@\nusername=u\npassword=p", 1))
        cluster.start()
        server.wait_ready()
        tap.check(answer(cluster.ports[0], "GET", "/events/all")[0], 401, "without a password")
        word = "Basic " + base64.b64encode(b"u:p").decode()
        with StreamSubscriber(cluster.ports[0], "/events/instance", headers={"Authorization": word}) as heard:
            heard.wait("instance")
    with Server("svisord", options.build, HEAD + "[inet_http_server]\nport=127.0.0.1:@PORT@\n") as server:
        tap.check(answer(server.port, "GET", "/events/all")[0], 404, "without a cluster")


@tap.test("a client that hears nothing is greeted now and then; those that leave are forgotten")
def _():
    with cluster_of(1) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        port, pid = cluster.ports[0], cluster.servers[0].process.pid
        with StreamSubscriber(port, "/events/death") as quiet:
            before = descriptor_count(pid)
            for _ in range(100):
                StreamSubscriber(port, "/events/all").close()
                Slow(port, "/mainlogtail").close()
            wait_until(lambda: descriptor_count(pid) <= before, 10, "their descriptors to be closed")
            wait_until(lambda: quiet.comments > 0, 25, "a comment")
            tap.check(quiet.messages, [], "events")


if __name__ == "__main__":
    tap.run_all(options)
