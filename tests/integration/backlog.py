# Events that listeners have not settled, over a death of svisord: none is lost, none comes twice, and their numbers go on.
import os
import random
import re
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import Server, binary, is_zombie, wait_until

CONFIG = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
logfile_maxbytes=0
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=backlog-{pid}
""".replace("{pid}", str(os.getpid()))
POOL = """
[eventlistener:pool]
command=@PYTHON@ @DIR@/listener @DIR@ %(process_num)d
process_name=l%(process_num)d
events=REMOTE_COMMUNICATION
startsecs=0
"""
# Writes down what it gets, and answers when it may: "hold" waits for the file go, "fail" is refused once.
LISTENER = """import os, sys, threading, time
from supervisor import childutils
directory, refused = sys.argv[1], set()
log = open(directory + "/events", "a", buffering=1)
def watch():
    while os.path.isdir(directory):
        time.sleep(0.5)
    os._exit(1)
threading.Thread(target=watch, daemon=True).start()
while os.path.isdir(directory):
    headers, payload = childutils.listener.wait()
    word = payload.split("\\n", 1)[1]
    print(headers["serial"], headers["poolserial"], word[:40], len(word), sys.argv[2], file=log)
    while "hold" in word and not os.path.exists(directory + "/go") and os.path.isdir(directory):
        time.sleep(0.005)
    if "fail" in word and word not in refused:
        refused.add(word)
        childutils.listener.send("RESULT 4\\nFAIL")
        while "late" in word and not os.path.exists(directory + "/ready") and os.path.isdir(directory):
            time.sleep(0.005)
    else:
        childutils.listener.ok()
"""
# Says READY and does not read before it may.
IDLER = """import hashlib, os, sys, time
directory = sys.argv[1]
sys.stdout.write("READY\\n")
sys.stdout.flush()
while not os.path.exists(directory + "/go") and os.path.isdir(directory):
    time.sleep(0.005)
header = sys.stdin.readline()
length = int(header.rsplit("len:", 1)[1])
word = sys.stdin.read(length)
open(directory + "/whole", "w").write(hashlib.sha256(word.encode()).hexdigest())
sys.stdout.write("RESULT 2\\nOKREADY\\n")
sys.stdout.flush()
header = sys.stdin.readline()
open(directory + "/next", "w").write(header)
time.sleep(1000 if os.path.isdir(directory) else 0)
"""
options = tap.arguments()


class Mortal(Server):
    def close(self):
        if self.process is not None and (self.process.returncode or 0) < 0:
            self.start()
        super().close()


def serve(pool=POOL, listener=LISTENER, config=CONFIG):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    server = Mortal("svisord", options.build, config + pool, start=False)
    server.write("listener", listener)
    server.write("events", "")
    server.start()
    return server


def kill(server):
    server.disconnect()
    server.process.kill()
    server.process.wait()


def die(server, how):
    """The death, and the next daemon."""
    if how == "SIGKILL":
        kill(server)
        server.start()
        return
    before = server.read("main.log").count("supervisord started with pid")
    server.rpc().svisor.reexec()
    server.disconnect()
    wait_until(lambda: server.read("main.log").count("supervisord started with pid") > before, 20, "the new image")
    server.wait_ready()


def send(server, *words):
    for word in words:
        server.rpc().supervisor.sendRemoteCommEvent("test", word)


def heard(server):
    """Rows of (serial, poolserial, word, length, listener)."""
    rows = (line.split(" ") for line in server.read("events").splitlines())
    return [(int(s), int(p), w, int(n), who) for s, p, w, n, who in rows]


def words(server):
    return [row[2] for row in heard(server)]


def await_words(server, expected):
    wait_until(lambda: len(words(server)) >= len(expected), 30, f"{len(expected)} events, of which came {words(server)}")
    tap.check(words(server), expected, "events")


def await_working(server, word):
    wait_until(lambda: word in words(server), 20, f"the listener to work on {word}")
    server.rpc().supervisor.getState()


def discarded(server):
    return len(re.findall(r"pool pool event buffer overflowed, discarding event \d+", server.read("main.log")))


for HOW in ("SIGKILL", "daemon-reexec"):

    @tap.test(f"what waits for a BUSY listener outlives {HOW}: each event comes once, and the serials go on")
    def _(how=HOW):
        with serve(POOL + "buffer_size=100\n") as server:
            numbers = [f"n{i}" for i in range(50)]
            send(server, "hold", *numbers[:30])
            await_working(server, "hold")
            die(server, how)
            send(server, *numbers[30:])
            die(server, how)
            tap.check(words(server), ["hold"], "nothing before the answer")
            server.write("go", "")
            await_words(server, ["hold"] + numbers)
            send(server, "last")
            await_words(server, ["hold"] + numbers + ["last"])
            rows = heard(server)
            tap.check([row[1] for row in rows], list(range(52)), "poolserial")
            tap.check([row[0] for row in rows], list(range(rows[0][0], rows[0][0] + 52)), "serial")
            tap.check_true("UNKNOWN" not in server.read("main.log"), "its protocol is broken")

    @tap.test(f"an event that is refused comes again, whether before or after {HOW}")
    def _(how=HOW):
        with serve() as server:
            send(server, "fail-late", "x")
            await_working(server, "fail-late")
            wait_until(lambda: "event was rejected" in server.read("main.log"), 20, "the refusal")
            die(server, how)
            server.write("ready", "")
            await_words(server, ["fail-late", "fail-late", "x"])
            send(server, "fail-hold", "y")
            await_working(server, "fail-hold")
            die(server, how)
            server.write("go", "")
            await_words(server, ["fail-late", "fail-late", "x", "fail-hold", "fail-hold", "y"])
            serials = [row[1] for row in heard(server)]
            tap.check(serials, [0, 0, 1, 2, 2, 3], "poolserial")

    @tap.test(f"a long event of which half is in the pipe is sent to its end after {HOW}")
    def _(how=HOW):
        import hashlib
        with serve(POOL, IDLER) as server:
            word = "".join(random.choices("abcdefgh", k=300000))
            wait_until(lambda: server.rpc().supervisor.getProcessInfo("pool:l0")["statename"] == "RUNNING", 20, "it")
            send(server, word, "next")
            die(server, how)
            server.write("go", "")
            wait_until(lambda: os.path.exists(server.path("next")), 20, "the next event")
            whole = ("type:test\n" + word).encode()
            tap.check(server.read("whole"), hashlib.sha256(whole).hexdigest(), "the event")


@tap.test("a full buffer stays full over a death, and discards the oldest; a smaller one discards more, and says so")
def _():
    with serve(POOL + "buffer_size=10\n") as server:
        send(server, "hold")
        await_working(server, "hold")
        send(server, *[f"n{i}" for i in range(15)])
        kill(server)
        tap.check(discarded(server), 5, "discarded")
        server.start()
        send(server, "n15")
        kill(server)
        server.write_config(server.config.replace("buffer_size=10", "buffer_size=4"))
        server.start()
        wait_until(lambda: discarded(server) == 12, 20, "six more to be discarded")
        server.write("go", "")
        await_words(server, ["hold", "n12", "n13", "n14", "n15"])


@tap.test("an event that was answered while no svisord ran is settled, also by a listener that then died")
def _():
    for is_ended in (False, True):
        with serve() as server:
            send(server, "hold", "x")
            await_working(server, "hold")
            pid = server.rpc().supervisor.getProcessInfo("pool:l0")["pid"]
            kill(server)
            server.write("go", "")
            time.sleep(0.2)  # for the answer, which nobody sees
            if is_ended:
                os.kill(pid, signal.SIGKILL)
                wait_until(lambda: not os.path.exists(f"/proc/{pid}") or is_zombie(pid), 20, "its end")
            server.start()
            await_words(server, ["hold", "x"])


@tap.test("a group that is removed takes its events with it, and one of the same name begins anew")
def _():
    with serve() as server:
        send(server, "hold", "x", "y")
        await_working(server, "hold")
        rpc = server.rpc().supervisor
        rpc.stopProcess("pool:l0")
        rpc.removeProcessGroup("pool")
        rpc.addProcessGroup("pool")
        die(server, "SIGKILL")
        server.write("go", "")
        send(server, "z")
        await_words(server, ["hold", "z"])
        tap.check(heard(server)[1][1], 0, "poolserial")


class Sender(threading.Thread):
    """Sends numbers as fast as it can; what was answered is sent."""

    def __init__(self, server):
        super().__init__()
        self.server, self.is_over, self.sent, self.tried = server, False, set(), 0

    def run(self):
        rpc = None
        while not self.is_over:
            try:
                rpc = rpc or self.server.rpc()
                self.tried += 1
                rpc.supervisor.sendRemoteCommEvent("test", f"n{self.tried}")
                self.sent.add(f"n{self.tried}")
            except Exception:  # nobody answers for a moment
                rpc = None
                time.sleep(0.002)


@tap.test("svisord is killed at any moment of a stream of events, and each event comes once")
def _():
    kills = int(os.environ.get("KILLS", "25"))
    for numprocs in (1, 3):
        with serve(POOL + f"buffer_size=100000\nnumprocs={numprocs}\n") as server:
            sender = Sender(server)
            sender.start()
            try:
                for _ in range(kills):
                    time.sleep(random.uniform(0, 0.15))
                    kill(server)
                    server.start()
            finally:
                sender.is_over = True
                sender.join()
            send(server, "last")
            wait_until(lambda: len(set(words(server)) & (sender.sent | {"last"})) == len(sender.sent) + 1, 60,
                       f"all of {len(sender.sent)} events, {len(words(server))} came")
            rows = heard(server)
            twice = sorted({row[2] for row in rows if words(server).count(row[2]) > 1}) if len(rows) != len(
                set(words(server))) else []
            tap.check(twice, [], "events that came twice")
            serials = sorted(row[1] for row in rows)
            tap.check(serials, list(range(len(rows))), "poolserial")
            tap.check_true("UNKNOWN" not in server.read("main.log"), "its protocol is broken")
            print(f"# {kills} kills, {numprocs} listeners, {len(rows)} events")


if __name__ == "__main__":
    tap.run_all()
