# suite: quick
# Programs outlive svisord at every level of less: taken back after a SIGKILL, a SIGTERM with on_stop=keep and a reexec.
# The statuses of what ends meanwhile are exact, or called unknown where docs/kernel.md says so.
import os
import platform
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import HERE, PYTHON, Server, binary, is_zombie, wait_until

CONFIG = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=outlive-degraded-test
[svisor]
on_stop=keep
[program:steady]
command=/bin/sleep 1000
startsecs=0
[program:ender]
command=/bin/sh -c 'while [ ! -e @DIR@/end ]; do sleep 0.02; done; echo ends; exit 7'
startsecs=0
autorestart=false
"""
READ_ONLY_CGROUPS = ("unshare", "-m", "--propagation", "private", "sh", "-c", """
for at in $(sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* \\([^ ]*\\) .* - cgroup2 .*/\\1/p' /proc/self/mountinfo); do
    mount -o remount,bind,ro "$at" || exit 77
done
exec "$@\"""", "sh")
REFUSE_PIDFDS = (PYTHON, os.path.join(HERE, "refuse_calls.py"), "424,434,435")
HAS_EXIT_INFO = tuple(int(part) for part in platform.release().split(".")[:2]) >= (6, 15)
options = tap.arguments()


class Kept(Server):
    def close(self):
        self.write("end", "")
        if self.process is not None and self.process.poll() is not None:
            self.start()
        self.stop(signal.SIGINT)
        super().close()


def info(server, name):
    return server.rpc().supervisor.getProcessInfo(name)


def lives(pid):
    return os.path.exists(f"/proc/{pid}") and not is_zombie(pid)


def is_gone(pid):
    """As PID 1 of its namespace, the test itself is who has to wait for orphans."""
    if os.getpid() == 1 and is_zombie(pid):
        os.waitpid(pid, 0)
    return not os.path.exists(f"/proc/{pid}")


def leave_by(server, number):
    server.disconnect()
    server.send(number)
    server.wait()


def run_anew(server):
    """The pids of both programs, which run."""
    if os.path.exists(server.path("end")):
        os.unlink(server.path("end"))
    if info(server, "ender")["statename"] != "RUNNING":
        server.rpc().supervisor.startProcess("ender")
    return info(server, "steady")["pid"], info(server, "ender")["pid"]


def check_back(server, steady, is_exact):
    tap.check((info(server, "steady")["pid"], info(server, "steady")["statename"]), (steady, "RUNNING"), "steady")
    wait_until(lambda: info(server, "ender")["statename"] == "EXITED", 10, "ender to be EXITED")
    tap.check("exit status is unknown" in server.read("main.log"), not is_exact, "its status is called unknown")
    if is_exact:
        tap.check(info(server, "ender")["exitstatus"], 7, "exit status of ender")
    tap.check_true(server.rpc().supervisor.readProcessStdoutLog("ender", 0, 0).endswith("ends\n"), "its last line")


def outlive(is_exact, **more):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    with Kept("svisord", options.build, CONFIG, **more) as server:
        steady, _ = run_anew(server)
        server.write("end", "")
        status = subprocess.run([os.path.join(options.build, "svctl"), "-s", "unix://" + server.socket_path, "daemon-reexec"],
                                capture_output=True, text=True, timeout=60)
        tap.check(status.returncode, 0, f"daemon-reexec: {status.stdout}{status.stderr}")
        check_back(server, steady, True)  # they are its children: nothing else is needed
        for number in (signal.SIGTERM, signal.SIGKILL):
            steady, ender = run_anew(server)
            leave_by(server, number)
            tap.check((lives(steady), lives(ender)), (True, True), "the programs live")
            server.write("end", "")
            wait_until(lambda: is_gone(ender), 10, "ender to be gone")
            server.start()
            check_back(server, steady, is_exact)


def need_root():
    if os.geteuid() != 0:
        tap.skip("only root can take these rights away")


@tap.test("with everything that this machine has")
def _():
    outlive(True)


@tap.test("without eBPF")
def _():
    outlive(HAS_EXIT_INFO, environment=dict(os.environ, SVISOR_NO_BPF="1"))


@tap.test("without cgroups, and so without eBPF")
def _():
    need_root()
    outlive(HAS_EXIT_INFO, wrapper=READ_ONLY_CGROUPS)


@tap.test("without pidfds and clone3, and without eBPF")
def _():
    outlive(False, wrapper=REFUSE_PIDFDS, environment=dict(os.environ, SVISOR_NO_BPF="1"))


@tap.test("without pidfds, clone3 and cgroups, as on a kernel of 2018")
def _():
    need_root()
    outlive(False, wrapper=(*READ_ONLY_CGROUPS, *REFUSE_PIDFDS))


if __name__ == "__main__":
    tap.run_all()
