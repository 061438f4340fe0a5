# seconds: 120
# The programs of docs/examples/clients do what their README says, at a real instance.
import os
import shutil
import signal
import subprocess
import sys
import threading

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
import tap
from cluster_servers import Cluster
from daemon import PYTHON, free_port, wait_until

EXAMPLES = os.path.join(ROOT, "docs", "examples", "clients")
PROGRAMS = """
[program:web]
command=/bin/sleep 1000
startsecs=0
"""
SECONDS = 30
options = tap.arguments()


def java():
    """The words before the name of a Java example."""
    jar = os.path.join(options.build, "svisor-client.jar")
    if shutil.which("javac") is None:
        tap.skip("there is no javac, which runs a source file: make deps")
    if not os.path.exists(jar):
        tap.skip("the Java client is not built: make java")
    return ["java", "-XX:TieredStopAtLevel=1", "-cp", jar]


class Node:
    """A cluster of one, which publishes events by `link`."""

    def __init__(self, link="NONE"):
        self.event_port = free_port()
        self.cluster = Cluster(options.build, 1, PROGRAMS, options=f"event_link={link}\nevent_port={self.event_port}\n")
        server = self.cluster.servers[0]
        server.write_config(server.config.replace("port=127.0.0.1:@PORT@\n", "port=127.0.0.1:@PORT@\nusername=alice\npassword=s/cr@t\n"))
        self.uri = f"http://alice:s%2Fcr%40t@127.0.0.1:{self.cluster.ports[0]}"
        self.proxy = server.rpc("alice", "s/cr@t", over="tcp")

    def __enter__(self):
        self.cluster.start()
        self.cluster.servers[0].wait_ready()
        wait_until(lambda: self.proxy.supvisors.get_supvisors_state()["fsm_statename"] == "OPERATION", SECONDS, "OPERATION")
        return self

    def __exit__(self, *_):
        self.cluster.close()


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)
    tap.check(done.returncode, 0, f"exit status; it said {done.stdout}{done.stderr}")
    return done.stdout


def check_status(text):
    for part in ("web", "RUNNING", "uptime", "s1", "Master", "BAD_NAME"):
        tap.check_true(part in text, f"no {part} in {text}")


@tap.test("status.py, status.sh and Status.java show a node")
def _():
    with Node() as node:
        check_status(run(PYTHON, os.path.join(EXAMPLES, "status.py"), node.uri))
        text = run(os.path.join(EXAMPLES, "status.sh"), node.uri, "web")
        for part in ('"statename": "RUNNING"', '"code": 10', "web, by XML-RPC:\nweb\nweb\n"):
            tap.check_true(part in text, f"no {part} in {text}")
        check_status(run(*java(), os.path.join(EXAMPLES, "Status.java"), node.uri))


class Listener:
    """An example that prints events, until it is ended. Its lines are read as they come."""

    def __init__(self, *words):
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def has(self, *parts):
        return any(all(part in line for part in parts) for line in list(self.lines))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join()


def check_hears(node, listener, *parts):
    """It may not have subscribed yet: the program is restarted until it hears of that."""

    def heard():
        node.proxy.supervisor.stopProcess("web")
        node.proxy.supervisor.startProcess("web")
        return listener.has(*parts) or listener.process.poll() is not None

    try:
        wait_until(heard, SECONDS, "an event")
    finally:
        for line in listener.lines[:5]:
            print("# " + line.rstrip()[:150])
    tap.check_true(listener.has(*parts), f"it ended: {''.join(listener.lines)}")


def has_module(name):
    return subprocess.run([PYTHON, "-c", f"import {name}"], stderr=subprocess.DEVNULL, check=False).returncode == 0


@tap.test("events_zmq.py hears what happens")
def _():
    if not has_module("zmq"):
        tap.skip("python3-zmq is not installed: make deps")
    with Node("ZMQ") as node:
        with Listener(PYTHON, os.path.join(EXAMPLES, "events_zmq.py"), f"tcp://127.0.0.1:{node.event_port}", "process") as listener:
            check_hears(node, listener, "process {", "'process_name': 'web'", "RUNNING")


@tap.test("events_websocket.py hears what happens")
def _():
    if not has_module("websockets"):
        tap.skip("python3-websockets is not installed: make deps")
    with Node("WS") as node:
        script = os.path.join(EXAMPLES, "events_websocket.py")
        with Listener(PYTHON, script, f"ws://127.0.0.1:{node.event_port}", "process", "event") as listener:
            check_hears(node, listener, "process {", "'process_name': 'web'", "RUNNING")


@tap.test("events_stream.py hears what happens, and so does curl")
def _():
    with Node() as node:
        script = os.path.join(EXAMPLES, "events_stream.py")
        with Listener(PYTHON, script, node.uri, "process", "event") as listener, \
                Listener("curl", "--silent", "--no-buffer", node.uri + "/events/process/event") as curl:
            check_hears(node, listener, "process {", "'process_name': 'web'", "RUNNING")
            check_hears(node, curl, "data: {", '"process_name": "web"', "RUNNING")


@tap.test("Events.java hears what happens")
def _():
    words = java()
    with Node("WS") as node:
        with Listener(*words, os.path.join(EXAMPLES, "Events.java"), f"ws://127.0.0.1:{node.event_port}") as listener:
            check_hears(node, listener, "process web:web RUNNING on ")


if __name__ == "__main__":
    tap.run_all(options)
