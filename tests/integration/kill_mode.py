# suite: quick
# What a program leaves behind: gathered at its stop and before its restart, or left alone, as kill_mode says.
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import Server, binary, is_zombie, wait_until
from probe import cgroup_root, leaves, members, processes_with

HEAD = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=kill-mode-test
"""
# A daemon as of old: two forks and a session of its own. $1: where its pid goes; $2: what it executes.
DAEMONIZE = "#!/bin/sh\nsetsid sh -c \"$2 & echo \\$! > $1.new; mv $1.new $1\" < /dev/null > /dev/null 2>&1\n"
DEAF = "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n"
INITIAL_PID_NAMESPACE = "pid:[4026531836]"
options = tap.arguments()


def serve(config):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    server = Server("svisord", options.build, HEAD + config, start=False)
    server.write("daemonize", DAEMONIZE, 0o755)
    server.write("deaf", DEAF, 0o755)
    try:
        server.start()
        if cgroup_root(server.rpc()) is None:
            tap.skip("svisord may make no cgroups here")
    except BaseException:
        server.close()
        raise
    return server


def alive(pid):
    return os.path.exists(f"/proc/{pid}") and not is_zombie(pid)


def info(server, name):
    return server.rpc().supervisor.getProcessInfo(name)


def pid_in(server, name):
    return int(wait_until(lambda: os.path.exists(server.path(name)) and server.read(name).strip(), 10, name))


@tap.test("a stop gathers grandchildren that have left the process group and the session")
def _():
    with serve("""
[program:family]
command=/bin/sh -c '@DIR@/daemonize @DIR@/one "sleep 1000"; @DIR@/daemonize @DIR@/two "sleep 1000"; exec sleep 1000'
startsecs=0
""") as server:
        strays = [pid_in(server, "one"), pid_in(server, "two")]
        main_pid = info(server, "family")["pid"]
        tap.check_true(all(os.getsid(pid) != os.getsid(main_pid) for pid in strays), "the strays have left the session")
        server.rpc().supervisor.stopProcess("family")
        tap.check([pid for pid in [main_pid, *strays] if alive(pid)], [], "alive when the stop has answered")
        tap.check(info(server, "family")["statename"], "STOPPED", "state")


@tap.test("after a crash strays are stopped before the next run begins")
def _():
    with serve("""
[program:family]
command=/bin/sh -c 'for p in `cat @DIR@/seen`; do grep -q sleep /proc/$p/cmdline && echo $p >> @DIR@/overlap; done; @DIR@/daemonize @DIR@/stray "sleep 1000"; cat @DIR@/stray >> @DIR@/seen; exec sleep 1000'
startsecs=0
""") as server:
        for _ in range(5):
            stray = pid_in(server, "stray")
            pid = wait_until(lambda: info(server, "family")["pid"], 10, "family to run")
            os.unlink(server.path("stray"))
            server.rpc().supervisor.signalProcess("family", "KILL")
            wait_until(lambda: info(server, "family")["pid"] not in (0, pid), 10, "the replacement")
            tap.check_true(not alive(stray), "the next run began beside the stray")
        tap.check(os.path.exists(server.path("overlap")), False, "a run has seen a stray of an earlier one")


@tap.test("strays that keep forking and ending are met by the stop signal, not by the end of stopwaitsecs")
def _():
    with serve("""
[program:relay]
command=/bin/sh -c '@DIR@/daemonize @DIR@/stray "@PYTHON@ @DIR@/relay.py"; exec sleep 1000'
stopwaitsecs=20
startsecs=0
autostart=false
""") as server:
        # A pid lives for about half a millisecond.
        server.write("relay.py", "import os\nopen('@DIR@/relays', 'w').close()\n"
                                 "while True:\n    if os.fork() != 0:\n        os._exit(0)\n")
        proxy = server.rpc()
        for _ in range(10):
            proxy.supervisor.startProcess("relay")
            wait_until(lambda: os.path.exists(server.path("relays")), 10, "the relay")
            os.unlink(server.path("relays"))
            begin = time.monotonic()
            proxy.supervisor.stopProcess("relay")
            took = time.monotonic() - begin
            tap.check_true(took < 5, f"a stop took {took:.2f} s")


@tap.test("with kill_mode=process strays live on, beside the next run and after the stop")
def _():
    with serve("""
[program:family]
command=/bin/sh -c '@DIR@/daemonize @DIR@/stray "sleep 1000"; exec sleep 1000'
kill_mode=process
startsecs=0
""") as server:
        first = pid_in(server, "stray")
        os.unlink(server.path("stray"))
        server.rpc().supervisor.signalProcess("family", "KILL")
        second = pid_in(server, "stray")
        server.rpc().supervisor.stopProcess("family")
        tap.check((alive(first), alive(second)), (True, True), "the strays live")
        tap.check(server.stop(), 0, "exit status")
        tap.check((alive(first), alive(second)), (True, True), "the strays live after the end of svisord")
        for pid in (first, second):
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not alive(pid), 5, f"{pid} to end")
        remove_empty(server)


def remove_empty(server):
    """What svisord had to leave because somebody lived in it; the next daemon of that name would tidy it up."""
    os.unlink(server.path("stray"))
    server.start()
    wait_until(lambda: info(server, "family")["statename"] == "RUNNING", 10, "family")
    root = cgroup_root(server.rpc())
    tap.check(sum("family.1" == os.path.basename(path) for path in leaves(root)), 1, "directories of a first run")
    stray = pid_in(server, "stray")
    server.rpc().supervisor.stopProcess("family")
    os.kill(stray, signal.SIGKILL)
    wait_until(lambda: not alive(stray), 5, "the stray to end")
    tap.check(server.stop(), 0, "exit status")
    wait_gone(root)


def wait_gone(root):
    tap.check(os.path.exists(root), False, f"{root} is left")


@tap.test("whoever ignores SIGTERM is killed after stopwaitsecs, the main process and a stray alike")
def _():
    with serve("""
[program:deafmain]
command=@DIR@/deaf
stopwaitsecs=1
startsecs=0
[program:deafstray]
command=/bin/sh -c '@DIR@/daemonize @DIR@/stray @DIR@/deaf; exec sleep 1000'
stopwaitsecs=1
startsecs=0
""") as server:
        stray = pid_in(server, "stray")
        wait_until(lambda: b"deaf" in open(f"/proc/{stray}/cmdline", "rb").read(), 10, "the stray to be deaf")
        time.sleep(0.1)  # its trap follows its exec, and nothing tells when
        for name in ("deafmain", "deafstray"):
            begin = time.monotonic()
            server.rpc().supervisor.stopProcess(name)
            took = time.monotonic() - begin
            tap.check_true(0.9 <= took <= 3, f"the stop of {name} took {took:.2f} s")
        tap.check(alive(stray), False, "the deaf stray lives")
        tap.check([pid for pid in processes_with(server.directory) if pid != server.process.pid], [], "left behind")


@tap.test("one stop ends a program that forks without end")
def _():
    with serve("""
[program:bomb]
command=@PYTHON@ @DIR@/bomb.py
startsecs=0
stopwaitsecs=1
autostart=false
""") as server:
        # Each process forks until 300 live, and whoever dies is replaced.
        server.write("bomb.py", """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    if len([n for n in os.listdir('/proc') if n.isdigit()]) < 300 and os.fork() == 0:
        os.setsid()
    time.sleep(0.005)
""")
        if os.readlink("/proc/self/ns/pid") == INITIAL_PID_NAMESPACE:
            tap.skip("not in a PID namespace of its own")
        proxy = server.rpc()
        proxy.supervisor.startProcess("bomb")
        root = cgroup_root(proxy)
        leaf = os.path.join(root, "bomb", "bomb.1")
        wait_until(lambda: len(members(leaf)) > 150, 60, "150 processes")
        begin = time.monotonic()
        proxy.supervisor.stopProcess("bomb")
        took = time.monotonic() - begin
        tap.check(info(server, "bomb")["statename"], "STOPPED", "state")
        tap.check_true(not os.path.exists(leaf) or members(leaf) == [], "somebody is left in the cgroup")
        tap.check([pid for pid in processes_with("bomb.py") if alive(pid)], [], "left behind")
        print(f"# the stop of the bomb took {took:.2f} s")


@tap.test("a program gets its cgroup also after somebody has removed the directories that were empty")
def _():
    with serve("[program:a]\ncommand=/bin/sleep 1000\nstartsecs=0\n") as server:
        proxy = server.rpc()
        root = cgroup_root(proxy)
        for number in range(100):
            proxy.supervisor.stopProcess("a")
            for directory in sorted(leaves(root), key=len, reverse=True):
                try:
                    os.rmdir(os.path.join(root, directory))
                except OSError:
                    pass  # svisord was quicker
            proxy.supervisor.startProcess("a")
            with open(f"/proc/{info(server, 'a')['pid']}/cgroup", encoding="ascii") as stream:
                tap.check_true("kill-mode-test/a/a." in stream.read(), f"start {number} is in no cgroup of its own")


@tap.test("a shutdown leaves no process and no cgroup directory")
def _():
    with serve("""
[program:many]
command=/bin/sh -c '@DIR@/daemonize @DIR@/stray%(process_num)d "sleep 1000"; exec sleep 1000'
process_name=%(program_name)s_%(process_num)d
numprocs=20
startsecs=0
[program:deaf]
command=@DIR@/deaf
stopwaitsecs=1
startsecs=0
""") as server:
        for number in range(20):
            pid_in(server, f"stray{number}")
        root = cgroup_root(server.rpc())
        tap.check(len(leaves(root)), 23, "directories while it runs: 2 groups and 21 leaves, in tree " + str(leaves(root)))
        tap.check(server.stop(), 0, "exit status")
        tap.check(processes_with(server.directory), [], "processes")
        wait_gone(root)
        parent = os.path.dirname(root)
        if os.path.exists(parent):
            others = os.listdir(parent)
            tap.check_true(any(os.path.isdir(os.path.join(parent, name)) for name in others), f"{parent} is left, and empty")


if __name__ == "__main__":
    tap.run_all(options)
