# seconds: 300
# Events as subscribers get them: PyZMQ on the port of a real daemon. docs/events.md says what is promised.
import json
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import schema
import tap
from daemon import wait_until
from event_cluster import RUNNING, STARTING, BACKOFF, FATAL, restart_one, start_and_stop
from event_cluster import cluster_of as cluster_built
from probe import memory_kb
from subscribers import CLASSIC, ZmqSubscriber

try:
    import zmq
except ImportError:
    zmq = None

KEYS = {
    "supvisors": {"identifier": str, "nick_identifier": str, "now_monotonic": float, "fsm_statecode": int,
                  "fsm_statename": str, "master_identifier": str, "degraded_mode": bool, "discovery_mode": bool,
                  "starting_jobs": list, "stopping_jobs": list, "instance_states": dict},
    "instance": {"identifier": str, "nick_identifier": str, "node_name": str, "port": int, "statecode": int,
                 "statename": str, "remote_sequence_counter": int, "remote_mtime": float, "remote_time": int,
                 "local_sequence_counter": int, "local_mtime": float, "local_time": int, "loading": int,
                 "process_failure": bool},
    "application": {"application_name": str, "managed": bool, "now_monotonic": float, "statecode": int, "statename": str,
                    "major_failure": bool, "minor_failure": bool},
    "process": {"application_name": str, "process_name": str, "now_monotonic": float, "last_event_mtime": float,
                "statecode": int, "statename": str, "expected_exit": bool, "identifiers": list, "extra_args": str},
    "event": {"identifier": str, "nick_identifier": str, "group": str, "name": str, "state": int, "expected": bool,
              "spawnerr": str, "now": float, "now_monotonic": float, "event_mtime": float, "pid": int, "extra_args": str,
              "disabled": bool},
    "hstats": {"identifier": str, "now_monotonic": float, "target_period": float, "period": list, "cpu": list, "mem": float,
               "net_io": dict, "disk_io": dict, "disk_usage": dict},
    "pstats": {"namespec": str, "identifier": str, "pid": int, "now_monotonic": float, "target_period": float,
               "period": list, "cpu": float, "mem": float},
}
options = tap.arguments()


def cluster_of(count, **more):
    return cluster_built(options.build, count, **more)


def subscribed(port, *topics, **more):
    return ZmqSubscriber(port, topics or ("",), **more)


def check_schemas(heard):
    for header, body, _ in heard.messages:
        wrong = schema.faults(body, schema.load(header))
        tap.check_true(not wrong, f"{header} {body}: " + "; ".join(wrong))


def check_keys(header, body):
    found = {key: type(value) for key, value in body.items()}
    tap.check(found, KEYS[header], f"keys and types of {header}")


def subscribe_to_all(cluster, index=0):
    """A subscriber who certainly hears: instances come every five seconds and with each change."""
    heard = subscribed(cluster.event_ports[index])
    heard.wait("instance")
    return heard


@tap.test("a SUB socket hears the five headers in two parts, with Supvisors' keys and types")
def _():
    with cluster_of(2) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        with subscribe_to_all(cluster) as heard:
            cluster.call(0, "start_process", 0, "shop:one", "", True)
            heard.wait("event", name="one", state=STARTING)
            running = heard.wait("event", name="one", state=RUNNING)
            process = heard.wait("process", process_name="one", statename="RUNNING")
            heard.wait("application", application_name="shop", statename="RUNNING")
            heard.wait("supvisors")
            for header in KEYS:
                for body in heard.of(header):
                    check_keys(header, body)
            tap.check(process["identifiers"], [running["identifier"]], "where it runs")
            tap.check(running["expected"], True, "expected")
            tap.check_true(running["pid"] > 1, f"pid {running['pid']}")
            tap.check_true(abs(running["now"] - time.time()) < 5, f"now is {running['now']}")
            tap.check_true(0 <= time.monotonic() - running["event_mtime"] < 5, f"event_mtime is {running['event_mtime']}")
            tap.check(set(heard.parts), {2}, "parts of a message")
            check_schemas(heard)
            tap.check(sorted({header for header, *_ in heard.messages} - set(CLASSIC)), [], "other headers")


@tap.test("event, process and application come in this order, on every instance")
def _():
    with cluster_of(2) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        with subscribe_to_all(cluster, 0) as here, subscribe_to_all(cluster, 1) as there:
            cluster.servers[0].rpc(over="tcp").supervisor.startProcess("shop:one")
            for heard in (here, there):
                heard.wait("application", statename="RUNNING")
                event = heard.wait("event", name="one", state=RUNNING)
                tap.check(event["nick_identifier"], "s1", "who said so")
                headers = [header for header, body, _ in heard.messages if header in ("event", "process", "application")]
                tap.check(headers[:3], ["event", "process", "application"], "the order")


@tap.test("each period of the statistics is told, of the host and of each process that runs")
def _():
    with cluster_of(1, more="stats_collecting_period=1\nstats_periods=1,2") as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        with subscribed(cluster.event_ports[0], "hstats", "pstats") as heard:
            cluster.call(0, "start_process", 0, "shop:one", "", True)
            one = heard.wait("pstats", namespec="shop:one", target_period=2.0)
            daemon = heard.wait("pstats", namespec="supervisord")
            host = heard.wait("hstats", target_period=1.0)
            tap.check(one["pid"], cluster.servers[0].rpc(over="tcp").supervisor.getProcessInfo("shop:one")["pid"], "pid")
            tap.check_true(1.5 < one["period"][1] - one["period"][0] < 4, f"period {one['period']}")
            tap.check_true(0 < daemon["mem"] < 50, f"memory of svisord: {daemon['mem']} %")
            tap.check(len(host["cpu"]), 1 + os.cpu_count(), "the mean, and each processor")
            for header in ("hstats", "pstats"):
                for body in heard.of(header):
                    check_keys(header, body)
            check_schemas(heard)


@tap.test("every state of a process that fails is told, also those that last no time")
def _():
    with cluster_of(1) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        with subscribe_to_all(cluster) as heard:
            try:
                cluster.servers[0].rpc(over="tcp").supervisor.startProcess("shop:crash")
            except Exception:  # ABNORMAL_TERMINATION is what it is about
                pass
            heard.wait("event", name="crash", state=FATAL)
            states = [body["state"] for body in heard.of("event", name="crash")]
            tap.check(states, [STARTING, BACKOFF, FATAL], "states")


@tap.test("a process that is disabled, enabled, added and removed is told as Supvisors does")
def _():
    with cluster_of(2) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        local = set(cluster.call(0, "get_local_process_info", "many:many_00"))
        with subscribe_to_all(cluster, 0) as here, subscribe_to_all(cluster, 1) as there:
            cluster.call(0, "disable", "many", True)
            for heard in (here, there):
                event = heard.wait("event", name="many_01", disabled=True)
                tap.check(set(event), local, "keys of an event about a disabled process")
            cluster.call(0, "enable", "many")
            for heard in (here, there):
                heard.wait("event", name="many_01", disabled=False)
            cluster.call(0, "update_numprocs", "many", 3, True)
            for heard in (here, there):
                heard.wait("process", process_name="many_02", statename="STOPPED")
                heard.clear()
            cluster.call(0, "update_numprocs", "many", 2, True)
            for heard in (here, there):
                tap.check(heard.wait("event", name="many_02"), {"group": "many", "name": "many_02", "state": -1}, "the event")
                check_keys("process", heard.wait("process", process_name="many_02", statecode=-1, statename="DELETED"))
                check_schemas(heard)


@tap.test("only what was subscribed to is sent; everything means Supvisors' seven headers")
def _():
    with cluster_of(1) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        port = cluster.event_ports[0]
        with subscribe_to_all(cluster) as everything, subscribed(port, "event") as some, subscribed(port, "nothing") as none:
            wait_until(lambda: restart_one(cluster) and some.of("event"), 10, "an event")
            wait_until(lambda: everything.of("application", statename="RUNNING"), 10, "the application")
            tap.check({header for header, *_ in some.messages}, {"event"}, "what the one hears")
            tap.check(none.messages, [], "what nobody said")
            tap.check_true({header for header, *_ in everything.messages} <= set(CLASSIC), "only classic headers")


@tap.test("subscribers that come, go, say nonsense and die do no harm")
def _():
    with cluster_of(1) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        port = cluster.event_ports[0]
        for round_number in range(20):
            with subscribed(port, *(("",), ("event", "ev"), ("x" * 200,), ("", "process"))[round_number % 4]):
                if round_number % 4 == 0:
                    restart_one(cluster)
        greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48)
        for text in (b"GET / HTTP/1.1\r\n\r\n", greeting, greeting + b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB" +
                     b"\x00\x05\x00even" * 300 + b"\x02" + b"\xff" * 8, bytes(range(256))):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(text)
        with subscribe_to_all(cluster) as heard:
            restart_one(cluster)
            heard.wait("event", name="one", state=RUNNING)


@tap.test("a port that is in use is said, and tried again until it is free")
def _():
    with cluster_of(1) as cluster, socket.socket() as occupant:
        occupant.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        occupant.bind(("0.0.0.0", cluster.event_ports[0]))
        occupant.listen()
        cluster.start()
        cluster.wait_state("OPERATION")
        wait_until(lambda: "no events are published" in cluster.servers[0].read("main.log"), 10, "the log to say so")
        occupant.close()
        with subscribe_to_all(cluster) as heard:
            restart_one(cluster)
            heard.wait("event", name="one", state=RUNNING)


@tap.test("why a program died, what the cluster decides and how many events there were is told to who asks for it")
def _():
    with cluster_of(2) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        own = ("death", "resource", "mesh", "published")
        with subscribed(cluster.event_ports[0], "", *own) as heard:
            first = heard.wait("published")
            cluster.call(0, "start_process", 0, "shop:one", "", True)
            running = heard.wait("event", name="one", state=RUNNING)
            os.kill(running["pid"], 9)  # of the program that we have just started
            death = heard.wait("death", name="one")
            tap.check((death["group"], death["signal"], death["nick_identifier"]), ("shop", 9, "s1"), "whose death it is")
            tap.check_true("tail" not in death, "output is not published")
            decisions = [body["text"] for body in heard.of("mesh")]
            tap.check_true(any("shop:one" in text for text in decisions), f"decisions: {decisions}")
            second = wait_until(lambda: heard.of("published")[1:], 10, "the next count")[0]
            tap.check(second["serial"], first["serial"] + 1, "serial")
            check_schemas(heard)
            kinds = [(header, body) for header, body, _ in heard.messages]
            between = [header for header, _ in kinds[kinds.index(("published", first)) + 1:kinds.index(("published", second))]]
            counted = {header: second["counts"][header] - first["counts"][header] for header in second["counts"]}
            tap.check({header: count for header, count in counted.items() if count},
                      {header: between.count(header) for header in between}, "events between two counts")


@tap.test("a subscriber that does not read costs bounded memory, and can count what it has lost")
def _():
    with cluster_of(1) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        context = zmq.Context()
        slow = context.socket(zmq.SUB)
        slow.setsockopt(zmq.RCVHWM, 1)
        slow.setsockopt(zmq.RCVBUF, 4096)
        slow.setsockopt(zmq.LINGER, 0)
        for topic in ("event", "process", "application", "published"):
            slow.setsockopt_string(zmq.SUBSCRIBE, topic)
        slow.connect(f"tcp://127.0.0.1:{cluster.event_ports[0]}")
        try:
            first = read_counts(slow)[1]  # it is subscribed
            before = memory_kb(cluster.servers[0].process.pid)
            start_and_stop(cluster, 3000)
            grown = memory_kb(cluster.servers[0].process.pid) - before
            print(f"# {grown} KB for 36,000 events that nobody reads")
            tap.check_true(grown < 16000, f"svisord has grown by {grown} KB")
            lost = count_lost(slow, first)
            print(f"# {lost} lost")
            tap.check_true(lost > 1000, f"{lost} are known to be lost")
        finally:
            slow.close()
            context.term()


def read_counts(sub, timeout=60):
    """Reads up to the next `published`: how many others came, and its counts. Through so small a buffer TCP takes its time."""
    end, seen = time.monotonic() + timeout, 0
    while time.monotonic() < end:
        if sub.poll(100):
            header, body = sub.recv_multipart()
            if header == b"published":
                return seen, json.loads(body)["counts"]
            seen += 1
    return tap.fail(f"no counts within {timeout} s")


def count_lost(sub, first):
    """As a subscriber would: what was sent between two counts, less what came between them."""
    last, seen = None, 0
    while True:
        more, counts = read_counts(sub)
        seen += more
        if counts == last:  # nothing happens any more
            return sum(last.values()) - sum(first.values()) - seen
        last = counts


if __name__ == "__main__":
    tap.run_all(options)
