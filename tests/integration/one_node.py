# suite: quick
# What svisord has beyond Supervisor on one node: cgroups, quick restarts, bounded output, less than root.
import os
import signal
import socket
import subprocess
import sys
import time

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
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=one-node-test
"""
SLEEPERS = HEAD + """
[program:a]
command=/bin/sleep 1000
startsecs=0
[program:b]
command=/bin/sh -c 'setsid sleep 1000 & exec sleep 1000'
startsecs=0
"""
options = tap.arguments()


def serve(config, **more):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    return Server("svisord", options.build, config, **more)


def info(server, name):
    return server.rpc().supervisor.getProcessInfo(name)


def running(server, name):
    return wait_until(lambda: info(server, name)["statename"] == "RUNNING" and info(server, name), 10, f"{name} to run")


def cgroup_of(pid):
    with open(f"/proc/{pid}/cgroup", encoding="ascii") as stream:
        return next((line[3:].strip() for line in stream if line.startswith("0::")), "")


def cgroup_directory(path):
    with open("/proc/self/mountinfo", encoding="ascii") as stream:
        for line in stream:
            words = line.split()
            if words[words.index("-") + 1] == "cgroup2":
                return words[4] + path
    return tap.skip("no cgroup2 is mounted here")


@tap.test("every program has a cgroup of its own, and none is left after the end")
def _():
    if os.geteuid() != 0:
        tap.skip("only root may make cgroups here")
    with serve(SLEEPERS) as server:
        paths = [cgroup_of(running(server, name)["pid"]) for name in ("a", "b")]
        directories = [cgroup_directory(path) for path in paths]
        tap.check_true("svisor" in paths[0] and paths[0] != paths[1], f"the cgroups are {paths}")
        members = wait_until(lambda: open(directories[1] + "/cgroup.procs", encoding="ascii").read().split()[1:], 10,
                             "the stray of b in its cgroup")
        tap.check(len(members), 1, "strays in the cgroup of b")
        tap.check(server.stop(), 0, "exit status")
        for directory in directories:
            tap.check_true(not os.path.exists(directory), f"{directory} is left")
        wait_until(lambda: not os.path.exists(f"/proc/{members[0]}") or is_zombie(members[0]), 5, "the stray to end")


@tap.test("a start that is not waited for is answered as soon as the programs are there, long before startsecs")
def _():
    program = "[program:slow]\ncommand=/bin/sleep 1000\nprocess_name=%(process_num)d\nnumprocs=100\nautostart=false\n" \
        "startsecs=3600\n"
    with serve(HEAD + program) as server:
        socket.setdefaulttimeout(20)
        rows = server.rpc().supervisor.startProcessGroup("slow", False)
        socket.setdefaulttimeout(None)
        tap.check({row["description"] for row in rows}, {"OK"}, "answers")
        tap.check(info(server, "slow:99")["statename"], "STARTING", "state")


@tap.test("a killed program is replaced at once, not at the next second")
def _():
    with serve(SLEEPERS) as server:
        times = []
        for _ in range(5):
            pid = running(server, "a")["pid"]
            begin = time.monotonic()
            server.rpc().supervisor.signalProcess("a", "KILL")
            wait_until(lambda: info(server, "a")["pid"] not in (0, pid), 10, "the replacement")
            times.append(time.monotonic() - begin)
        tap.check_true(sorted(times)[2] < 0.3, f"the median of {times} is over 0.3 s")


@tap.test("a program that writes without end keeps neither the API nor another program waiting")
def _():
    with serve(HEAD + """
[program:endless]
command=/usr/bin/yes
stdout_logfile=@DIR@/endless.log
stdout_logfile_maxbytes=1MB
stdout_logfile_backups=1
startsecs=0
[program:cat]
command=/bin/cat
stdout_logfile=@DIR@/cat.log
startsecs=0
""") as server:
        running(server, "endless")
        running(server, "cat")
        proxy = server.rpc()
        worst = 0.0
        for number in range(50):
            begin = time.monotonic()
            proxy.supervisor.sendProcessStdin("cat", f"line {number}\n")
            worst = max(worst, time.monotonic() - begin)
        wait_until(lambda: "line 49" in server.read("cat.log"), 10, "the echo of cat")
        tap.check_true(worst < 1, f"a call took {worst:.2f} s")
        # While it is rotated there is no file for a moment.
        wait_until(lambda: os.path.exists(server.path("endless.log")), 10, "the log")
        with open(server.path("endless.log"), "rb") as stream:
            tap.check_true(os.fstat(stream.fileno()).st_size < 4 << 20, "the log grows over its bound")


@tap.test("--check leaves with 0 for a good file, and with 2 and every problem for a bad one")
def _():
    with serve(SLEEPERS, start=False) as server:
        done = subprocess.run([server.program, "--check", "-c", server.config_path], capture_output=True, text=True)
        tap.check(done.returncode, 0, f"good file: {done.stderr}")
        server.write_config(SLEEPERS.replace("startsecs=0", "startsecs=soon\npriority=high"))
        done = subprocess.run([server.program, "--check", "-c", server.config_path], capture_output=True, text=True)
        tap.check(done.returncode, 2, "bad file")
        text = done.stdout + done.stderr
        tap.check_true(text.count("soon") >= 2 and text.count("high") >= 2, f"not every problem is named: {text}")


def supervise_as(prefix):
    """Runs svisord behind a command that takes rights away, and drives one program through its life."""
    with serve(SLEEPERS, start=False) as server:
        if subprocess.run([*prefix, server.program, "--version"], capture_output=True).returncode != 0:
            tap.skip(f"`{' '.join(prefix)}` cannot run svisord here")
        os.chmod(server.directory, 0o777)
        wrapper = server.write("wrapper", f'#!/bin/sh\nexec {" ".join(prefix)} {server.program} "$@"\n', 0o755)
        server.program = wrapper
        server.output_path = server.path("wrapper.out")
        server.start()
        first = running(server, "a")["pid"]
        server.rpc().supervisor.signalProcess("a", "KILL")
        wait_until(lambda: info(server, "a")["pid"] not in (0, first), 10, "the replacement")
        server.rpc().supervisor.stopProcess("a")
        tap.check(info(server, "a")["statename"], "STOPPED", "state")
        tap.check(server.stop(signal.SIGTERM), 0, "exit status")


@tap.test("an ordinary user's svisord supervises too")
def _():
    if os.geteuid() != 0:
        return supervise_as(["env"])
    return supervise_as(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])


@tap.test("svisord supervises in a user namespace")
def _():
    supervise_as(["unshare", "--user", "--map-root-user"])


if __name__ == "__main__":
    tap.run_all(options)
