# seconds: 120
# Daemons that no supvisors_list names find each other by multicast, in a network namespace of the test's own: on the
# loopback interface there multicast is allowed, and the host is called localhost.
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from cluster_servers import Cluster
from daemon import wait_until

INSIDE = "SVISOR_TEST_OWN_NETWORK"
SETUP = "ip link set lo up && ip link set lo multicast on && ip route add 239.0.0.0/8 dev lo && hostname localhost"
PROGRAMS = """
[program:web]
command=/bin/sh -c 'sleep 1000' @MARK@-web
process_name=web_%(process_num)d
numprocs=3
startsecs=0
autostart=false
"""
RULES = """
<application name="web">
  <start_sequence>1</start_sequence>
  <programs><program pattern="web_"><identifiers>#</identifiers><start_sequence>1</start_sequence></program></programs>
</application>
"""
options = tap.arguments()


def enter():
    """The same test, inside; or the reason why that cannot be."""
    if INSIDE in os.environ:
        return None
    probe = subprocess.run(["unshare", "--net", "--uts", "sh", "-c", SETUP], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        return f"no network namespace of our own: {probe.stderr.strip()}"
    os.environ[INSIDE] = "1"
    words = [sys.executable, os.path.abspath(__file__), *sys.argv[1:]]
    os.execvp("unshare", ["unshare", "--net", "--uts", "sh", "-c", SETUP + ' && exec "$@"', "sh", *words])
    return None


REASON = enter()


def cluster_of(count):
    if REASON:
        tap.skip(REASON)
    members = f"multicast_group=239.255.77.9:{random.randrange(20000, 30000)}\nmulticast_interface=127.0.0.1\n" \
              "synchro_options=USER"
    return Cluster(options.build, count, PROGRAMS, RULES, members=members, host="localhost")


def known(cluster, index):
    return {info["nick_identifier"]: info["statename"] for info in cluster.call(index, "get_all_instances_info")}


@tap.test("three daemons without a list find each other, elect, and share the work")
def _():
    with cluster_of(3) as cluster:
        begin = time.monotonic()
        cluster.start()
        for server in cluster.servers:
            server.wait_ready()
        for i in range(3):
            wait_until(lambda: known(cluster, i) == {"s1": "RUNNING", "s2": "RUNNING", "s3": "RUNNING"}, 10, "all to be found")
        print(f"# found after {time.monotonic() - begin:.2f} s")
        tap.check([cluster.state(i) for i in range(3)], ["SYNCHRONIZATION"] * 3, "states")
        tap.check(cluster.call(1, "end_sync", "s1"), True, "end_sync")
        cluster.wait_state("OPERATION")
        for i in range(3):
            tap.check(cluster.call(i, "get_supvisors_state")["discovery_mode"], True, "discovery_mode")
        tap.check({cluster.call(i, "get_master_identifier")["nick_identifier"] for i in range(3)}, {"s1"}, "the Master")
        wait_until(lambda: len(cluster.copies("web")) == 3, 10, "the programs to run")
        wait_until(lambda: sorted(sum((cluster.running_on(0, f"web:web_{i}") or [] for i in range(3)), [])) ==
                   ["s1", "s2", "s3"], 10, "one of them on each")
        placement = cluster.servers[1].rpc(over="tcp").svisor.getPlacement("web")["processes"]
        tap.check([process["identifiers"] for process in placement], [["#", "*"]] * 3, "identifiers of the rule")
        running = [(process["process_name"], process["running_on"]) for process in placement]
        own = cluster.servers[0].rpc(over="tcp").svisor.getPlacement("web")["processes"]
        tap.check([(process["process_name"], process["may_run_on"]) for process in own], running, "may_run_on, at the Master")
        rules = cluster.call(0, "get_process_rules", "web:*")
        tap.check([[cluster.nicks[cluster.identifiers.index(name)] for name in rule["identifiers"]] for rule in rules],
                  [names for _, names in running], "get_process_rules, at the Master")


@tap.test("one that comes later is found and joins, and one that goes is missed and found again")
def _():
    with cluster_of(3) as cluster:
        for server in cluster.servers[:2]:
            server.start(ready=False)
        for server in cluster.servers[:2]:
            server.wait_ready()
        wait_until(lambda: known(cluster, 0) == {"s1": "RUNNING", "s2": "RUNNING"}, 10, "s2 to be found")
        cluster.call(0, "end_sync", "s1")
        cluster.wait_state("OPERATION", (0, 1))
        cluster.servers[2].start(ready=False)
        seconds = cluster.wait_state("OPERATION")
        print(f"# joined after {seconds:.2f} s")
        wait_until(lambda: known(cluster, 0).get("s3") == "RUNNING", 5, "s1 to know s3")
        tap.check(known(cluster, 2), {"s1": "RUNNING", "s2": "RUNNING", "s3": "RUNNING"}, "what s3 knows")
        cluster.kill(2)
        wait_until(lambda: known(cluster, 0)["s3"] in ("FAILED", "STOPPED"), 5, "the loss of s3")
        cluster.servers[2].start(ready=False)
        wait_until(lambda: known(cluster, 0)["s3"] == "RUNNING" and cluster.state(2) == "OPERATION", 10, "s3 again")


if __name__ == "__main__":
    tap.run_all(options)
