# seconds: 200
# A storm of fork, exec and exit that overflows a ring of one page: what is lost is counted by kind, everything is looked
# at again, and every state, exit status and stray is right afterwards. Half of it happens while svisord is stopped, so that
# the ring overflows for certain, on any machine.
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import Server, binary, is_zombie, wait_until
from probe import cgroup_root, facility, leaves

RING_BYTES = 4096
STORMS = 4  # programs, each with FORKS children, half of which execute a file; number N exits with 10 + N
FORKS = 400
LEAVERS = 3  # each leaves a stray behind that does not listen to SIGTERM

# $1: the file that says go. Then N children one after the other, and the exit status $3.
STORM = """#!/bin/sh
trap '' PIPE
echo ready
while [ ! -e $1 ]; do sleep 0.05; done
i=0
while [ $i -lt $2 ]; do
    (exit 3)
    /bin/true
    i=$((i + 2))
done
exit $3
"""
LEAVER = """#!/bin/sh
echo ready
while [ ! -e $1 ]; do sleep 0.05; done
setsid sh -c 'trap "" TERM; echo $$ > '$2'; while :; do sleep 1; done' < /dev/null > /dev/null 2>&1 &
while [ ! -s $2 ]; do sleep 0.05; done
exit $3
"""
HEAD = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=storm-test
[program:quiet]
command=/bin/sleep 1000
[program:again]
command=/bin/sh -c 'sleep 0.05; exit 9'
startsecs=0
autorestart=true
restart_delay=0.1
"""
options = tap.arguments()


STORM_NAMES = [f"storm{n}" for n in range(STORMS)]
LEAVER_NAMES = [f"leaver{n}" for n in range(LEAVERS)]
CONFIG = HEAD + "".join(
    f"[program:storm{n}]\ncommand=@DIR@/storm @DIR@/go {FORKS} {10 + n}\nautorestart=false\nstartsecs=0\n"
    for n in range(STORMS)) + "".join(
    f"[program:leaver{n}]\ncommand=@DIR@/leaver @DIR@/go @DIR@/stray{n} {20 + n}\n"
    "autorestart=false\nstartsecs=0\nstopwaitsecs=1\n" for n in range(LEAVERS))


def serve():
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    server = Server("svisord", options.build, CONFIG, start=False,
                    environment={"SVISOR_RING_BYTES": str(RING_BYTES)})
    server.write("storm", STORM, 0o755)
    server.write("leaver", LEAVER, 0o755)
    try:
        server.start()
        row = facility(server.rpc(), "eBPF exit")
        if not row["active"]:
            tap.skip("no eBPF: " + row["missing"])
    except BaseException:
        server.close()
        raise
    return server


def losses(server):
    """{kind: count}, from the words of `svctl kernel`."""
    detail = facility(server.rpc(), "ring buffer")["detail"]
    tap.check_true(detail.startswith("4 KiB, "), f"a tiny ring: {detail}")
    return {kind: int(count) for kind, count in re.findall(r"(fork|exec|exit|signal|oom) (\d+)", detail)}


def info(server, name):
    return server.rpc().supervisor.getProcessInfo(name)


def why(server, name):
    return server.rpc().svisor.getDeathCertificate(name)


def alive(pid):
    return os.path.exists(f"/proc/{pid}") and not is_zombie(pid)


def check_states(server):
    for name in STORM_NAMES + LEAVER_NAMES:
        wait_until(lambda: info(server, name)["statename"] == "EXITED", 120, f"{name} to be EXITED")
    for n, name in enumerate(STORM_NAMES):
        tap.check(info(server, name)["exitstatus"], 10 + n, f"{name}: exit status")
        tap.check(why(server, name)["exit_code"], 10 + n, f"{name}: exit code of the certificate")
    for n, name in enumerate(LEAVER_NAMES):
        tap.check(info(server, name)["exitstatus"], 20 + n, f"{name}: exit status")
        stray = int(server.read(f"stray{n}"))
        wait_until(lambda: not alive(stray), 20, f"the stray of {name} to be killed")
        wait_until(lambda: why(server, name).get("strays_end"), 20, f"the end of the strays of {name} to be told")
        tap.check_true(why(server, name)["strays"] >= 1, f"{name}: its strays are counted: {why(server, name)}")


def check_rest(server, quiet_pid):
    tap.check((info(server, "quiet")["statename"], info(server, "quiet")["pid"]), ("RUNNING", quiet_pid), "quiet")
    before = why(server, "again")["run"]
    wait_until(lambda: why(server, "again")["run"] > before + 1, 20, "again to go on restarting")
    tap.check(why(server, "again")["exit_code"], 9, "again: exit code")
    root = cgroup_root(server.rpc())
    wait_until(lambda: not any(re.search(r"/(storm|leaver)\d", leaf) for leaf in leaves(root)), 20,
               "no cgroup of a storm or a leaver to be left")


def wait_for_the_ready(server):
    for name in STORM_NAMES + LEAVER_NAMES:
        wait_until(lambda: "ready" in server.rpc().supervisor.readProcessStdoutLog(name, 0, 100), 20, f"{name} to be ready")
    return info(server, "quiet")["pid"], [info(server, name)["pid"] for name in STORM_NAMES + LEAVER_NAMES]


@tap.test("a storm in a ring of one page: every state, exit status and stray is right")
def _():
    with serve() as server:
        quiet_pid, _ = wait_for_the_ready(server)
        server.write("go", "")
        check_states(server)
        check_rest(server, quiet_pid)
        print(f"# lost: {losses(server)}")


@tap.test("the same while svisord is stopped: what is lost is counted by kind, and everything is looked at again")
def _():
    with serve() as server:
        quiet_pid, pids = wait_for_the_ready(server)
        before = losses(server)
        server.send(signal.SIGSTOP)
        try:
            server.write("go", "")
            wait_until(lambda: all(is_zombie(pid) for pid in pids), 120, "all of them to end")
        finally:
            server.send(signal.SIGCONT)
        check_states(server)
        check_rest(server, quiet_pid)
        after = losses(server)
        print(f"# lost: {after}")
        for kind in ("fork", "exec", "exit"):
            tap.check_true(after.get(kind, 0) > before.get(kind, 0), f"{kind} records are lost and counted: {after}")
        tap.check_true("every process is looked at again" in server.read("main.log"), "the log says so")


if __name__ == "__main__":
    tap.run_all(options)
