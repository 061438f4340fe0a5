# suite: quick
# [svisor] on_stop: what a SIGTERM means for the programs.
import os
import signal
import sys

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
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=on-stop-test
[svisor]
on_stop=keep
[program:steady]
command=/bin/sleep 1000
startsecs=0
[program:waiter]
command=/bin/sh -c 'while [ ! -e @DIR@/go ]; do sleep 0.02; done; echo gone; exit 7'
startsecs=0
autorestart=false
[program:family]
command=/bin/sh -c 'setsid sleep 1000 & exec sleep 1000'
startsecs=0
[program:stopping]
command=/bin/sh -c 'trap "" TERM; echo ready; while [ ! -e @DIR@/go ]; do sleep 0.02; done'
startsecs=0
stopwaitsecs=60
autorestart=false
"""
STOP = CONFIG.replace("on_stop=keep\n", "")
options = tap.arguments()


class Kept(Server):
    """A server of which a SIGTERM leaves the programs: closing it stops them."""

    def close(self):
        self.write("go", "")
        if self.process is not None and self.process.poll() is not None:
            self.start()
        self.stop(signal.SIGINT)
        super().close()


def serve(config=CONFIG, kind=Kept, **more):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    return kind("svisord", options.build, config, **more)


def info(server, name):
    return server.rpc().supervisor.getProcessInfo(name)


def pids(server):
    return {row["name"]: row["pid"] for row in server.rpc().supervisor.getAllProcessInfo()}


def lives(pid):
    return os.path.exists(f"/proc/{pid}") and not is_zombie(pid)


@tap.test("keep: after a SIGTERM the programs live on, and the next svisord has them as they were")
def _():
    with serve() as server:
        before = pids(server)
        tap.check(server.stop(), 0, "exit status")
        tap.check([name for name in ("s.sock", "main.pid") if os.path.exists(server.path(name))], [], "files left")
        tap.check([name for name, pid in before.items() if not lives(pid)], [], "programs that ended")
        server.start()
        tap.check(pids(server), before, "pids")
        tap.check({row["statename"] for row in server.rpc().supervisor.getAllProcessInfo()}, {"RUNNING"}, "states")


@tap.test("keep: what ends while no svisord runs has its exact status, its last line, and a stop goes on")
def _():
    with serve() as server:
        wait_until(lambda: "ready" in server.rpc().supervisor.readProcessStdoutLog("stopping", 0, 0), 10, "stopping")
        server.rpc().supervisor.stopProcess("stopping", False)
        waiter = info(server, "waiter")["pid"]
        server.stop()
        server.write("go", "")
        wait_until(lambda: not lives(waiter), 10, "waiter to end")
        server.start()
        wait_until(lambda: info(server, "waiter")["statename"] == "EXITED", 10, "waiter to be EXITED")
        tap.check(info(server, "waiter")["exitstatus"], 7, "exit status")
        tap.check(server.rpc().supervisor.readProcessStdoutLog("waiter", 0, 0), "gone\n", "output")
        wait_until(lambda: info(server, "stopping")["statename"] == "STOPPED", 10, "stopping to be STOPPED")


@tap.test("keep: shutdown by the API, SIGINT and SIGQUIT stop everything")
def _():
    def by_api(server):
        server.rpc().supervisor.shutdown()

    with serve() as server:
        server.write("go", "")  # those that heed no signal
        for end in (by_api, lambda s: s.send(signal.SIGINT), lambda s: s.send(signal.SIGQUIT)):
            before = pids(server)
            end(server)
            tap.check(server.wait(), 0, "exit status")
            tap.check([name for name, pid in before.items() if pid and lives(pid)], [], "programs that live on")
            server.start()


@tap.test("keep, switched on by a reread, holds at once; without it a SIGTERM stops everything")
def _():
    with serve(STOP) as server:
        server.write("go", "")
        before = pids(server)
        server.stop()
        tap.check([name for name, pid in before.items() if pid and lives(pid)], [], "programs that live on")
        server.start()
        steady = info(server, "steady")["pid"]
        server.write_config(CONFIG)
        server.rpc().supervisor.reloadConfig()
        server.stop()
        tap.check_true(lives(steady), "steady has ended")
        server.start()
        tap.check(info(server, "steady")["pid"], steady, "pid")


@tap.test("keep: a SIGTERM during a shutdown stays a shutdown")
def _():
    with serve() as server:
        before = pids(server)
        wait_until(lambda: "ready" in server.rpc().supervisor.readProcessStdoutLog("stopping", 0, 0), 10, "stopping")
        server.rpc().supervisor.shutdown()
        server.send(signal.SIGTERM)
        server.write("go", "")
        tap.check(server.wait(), 0, "exit status")
        tap.check([name for name, pid in before.items() if lives(pid)], [], "programs that live on")


@tap.test("keep: PID 1 cannot leave its programs behind, and says so")
def _():
    if os.geteuid() != 0:
        tap.skip("a PID namespace needs root")
    with serve(kind=Server, wrapper=("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")) as server:
        server.write("go", "")
        with open(f"/proc/{server.process.pid}/task/{server.process.pid}/children", encoding="ascii") as stream:
            os.kill(int(stream.read()), signal.SIGTERM)
        server.wait()
        tap.check_true("on_stop=keep does not hold now: svisord is PID 1" in server.read("main.log"),
                       server.last_words())


if __name__ == "__main__":
    tap.run_all()
