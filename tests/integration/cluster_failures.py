# seconds: 180
# A program of a distributed application is killed, once for each running_failure_strategy, and each time three real
# daemons do what the rule says. Programs are counted in /proc, not by svisord.
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from cluster_servers import Cluster
from daemon import wait_until

NAMES = ("db", "web", "other")
PROGRAM = """
[program:{name}]
command=/bin/sh -c 'sleep 1000' @MARK@-{name}
startsecs=0
autostart=false
autorestart={autorestart}
"""
RULE = """<program name="{}"><identifiers>{}</identifiers><start_sequence>1</start_sequence>
<running_failure_strategy>{}</running_failure_strategy></program>"""
APPLICATION = '<application name="{}"><start_sequence>1</start_sequence><programs>{}</programs></application>'
options = tap.arguments()


def cluster_of(strategy, autorestart="false"):
    """shop: db on s2, whose end is followed by the strategy, and web on s3. other: on s3, in an application of its own."""
    programs = "".join(PROGRAM.format(name=name, autorestart=autorestart) for name in NAMES) + "[group:shop]\nprograms=db,web\n"
    rules = APPLICATION.format("shop", RULE.format("db", "s2", strategy) + RULE.format("web", "s3", "CONTINUE")) \
        + APPLICATION.format("other", RULE.format("other", "s3", "CONTINUE"))
    return Cluster(options.build, 3, programs, rules)


def pids(cluster):
    return {name: cluster.copies(name) for name in NAMES}


def crash(cluster):
    """db is killed. What ran before."""
    cluster.start()
    cluster.wait_state("OPERATION")
    wait_until(lambda: all(len(found) == 1 for found in pids(cluster).values()), 10, "the applications to run")
    wait_until(lambda: cluster.running_on(0, "shop:db") == ["s2"], 10, "the Master to see db run")
    before = pids(cluster)
    os.kill(before["db"][0], signal.SIGKILL)
    return before


def state_of(cluster, index, namespec):
    return cluster.call(index, "get_process_info", namespec)[0]["statename"]


@tap.test("CONTINUE: the application goes on without it")
def _():
    with cluster_of("CONTINUE") as cluster:
        before = crash(cluster)
        wait_until(lambda: state_of(cluster, 0, "shop:db") == "EXITED", 5, "the Master to hear of the end")
        info = cluster.call(0, "get_application_info", "shop")
        tap.check((info["statename"], info["minor_failure"]), ("RUNNING", True), "the application")
        tap.check(pids(cluster), {**before, "db": []}, "programs")


@tap.test("RESTART_PROCESS: it is started again where it was, by autorestart, and nothing else")
def _():
    with cluster_of("RESTART_PROCESS", "unexpected") as cluster:
        before = crash(cluster)
        wait_until(lambda: pids(cluster)["db"] not in ([], before["db"]), 5, "db to run again")
        wait_until(lambda: cluster.running_on(0, "shop:db") == ["s2"], 5, "the Master to see it")
        after = pids(cluster)
        tap.check((len(after["db"]), after["web"], after["other"]), (1, before["web"], before["other"]), "programs")


@tap.test("STOP_APPLICATION: its application is stopped, and no other")
def _():
    with cluster_of("STOP_APPLICATION") as cluster:
        before = crash(cluster)
        wait_until(lambda: pids(cluster)["web"] == [], 5, "web to be stopped")
        wait_until(lambda: cluster.call(0, "get_application_info", "shop")["statename"] == "STOPPED", 5, "shop to be STOPPED")
        tap.check(pids(cluster), {"db": [], "web": [], "other": before["other"]}, "programs")


@tap.test("RESTART_APPLICATION: its application is stopped and started, and no other")
def _():
    with cluster_of("RESTART_APPLICATION") as cluster:
        before = crash(cluster)
        wait_until(lambda: all(pids(cluster)[name] not in ([], before[name]) for name in ("db", "web")), 10,
                   "both to run anew")
        wait_until(lambda: cluster.call(0, "get_application_info", "shop")["statename"] == "RUNNING", 5, "shop to be RUNNING")
        after = pids(cluster)
        tap.check((len(after["db"]), len(after["web"]), after["other"]), (1, 1, before["other"]), "programs")


@tap.test("SHUTDOWN: everything is stopped, and then all daemons")
def _():
    with cluster_of("SHUTDOWN") as cluster:
        crash(cluster)
        tap.check([server.wait(20) for server in cluster.servers], [0, 0, 0], "exit codes of the daemons")
        tap.check(pids(cluster), {"db": [], "web": [], "other": []}, "programs")


@tap.test("RESTART: everything is stopped, all daemons restart, and everything runs again")
def _():
    with cluster_of("RESTART") as cluster:
        before = crash(cluster)
        wait_until(lambda: all(found and found != before[name] for name, found in pids(cluster).items()), 20,
                   "all to run anew")
        cluster.wait_state("OPERATION")
        wait_until(lambda: [len(found) for found in pids(cluster).values()] == [1, 1, 1], 5, "one copy of each")
        tap.check([server.process.poll() for server in cluster.servers], [None] * 3, "daemons")


if __name__ == "__main__":
    tap.run_all(options)
