# seconds: 300
# Several real daemons on the loopback interface: they find each other, elect, start an application by its rules, lose
# one of them and go on. Programs are counted in /proc, not by svisord.
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from cluster_servers import Cluster
from daemon import wait_until

PROGRAMS = """
[program:db]
command=/bin/sh -c 'sleep 1000' @MARK@-db
startsecs=0
autostart=false
[program:web]
command=/bin/sh -c 'sleep 1000' @MARK@-web
startsecs=0
autostart=false
[group:shop]
programs=db,web
"""
RULES = """
<application name="shop">
  <start_sequence>1</start_sequence>
  <starting_strategy>LESS_LOADED</starting_strategy>
  <programs>
    <program name="db"><identifiers>*</identifiers><start_sequence>1</start_sequence><required>true</required>
      <expected_loading>10</expected_loading><running_failure_strategy>RESTART_PROCESS</running_failure_strategy></program>
    <program name="web"><identifiers>*</identifiers><start_sequence>2</start_sequence><required>true</required>
      <expected_loading>10</expected_loading><running_failure_strategy>RESTART_PROCESS</running_failure_strategy></program>
  </programs>
</application>
"""
options = tap.arguments()


def cluster_of(count, **more):
    return Cluster(options.build, count, PROGRAMS, RULES, **more)


@tap.test("three instances agree on a Master and start an application by its rules")
def _():
    with cluster_of(3) as cluster:
        cluster.start()
        for server in cluster.servers:
            server.wait_ready()
        seconds = cluster.wait_state("OPERATION")
        tap.check_true(seconds < 5, f"OPERATION took {seconds:.2f} s")
        masters = {cluster.call(i, "get_master_identifier")["nick_identifier"] for i in range(3)}
        tap.check(masters, {"s1"}, "the Master")
        wait_until(lambda: len(cluster.copies("db")) == 1 and len(cluster.copies("web")) == 1, 10, "db and web to run")
        tap.check({cluster.running_on(i, "shop:db")[0] for i in range(3)}, {"s1"}, "where db runs")
        tap.check({cluster.running_on(i, "shop:web")[0] for i in range(3)}, {"s2"}, "where web runs")


@tap.test("the programs of a killed daemon, the Master's too, run elsewhere within seconds, and once")
def _():
    with cluster_of(3) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        wait_until(lambda: cluster.running_on(1, "shop:db") == ["s1"], 10, "db to run on s1")
        begin = time.monotonic()
        cluster.kill(0)
        wait_until(lambda: cluster.instance_state(1, 0) in ("FAILED", "STOPPED"), 5, "the loss to be reported")
        reported = time.monotonic() - begin
        wait_until(lambda: cluster.running_on(1, "shop:db") not in (None, [], ["s1"]), 15, "db to run elsewhere")
        moved = time.monotonic() - begin
        print(f"# reported after {reported * 1000:.0f} ms, moved after {moved:.2f} s")
        tap.check(len(cluster.copies("db")), 1, "copies of db")
        tap.check_true(reported < 1 and moved < 5, f"reported after {reported:.2f} s, moved after {moved:.2f} s")


@tap.test("a silent daemon is lost after suspect_after, and welcome again when it speaks")
def _():
    with cluster_of(3) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        cluster.servers[2].send(signal.SIGSTOP)
        begin = time.monotonic()
        try:
            wait_until(lambda: cluster.instance_state(0, 2) in ("FAILED", "STOPPED"), 10, "the silence to be noticed")
            seconds = time.monotonic() - begin
        finally:
            cluster.servers[2].send(signal.SIGCONT)
        print(f"# noticed after {seconds:.2f} s")
        tap.check_true(0.8 < seconds < 3, f"noticed after {seconds:.2f} s")
        wait_until(lambda: cluster.instance_state(0, 2) == "RUNNING", 10, "it to be RUNNING again")


if __name__ == "__main__":
    tap.run_all(options)
