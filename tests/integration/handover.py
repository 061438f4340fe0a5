# What a daemon leaves to the next one, case by case: svisord is killed at a chosen moment, or what it would have
# left behind at that moment is written by hand. immortal.py does it at random ones.
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import Server, binary, is_zombie, wait_until
from probe import facility

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
identifier=handover-{pid}
[svisor]
""".replace("{pid}", str(os.getpid()))
STATE_STOPPING = 40
LISTENER_STATE, LISTENER_READY = 20, 1  # offset, value
options = tap.arguments()


class Mortal(Server):
    """A server whose programs outlive it: what a failed test leaves is stopped by one more daemon."""

    def close(self):
        if self.process is not None and self.process.returncode == -signal.SIGKILL:
            self.start()  # it must be able to hear the signal that stops it
        if os.path.exists(self.path("go.begun")) and not os.path.exists(self.path("go")):
            let_go(self, 0)  # a patient program would be waited for longer than the daemon that stops it
        super().close()


def serve(programs, **more):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    return Mortal("svisord", options.build, HEAD + programs, **more)


def kill(server):
    """The death that is tested. Nothing that svisord does comes after it."""
    server.disconnect()
    server.process.kill()
    server.process.wait()


def info(server, name):
    return server.rpc().supervisor.getProcessInfo(name)


def wait_state(server, name, state):
    return wait_until(lambda: (lambda i: i if i["statename"] == state else None)(info(server, name)), 20,
                      f"{name} to be {state}")


def why(server, name):
    return server.rpc().svisor.getDeathCertificate(name)


def run_directory(server):
    base = "/run/svisor" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR", "")
    base = base if os.geteuid() == 0 else (base + "/svisor" if base else f"/tmp/svisor-{os.geteuid()}")
    for name in os.listdir(base):
        if not os.path.exists(os.path.join(base, name, "journal")):
            continue
        with open(os.path.join(base, name, "journal"), "rb") as stream:
            if name.startswith(f"handover-{os.getpid()}-") and server.directory.encode() in stream.read():
                return os.path.join(base, name)
    raise AssertionError("there is no journal")


def checksum(body):
    value = 0x811C9DC5
    for byte in body:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def last_record(journal, name):
    """The body of the last record of the process, where its fixed fields begin (wire/journal.c), and where the
    records end."""
    found, offset = None, 0
    while True:
        (length,) = struct.unpack_from("<I", journal, offset)
        if length == 0:
            return *found, offset
        body = journal[offset + 8:offset + 8 + length]
        if body[0] == 2:
            group_length = struct.unpack_from("<H", body, 1)[0]
            at = 3 + group_length
            name_length = struct.unpack_from("<H", body, at)[0]
            if body[at + 2:at + 2 + name_length].decode() == name:
                found = bytearray(body), at + 2 + name_length
        offset += 8 + length


def write_record(server, name, offset, value):
    """As if the daemon had written that down last. The offset counts in the fixed fields of a record."""
    path = os.path.join(run_directory(server), "journal")
    with open(path, "r+b") as stream:
        body, at, end = last_record(stream.read(), name)
        struct.pack_into("<i", body, at + offset, value)
        stream.seek(end)
        stream.write(struct.pack("<II", len(body), checksum(body)) + body)


def append_record(server, body):
    with open(os.path.join(run_directory(server), "journal"), "r+b") as stream:
        _, _, end = last_record(stream.read(), "p")
        stream.seek(end)
        stream.write(struct.pack("<II", len(body), checksum(body)) + body)


@tap.test("a stop that was decided and not begun is begun by the next daemon")
def _():
    program = "[program:p]\ncommand=@PYTHON@ -c 'import signal; signal.pause()'\nstartsecs=0\nstopwaitsecs=30\n"
    with serve(program) as server:
        pid = wait_state(server, "p", "RUNNING")["pid"]
        kill(server)
        write_record(server, "p", 0, STATE_STOPPING)
        server.start()
        ended = wait_state(server, "p", "STOPPED")
        tap.check_true(not os.path.exists(f"/proc/{pid}") or is_zombie(pid), "it lives")
        tap.check(why(server, "p")["signal"], signal.SIGTERM, "the signal that ended it")
        tap.check(ended["spawnerr"], "", "spawnerr")

def sees_senders(server):
    """Whether this machine lets svisord see who sends a signal."""
    return facility(server.rpc(), "eBPF signal")["active"]


# Ends as it is told by a file, or by SIGTERM once the file is there: until then the signal waits.
PATIENT = """import os, signal, sys, time
if sys.argv[2] == "blocked":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
if sys.argv[2] == "handled":
    signal.signal(signal.SIGTERM, lambda *_: None)
open(sys.argv[1] + ".begun", "w").close()
while not os.path.exists(sys.argv[1]):
    os.stat(os.path.dirname(sys.argv[1]))  # the test is over: end with it
    time.sleep(0.005)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
sys.exit(int(open(sys.argv[1]).read()))
"""


def patient(how, more=""):
    return "[program:p]\ncommand=@PYTHON@ @DIR@/patient @DIR@/go %s\nstartsecs=0\nautorestart=false\n" \
        "stopwaitsecs=60\n%s" % (how, more)


def serve_patient(how, more=""):
    server = serve(patient(how, more), start=False)
    server.write("patient", PATIENT)
    server.start()
    wait_until(lambda: os.path.exists(server.path("go.begun")), 20, "the program to begin")
    return server


def let_go(server, code):
    server.write("go.new", str(code))
    os.rename(server.path("go.new"), server.path("go"))


def wait_end(pid):
    wait_until(lambda: not os.path.exists(f"/proc/{pid}") or is_zombie(pid), 20, f"{pid} to end")


def check_death(server, **fields):
    death = why(server, "p")
    for key, value in fields.items():
        tap.check(death.get(key), value, f"{key} in {death['summary']!r}")
    return death


@tap.test("an exit while no daemon runs has a whole certificate")
def _():
    with serve_patient("plain") as server:
        before = info(server, "p")
        kill(server)
        let_go(server, 7)
        wait_end(before["pid"])
        server.start()
        wait_state(server, "p", "EXITED")
        death = check_death(server, cause="EXITED", exit_code=7, pid=before["pid"], run=1, name="p", group="p")
        tap.check(death["start_wall_ns"] // 10**9 if "start_wall_ns" in death else before["start"], before["start"],
                  "its start")
        tap.check_true("signal" not in death and "reason" not in death, f"a signal in {death['summary']!r}")


@tap.test("a stranger's SIGKILL while no daemon runs is told with its sender")
def _():
    with serve_patient("plain") as server:
        has_senders = sees_senders(server)
        pid = info(server, "p")["pid"]
        kill(server)
        killer = subprocess.Popen(["/bin/sh", "-c", f"kill -KILL {pid}"])
        killer.wait()
        wait_end(pid)
        server.start()
        wait_state(server, "p", "EXITED")
        if has_senders:
            check_death(server, cause="OUTSIDE", signal=9, sender_pid=killer.pid, sender_uid=os.getuid(), pid=pid)
        else:
            check_death(server, cause="SIGNAL", signal=9, pid=pid)


@tap.test("the signal of a stop is svisord's, whichever daemon sent it and whichever saw the end")
def _():
    for deaths, is_in_gap in ((1, True), (1, False), (2, True), (2, False)):
        with serve_patient("blocked") as server:
            pid = info(server, "p")["pid"]
            server.rpc().supervisor.stopProcess("p", False)
            for left in range(deaths, 0, -1):
                kill(server)
                if left == 1 and is_in_gap:
                    let_go(server, 0)
                    wait_end(pid)
                server.start()
                tap.check_true(info(server, "p")["statename"] in ("STOPPING", "STOPPED"), "not stopping any more")
            if not is_in_gap:
                let_go(server, 0)
            wait_state(server, "p", "STOPPED")
            check_death(server, cause="SVISORD", signal=15, reason="REQUEST_STOP", stop_signal=15, pid=pid)
            tap.check_true("killing" not in server.read("main.log"), "it was killed")


@tap.test("an exit after the stop of an earlier daemon is svisord's doing")
def _():
    with serve_patient("handled") as server:
        server.rpc().supervisor.stopProcess("p", False)
        kill(server)
        server.start()
        let_go(server, 3)
        wait_state(server, "p", "STOPPED")
        check_death(server, cause="SVISORD", exit_code=3, reason="REQUEST_STOP", stop_signal=15)


@tap.test("a signal that an earlier daemon was asked to send is svisord's")
def _():
    with serve_patient("blocked") as server:
        server.rpc().supervisor.signalProcess("p", "TERM")
        kill(server)
        server.start()
        let_go(server, 0)
        wait_state(server, "p", "EXITED")
        check_death(server, cause="SVISORD", signal=15, reason="REQUEST_SIGNAL", stop_signal=15)


@tap.test("a limit that is gone from the file is taken back from an adopted run")
def _():
    def open_files(pid):
        with open(f"/proc/{pid}/limits", encoding="ascii") as stream:
            return re.search(r"Max open files\s+(\S+)\s+(\S+)", stream.read()).groups()

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]  # to raise that again takes CAP_SYS_RESOURCE
    limit = f"rlimit_nofile=300:{hard}\n"
    with serve("[program:free]\ncommand=/bin/sleep 1000\n" + "[program:p]\ncommand=/bin/sleep 1000\n" + limit) as server:
        pid = wait_state(server, "p", "RUNNING")["pid"]
        usual = open_files(wait_state(server, "free", "RUNNING")["pid"])
        tap.check(open_files(pid), ("300", str(hard)), "its limit")
        kill(server)
        server.write_config(server.config.replace(limit, ""))
        server.start()
        tap.check(info(server, "p")["pid"], pid, "pid")
        tap.check(open_files(pid), usual, "after the next daemon has begun without it")
        server.write_config(server.config + limit)
        server.rpc().supervisor.reloadConfig()
        tap.check(open_files(pid), ("300", str(hard)), "after a reread with it")
        kill(server)
        server.start()
        tap.check(info(server, "p")["pid"], pid, "pid")
        server.write_config(server.config.replace(limit, ""))
        server.rpc().supervisor.reloadConfig()
        tap.check(open_files(pid), usual, "after a reread without it")

# Says each of its words with sd_notify, itself or (with a +) through a helper that ends, once the file is there.
SPEAKER = """import os, socket, sys, time
def say(text):
    address = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect("\\0" + address[1:] if address[0] == "@" else address)
        s.send(text.encode())
say("STATUS=begun")
open(sys.argv[1] + ".begun", "w").close()
while not os.path.exists(sys.argv[1]):
    time.sleep(0.005)
for text in sys.argv[2:]:
    if text[0] != "+":
        say(text)
    elif os.fork() == 0:
        say(text[1:])
        os._exit(0)
    else:
        os.wait()
open(sys.argv[1] + ".said", "w").close()
time.sleep(1000)
"""


def serve_speaker(words, more):
    server = serve("[program:p]\ncommand=@PYTHON@ @DIR@/speaker @DIR@/go %s\n%s" % (words, more), start=False)
    server.write("speaker", SPEAKER)
    server.start()
    wait_until(lambda: os.path.exists(server.path("go.begun")), 20, "the program to begin")
    wait_until(lambda: status(server) == "begun", 20, "its first words to be heard")
    return server


def status(server):
    return server.rpc().svisor.why("p")["status_text"]


def say_unheard(server):
    """The program speaks while no daemon runs, and the deadlines of its configuration pass."""
    kill(server)
    server.write("go", "")
    wait_until(lambda: os.path.exists(server.path("go.said")), 20, "the program to speak")
    time.sleep(1.2)  # the deadlines are what is to be over
    server.start()


@tap.test("what a program says to sd_notify while no daemon runs is heard by the next one, in time")
def _():
    with serve_speaker("READY=1 STATUS=serving", "ready=notify\nready_timeout=1\n") as server:
        tap.check(info(server, "p")["statename"], "STARTING", "before")
        say_unheard(server)
        wait_state(server, "p", "RUNNING")
        tap.check(status(server), "serving", "its words")
        tap.check(server.read("main.log").count("spawned:"), 1, "starts")
        kill(server)
        server.start()
        tap.check(status(server), "serving", "its words, one daemon later")


@tap.test("a helper that spoke for a program while no daemon ran, and has ended, is heard")
def _():
    with serve_speaker("+READY=1", "ready=notify\nready_timeout=1\n") as server:
        if not facility(server.rpc(), "eBPF exit")["active"]:
            tap.skip("without eBPF nobody knows where a process that has ended belonged")
        say_unheard(server)
        wait_state(server, "p", "RUNNING")
        tap.check(server.read("main.log").count("spawned:"), 1, "starts")


@tap.test("WATCHDOG=trigger that was said while no daemon ran has its effect")
def _():
    with serve_speaker("WATCHDOG=trigger", "watchdog=30\nstartsecs=0\n") as server:
        pid = info(server, "p")["pid"]
        say_unheard(server)
        wait_until(lambda: info(server, "p")["pid"] not in (0, pid), 20, "p to be started again")


def ctl_begin(server, *words):
    return subprocess.Popen([os.path.join(options.build, "svctl"), "-s", "unix://" + server.socket_path, *words],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


VERSION = b"""<?xml version='1.0'?><methodResponse><params><param><value><string>3.0</string></value></param>
</params></methodResponse>"""


def answer_once_and_die(server):
    """A daemon that tells its version, reads one more call, and dies before it does anything about it."""
    with socket.socket(socket.AF_UNIX) as listener:
        os.unlink(server.socket_path)
        listener.bind(server.socket_path)
        listener.listen()
        waiting = ctl_begin(server, "start", "slow")
        with listener.accept()[0] as peer:
            read_call(peer)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(VERSION) + VERSION)
            tap.check_true(b"startProcess" in read_call(peer), "svctl does not ask for the start")
    return waiting


def read_call(peer):
    text = b""
    while b"</methodCall>" not in text:
        text += peer.recv(65536)
    return text


def check_ctl(process, lines, status):
    out, _ = process.communicate(timeout=60)
    tap.check((sorted(out.splitlines()), process.returncode), (sorted(lines), status), "what svctl said")


WAITERS = """
[program:slow]
command=/bin/sleep 1000
startsecs=2
autostart=false
[program:fails]
command=/bin/sh -c 'sleep 1; exit 3'
startsecs=3
startretries=0
autostart=false
[program:p]
command=@PYTHON@ @DIR@/patient @DIR@/go handled
stopwaitsecs=60
startsecs=0
[group:g]
programs=one,two
[program:one]
command=/bin/sleep 1000
startsecs=2
autostart=false
[program:two]
command=/bin/sleep 1000
startsecs=0
"""


def serve_waiters():
    server = serve(WAITERS, start=False)
    server.write("patient", PATIENT)
    server.start()
    wait_until(lambda: os.path.exists(server.path("go.begun")), 20, "the program to begin")
    return server


@tap.test("svctl goes on waiting for a start when svisord dies, and says how it ended")
def _():
    with serve_waiters() as server:
        for name, line, status in (("slow", "slow: started", 0), ("fails", "fails: ERROR (spawn error)", 7)):
            waiting = ctl_begin(server, "start", name)
            wait_state(server, name, "STARTING")
            kill(server)
            time.sleep(0.2)  # svctl meets a socket that nobody listens on
            server.start()
            check_ctl(waiting, [line], status)


@tap.test("svctl goes on waiting for a stop over two deaths of svisord")
def _():
    with serve_waiters() as server:
        waiting = ctl_begin(server, "stop", "p")
        wait_state(server, "p", "STOPPING")
        for _ in range(2):
            kill(server)
            server.start()
        tap.check(waiting.poll(), None, "svctl's exit status while the program stops")
        let_go(server, 0)
        check_ctl(waiting, ["p: stopped"], 0)


@tap.test("a start that no daemon has read is asked of the next one")
def _():
    with serve_waiters() as server:
        kill(server)
        waiting = answer_once_and_die(server)
        server.start()
        check_ctl(waiting, ["slow: started"], 0)


@tap.test("svctl tells of each process of a group, and of all, what came of it when svisord died")
def _():
    for words, lines in ((("start", "g:*"), ["g:one: started"]),
                         (("start", "all"), ["fails: ERROR (spawn error)", "g:one: started", "slow: started"])):
        with serve_waiters() as server:
            wait_state(server, "g:two", "RUNNING")
            time.sleep(2.2)  # g:two is then older than the call, by the server's seconds
            waiting = ctl_begin(server, *words)
            wait_state(server, "g:one", "STARTING")
            kill(server)
            server.start()
            check_ctl(waiting, lines, 7 if len(lines) > 1 else 0)


LISTENER = """import os, sys, time
from supervisor import childutils
log = open(sys.argv[1] + ".events", "a", buffering=1)
refused = False
while True:
    headers, payload = childutils.listener.wait()
    print(payload, file=log)
    if payload.endswith("hold"):
        while not os.path.exists(sys.argv[1]):
            time.sleep(0.005)
    childutils.listener.fail() if payload.endswith("refused hold") and not refused else childutils.listener.ok()
    refused |= payload.endswith("refused hold")
"""


def send_event(server, data):
    server.rpc().supervisor.sendRemoteCommEvent("test", data)


def heard(server):
    return re.findall(r"^type:test\n(.*)$", server.read("go.events"), re.M)


@tap.test("a listener that was BUSY when svisord died ends what it works on, and gets the next event")
def _():
    program = "[eventlistener:p]\ncommand=@PYTHON@ @DIR@/listener @DIR@/go\nevents=REMOTE_COMMUNICATION\nstartsecs=0\n"
    for word in ("hold", "refused hold"):
        for is_in_gap in (True, False):
            with serve(program, start=False) as server:
                server.write("listener", LISTENER)
                server.write("go.events", "")
                server.start()
                pid = wait_state(server, "p", "RUNNING")["pid"]
                send_event(server, word)
                wait_until(lambda: heard(server) == [word], 20, "the listener to work")
                server.rpc().supervisor.getState()  # by now that is written down
                kill(server)
                if is_in_gap:
                    server.write("go", "")
                server.start()
                send_event(server, "next")
                server.write("go", "")
                wait_until(lambda: "next" in heard(server), 20, "the next event")
                again = [word] if word.startswith("refused") else []
                tap.check((heard(server), info(server, "p")["pid"]), ([word] + again + ["next"], pid), "events, pid")
                tap.check_true("UNKNOWN" not in server.read("main.log"), "its protocol is broken")


@tap.test("a listener that was given an event by a svisord that writes no events down is in step again after it")
def _():
    program = "[eventlistener:p]\ncommand=@PYTHON@ @DIR@/listener @DIR@/go\nevents=REMOTE_COMMUNICATION\nstartsecs=0\n"
    with serve(program, start=False) as server:
        server.write("listener", LISTENER)
        server.write("go.events", "")
        server.start()
        pid = wait_state(server, "p", "RUNNING")["pid"]
        send_event(server, "hold")
        wait_until(lambda: heard(server) == ["hold"], 20, "the listener to work")
        kill(server)
        write_record(server, "p", LISTENER_STATE, LISTENER_READY)
        append_record(server, b"\x06\x01\0p\0\0" + struct.pack("<QQ", 0, 0))  # a pool in which nothing waits
        server.start()
        words = ["first", "second", "third", "fourth"]
        for word in words[:2]:
            send_event(server, word)
        server.write("go", "")
        wait_until(lambda: "second" in heard(server), 20, "the events of meanwhile")
        for word in words[2:]:
            send_event(server, word)
        wait_until(lambda: heard(server) == ["hold"] + words, 20, f"{words}, instead of {heard(server)}")
        tap.check(info(server, "p")["pid"], pid, "pid")
        tap.check_true("UNKNOWN" not in server.read("main.log"), "its protocol is broken")


@tap.test("a shutdown that a death has cut short is over: autostart programs are started, and what was ending ends")
def _():
    programs = """[program:quick]
command=@PYTHON@ -c 'import signal; signal.pause()'
startsecs=0
priority=9
[program:manual]
command=@PYTHON@ -c 'import signal; signal.pause()'
startsecs=0
autostart=false
priority=9
[program:stubborn]
command=@PYTHON@ -c 'import signal; signal.signal(15, lambda *_: print("heard", flush=True)); print("up", flush=True); [signal.pause() for _ in range(99)]'
stdout_logfile=@DIR@/stubborn.log
startsecs=0
stopwaitsecs=2
priority=5
[program:last]
command=@PYTHON@ -c 'import signal; signal.pause()'
startsecs=0
priority=1
"""
    with serve(programs) as server:
        server.rpc().supervisor.startProcess("manual")
        before = {name: info(server, name)["pid"] for name in ("quick", "manual", "stubborn", "last")}
        wait_until(lambda: "up" in server.read("stubborn.log"), 20, "stubborn to be up")
        server.send(signal.SIGTERM)
        wait_until(lambda: "heard" in server.read("stubborn.log"), 20, "the stop of stubborn")
        kill(server)
        server.start()
        wait_state(server, "quick", "RUNNING")
        tap.check(info(server, "manual")["statename"], "STOPPED", "who is not autostart")
        wait_until(lambda: info(server, "stubborn")["statename"] == "RUNNING", 20, "stubborn to be started again")
        tap.check_true(info(server, "stubborn")["pid"] != before["stubborn"], "stubborn was not ended")
        tap.check(info(server, "last")["pid"], before["last"], "whose turn had not come")


if __name__ == "__main__":
    tap.run_all()
