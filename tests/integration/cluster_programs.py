# seconds: 120
# Programs of one instance of a cluster, by request: disabled and enabled again, with more processes and with fewer. Real daemons on the loopback interface;
# programs are counted in /proc, not by svisord.
import datetime
import json
import os
import sys
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from cluster_servers import Cluster
from daemon import wait_until

PROGRAMS = """
[program:db]
command=/bin/sh -c 'sleep 1000' @MARK@-db
startsecs=0
autostart=false
[program:side]
command=/bin/sh -c 'sleep 1000' @MARK@-side
startsecs=0
[program:work]
command=/bin/sh -c 'sleep 1000' @MARK@-work %(process_num)d
process_name=work_%(process_num)02d
numprocs=2
startsecs=0
[group:shop]
programs=db
"""
RULES = """
<application name="shop">
  <start_sequence>1</start_sequence>
  <programs>
    <program name="db"><identifiers>*</identifiers><start_sequence>1</start_sequence><required>true</required>
      <running_failure_strategy>RESTART_PROCESS</running_failure_strategy></program>
  </programs>
</application>
"""
options = tap.arguments()


def cluster_of(count, **more):
    return Cluster(options.build, count, PROGRAMS, RULES, **more)


def copies(cluster, name):
    return len(cluster.copies(name))


def fault_of(call):
    try:
        return call()
    except xmlrpc.client.Fault as fault:
        return fault.faultCode, fault.faultString


def is_disabled(cluster, seen_by, index, namespec):
    return cluster.call(seen_by, "get_inner_process_info", cluster.nicks[index], namespec)[0]["disabled"]


def uptime_is_told(cluster, seen_by, index, namespec):
    """As Supervisor does, and as long after the last change as it is."""
    info = cluster.call(seen_by, "get_inner_process_info", cluster.nicks[index], namespec)[0]
    seconds = info["now"] - info["start"]
    return seconds > 0 and info["description"] == f"pid {info['pid']}, uptime {datetime.timedelta(seconds=seconds)}"


@tap.test("a disabled program is stopped, refused by everybody, seen by the other nodes, and runs elsewhere")
def _():
    with cluster_of(3, options="disabilities_file=@DIR@/disabled.json") as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        wait_until(lambda: cluster.running_on(1, "shop:db") == ["s1"], 10, "db to run on s1")
        for seen_by in (0, 1):
            wait_until(lambda: uptime_is_told(cluster, seen_by, 0, "shop:db"), 10, f"the uptime of db in s{seen_by + 1}")
        tap.check(cluster.call(0, "disable", "db"), True, "disable")
        tap.check(copies(cluster, "db"), 0, "copies of db")
        wait_until(lambda: is_disabled(cluster, 1, 0, "shop:db"), 5, "s2 to hear of it")
        tap.check([is_disabled(cluster, 1, i, "shop:db") for i in range(3)], [True, False, False], "disabled, seen by s2")
        supervisor = cluster.servers[0].rpc(over="tcp").supervisor
        tap.check(fault_of(lambda: supervisor.startProcess("shop:db")), (103, "DISABLED: shop:db"), "startProcess")
        tap.check(fault_of(lambda: cluster.call(0, "start_args", "shop:db", "1")), (103, "DISABLED: shop:db"), "start_args")
        tap.check(fault_of(lambda: cluster.call(0, "start_process", "LOCAL", "shop:db"))[0], 40, "start_process LOCAL")
        tap.check(cluster.call(0, "start_process", "CONFIG", "shop:db"), True, "start_process CONFIG")
        tap.check(cluster.running_on(1, "shop:db"), ["s2"], "where db runs")
        placement = cluster.servers[0].rpc(over="tcp").svisor.getPlacement("shop")
        why = placement["processes"][0]["why"]
        print(f"# {why}")
        tap.check_true("s1" in why and "disabled" in why, f"the reason: {why}")
        tap.check(cluster.call(0, "enable", "db"), True, "enable")
        tap.check(cluster.call(0, "stop_process", "shop:db"), True, "stop_process")
        tap.check(cluster.call(0, "start_process", "CONFIG", "shop:db"), True, "start_process CONFIG")
        wait_until(lambda: cluster.running_on(1, "shop:db") == ["s1"], 5, "db to run on s1 again")
        tap.check(copies(cluster, "db"), 1, "copies of db")


@tap.test("what is disabled stays so over a restart, an autostart program too, until it is enabled")
def _():
    with cluster_of(1, options="disabilities_file=@DIR@/below/disabled.json") as cluster:
        server = cluster.servers[0]
        cluster.start()
        cluster.wait_state("OPERATION")
        wait_until(lambda: copies(cluster, "side") == 1, 5, "side to run")
        tap.check(json.loads(server.read("below/disabled.json")), {"side": False, "db": False, "work": False}, "the file")
        tap.check(cluster.call(0, "disable", "side"), True, "disable")
        tap.check(json.loads(server.read("below/disabled.json")), {"side": True, "db": False, "work": False}, "the file")
        server.stop()
        server.start(ready=False)
        cluster.wait_state("OPERATION")
        wait_until(lambda: copies(cluster, "db") == 1, 5, "db to run")
        tap.check(copies(cluster, "side"), 0, "copies of side after the restart")
        tap.check(cluster.call(0, "get_local_process_info", "side")["disabled"], True, "disabled")
        tap.check(cluster.call(0, "enable", "side"), True, "enable")
        wait_until(lambda: copies(cluster, "side") == 1, 5, "side to start, for it is autostart")
        tap.check(json.loads(server.read("below/disabled.json"))["side"], False, "the file")


def names(cluster, group):
    infos = cluster.servers[0].rpc(over="tcp").supervisor.getAllProcessInfo()
    return {info["name"]: info["statename"] for info in infos if info["group"] == group}


def numbered(*numbers):
    return {f"work_{number:02d}": "RUNNING" for number in numbers}


@tap.test("a program gets more processes and fewer, at once or lazily, and the other nodes see it")
def _():
    with cluster_of(2) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        wait_until(lambda: copies(cluster, "work") == 4, 5, "work to run on both")
        before = cluster.call(0, "get_local_process_info", "work:work_00")["pid"]
        tap.check(cluster.call(0, "update_numprocs", "work", 4), True, "2 -> 4")
        wait_until(lambda: names(cluster, "work") == numbered(0, 1, 2, 3), 5, "four to run")
        wait_until(lambda: copies(cluster, "work") == 6, 5, "six in all")
        wait_until(lambda: cluster.running_on(1, "work:work_03") == ["s1"], 5, "s2 to see the fourth")
        info = cluster.call(0, "get_local_process_info", "work:work_03")
        tap.check((info["process_index"], info["program_name"]), (3, "work"), "the fourth")
        tap.check(cluster.call(0, "update_numprocs", "work", 1), True, "4 -> 1")
        tap.check(names(cluster, "work"), numbered(0), "processes")
        tap.check(copies(cluster, "work"), 3, "copies of work")
        tap.check(cluster.call(0, "get_local_process_info", "work:work_00")["pid"], before, "pid of the one that stays")
        wait_until(lambda: fault_of(lambda: cluster.call(1, "get_process_info", "work:work_03"))[0] == 10, 5,
                   "s2 to forget the fourth")
        tap.check(cluster.running_on(1, "work:work_01"), ["s2"], "work_01 is still on s2")
        tap.check(cluster.call(0, "update_numprocs", "work", 3), True, "1 -> 3")
        wait_until(lambda: names(cluster, "work") == numbered(0, 1, 2), 5, "three to run")
        tap.check(cluster.call(0, "update_numprocs", "work", 1, True, True), True, "3 -> 1, lazy")
        tap.check(names(cluster, "work"), numbered(0, 1, 2), "processes")
        supervisor = cluster.servers[0].rpc(over="tcp").supervisor
        supervisor.stopProcess("work:work_01")
        tap.check(names(cluster, "work"), numbered(0, 2), "processes after one was stopped")
        tap.check(cluster.call(0, "update_numprocs", "work", 3), True, "1 -> 3 again")
        wait_until(lambda: names(cluster, "work") == numbered(0, 1, 2), 5, "three to run")
        tap.check(fault_of(lambda: cluster.call(0, "update_numprocs", "side", 2)),
                  (104, "NOT_APPLICABLE: numprocs not applicable to program=side"), "a name without a number")
        tap.check(cluster.call(0, "update_numprocs", "side", 1), True, "1 -> 1")
        tap.check(supervisor.reloadConfig(), [[[], ["work"], []]], "what the files say otherwise")
        tap.check(cluster.call(0, "update_numprocs", "work", 2), True, "3 -> 2")
        tap.check(supervisor.reloadConfig(), [[[], [], []]], "what the files say otherwise")
        tap.check(supervisor.stopProcessGroup("work")[0]["status"], 80, "stop")
        tap.check(supervisor.removeProcessGroup("work"), True, "remove")
        tap.check(names(cluster, "work"), {}, "processes")


@tap.test("a disabilities_file that is broken is a reason not to start")
def _():
    with cluster_of(1, options="disabilities_file=@DIR@/disabled.json") as cluster:
        server = cluster.servers[0]
        path = server.write("disabled.json", '{"side": tr')
        cluster.start()
        tap.check(server.wait(10) != 0, True, "it ends with an error")
        words = server.last_words()
        tap.check_true(path in words and "line 1" in words, words)
        os.unlink(path)


if __name__ == "__main__":
    tap.run_all(options)
