# suite: quick
# Every level of less: what is missing is said, once, with the remedy, and programs are supervised all the same.
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import HERE, PYTHON, Server, binary, is_zombie, wait_until
from probe import cgroup_root, facility, processes_with, zombies_of

CONFIG = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=degraded-test
[program:talker]
command=/bin/sh -c 'echo out; echo err >&2; exec sleep 1000'
stdout_logfile=@DIR@/talker.out
stderr_logfile=@DIR@/talker.err
[program:crasher]
command=/bin/sh -c 'echo run >> @DIR@/crashes; test `wc -l < @DIR@/crashes` -ge 3 && exec sleep 1000; exit 1'
startsecs=0
[program:family]
command=/bin/sh -c '(setsid sh -c "sleep 1000 & echo \\$! > @DIR@/stray"); exec sleep 1000'
startsecs=0
[program:missing]
command=/no/such/program
startretries=0
"""
options = tap.arguments()

# Read-only cgroup2, for those below only.
READ_ONLY_CGROUPS = ("unshare", "-m", "--propagation", "private", "sh", "-c", """
for at in $(sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* \\([^ ]*\\) .* - cgroup2 .*/\\1/p' /proc/self/mountinfo); do
    mount -o remount,bind,ro "$at" || exit 77
done
exec "$@\"""", "sh")

REFUSE_CALLS = (PYTHON, os.path.join(HERE, "refuse_calls.py"))


def need_root():
    if os.geteuid() != 0:
        tap.skip("only root can take these rights away")


def need(command):
    done = subprocess.run([*command, "true"], capture_output=True, text=True)
    if done.returncode != 0:
        tap.skip(f"`{' '.join(command[:2])} …` does not work here: {done.stderr.strip()}")


def serve(wrapper=(), environment=None, is_public=False):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    need(wrapper)
    server = Server("svisord", options.build, CONFIG, wrapper=wrapper, start=False,
                    environment=dict(os.environ, **(environment or {})))
    if is_public:
        os.chown(server.directory, 65534, 65534)
    try:
        server.start()
    except BaseException:
        server.close()
        raise
    return server


def alive(pid):
    return os.path.exists(f"/proc/{pid}") and not is_zombie(pid)


def exercise(server):
    """Start, crash and restart, output, stop, and a program that cannot be started. The pid of family's stray."""
    proxy = server.rpc()

    def state(name):
        return proxy.supervisor.getProcessInfo(name)["statename"]

    wait_until(lambda: state("talker") == "RUNNING", 10, "talker to run")
    wait_until(lambda: server.read("crashes").count("run") == 3 and state("crasher") == "RUNNING", 10, "crasher")
    wait_until(lambda: state("missing") == "FATAL", 10, "missing to be FATAL")
    tap.check(proxy.supervisor.getProcessInfo("missing")["spawnerr"], "can't find command '/no/such/program'", "spawnerr")
    tap.check(proxy.supervisor.readProcessStdoutLog("talker", 0, 0), "out\n", "stdout")
    tap.check(proxy.supervisor.readProcessStderrLog("talker", 0, 0), "err\n", "stderr")
    pid = proxy.supervisor.getProcessInfo("talker")["pid"]
    proxy.supervisor.signalProcess("talker", "KILL")
    wait_until(lambda: proxy.supervisor.getProcessInfo("talker")["pid"] not in (0, pid), 10, "the replacement")
    proxy.supervisor.stopProcess("talker")
    tap.check(state("talker"), "STOPPED", "talker after stop")
    proxy.supervisor.startProcess("talker")
    tap.check(state("talker"), "RUNNING", "talker after start")
    wait_until(lambda: os.path.exists(server.path("stray")) and server.read("stray").strip(), 10, "the stray of family")


def check_row(proxy, name, is_active, remedy=r"."):
    row = facility(proxy, name)
    tap.check(row["active"], is_active, f"{name} is there ({row['missing']})")
    if not is_active:
        tap.check_true(row["missing"], f"{name}: nothing says why it is missing")
        tap.check_true(re.search(remedy, row["remedy"]), f"{name}: the remedy is {row['remedy']!r}")
    return row


def check_one_line(server, text):
    lines = [line for line in server.read("main.log").split("\n") if text in line]
    tap.check_true(len(lines) == 1, f"lines of the log with {text!r}: {lines}\n{server.read('main.log')}")


def finish(server, has_cgroup):
    """Ends the daemon and looks at what it leaves. Without a cgroup, who has called setsid() lives on, as ever."""
    stray = int(server.read("stray"))
    tap.check(server.stop(signal.SIGTERM), 0, "exit status")
    if has_cgroup:
        wait_until(lambda: not processes_with(server.directory), 5, "every process to be gone")
    tap.check(alive(stray), not has_cgroup, "the stray lives")
    for left in processes_with(server.directory):
        os.kill(left, signal.SIGKILL)


def no_cgroup(server, words):
    proxy = server.rpc()
    row = check_row(proxy, "cgroup2", False, "root|delegated")
    tap.check_true(words in row["missing"], f"cgroup2 is missing because of {row['missing']!r}")
    check_row(proxy, "eBPF exit", False, "cgroup2")
    check_one_line(server, "without a cgroup of their own")
    exercise(server)
    finish(server, has_cgroup=False)


@tap.test("as an ordinary user svisord supervises without cgroups, and says so")
def _():
    need_root()
    with serve(("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"), is_public=True) as server:
        no_cgroup(server, "EACCES")


@tap.test("a cgroup2 that is mounted read-only is no cgroup2, and its reason is told")
def _():
    need_root()
    with serve(READ_ONLY_CGROUPS) as server:
        no_cgroup(server, "EROFS")


@tap.test("in a user namespace svisord takes what it is given")
def _():
    with serve(("unshare", "--user", "--map-root-user")) as server:
        has_cgroup = cgroup_root(server.rpc()) is not None
        check_row(server.rpc(), "eBPF exit", False)
        check_one_line(server, "eBPF" if has_cgroup else "without a cgroup of their own")
        exercise(server)
        finish(server, has_cgroup=has_cgroup)


@tap.test("without eBPF strays are still found, and one line tells what is lost")
def _():
    need_root()
    with serve(environment={"SVISOR_NO_BPF": "1"}) as server:
        proxy = server.rpc()
        check_row(proxy, "cgroup2", True)
        row = check_row(proxy, "eBPF exit", False, "SVISOR_NO_BPF")
        tap.check_true("SVISOR_NO_BPF" in row["missing"] + row["remedy"], f"the row does not name the switch: {row}")
        check_one_line(server, "eBPF")
        exercise(server)
        stray = int(server.read("stray"))
        proxy.supervisor.stopProcess("family")
        tap.check_true(not alive(stray), "the stray outlives the stop")
        finish(server, has_cgroup=True)


@tap.test("with clone3 refused programs are forked into their cgroups")
def _():
    with serve((*REFUSE_CALLS, "435")) as server:
        proxy = server.rpc()
        exercise(server)
        row = check_row(proxy, "clone3", False, "kernel|seccomp")
        tap.check_true("fork" in str(row), f"the row does not say what is used instead: {row}")
        root = cgroup_root(proxy)
        if root:
            pid = proxy.supervisor.getProcessInfo("talker")["pid"]
            with open(f"/proc/{pid}/cgroup", encoding="ascii") as stream:
                tap.check_true("degraded-test/talker/" in stream.read(), "talker is not in its cgroup")
        finish(server, has_cgroup=root is not None)


@tap.test("without pidfds and clone3, as before Linux 5.3, SIGCHLD tells of every end")
def _():
    with serve((*REFUSE_CALLS, "424,434,435")) as server:
        proxy = server.rpc()
        exercise(server)
        check_row(proxy, "pidfd", False, "kernel|seccomp")
        stray = int(server.read("stray"))
        has_cgroup = cgroup_root(proxy) is not None
        proxy.supervisor.stopProcess("family")
        tap.check(alive(stray), not has_cgroup, "the stray lives after the stop")
        finish(server, has_cgroup=has_cgroup)


@tap.test("as process 1 of a PID namespace svisord reaps every orphan")
def _():
    need_root()
    with serve(("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")) as server:
        exercise(server)
        proxy = server.rpc()
        tap.check(proxy.supervisor.getPID(), 1, "pid of svisord")
        outside = int(open(f"/proc/{server.process.pid}/task/{server.process.pid}/children", encoding="ascii").read())
        server.write_config(CONFIG + """
[program:orphans]
command=/bin/sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do (setsid sh -c "sleep 0.05; exit 3" &); done; exec sleep 1000'
kill_mode=process
startsecs=0
""")
        proxy.supervisor.reloadConfig()
        proxy.supervisor.addProcessGroup("orphans")
        wait_until(lambda: server.read("main.log").count("reaped unknown pid") >= 10, 10, "ten orphans to be reaped")
        tap.check(zombies_of(outside), [], "zombies")
        proxy.supervisor.shutdown()
        tap.check(server.wait(), 0, "exit status")


if __name__ == "__main__":
    tap.run_all(options)
