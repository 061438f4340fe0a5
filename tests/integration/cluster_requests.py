# seconds: 180
# What is asked of the cluster as a whole, by svctl of three real daemons: its end, its restart, the start of what is
# missing, the end of a conflict and of the synchronization. Programs are counted in /proc, not by svisord.
import os
import signal
import subprocess
import sys
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from cluster_ctl import svctl_of
from cluster_servers import Cluster
from daemon import wait_until

PROGRAM = """
[program:{name}]
command=/bin/sh -c 'sleep 1000' @MARK@-{name}
startsecs=0
autostart=false
autorestart=false
"""
RULE = """<program name="{}"><identifiers>{}</identifiers><start_sequence>{}</start_sequence></program>"""
RULES = '<application name="shop"><start_sequence>1</start_sequence><programs>' + RULE.format("db", "s1", 1) \
    + RULE.format("web", "*", 2) + "</programs></application>"
options = tap.arguments()


def cluster_of(**more):
    if not os.access(svctl_of(options.build), os.X_OK):
        tap.skip(f"svctl is not built in {options.build}")
    programs = "".join(PROGRAM.format(name=name) for name in ("db", "web"))
    return Cluster(options.build, 3, programs + "[group:shop]\nprograms=db,web\n", RULES, **more)


def pids(cluster):
    return {name: cluster.copies(name) for name in ("db", "web")}


def run(cluster, index, *words):
    """What svctl of that instance prints, and its exit code."""
    url = f"http://127.0.0.1:{cluster.ports[index]}"
    done = subprocess.run([svctl_of(options.build), "-s", url, *words], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr, done.returncode


def start(cluster):
    cluster.start()
    cluster.wait_state("OPERATION")
    wait_until(lambda: all(len(found) == 1 for found in pids(cluster).values()), 10, "the application to run")
    wait_until(lambda: cluster.call(2, "get_application_info", "shop")["statename"] == "RUNNING", 10, "s3 to see it run")


@tap.test("sshutdown, said to any of them, stops the application and then all daemons")
def _():
    with cluster_of() as cluster:
        start(cluster)
        tap.check(run(cluster, 2, "sshutdown"), ("Shut down: True\n", 0), "svctl")
        tap.check([server.wait(20) for server in cluster.servers], [0, 0, 0], "exit codes of the daemons")
        tap.check(pids(cluster), {"db": [], "web": []}, "programs")


@tap.test("sreload restarts all daemons, and the application with them")
def _():
    with cluster_of() as cluster:
        start(cluster)
        before = pids(cluster)
        tap.check(run(cluster, 1, "sreload"), ("Restarted: True\n", 0), "svctl")
        wait_until(lambda: all(found and found != before[name] for name, found in pids(cluster).items()), 20,
                   "the application to run anew")
        cluster.wait_state("OPERATION")
        tap.check([server.process.poll() for server in cluster.servers], [None] * 3, "daemons")
        wait_until(lambda: [len(found) for found in pids(cluster).values()] == [1, 1], 5, "one copy of each")


@tap.test("restart_sequence starts what is missing, and waits for it")
def _():
    with cluster_of() as cluster:
        start(cluster)
        db, web = pids(cluster)["db"], pids(cluster)["web"]
        os.kill(web[0], signal.SIGKILL)  # what was stopped by request stays so
        wait_until(lambda: cluster.call(1, "get_application_info", "shop")["minor_failure"], 5, "s2 to hear of the end")
        tap.check(run(cluster, 1, "restart_sequence"), ("Start sequence completed: True\n", 0), "svctl")
        tap.check((pids(cluster)["db"], len(pids(cluster)["web"])), (db, 1), "db goes on, and copies of web")
        tap.check(run(cluster, 1, "restart_sequence"), ("ERROR (ABNORMAL_TERMINATION: failed to trigger start sequence)\n", 1),
                  "svctl, with nothing missing")


@tap.test("a conflict waits for the user, and conciliate ends it by the strategy that was asked for")
def _():
    with cluster_of(options="conciliation_strategy=USER") as cluster:
        start(cluster)
        first = pids(cluster)["db"]
        tap.check(run(cluster, 1, "conciliate", "SENICIDE"),
                  ("ERROR (BAD_SUPVISORS_STATE: invalid Supvisors state=OPERATION - state expected in ['CONCILIATION'])\n", 1),
                  "svctl, without a conflict")
        cluster.servers[1].rpc(over="tcp").supervisor.startProcess("shop:db")
        cluster.wait_state("CONCILIATION", (0, 1, 2))
        text = run(cluster, 2, "conflicts")[0]
        tap.check_true("db" in text and cluster.identifiers[0] in text and cluster.identifiers[1] in text, text)
        tap.check(run(cluster, 0, "conciliate", "USER"), ("Conciliated: False\n", 0), "svctl")
        tap.check(len(pids(cluster)["db"]), 2, "copies of db")
        tap.check(run(cluster, 0, "conciliate", "SENICIDE"), ("Conciliated: True\n", 0), "svctl")
        cluster.wait_state("OPERATION")
        wait_until(lambda: len(pids(cluster)["db"]) == 1, 5, "one copy of db")
        tap.check_true(pids(cluster)["db"] != first, "the older one should have gone")
        tap.check(cluster.running_on(2, "shop:db"), ["s2"], "where db runs")


@tap.test("svisor.conciliate ends one conflict of two, and the others stay as they are")
def _():
    def refused(code, words, *arguments):
        try:
            tap.fail(f"{arguments}: {svisor.conciliate(*arguments)}")
        except xmlrpc.client.Fault as fault:
            tap.check_true(fault.faultCode == code and words in fault.faultString, f"{arguments}: {fault}")

    with cluster_of(options="conciliation_strategy=USER\n") as cluster:
        start(cluster)
        svisor = cluster.servers[0].rpc(over="tcp").svisor
        refused(101, "invalid Supvisors state=OPERATION - state expected in ['CONCILIATION']", "STOP", "shop:db")
        before = pids(cluster)
        for index in range(3):
            for name in ("db", "web"):
                if cluster.running_on(0, f"shop:{name}") == [cluster.nicks[index]]:
                    cluster.servers[(index + 1) % 3].rpc(over="tcp").supervisor.startProcess(f"shop:{name}")
        wait_until(lambda: {one["process_name"] for one in cluster.call(0, "get_conflicts")} == {"db", "web"}, 10, "two conflicts")
        cluster.wait_state("CONCILIATION", (0, 1, 2))
        refused(2, "invalid <enum 'ConciliationStrategies'> value=BEST", "BEST", "shop:db")
        refused(10, "process=cache unknown in application=shop", "STOP", "shop:cache")
        refused(10, "BAD_NAME", "STOP", "")
        tap.check(svisor.conciliate("USER", "shop:db"), False, "USER")
        tap.check([len(found) for found in pids(cluster).values()], [2, 2], "copies")
        tap.check(svisor.conciliate("INFANTICIDE", "shop:db"), True, "the oldest lives")
        wait_until(lambda: pids(cluster)["db"] == before["db"], 10, "the first copy of db alone")
        wait_until(lambda: [one["process_name"] for one in cluster.call(0, "get_conflicts")] == ["web"], 10, "one conflict")
        tap.check(cluster.state(0), "CONCILIATION", "the state")
        tap.check(len(pids(cluster)["web"]), 2, "copies of web")
        refused(104, "shop:db does not run more than once", "STOP", "shop:db")
        tap.check(svisor.conciliate("SENICIDE", "shop:web"), True, "the youngest lives")
        cluster.wait_state("OPERATION")
        wait_until(lambda: len(pids(cluster)["web"]) == 1, 5, "one copy of web")
        tap.check_true(pids(cluster)["web"] != before["web"], "the older one should have gone")
        tap.check(pids(cluster)["db"], before["db"], "db")


@tap.test("end_sync ends the synchronization with the Master that was asked for, and nothing begins before")
def _():
    with cluster_of(synchro="USER") as cluster:
        cluster.start()
        for server in cluster.servers:
            server.wait_ready()
        for i in range(3):
            wait_until(lambda: [cluster.instance_state(i, k) for k in range(3)] == ["RUNNING"] * 3, 10, "all to be there")
        tap.check([cluster.state(i) for i in range(3)], ["SYNCHRONIZATION"] * 3, "states")
        expected = "invalid Supvisors state=SYNCHRONIZATION - state expected in ['{}']"
        tap.check(run(cluster, 0, "restart_sequence"),
                  (f"ERROR (BAD_SUPVISORS_STATE: {expected.format('OPERATION')})\n", 1), "restart_sequence")
        later = "DISTRIBUTION', 'OPERATION', 'CONCILIATION', 'RESTARTING', 'SHUTTING_DOWN"
        for command in ("sreload", "sshutdown"):
            tap.check(run(cluster, 0, command), (f"ERROR (BAD_SUPVISORS_STATE: {expected.format(later)})\n", 1), command)
        tap.check(run(cluster, 0, "end_sync", "nobody"),
                  ("ERROR (BAD_NAME: unknown Supvisors identifier=nobody)\n", 1), "an unknown Master")
        tap.check(pids(cluster), {"db": [], "web": []}, "programs")
        tap.check(run(cluster, 0, "end_sync", "s2"), ("End of Synchronization phase requested: True\n", 0), "svctl")
        cluster.wait_state("OPERATION")
        tap.check({cluster.call(i, "get_master_identifier")["nick_identifier"] for i in range(3)}, {"s2"}, "the Master")
        wait_until(lambda: [len(found) for found in pids(cluster).values()] == [1, 1], 10, "the application to run")
        tap.check(run(cluster, 0, "end_sync"),
                  ("ERROR (BAD_SUPVISORS_STATE: invalid Supvisors state=OPERATION - state expected in ['SYNCHRONIZATION'])\n", 1),
                  "end_sync once more")


@tap.test("an instance knows the addresses of its own host, and those of the others")
def _():
    lines = subprocess.run(["ip", "-o", "-4", "addr"], capture_output=True, text=True, check=False).stdout.splitlines()
    expected = {}
    for words in map(str.split, lines):
        if not words[3].startswith("127."):
            expected.setdefault(words[1], words[3].split("/")[0])
    with cluster_of() as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        network = cluster.call(0, "get_network_info", cluster.identifiers[0])["network"]
        print(f"# {expected}")
        tap.check({name: entry["nic_info"]["ipv4_address"] for name, entry in network["addresses"].items()}, expected, "addresses")
        tap.check([entry["ipv4_addresses"] for entry in network["addresses"].values()], [[one] for one in expected.values()],
                  "ipv4_addresses")
        tap.check(cluster.call(0, "get_network_info", cluster.identifiers[1])["network"]["addresses"], network["addresses"], "of another")


if __name__ == "__main__":
    tap.run_all(options)
