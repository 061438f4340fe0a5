# The life of the daemon under load and in want: storms, signals at the wrong moment, no descriptors, no leak.
import os
import signal
import subprocess
import sys
import time
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import Server, binary, is_zombie, wait_until
from probe import cgroup_root, descriptor_count, leaves, memory_kb, processes_with

HEAD = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=endurance-test
"""
STORM = """
[program:storm]
command=/bin/sh -c 'exec sleep 1000'
process_name=%(program_name)s_%(process_num)d
numprocs=300
startsecs=1
stdout_logfile=NONE
stderr_logfile=NONE
"""
options = tap.arguments()


def serve(config, **more):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    return Server("svisord", options.build, HEAD + config, **more)


def info(server, name):
    return server.rpc().supervisor.getProcessInfo(name)


def state(server, name):
    return info(server, name)["statename"]


def alive(pid):
    return os.path.exists(f"/proc/{pid}") and not is_zombie(pid)


def nothing_left(server, root):
    wait_until(lambda: processes_with(server.directory) == [], 5, f"{processes_with(server.directory)} to be gone")
    tap.check_true(root is None or not os.path.exists(root), f"{root} is left")


@tap.test("SIGTERM in a storm of three hundred starts ends it, and leaves nothing")
def _():
    for delay in (0, 0.02, 0.1):
        with serve(STORM, start=False) as server:
            begin = time.monotonic()
            server.start()
            root = cgroup_root(server.rpc())
            time.sleep(delay)
            tap.check(server.stop(), 0, f"exit status, {delay} s into the storm")
            print(f"# stopped {delay} s into the storm: {time.monotonic() - begin:.2f} s in all")
            nothing_left(server, root)


@tap.test("SIGKILL of a program in every state is noticed, and decided as the state says")
def _():
    with serve("""
[program:starting]
command=/bin/sleep 1000
startsecs=1000
startretries=1000
[program:running]
command=/bin/sleep 1000
startsecs=0
[program:stopping]
command=/bin/sh -c 'trap "" TERM; while :; do sleep 0.1; done'
startsecs=0
stopwaitsecs=60
""") as server:
        proxy = server.rpc()
        wait_until(lambda: state(server, "running") == "RUNNING", 10, "running")
        for name, expected in (("starting", ("BACKOFF", "STARTING")), ("running", ("RUNNING",))):
            pid = info(server, name)["pid"]
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: info(server, name)["pid"] != pid, 10, f"the death of {name}")
            tap.check_true(state(server, name) in expected, f"{name} is {state(server, name)}")
        proxy.supervisor.stopProcess("stopping", False)
        tap.check(state(server, "stopping"), "STOPPING", "stopping")
        os.kill(info(server, "stopping")["pid"], signal.SIGKILL)
        wait_until(lambda: state(server, "stopping") == "STOPPED", 10, "stopping to be STOPPED")
        why = proxy.svisor.getWhy("running") if "svisor.getWhy" in proxy.system.listMethods() else None
        tap.check_true(why is None or "SIGKILL" in why["text"], f"why says {why}")


@tap.test("restarts and signals while it stops neither stop the stopping nor are lost in it")
def _():
    with serve("""
[program:deaf]
command=/bin/sh -c 'trap "" TERM; while :; do sleep 0.1; done'
startsecs=0
stopwaitsecs=2
""") as server:
        root = cgroup_root(server.rpc())
        wait_until(lambda: state(server, "deaf") == "RUNNING", 10, "deaf")
        server.send(signal.SIGTERM)
        wait_until(lambda: "waiting for deaf to die" in server.read("main.log"), 10, "the stopping to begin")
        for number in (signal.SIGHUP, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            server.send(number)
        for method in ("reloadConfig", "getState", "restart", "shutdown"):
            try:
                getattr(server.rpc().supervisor, method)()
                tap.fail(f"{method} was done while svisord was stopping")
            except xmlrpc.client.Fault as fault:
                tap.check_true("SHUTDOWN_STATE" in fault.faultString, f"{method}: {fault}")
        begin = time.monotonic()
        tap.check(server.wait(), 0, "exit status")
        tap.check_true(time.monotonic() - begin < 8, "the deaf program held the shutdown up")
        nothing_left(server, root)


@tap.test("without descriptors left, programs fail with the right words, and svisord and its API live")
def _():
    with serve("minfds=100\n" + STORM.replace("startsecs=1", "startsecs=0\nstartretries=2"), start=False) as server:
        server.wrapper = ["prlimit", "--nofile=120:120"]
        server.start()
        proxy = server.rpc()
        rows = wait_until(lambda: [row for row in proxy.supervisor.getAllProcessInfo() if row["statename"] in ("BACKOFF", "FATAL")],
                          20, "some program without descriptors")
        tap.check_true(any("too many open files to spawn" in row["spawnerr"] for row in rows), f"spawnerr is {rows[0]['spawnerr']}")
        wait_until(lambda: any(row["statename"] == "RUNNING" for row in proxy.supervisor.getAllProcessInfo()), 10, "some program that runs")
        running = [row for row in proxy.supervisor.getAllProcessInfo() if row["statename"] == "RUNNING"]
        print(f"# with 120 descriptors {len(running)} of 300 programs run")
        tap.check(server.rpc().supervisor.getState()["statename"], "RUNNING", "a new client's getState")
        proxy.supervisor.stopProcess("storm:" + running[0]["name"])
        tap.check(state(server, "storm:" + running[0]["name"]), "STOPPED", "a program that was stopped")
        tap.check(server.stop(), 0, "exit status")
        nothing_left(server, None)


def run_daemonized(server):
    """Starts it into the background as a user does; the command's result."""
    return subprocess.run([server.program, "-c", server.config_path], capture_output=True, text=True, timeout=30, cwd=server.directory)


@tap.test("the command that starts the daemon says 0 when it runs, and 2 with the reason when it does not")
def _():
    config = "[inet_http_server]\nport=127.0.0.1:@PORT@\n[program:a]\ncommand=/bin/sleep 1000\nstartsecs=0\n"
    with serve(config, start=False) as server:
        done = run_daemonized(server)
        tap.check(done.returncode, 0, f"exit status, {done.stderr}")
        tap.check_true(server.connects(), "it does not listen when the command has ended")
        pid = int(server.read("main.pid"))
        tap.check(server.rpc().supervisor.getPID(), pid, "pid in the pid file")
        tap.check((os.getsid(pid) != os.getsid(0), os.getppid() != pid), (True, True), "in a session of its own")
        again = run_daemonized(server)
        tap.check(again.returncode, 2, f"exit status of the second, {again.stderr}")
        tap.check_true("already listening" in again.stderr, f"the second says {again.stderr!r}")
        tap.check(int(server.read("main.pid")), pid, "pid in the pid file afterwards")
        tap.check_true(server.connects(), "the first does not listen any more")
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not alive(pid), 10, "the daemon to end")
        tap.check((os.path.exists(server.path("main.pid")), os.path.exists(server.socket_path)), (False, False), "pid file and socket")
        server.write_config(HEAD + config.replace("startsecs=0", "startsecs=x"))
        bad = run_daemonized(server)
        tap.check_true(bad.returncode == 2 and "startsecs" in bad.stderr, f"bad file: {bad.returncode} {bad.stderr!r}")
        server.write_config(HEAD.replace("@DIR@/main.log", "@DIR@/nowhere/main.log") + config)
        bad = run_daemonized(server)
        tap.check_true(bad.returncode == 2 and "nowhere" in bad.stderr, f"bad log: {bad.returncode} {bad.stderr!r}")


@tap.test("supervisor.restart keeps the daemon's pid, opens everything anew and leaks nothing")
def _():
    with serve("[program:a]\ncommand=/bin/sh -c '(setsid sleep 1000 &); exec sleep 1000'\nstartsecs=0\nkill_mode=control-group\n") as server:
        root = cgroup_root(server.rpc())
        wait_until(lambda: state(server, "a") == "RUNNING", 10, "a")
        counts = []
        for number in range(10):
            pid = info(server, "a")["pid"]
            os.rename(server.log_path, server.path(f"log.{number}"))
            server.rpc().supervisor.restart()
            wait_until(lambda: os.path.exists(server.log_path) and "entered RUNNING" in server.read("main.log"), 10, "the next life")
            server.wait_ready()
            tap.check(server.rpc().supervisor.getPID(), server.process.pid, "pid of svisord")
            tap.check_true(not alive(pid), "a of the last life lives")
            server.disconnect()
            counts.append((descriptor_count(server.process.pid), memory_kb(server.process.pid)))
        print(f"# descriptors and KB over ten restarts: {counts[0]} … {counts[-1]}")
        tap.check_true(abs(counts[-1][0] - counts[1][0]) <= 2, f"descriptors: {counts}")
        tap.check_true(counts[-1][1] - counts[1][1] < 2048, f"memory in KB: {counts}")
        tap.check(server.stop(), 0, "exit status")
        nothing_left(server, root)


@tap.test("input for a program that does not read is bounded, and the API says so")
def _():
    with serve("[program:a]\ncommand=/bin/sleep 1000\nstartsecs=0\n") as server:
        proxy = server.rpc()
        wait_until(lambda: state(server, "a") == "RUNNING", 10, "a")
        before = memory_kb(server.process.pid)
        refused = None
        for _ in range(200):
            try:
                proxy.supervisor.sendProcessStdin("a", "x" * 100000)
            except xmlrpc.client.Fault as fault:
                refused = fault
                break
        tap.check_true(refused is not None, "20 MB were taken for a program that does not read")
        print(f"# refused with {refused}")
        tap.check_true(memory_kb(server.process.pid) - before < 8 << 10, "memory")
        proxy.supervisor.stopProcess("a")
        tap.check(state(server, "a"), "STOPPED", "state")


@tap.test("five hundred restarts leak no descriptor, no memory and no cgroup directory")
def _():
    with serve("""
[program:family]
command=/bin/sh -c 'sleep 1000 & (setsid sleep 1000 &); echo out; echo err >&2; exec sleep 1000'
startsecs=0
""") as server:
        proxy = server.rpc()
        root = cgroup_root(proxy)

        def restart(count):
            for _ in range(count):
                proxy.supervisor.stopProcess("family")
                proxy.supervisor.startProcess("family")

        def measure():
            return descriptor_count(server.process.pid), memory_kb(server.process.pid)

        wait_until(lambda: state(server, "family") == "RUNNING", 10, "family")
        restart(100)
        before = measure()
        begin = time.monotonic()
        restart(500)
        took = time.monotonic() - begin
        after = wait_until(lambda: measure()[0] <= before[0] + 1 and measure(), 5, "the descriptors of the last run")
        print(f"# 500 restarts in {took:.1f} s: descriptors {before[0]} then {after[0]}, {before[1]} KB then {after[1]} KB")
        tap.check_true(after[1] - before[1] < 1024, f"memory grew from {before[1]} to {after[1]} KB")
        if root:
            wait_until(lambda: len(leaves(root)) <= 2, 10, f"{len(leaves(root))} cgroup directories to become 2")


if __name__ == "__main__":
    tap.run_all(options)
