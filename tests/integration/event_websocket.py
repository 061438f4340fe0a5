# seconds: 500
# Events by WebSocket, as clients of the websockets library get them, on the event port and below /events/ on the HTTP port.
import base64
import http.client
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import schema
import tap
from daemon import wait_until
from event_cluster import RUNNING, STARTING, restart_one, start_and_stop
from event_cluster import cluster_of as cluster_built
from frames import KEY, Frames, answer_to, opened_by_hand, request
from probe import memory_kb
from subscribers import CLASSIC, WsSubscriber, ZmqSubscriber

options = tap.arguments()


def cluster_of(count, link="WS", **more):
    return cluster_built(options.build, count, link, library="websockets", **more)


def check_schemas(heard):
    for header, body, _ in heard.messages:
        wrong = schema.faults(body, schema.load(header))
        tap.check_true(not wrong, f"{header} {body}: " + "; ".join(wrong))


def headers_of(heard):
    return {header for header, *_ in heard.messages}


@tap.test("the path says what a client hears; each message is [header, body]")
def _():
    with cluster_of(2) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        port = cluster.event_ports[0]
        with WsSubscriber(port, "/all") as everything, WsSubscriber(port, "/event/death") as some, \
                WsSubscriber(port, "/nothing") as none, WsSubscriber(port, "//process/") as process:
            restart_one(cluster)
            everything.wait("application", application_name="shop", statename="RUNNING")
            running = some.wait("event", name="one", state=RUNNING)
            process.wait("process", statename="RUNNING")
            os.kill(running["pid"], 9)  # of the program that we have just started
            some.wait("death", name="one")
            everything.wait("instance")
            everything.wait("process", process_name="one")
            tap.check(headers_of(some), {"event", "death"}, "what the one hears")
            tap.check(headers_of(process), {"process"}, "what the other hears")
            tap.check(none.messages, [], "what nobody said")
            tap.check_true(headers_of(everything) <= set(CLASSIC), f"all are {headers_of(everything)}")
            for heard in (everything, some, process):
                check_schemas(heard)


@tap.test("with ALL, a WebSocket on the HTTP port and a SUB socket hear the same")
def _():
    with cluster_of(1, "ALL") as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        with WsSubscriber(cluster.ports[0], "/events/all") as by_ws, ZmqSubscriber(cluster.event_ports[0]) as by_zmq:
            by_zmq.wait("instance")
            restart_one(cluster)
            for heard in (by_ws, by_zmq):
                heard.wait("application", application_name="shop", statename="RUNNING")
            told = [[(header, body) for header, body, _ in heard.messages if header in ("event", "process", "application")]
                    for heard in (by_ws, by_zmq)]
            tap.check(told[0], told[1], "what both hear")


@tap.test("what is no WebSocket is refused; on the HTTP port a page of another origin, too")
def _():
    with cluster_of(1) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        event_port, http_port = cluster.event_ports[0], cluster.ports[0]
        events = request("/all", event_port)
        pages = request("/events/all", http_port)
        cases = [
            (event_port, events, "101"),
            (event_port, events.replace("13", "12"), "426"),
            (event_port, events.replace(KEY, "short"), "426"),
            (event_port, events.replace("Upgrade: websocket\n", ""), "426"),
            (event_port, events.replace("Connection: Upgrade", "Connection: keep-alive, upgrade"), "101"),
            (event_port, events + "Origin: http://elsewhere\n", "101"),
            (http_port, pages, "101"),
            (http_port, pages + f"Origin: http://127.0.0.1:{http_port}\n", "101"),
            (http_port, pages + "Origin: http://elsewhere\n", "403"),
            (http_port, pages + "Origin: null\n", "403"),
            (http_port, pages.replace("/events/all", "/eventsall"), "404"),
        ]
        for port, text, wanted in cases:
            tap.check_true(wanted in answer_to(port, text), f"{text!r}: {answer_to(port, text)}, not {wanted}")
        connection = http.client.HTTPConnection("127.0.0.1", event_port, timeout=10)
        connection.request("GET", "/all")
        refusal = connection.getresponse()
        told = [refusal.getheader(name) for name in ("Upgrade", "Sec-WebSocket-Version")]
        connection.close()
        tap.check((refusal.status, told), (426, ["websocket", "13"]), "what a client is told that asks for no WebSocket")
        restart_one(cluster)


@tap.test("the HTTP port has events without event_link, too; its password counts for them")
def _():
    with cluster_of(1, "NONE") as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        with WsSubscriber(cluster.ports[0], "/events/instance") as heard:
            heard.wait("instance")
    with cluster_of(1) as cluster:
        server = cluster.servers[0]
        server.write_config(server.config.replace("port=127.0.0.1:@PORT@", "port=127.0.0.1:@PORT@\nusername=u\npassword=p", 1))
        cluster.start()
        server.wait_ready()
        tap.check_true("401" in answer_to(cluster.ports[0], "GET /events/all HTTP/1.1\nHost: x\n"), "401")
        with WsSubscriber(cluster.ports[0], "/events/instance", extra_headers={
                "Authorization": "Basic " + base64.b64encode(b"u:p").decode()}) as heard:
            heard.wait("instance")


@tap.test("a client that does not read costs bounded memory, and is told exactly what it has missed")
def _():
    with cluster_of(1) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        with opened_by_hand(cluster.event_ports[0], "/event/process/application") as slow, \
                WsSubscriber(cluster.event_ports[0], "/event/process/application") as quick:
            before = memory_kb(cluster.servers[0].process.pid)
            start_and_stop(cluster, 3000)
            grown = memory_kb(cluster.servers[0].process.pid) - before
            wait_until(lambda: len(quick.messages) >= 36000, 10, "the others to hear all")
            frames, read, missed = Frames(slow), [], None
            while missed is None:
                header, body = frames.next()
                if header == "missed":
                    missed = body
                else:
                    read.append((header, body))
            print(f"# {grown} KB; read {len(read)}, missed {sum(missed['counts'].values())}")
            tap.check_true(grown < 16000, f"svisord has grown by {grown} KB")
            tap.check(schema.faults(missed, schema.load("missed")), [], "its schema")
            everything = [(header, body) for header, body, _ in quick.messages]
            tap.check(read, everything[:len(read)], "what it had before the gap")
            lost = [header for header, _ in everything[len(read):]]
            tap.check(missed["counts"], {header: lost.count(header) for header in set(lost)}, "what it has missed")
            restart_one(cluster)
            wait_until(lambda: frames.next()[1].get("state") == STARTING, 10, "what comes after it")


@tap.test("clients that say nonsense, too much, or leave without a word do no harm")
def _():
    with cluster_of(1) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        port = cluster.event_ports[0]
        mask = bytes(4)
        for text in (b"\xff" * 100, b"\x81\x85" + mask + b"hello", b"\x81\x05hello", b"\x82\xff" + b"\x7f" * 8 + mask,
                     (b"\x89\x80" + mask) * 20000, b"\x88\x82" + mask + b"\x03\xe8", b"\x01\x81" + mask + b"x" * 3, b""):
            with opened_by_hand(port, "/all") as connection:
                try:
                    connection.sendall(text)
                except OSError:  # it was shown the door
                    pass
        before = len(os.listdir(f"/proc/{cluster.servers[0].process.pid}/fd"))
        for _ in range(100):
            opened_by_hand(port, "/all").close()
        pid = cluster.servers[0].process.pid
        wait_until(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= before, 10, "their descriptors to be closed")
        with WsSubscriber(port) as heard:
            restart_one(cluster)
            heard.wait("event", name="one", state=RUNNING)


@tap.test("a client is told when the daemon ends, and finds the next one on the same port")
def _():
    with cluster_of(1) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        port = cluster.event_ports[0]
        with WsSubscriber(port) as heard:
            heard.wait("instance")
            cluster.servers[0].disconnect()
            cluster.servers[0].stop()
            wait_until(lambda: heard.error, 10, "the connection to end")
            tap.check_true("1001" in str(heard.error) or "going away" in str(heard.error), f"it says {heard.error!r}")
        cluster.servers[0].process = None
        cluster.start()
        cluster.wait_state("OPERATION")
        with WsSubscriber(port) as heard:
            heard.wait("instance")


if __name__ == "__main__":
    tap.run_all(options)
