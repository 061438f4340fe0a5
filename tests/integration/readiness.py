# suite: quick
# seconds: 240
# Readiness, liveness and watchdog with real programs: each form of probe, each way to fail.
import os
import re
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import HERE, SUPERVISORCTL, Server, binary, free_port, is_zombie, wait_until
from probe import cgroup_root, descriptor_count, leaves, processes_with, status_field, zombies_of

HEAD = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=readiness-test
[supervisorctl]
serverurl=unix://@SOCK@
"""
# Does what its arguments say, one after the other, then sleeps: "touch FILE", "await FILE" …
ACTOR = r"""
import os, signal, socket, sys, time
def notify(text, descriptors=()):
    address = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect("\0" + address[1:] if address[0] == "@" else address)
        socket.send_fds(s, [text.encode()], list(descriptors)) if descriptors else s.send(text.encode())
def listen(where):
    s = socket.socket(socket.AF_UNIX if "/" in where else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(where if "/" in where else ("127.0.0.1", int(where)))
    s.listen(512)
    return s
kept = []
for word in sys.argv[1:]:
    verb, _, rest = word.partition("=")
    if verb == "await":
        while not os.path.exists(rest): time.sleep(0.01)
    elif verb == "touch": open(rest, "w").close()
    elif verb == "say": notify(rest.replace(",", "\n"))
    elif verb == "beat":  # until the file exists
        while not os.path.exists(rest):
            notify("WATCHDOG=1")
            time.sleep(0.05)
    elif verb == "barrier":
        r, w = os.pipe()
        notify("BARRIER=1", [w])
        os.close(w)
        os.read(r, 1)
    elif verb == "fork":
        if os.fork() == 0:
            os.setsid()
            notify(rest.replace(",", "\n"))
            time.sleep(1000)
    elif verb == "listen": kept.append(listen(rest))
    elif verb == "http":  # where@file: 503 until the file exists
        where, _, good = rest.partition("@")
        s = listen(where)
        while True:
            c = s.accept()[0]
            c.recv(4096)
            c.sendall(b"HTTP/1.0 200 OK\r\n\r\n" if os.path.exists(good) else b"HTTP/1.0 503 Busy\r\n\r\n")
            c.close()
    elif verb == "print": print(rest, flush=True)
    elif verb == "complain": print(rest, file=sys.stderr, flush=True)
    elif verb == "exit": sys.exit(int(rest))
    elif verb == "deaf": signal.signal(signal.SIGTERM, signal.SIG_IGN)
    elif verb == "environment": print(os.environ.get("NOTIFY_SOCKET"), os.environ.get("WATCHDOG_USEC"), flush=True)
time.sleep(1000)
"""
options = tap.arguments()


def serve(config, start=True, **more):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    server = Server("svisord", options.build, HEAD + config, start=False, **more)
    server.write("actor.py", ACTOR)
    if start:
        try:
            server.start()
        except BaseException:
            server.close()
            raise
    return server


def info(server, name):
    return server.rpc().supervisor.getProcessInfo(name)


def state(server, name):
    return info(server, name)["statename"]


def await_state(server, name, wanted, timeout=20):
    wait_until(lambda: state(server, name) == wanted, timeout, f"{name} to be {wanted}")


def why(server, name):
    return server.rpc().svisor.why(name)


def touch(server, name):
    server.write(name, "")


def log_has(server, text):
    return text in server.read("main.log")


def start_in_background(server, name):
    """startProcess(name, wait) from a process of its own: it answers only when it is over."""
    script = ("import sys, xmlrpc.client\nsys.path.insert(0, '@HERE@')\n"
              "from supervisor.xmlrpc import SupervisorTransport\n"
              "proxy = xmlrpc.client.ServerProxy('http://127.0.0.1',"
              " SupervisorTransport(None, None, 'unix://@SOCK@'))\n"
              "try:\n    print(proxy.supervisor.startProcess(sys.argv[1]))\n"
              "except xmlrpc.client.Fault as fault:\n    print(fault.faultCode, fault.faultString)\n")
    path = server.write("start.py", script)
    return subprocess.Popen(["/usr/bin/python3", path, name], stdout=subprocess.PIPE, text=True)


def check_late(program, open_gate, words):
    """A program that is ready only once `gate` exists: STARTING until then, and so long startProcess waits."""
    with serve(f"[program:x]\nautostart=false\nstartsecs=0\n{program}\n") as server:
        waiting = start_in_background(server, "x")
        await_state(server, "x", "STARTING")
        wait_until(lambda: words in why(server, "x")["text"], 10, f"why to say {words!r}: {why(server, 'x')['text']}")
        tap.check(waiting.poll(), None, "the start has answered")
        tap.check(state(server, "x"), "STARTING", "state before it is ready")
        open_gate(server)
        tap.check(waiting.communicate(timeout=20)[0].strip(), "True", "the answer of startProcess")
        tap.check(state(server, "x"), "RUNNING", "state")
        tap.check(why(server, "x")["reason"], "READY", "reason")
        tap.check_true(log_has(server, "success: x entered RUNNING state, it is ready ("), "the log says ready")


def open_gate(server):
    touch(server, "gate")


@tap.test("ready=notify: RUNNING at READY=1, and the start waits for it; STATUS is told")
def _():
    check_late("ready=notify\ncommand=@PYTHON@ @DIR@/actor.py say=STATUS=warming await=@DIR@/gate say=READY=1",
               open_gate, "It says: warming")


@tap.test("ready=notify: a child of the program, in a session of its own, may say it")
def _():
    with serve("[program:x]\nready=notify\ncommand=@PYTHON@ @DIR@/actor.py fork=READY=1\n") as server:
        if cgroup_root(server.rpc()) is None:
            tap.skip("svisord may make no cgroups here")
        await_state(server, "x", "RUNNING")


@tap.test("ready=port: RUNNING when a connection is accepted, on TCP and on a unix socket")
def _():
    port = free_port()
    check_late(f"ready=port:{port}\ncommand=@PYTHON@ @DIR@/actor.py await=@DIR@/gate listen={port}", open_gate,
               f"connection to localhost:{port} refused")
    check_late("ready=port:unix:@DIR@/x.sock\ncommand=@PYTHON@ @DIR@/actor.py await=@DIR@/gate listen=@DIR@/x.sock",
               open_gate, "x.sock: No such file or directory")


@tap.test("ready=http: RUNNING when GET answers 2xx or 3xx")
def _():
    port = free_port()
    check_late(f"ready=http://127.0.0.1:{port}/health\ncommand=@PYTHON@ @DIR@/actor.py http={port}@@DIR@/gate",
               open_gate, f"http://127.0.0.1:{port}/health answered 503")


@tap.test("ready=exec: RUNNING when the command ends with 0; its last line says why not")
def _():
    check_late("ready=exec:/bin/sh -c 'test -e @DIR@/gate || { echo first; echo the gate is shut; exit 3; }'\n"
               "command=/bin/sleep 1000", open_gate, "exit status 3 (the gate is shut)")


@tap.test("ready=log: RUNNING at a line that matches, of either channel, also of the very first")
def _():
    check_late("ready=log:^listening on port [0-9]+$\n"
               "command=@PYTHON@ @DIR@/actor.py 'print=not listening on port 1' await=@DIR@/gate "
               "'complain=listening on port 80'", open_gate, "It is not ready yet (log:^listening")
    with serve("[program:x]\nready=log:^now$\ncommand=/bin/sh -c 'echo now; exec sleep 1000'\n"
               "process_name=x%(process_num)d\nnumprocs=50\n") as server:
        for number in range(50):
            await_state(server, f"x:x{number}", "RUNNING")


@tap.test("who is never ready is stopped, killed if deaf, and backs off with the probe's words; the start says so")
def _():
    port = free_port()
    with serve(f"[program:x]\nautostart=false\nstartretries=0\nready=port:{port}\nready_timeout=0.4\nstopwaitsecs=1\n"
               "command=@PYTHON@ @DIR@/actor.py deaf=1 touch=@DIR@/deaf\n") as server:
        begin = time.monotonic()
        answer = start_in_background(server, "x").communicate(timeout=20)[0].strip()
        took = time.monotonic() - begin
        tap.check(answer, "50 SPAWN_ERROR: x", "the answer of startProcess")
        tap.check_true(1.3 < took < 15, f"it took {took:.2f} s")
        tap.check(info(server, "x")["spawnerr"],
                  f"not ready within 0.4 s: connection to localhost:{port} refused", "spawnerr")
        await_state(server, "x", "FATAL")
        tap.check(processes_with(server.path("actor.py")), [], "left behind")


@tap.test("an end before ready is a failed start, with exit code 0 too")
def _():
    with serve("[program:x]\nready=notify\nstartretries=0\nstartsecs=0\nautorestart=false\n"
               "command=@PYTHON@ @DIR@/actor.py exit=0\n") as server:
        await_state(server, "x", "FATAL")
        tap.check(info(server, "x")["spawnerr"], "Exited before it was ready (process log may have details)", "spawnerr")


@tap.test("a check that hangs is given up, and is killed with all that it has started")
def _():
    with serve("[program:x]\nready=exec:/bin/sh -c 'setsid sleep 7654 & sleep 7654'\nready_timeout=2\n"
               "startretries=0\nstopwaitsecs=5\ncommand=/bin/sleep 1000\n") as server:
        wait_until(lambda: len(processes_with("7654")) >= 2, 10, "the check")
        await_state(server, "x", "FATAL")
        tap.check_true("no answer from exec:" in info(server, "x")["spawnerr"], info(server, "x")["spawnerr"])
        wait_until(lambda: not [pid for pid in processes_with("sleep\x007654")], 10, "the check to be gone")
        root = cgroup_root(server.rpc())
        if root is not None:
            wait_until(lambda: not [path for path in leaves(root) if "probe" in path], 10, "its cgroup to be gone")


@tap.test("failed liveness checks restart the program, whatever autorestart says; a good one in between forgives")
def _():
    port = free_port()
    with serve(f"[program:x]\nready=http://127.0.0.1:{port}/\nliveness=http://127.0.0.1:{port}/\nliveness_period=0.2\n"
               "liveness_failures=3\nautorestart=false\n"
               f"command=@PYTHON@ @DIR@/actor.py http={port}@@DIR@/gate\n") as server:
        touch(server, "gate")
        await_state(server, "x", "RUNNING")
        pid = info(server, "x")["pid"]
        os.unlink(server.path("gate"))
        wait_until(lambda: "answered 503" in why(server, "x")["probe_text"], 10, "a check to fail")
        touch(server, "gate")
        wait_until(lambda: why(server, "x")["probe_text"] == "", 10, "a check to succeed")
        tap.check(info(server, "x")["pid"], pid, "pid after one failure")
        os.unlink(server.path("gate"))
        wait_until(lambda: log_has(server, f"x (pid {pid}) failed its liveness checks: "), 10, "the log")
        touch(server, "gate")
        wait_until(lambda: info(server, "x")["pid"] not in (0, pid), 10, "the replacement")
        await_state(server, "x", "RUNNING")
        tap.check(why(server, "x")["last_end"]["reason"], "LIVENESS_FAILED", "reason of the end")
        print("# " + why(server, "x")["text"])


@tap.test("liveness_action stop, signal and none do what they say")
def _():
    with serve("""
[program:stop]
liveness=exec:/bin/false
liveness_period=0.1
liveness_failures=2
liveness_action=stop
startsecs=0
command=/bin/sleep 1000
[program:hup]
liveness=exec:/bin/sh -c 'echo sick; exit 1'
liveness_period=0.1
liveness_failures=1
liveness_action=signal:HUP
startsecs=0
command=/bin/sh -c 'trap "touch @DIR@/hup" HUP; while :; do sleep 0.05; done'
[program:none]
liveness=log:beat
liveness_period=0.2
liveness_failures=1
liveness_action=none
startsecs=0
command=/bin/sleep 1000
""") as server:
        await_state(server, "stop", "STOPPED")
        tap.check(why(server, "stop")["reason"], "LIVENESS_FAILED", "reason")
        wait_until(lambda: os.path.exists(server.path("hup")), 10, "the signal")
        wait_until(lambda: log_has(server, "failed its liveness checks: no log:beat within 0.2 s; nothing is done"), 10,
                   "the log")
        tap.check(state(server, "none"), "RUNNING", "state with none")


@tap.test("who ends of the signal of liveness_action=signal has that on its certificate, and no request")
def _():
    with serve("""
[program:x]
liveness=exec:/bin/false
liveness_period=0.1
liveness_failures=1
liveness_action=signal:TERM
startsecs=0
autorestart=false
command=/bin/sleep 1000
""") as server:
        await_state(server, "x", "EXITED")
        death = server.rpc().svisor.getDeathCertificate("x")
        tap.check({key: death.get(key) for key in ("cause", "signal", "stop_signal", "reason", "escalated")},
                  {"cause": "SVISORD", "signal": 15, "stop_signal": 15, "reason": "LIVENESS_FAILED",
                   "escalated": None}, "certificate")
        tap.check_true("failed its liveness checks" in death["text"], death["text"])


# Notes its begin and its end; both are appended, so that the file has them in order.
SLOW = "exec:/bin/sh -c 'echo + >> @DIR@/checks; sleep 1; echo - >> @DIR@/checks'"


@tap.test("a hundred slow commands: 32 live at once, the others wait, and what they wait is not their time")
def _():
    with serve(f"[program:x]\nprocess_name=x%(process_num)d\nnumprocs=100\nready={SLOW}\nliveness={SLOW}\n"
               "liveness_period=0.1\nliveness_timeout=3\nliveness_failures=1\nautostart=false\n"
               "command=/bin/sleep 1000\n") as server:
        def checks(sign):
            return server.read("checks").count(sign)
        server.write("checks", "")
        server.rpc().supervisor.startProcessGroup("x", False)
        wait_until(lambda: server.read("checks"), 20, "the first check")
        server.rpc().supervisor.stopProcess("x:x99")  # while it waits
        server.rpc().supervisor.startProcess("x:x99", False)
        wait_until(lambda: checks("-") > 300, 60, "three rounds of checks")
        tap.check({row["statename"] for row in server.rpc().supervisor.getAllProcessInfo()}, {"RUNNING"}, "states")
        alive, most = 0, 0
        for sign in server.read("checks").split():
            alive += 1 if sign == "+" else -1
            most = max(most, alive)
        tap.check_true(16 < most <= 32, f"{most} commands lived at once")
        tap.check(log_has(server, "failed its liveness checks"), False, "a check failed because it had to wait")
        tap.check(server.read("main.log").count("has to wait: 32 commands of checks run already"), 1, "told once")


@tap.test("a silent watchdog is ended with SIGABRT and restarted; one that beats is left alone")
def _():
    with serve("""
[program:x]
ready=notify
watchdog=1
command=@PYTHON@ @DIR@/actor.py environment=1 say=READY=1 beat=@DIR@/hang
""") as server:
        await_state(server, "x", "RUNNING")
        pid = info(server, "x")["pid"]
        time.sleep(2.2)  # more than two watchdogs: nothing must happen, and nothing tells
        tap.check(info(server, "x")["pid"], pid, "pid after 2.2 s")
        output = server.rpc().supervisor.readProcessStdoutLog("x", 0, 0)
        tap.check_true(re.fullmatch(r"@\S+ 1000000\n", output), f"environment: {output!r}")
        touch(server, "hang")
        wait_until(lambda: log_has(server, "did not say WATCHDOG=1 in time: no WATCHDOG=1 within 1 s"), 10, "the log")
        wait_until(lambda: info(server, "x")["pid"] not in (0, pid), 10, "the replacement")
        wait_until(lambda: log_has(server, "exited: x (terminated by SIGABRT"), 5, "SIGABRT in the log")


@tap.test("messages count for the sender's own program only: a stranger, another user and a sibling are refused")
def _():
    with serve("""
[program:x]
ready=notify
command=@PYTHON@ @DIR@/actor.py environment=1 await=@DIR@/gate say=READY=1
[program:sibling]
startsecs=0
autostart=false
command=@PYTHON@ @DIR@/actor.py await=@DIR@/address say=READY=1 touch=@DIR@/sibling-said
environment=NOTIFY_SOCKET="placeholder"
""") as server:
        address = wait_until(lambda: server.rpc().supervisor.readProcessStdoutLog("x", 0, 0).split(), 10, "x")[0]
        target = "\0" + address[1:]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
            for message in (b"READY=1", b"\xff" * 5000, b"", b"READY=1\n" * 100):
                stranger.sendto(message, target)
        wait_until(lambda: log_has(server, "refused a notify message of pid"), 10, "the refusal")
        if os.getuid() == 0:
            script = (f"import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)"
                      f".sendto(b'READY=1', {target!r})")
            subprocess.run(["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                            "/usr/bin/python3", "-c", script], check=True)
        # The sibling is told the address of x by the test, which no program can guess from its own environment.
        server.write_config(server.config.replace("placeholder", address))
        server.rpc().supervisor.reloadConfig()
        server.rpc().supervisor.removeProcessGroup("sibling")
        server.rpc().supervisor.addProcessGroup("sibling")
        touch(server, "address")
        server.rpc().supervisor.startProcess("sibling")
        wait_until(lambda: os.path.exists(server.path("sibling-said")), 10, "the sibling")
        tap.check(state(server, "x"), "STARTING", "x after what others said")
        touch(server, "gate")
        await_state(server, "x", "RUNNING")


@tap.test("EXTEND_TIMEOUT_USEC gives more time; BARRIER=1 is answered; descriptors are closed")
def _():
    with serve("""
[program:x]
ready=notify
ready_timeout=1
startretries=0
command=@PYTHON@ @DIR@/actor.py say=EXTEND_TIMEOUT_USEC=15000000 barrier=1 touch=@DIR@/past await=@DIR@/gate say=READY=1
""") as server:
        wait_until(lambda: os.path.exists(server.path("past")), 10, "the barrier")
        descriptors = descriptor_count(server.process.pid)
        time.sleep(1.3)  # longer than ready_timeout
        tap.check(state(server, "x"), "STARTING", "state")
        touch(server, "gate")
        await_state(server, "x", "RUNNING")
        server.disconnect()
        wait_until(lambda: descriptor_count(server.process.pid) <= descriptors, 10, "descriptors to be closed")


@tap.test("a pattern that is too costly is given up, and the daemon goes on")
def _():
    with serve("[program:x]\nready=log:^(a+)+$\nready_timeout=3\nstartretries=0\n"
               "command=/bin/sh -c 'i=0; while [ $i -lt 300 ]; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab; i=$((i+1)); "
               "done; sleep 1000'\n") as server:
        wait_until(lambda: log_has(server, "takes too long on what it writes"), 10, "the log")
        begin = time.monotonic()
        info(server, "x")
        tap.check_true(time.monotonic() - begin < 1, "the daemon does not answer")
        await_state(server, "x", "FATAL")


@tap.test("a program without ready= is RUNNING after startsecs, as ever, and the idle daemon sleeps")
def _():
    with serve("[program:x]\ncommand=/bin/sleep 1000\n[program:y]\nready=log:^up$\n"
               "command=/bin/sh -c 'echo up; exec sleep 1000'\n") as server:
        await_state(server, "x", "RUNNING")
        await_state(server, "y", "RUNNING")
        server.disconnect()
        time.sleep(0.5)
        before = status_field(server.process.pid, "voluntary_ctxt_switches")
        time.sleep(2)
        tap.check_true(status_field(server.process.pid, "voluntary_ctxt_switches") - before <= 2,
                       "the daemon wakes up for nothing")


@tap.test("supervisorctl start waits until the program is ready")
def _():
    if not os.access(SUPERVISORCTL, os.X_OK):
        tap.skip("supervisorctl is not installed")
    with serve("[program:x]\nautostart=false\nready=notify\n"
               "command=@PYTHON@ @DIR@/actor.py touch=@DIR@/up await=@DIR@/gate say=READY=1\n") as server:
        with subprocess.Popen([SUPERVISORCTL, "-c", server.config_path, "start", "x"], stdout=subprocess.PIPE,
                              text=True) as command:
            wait_until(lambda: os.path.exists(server.path("up")), 10, "x")
            tap.check(command.poll(), None, "supervisorctl has ended")
            touch(server, "gate")
            tap.check(command.communicate(timeout=20)[0], "x: started\n", "supervisorctl's words")


@tap.test("200 programs with probes at once become ready, and the API answers meanwhile")
def _():
    ports = free_port()
    with serve(f"""
[program:server]
command=@PYTHON@ @DIR@/actor.py http={ports}@@DIR@/gate
[program:h]
process_name=h%(process_num)d
numprocs=100
ready=http://127.0.0.1:{ports}/
liveness=http://127.0.0.1:{ports}/
liveness_period=1
command=/bin/sleep 1000
[program:e]
process_name=e%(process_num)d
numprocs=100
ready=exec:/usr/bin/test -e @DIR@/gate
command=/bin/sleep 1000
""") as server:
        proxy = server.rpc()
        slowest = 0
        for _ in range(20):
            begin = time.monotonic()
            proxy.supervisor.getState()
            slowest = max(slowest, time.monotonic() - begin)
            time.sleep(0.05)
        tap.check_true(slowest < 5, f"an answer took {slowest:.2f} s")
        names = [row["statename"] for row in proxy.supervisor.getAllProcessInfo() if row["group"] != "server"]
        tap.check(names.count("RUNNING"), 0, "RUNNING before they are ready")
        touch(server, "gate")
        wait_until(lambda: all(row["statename"] == "RUNNING" for row in proxy.supervisor.getAllProcessInfo()), 60,
                   "200 programs to be ready")
        print(f"# slowest answer: {slowest * 1000:.0f} ms")


# Read-only cgroup2, for svisord only; see degraded.py.
READ_ONLY_CGROUPS = ("unshare", "-m", "--propagation", "private", "sh", "-c", """
for at in $(sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* \\([^ ]*\\) .* - cgroup2 .*/\\1/p' /proc/self/mountinfo); do
    mount -o remount,bind,ro "$at" || exit 77
done
exec "$@\"""", "sh")
REFUSE_CALLS = ("/usr/bin/python3", os.path.join(HERE, "refuse_calls.py"), "424,434,435")


@tap.test("without cgroups and pidfds checks are run, judged, killed and reaped all the same")
def _():
    wrapper = READ_ONLY_CGROUPS + REFUSE_CALLS
    if os.geteuid() != 0 or subprocess.run([*wrapper, "true"], capture_output=True).returncode != 0:
        tap.skip("rights cannot be taken away here")
    with serve("""
[program:good]
ready=exec:/usr/bin/test -e @DIR@/gate
command=/bin/sleep 1000
[program:never]
ready=exec:/bin/sh -c 'sleep 6543 & sleep 6543'
ready_timeout=0.5
startretries=0
command=/bin/sleep 1000
[program:says]
ready=notify
command=@PYTHON@ @DIR@/actor.py say=READY=1
[program:child]
ready=notify
command=@PYTHON@ @DIR@/actor.py fork=READY=1
""", wrapper=wrapper) as server:
        tap.check(cgroup_root(server.rpc()), None, "cgroups")
        await_state(server, "says", "RUNNING")
        await_state(server, "never", "FATAL")
        touch(server, "gate")
        await_state(server, "good", "RUNNING")
        wait_until(lambda: not [pid for pid in processes_with("6543") if not is_zombie(pid)], 10, "the check to be gone")
        tap.check(state(server, "child"), "STARTING", "without cgroups only the main process may speak")
        server.disconnect()
        wait_until(lambda: zombies_of(server.process.pid) == [], 10, "zombies to be reaped")


@tap.test("bad values are refused with what to write instead")
def _():
    server = serve("[program:x]\ncommand=/bin/cat\nready=port:example.org:80\n[program:y]\ncommand=/bin/cat\n"
                   "liveness=log:(\nliveness_action=explode\nwatchdog=0\n[program:z]\ncommand=/bin/cat\n"
                   "ready_timeout=5\n", start=False)
    try:
        done = subprocess.run([server.program, "--check", "-c", server.config_path], capture_output=True, text=True)
        said = done.stdout + done.stderr
        tap.check_true(done.returncode != 0, "--check accepts it")
        for text in ("is no port to connect to; write port:8080", "is no regular expression: missing closing parenthesis",
                     "'explode' is not known; write restart, stop, none, or a signal", "'0' is too short; write",
                     "ready_timeout: has no effect without ready="):
            tap.check_true(text in said, f"{text!r} is not in\n{said}")
    finally:
        server.close()


if __name__ == "__main__":
    tap.run_all(options)
