# suite: quick
# The keeper: what becomes of svisord and its programs when it is killed, and what svisord makes of its doings. What it
# does when it has promised something is in daemon/io/keeper_promise_test.c.
import os
import re
import signal
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import Server, binary, is_zombie, wait_until

HEAD = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
logfile_maxbytes=0
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=keeper-{pid}
""".replace("{pid}", str(os.getpid()))
CLUSTER = """
[inet_http_server]
port=127.0.0.1:@PORT@
[rpcinterface:supvisors]
supervisor.rpcinterface_factory=supvisors.plugin:make_supvisors_rpcinterface
[svisor]
daemon_grace=0.3
"""
# Waits for a file, says what stands there, and ends.
SPEAKER = """
[program:p]
command=/bin/sh -c 'while [ ! -e @DIR@/say ]; do sleep 0.02; done; cat @DIR@/say; exit 7'
startsecs=0
autorestart=false
"""
SLEEPER = "[program:p]\ncommand=/bin/sleep 1000\nstartsecs={startsecs}\nautorestart=true\n"
KEY_OFFSET = 110  # of the keeper's key in the fixed fields of a record: wire/journal.c
MANAGE, DEADLINE, GET = 6, 9, 1  # io/keeper_message.h
options = tap.arguments()


class Mortal(Server):
    """A server whose programs outlive it: what a failed test leaves is stopped by one more daemon."""

    def close(self):
        if self.process is not None and self.process.returncode == -signal.SIGKILL:
            self.start(ready=False)
        super().close()


def serve(config, **more):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    return Mortal("svisord", options.build, HEAD + config, **more)


def kill(server):
    server.disconnect()
    server.process.kill()
    server.process.wait()


def info(server):
    return server.rpc().supervisor.getProcessInfo("p")


def wait_state(server, state):
    return wait_until(lambda: (lambda i: i if i["statename"] == state else None)(info(server)), 20, f"p to be {state}")


def wait_end(pid):
    wait_until(lambda: not os.path.exists(f"/proc/{pid}") or is_zombie(pid), 20, f"{pid} to end")


def run_directory():
    base = "/run/svisor" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR", "")
    base = base if os.geteuid() == 0 else (base + "/svisor" if base else f"/tmp/svisor-{os.geteuid()}")
    mine = [d for d in os.listdir(base) if d.startswith(f"keeper-{os.getpid()}-")]
    tap.check(len(mine), 1, "run-time directories of this test")
    return os.path.join(base, mine[0])


def keeper_pid():
    """Who holds the listening socket; None: nobody."""
    path = os.path.join(run_directory(), "keeper")
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as stream:
        lines = [line.split() for line in stream if line.rstrip().endswith(path)]
    inodes = {f"socket:[{words[6]}]" for words in lines if words[3] == "00010000"}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as stream:
                if stream.read() == "svisor-keeper\n" and \
                        any(os.readlink(f"/proc/{pid}/fd/{fd}") in inodes for fd in os.listdir(f"/proc/{pid}/fd")):
                    return int(pid)
        except OSError:
            continue
    return None


def kill_keeper(server, times):
    """Kills the keeper, and waits until another one has everything."""
    former = keeper_pid()
    tap.check_true(former, "there is no keeper")
    os.kill(former, signal.SIGKILL)
    wait_until(lambda: len(re.findall("another one holds", server.read("main.log"))) == times, 20, "another keeper")
    wait_until(lambda: keeper_pid() not in (None, former), 5, "it to be called a keeper")


@tap.test("a keeper that is killed is replaced, and nothing is lost with it")
def _():
    with serve(SPEAKER) as server:
        pid = wait_state(server, "RUNNING")["pid"]
        kill_keeper(server, 1)
        kill_keeper(server, 2)
        tap.check(info(server)["pid"], pid, "the program's pid")
        kill(server)
        server.write("say.new", "while nobody reads\n")
        os.rename(server.path("say.new"), server.path("say"))
        wait_end(pid)
        server.start()
        wait_state(server, "EXITED")
        # Its pipe is gone with it, but for the end that the last keeper has been given.
        tap.check(server.rpc().supervisor.readProcessStdoutLog("p", 0, 0), "while nobody reads\n", "its output")


@tap.test("a program that is started after that is kept by the new keeper")
def _():
    with serve(SPEAKER + "autostart=false\n") as server:
        kill_keeper(server, 1)
        server.rpc().supervisor.startProcess("p")
        pid = wait_state(server, "RUNNING")["pid"]
        kill(server)
        server.write("say.new", "late\n")
        os.rename(server.path("say.new"), server.path("say"))
        wait_end(pid)
        server.start()
        wait_state(server, "EXITED")
        tap.check(server.rpc().supervisor.readProcessStdoutLog("p", 0, 0), "late\n", "its output")


def keeper_key():
    with open(os.path.join(run_directory(), "journal"), "rb") as stream:
        journal = stream.read()
    found, offset = None, 0
    while True:
        (length,) = struct.unpack_from("<I", journal, offset)
        if length == 0:
            return found
        body = journal[offset + 8:offset + 8 + length]
        if body[0] == 2:
            at = 3 + struct.unpack_from("<H", body, 1)[0]
            at += 2 + struct.unpack_from("<H", body, at)[0]
            (found,) = struct.unpack_from("<Q", body, at + KEY_OFFSET)
        offset += 8 + length


def tell_keeper(*messages):
    """As the svisord that has just died would have, had it been in a cluster."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.connect(os.path.join(run_directory(), "keeper"))
        for operation, key in messages:
            peer.send(struct.pack("<QII", key, operation, 0))
        peer.send(struct.pack("<QII", 1 << 62, GET, 0))
        peer.recv(64)  # it has obeyed all of them


def check_ended_for_good(startsecs, messages, cause, text, is_revived=False):
    state = "FATAL" if startsecs else "EXITED"  # it was STARTING, or RUNNING
    with serve(CLUSTER + SLEEPER.format(startsecs=startsecs)) as server:
        pid = wait_until(lambda: info(server)["pid"], 20, "a pid")
        if is_revived:
            kill_keeper(server, 1)
        kill(server)
        tell_keeper((MANAGE, keeper_key()), *messages)
        wait_end(pid)
        server.start()
        tap.check(wait_state(server, state)["spawnerr"], text, "spawnerr")
        death = server.rpc().svisor.getDeathCertificate("p")
        tap.check((death["cause"], death["signal"], death["pid"]), (cause, 9, pid), "the certificate")
        tap.check(death["text"], text + ": SIGKILL", "its sentence")
        tap.check(server.rpc().svisor.why("p")["reason"], cause, f"why it is {state}")
        tap.check(info(server)["statename"], state, "the state after all that")
        server.rpc().supervisor.startProcess("p", False)  # by request it is
        tap.check_true(wait_until(lambda: info(server)["pid"], 20, "another pid") != pid, "the same pid")


@tap.test("what the keeper has ended without a daemon is not started again by itself, and its certificate says why")
def _():
    text = "was ended by svisor's keeper, because no daemon came back within daemon_grace"
    for startsecs, is_revived in ((0, False), (1000, False), (0, True)):
        check_ended_for_good(startsecs, (), "KEEPER_GRACE", text, is_revived)


@tap.test("likewise what it has ended at the deadline")
def _():
    text = "was ended by svisor's keeper, because svisord had not renewed its right to run it"
    check_ended_for_good(0, ((DEADLINE, 1),), "KEEPER_DEADLINE", text)


if __name__ == "__main__":
    tap.run_all()
