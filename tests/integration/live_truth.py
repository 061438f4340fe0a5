# seconds: 60
# What a page knows that has followed for long is what a new page is told: after each of many things that happen to a
# cluster, on the instance where they happen and on another one.
import os
import sys
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from cluster_servers import Cluster
from daemon import wait_until
from live_model import LiveModel

PROGRAMS = """
[program:web]
command=sleep 1000
startsecs=0
autostart=false
[program:stock]
command=sleep 1000
startsecs=1
autostart=false
[group:shop]
programs=web,stock
[program:many]
command=sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=2
startsecs=0
autostart=false
[program:everywhere]
command=sleep 1000
startsecs=0
[program:crash]
command=sh -c 'exit 3'
startretries=1
restart_delay=0
autostart=false
"""
RULES = """<application name="shop"><start_sequence>1</start_sequence><programs><program pattern=".*">
<start_sequence>1</start_sequence><identifiers>s1,s2,s3</identifiers><expected_loading>5</expected_loading>
</program></programs></application>"""
TICKING = {"remote_sequence_counter", "remote_time", "remote_mtime", "local_sequence_counter", "local_time", "local_mtime",
           "now", "now_monotonic", "start_monotonic", "stop_monotonic", "description"}
UP_SECONDS = 20
options = tap.arguments()


def facts(body):
    return {key: value for key, value in body.items() if key not in TICKING}


def truth(model):
    """{(kind, names): body}, without clocks."""
    rows = model.ready()
    one = {(kind, ()): facts(rows[kind]) for kind in ("supvisors", "conflicts")}
    return one | {(kind, names): facts(body) for kind in ("instance", "application", "process", "copy")
                  for names, body in rows[kind].items()}


def difference(followed, new):
    for key in sorted(set(followed) | set(new)):
        left, right = followed.get(key, {}), new.get(key, {})
        if left != right:
            keys = [name for name in sorted(set(left) | set(right)) if left.get(name) != right.get(name)]
            return f"{key}: " + "; ".join(f"{name} is {left.get(name)} and not {right.get(name)}" for name in keys)
    return None


def check_truth(what, pages):
    """Waits, for what is under way may come to the one before the other."""
    for port, page in pages.items():
        last = [None]

        def is_true(port=port, page=page, last=last):
            with LiveModel(port) as another:
                last[0] = difference(truth(page), truth(another))
            return last[0] is None

        try:
            wait_until(is_true, 10, "the truth")
        except AssertionError:
            tap.fail(f"{what}: to the page that has followed, {last[0]}")


def stop(cluster, index):
    cluster.servers[index].disconnect()
    tap.check(cluster.servers[index].stop(), 0, "the end of an instance")


def come_back(cluster, index):
    cluster.servers[index].start()
    wait_until(lambda: cluster.instance_state(0, index) == "RUNNING", UP_SECONDS, "the instance to come back")


@tap.test("who has followed what happened to a cluster knows what a new page is told")
def _():
    with Cluster(options.build, 3, PROGRAMS, RULES) as cluster:
        cluster.start()
        for server in cluster.servers:
            server.wait_ready()
        cluster.wait_state("OPERATION")
        supervisor = [server.rpc(over="tcp").supervisor for server in cluster.servers]
        supvisors = [server.rpc(over="tcp").supvisors for server in cluster.servers]

        def conflict():
            for one in supervisor:
                try:
                    one.startProcess("shop:web")
                except xmlrpc.client.Fault as fault:
                    tap.check(fault.faultString, "ALREADY_STARTED: shop:web", "where it runs already")

        def rules():
            server = cluster.servers[0]
            text = RULES.replace(">5<", ">9<")
            server.write("rules.xml", f'<?xml version="1.0" encoding="UTF-8"?>\n<root>{text}</root>\n')
            server.rpc(over="tcp").supervisor.reloadConfig()

        def lose():
            cluster.kill(1)
            wait_until(lambda: cluster.identifiers[1] not in supvisors[0].get_process_info("everywhere:everywhere")[0]["identifiers"],
                       UP_SECONDS, "the loss")

        steps = (
            ("a start", lambda: supvisors[0].start_process("LOCAL", "many:*", "--some words", True)),
            ("a program is disabled", lambda: supvisors[1].disable("many", True)),
            ("it is enabled", lambda: supvisors[1].enable("many")),
            ("more processes", lambda: supvisors[2].update_numprocs("many", 4, True, False)),
            ("fewer processes", lambda: supvisors[2].update_numprocs("many", 1, True, False)),
            ("a crash", lambda: supervisor[1].startProcess("crash", False)),
            ("a group is removed", lambda: [one.removeProcessGroup("crash") for one in supervisor[::2]]),
            ("a group is added", lambda: supervisor[0].addProcessGroup("crash")),
            ("the rules are read again", rules),
            ("a conflict", conflict),
            ("an instance is lost", lose),
            ("it is there again", lambda: come_back(cluster, 1)),
            ("an application is stopped", lambda: supvisors[0].stop_application("shop", True)),
            ("an instance ends", lambda: stop(cluster, 1)),
            ("it is there again", lambda: come_back(cluster, 1)),
            ("an application is restarted", lambda: supvisors[0].restart_application("CONFIG", "shop", True)),
            ("all is stopped on one instance", lambda: supervisor[2].stopAllProcesses()),
        )
        with LiveModel(cluster.ports[0]) as one, LiveModel(cluster.ports[2]) as other:
            pages = {cluster.ports[0]: one, cluster.ports[2]: other}
            for what, do in steps:
                do()
                check_truth(what, pages)


if __name__ == "__main__":
    tap.run_all(options)
