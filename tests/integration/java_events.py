# seconds: 120
# The subscriber of the Java client, at a server that publishes as Supvisors' WsEventPublisher does: ["header", {body}], the headers in the path.
# The bodies are what Supvisors 0.19 has published. What else a server can do to a client is done here, too.
import asyncio
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap

JAVA_SECONDS = 100
STATE = {"identifier": "host-2:60002", "nick_identifier": "supv-02", "now_monotonic": 13041.357282716, "fsm_statecode": 4,
         "fsm_statename": "OPERATION", "degraded_mode": False, "discovery_mode": True, "master_identifier": "host-1:60001",
         "starting_jobs": [], "stopping_jobs": ["host-1:60001"],
         "instance_states": {"host-2:60002": "RUNNING", "host-1:60001": "RUNNING", "host-3:60003": "STOPPED"}}
INSTANCE = {"identifier": "host-3:60003", "nick_identifier": "supv-03", "node_name": "host-3", "port": 60003, "statecode": 3,
            "statename": "RUNNING", "loading": 10, "process_failure": False, "remote_sequence_counter": 7, "remote_time": 1795372855,
            "remote_mtime": 13043.538636217, "local_sequence_counter": 6, "local_time": 1795372855, "local_mtime": 13043.54260685}
APPLICATION = {"application_name": "alpha", "managed": True, "now_monotonic": 13041.359409697, "statecode": 3, "statename": "STOPPING",
               "major_failure": False, "minor_failure": False}
EVENT = {"identifier": "host-1:60001", "nick_identifier": "supv-01", "name": "a1", "group": "alpha", "state": 20,
         "now": 1795372852.8234794, "now_monotonic": 13041.353575976, "pid": 8427, "expected": True, "spawnerr": "", "extra_args": "",
         "disabled": False, "event_mtime": 13041.35911105}
FORCED = {name: value for name, value in dict(EVENT, state=200, pid=0, spawnerr="no resource", identifier="").items()
          if name != "disabled"}
DISABLED = {"group": "alpha", "name": "a1", "state": 0, "statename": "STOPPED", "start": 0, "stop": 0, "now": 1795372855, "pid": 0,
            "description": "Not started", "spawnerr": "", "expected": True, "start_monotonic": 0.0, "stop_monotonic": 0.0,
            "now_monotonic": 13043.5, "extra_args": "", "startsecs": 1, "stopwaitsecs": 10, "process_index": 0, "program_name": "a1",
            "disabled": True, "has_stdout": True, "has_stderr": False}
PROCESS = {"application_name": "alpha", "process_name": "a1", "now_monotonic": 13041.359280576, "statecode": 40, "statename": "STOPPING",
           "expected_exit": True, "last_event_mtime": 13041.358923549, "identifiers": ["host-1:60001"], "extra_args": ""}
HOST = {"identifier": "host-2:60002", "now_monotonic": 13043.545549495, "target_period": 5.0, "period": [31.492858043, 36.691525479],
        "cpu": [91.17361784673562, 92.27799227798218, 90.05847953216146], "mem": 3.8, "net_io": {"lo": [9.538201493061713, 0]},
        "disk_io": {"vda": [116.95304758090984, 4093.356665331844]}, "disk_usage": {"/": 18.2}}
PSTATS = {"namespec": "alpha:a3", "identifier": "host-2:60002", "pid": 8476, "now_monotonic": 13043.545876124, "target_period": 5.0,
          "period": [0.0, 5.117872877000991], "cpu": 0.0, "mem": 0.00688702555686058}
OWN = {"identifier": "host-2:60002", "nick_identifier": "supv-02", "now_monotonic": 13043.5, "serial": 7}
DEATH = {**OWN, "summary": "Run 1 of a1 ended by itself.", "text": "ended by itself", "group": "alpha", "name": "a1", "run": 1, "pid": 815,
         "cause": "EXITED", "exit_code": 3, "strays_end": "KILLED", "escalated": True}
SHORTAGE = {**OWN, "resource": "MEMORY_MAX", "text": "its memory reached memory_max", "count": 41, "first_ms": 1795361453000,
            "last_ms": 1795361454000, "group": "alpha", "limit_bytes": 536870912}
COUNTS = {name: value for name, value in OWN.items() if name != "serial"} | {"counts": {"event": 12}}
ALL = [["supvisors", STATE], ["instance", INSTANCE], ["application", APPLICATION], ["event", EVENT], ["event", FORCED],
       ["event", {"group": "alpha", "name": "a1", "state": -1}], ["event", DISABLED], ["process", PROCESS], ["hstats", HOST], ["pstats", PSTATS],
       ["death", DEATH], ["resource", SHORTAGE], ["mesh", {**OWN, "level": "info", "text": "s1 is Master"}],
       ["published", {**OWN, **COUNTS, "since": 1795361453.5}], ["missed", COUNTS], ["future", {"key": [1, 2]}]]
NONSENSE = ["", "[", "[1, {}]", '["process", {}, 3]', json.dumps(["process", dict(PROCESS, statecode="forty")]), json.dumps(["pstats"])]
ONLY_EVENTS = {"ProcessEvent", "HostStatistics", "ProcessStatistics", "PublishedDeath", "PublishedShortage", "Decision", "EventCounts"}
# RFC 6455: what the key of a client is joined with.
MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
options = tap.arguments()


async def behave(websocket):
    """What the first word of the path says."""
    scenario = websocket.path.split("/")[1]
    if scenario == "bodies":
        for message in ALL:
            await websocket.send(json.dumps(message))
    elif scenario == "echo":
        await websocket.send(json.dumps([websocket.path, {}]))
    elif scenario == "nonsense":
        for text in [*NONSENSE, json.dumps(["application", APPLICATION]), json.dumps(["pstats", PSTATS])]:
            await websocket.send(text)
    elif scenario == "password":
        word = websocket.request_headers["Authorization"].split()[1]
        await websocket.send(json.dumps([base64.b64decode(word).decode(), {}]))
    elif scenario == "closes":
        await websocket.close(1001)
    elif scenario == "pongs":
        await asyncio.sleep(1.5)  # five silences
        await websocket.send(json.dumps(["late", {}]))
    elif scenario == "large":
        await websocket.send(json.dumps(["late", {"text": "x" * 20000}]))
    await websocket.wait_closed()


async def be_silent(reader, writer):
    """A server that takes the connection and is dead from then on: no library can be brought to that."""
    request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    key = re.search(r"Sec-WebSocket-Key: (\S+)", request, re.I).group(1)
    accept = base64.b64encode(hashlib.sha1((key + MAGIC).encode()).digest()).decode()
    writer.write(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                 .encode())
    try:
        await reader.read()
    finally:
        writer.close()


class Server:
    """In a thread of its own. Connections for /silent go to the one that is; the first line of a request tells."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self.serve(),))
        self.is_ready, self.end = threading.Event(), None
        self.port = None
        self.refusals = 2

    async def serve(self):
        import websockets
        self.end = asyncio.Event()
        inner = await websockets.serve(behave, "127.0.0.1", 0)
        inner_port = inner.sockets[0].getsockname()[1]

        async def accept(reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"GET /silent/"):
                again = asyncio.StreamReader()
                again.feed_data(head)
                asyncio.ensure_future(until_end(reader, again))
                await be_silent(again, writer)
                return
            if head.startswith(b"GET /refuses/") and self.refusals > 0:
                self.refusals -= 1
                writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()
                writer.close()
                return
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", inner_port)
            to_writer.write(head)
            await asyncio.gather(pump(reader, to_writer), pump(to_reader, writer), return_exceptions=True)

        outer = await asyncio.start_server(accept, "127.0.0.1", 0)
        self.port = outer.sockets[0].getsockname()[1]
        self.is_ready.set()
        await self.end.wait()
        outer.close()
        inner.close()
        await inner.wait_closed()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    def __enter__(self):
        self.thread.start()
        self.is_ready.wait(10)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.end.set)
        self.thread.join()
        self.loop.close()


async def pump(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def until_end(reader, copy):
    """What the client still says is read and forgotten."""
    while await reader.read(65536):
        pass
    copy.feed_eof()


@tap.test("the subscriber hears every event, and survives what a server can do")
def _():
    jar, tests = os.path.join(options.build, "svisor-client.jar"), os.path.join(options.build, "java", "test")
    if shutil.which("java") is None:
        tap.skip("there is no java: make deps")
    if not os.path.exists(jar) or not os.path.exists(tests):
        tap.skip("the Java client is not built: make java-tests")
    try:
        import websockets  # noqa: F401
    except ImportError:
        tap.skip("python3-websockets is not installed: make deps")
    with Server() as server:
        done = subprocess.run(["java", "-ea", "-XX:TieredStopAtLevel=1", "-cp", f"{jar}:{tests}", "org.svisor.test.EventsTest",
                               f"ws://127.0.0.1:{server.port}"], capture_output=True, text=True, timeout=JAVA_SECONDS, check=False)
    for line in done.stdout.splitlines():
        print("# " + line)
    tap.check_true(done.returncode == 0, done.stdout + done.stderr)
    seen = set(re.search(r"classes checked: (.*)", done.stdout).group(1).split())
    tap.check(ONLY_EVENTS - seen, set(), "classes that only events have")


if __name__ == "__main__":
    tap.run_all(options)
