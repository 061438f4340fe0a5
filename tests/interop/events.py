# seconds: 400
# The same session of a cluster of supervisord with Supvisors 0.19 and of svisord: every published body has the same keys with
# the same types. SUPVISORS_SRC names the checkout; without it, or as no root, what was recorded of Supvisors is compared with.
# --record writes that. And Supvisors' own subscriber classes, from that checkout, listen to svisord.
import json
import os
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import tap
from cluster_beside import Beside, missing
from daemon import wait_until

RECORDED = os.path.join(HERE, "recorded", "events.json")
PROGRAMS = """
[program:one]
command=/bin/sleep 1000000
directory=@DIR@
autostart=false
startsecs=0
[program:many]
command=/bin/sleep 1000000
process_name=%(program_name)s_%(process_num)02d
numprocs=2
autostart=false
[group:shop]
programs=one
"""
RULES = """<application name="shop"><programs><program name="one"><identifiers>*</identifiers></program></programs></application>"""
# Unless they are written, Supvisors' periods are whole numbers, and not floats as its documentation says.
PERIODS = "stats_collecting_period=1\nstats_periods=2"
HEADERS = ("supvisors", "instance", "application", "process", "event", "hstats", "pstats")
UNTIL_CLOSED = "import json, os, sys, threading\nthreading.Thread(target=lambda: (sys.stdin.read(), os._exit(0))).start()\n"
PYZMQ = UNTIL_CLOSED + """
import zmq
sub = zmq.Context().socket(zmq.SUB)
for header in sys.argv[2:]:
    sub.setsockopt_string(zmq.SUBSCRIBE, header)
sub.connect("tcp://127.0.0.1:" + sys.argv[1])
while True:
    header, body = sub.recv_multipart()
    print(header.decode(), body.decode(), flush=True)
"""
# Of supvisors/client: by event_link, the subscriber that Supvisors' documentation begins with.
OWN = {"ZMQ": """
import zmq.asyncio
from supvisors.client.zmqsubscriber import SupvisorsZmqEventInterface as Interface
begin = [zmq.asyncio.Context.instance()]
""", "WS": """
from supvisors.client.wssubscriber import SupvisorsWsEventInterface as Interface
begin = []
"""}
OWN_MAIN = """
from supvisors.client.clientutils import create_logger
def told(header):
    return lambda self, body: print(header, json.dumps(body), flush=True)
class Subscriber(Interface):
    on_supvisors_status, on_instance_status, on_application_status = told("supvisors"), told("instance"), told("application")
    on_process_event, on_process_status = told("event"), told("process")
    on_host_statistics, on_process_statistics = told("hstats"), told("pstats")
subscriber = Subscriber(*begin, "127.0.0.1", int(sys.argv[1]), create_logger(logfile=os.devnull, stdout=False))
subscriber.subscribe_all()
subscriber.start()
"""
options = tap.arguments(lambda parser: parser.add_argument("--record", action="store_true"))


def shape(body):
    return {key: type(value).__name__ for key, value in sorted(body.items())}


class Listening:
    """A subscriber in the network of the first host."""

    def __init__(self, cluster, script):
        words = cluster.instances[0].host.command(["/usr/bin/python3", "-c", script, "60002", *HEADERS])
        environment = {**os.environ, "PYTHONPATH": os.environ.get("SUPVISORS_SRC", "")}
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.heard = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            header, _, body = line.partition(" ")
            self.heard.append((header, json.loads(body)))

    def has(self, header, **wanted):
        return any(kind == header and all(body.get(key) == value for key, value in wanted.items())
                   for kind, body in list(self.heard))

    def wait(self, header, **wanted):
        wait_until(lambda: self.has(header, **wanted), 30, f"{header} with {wanted}")

    def close(self):
        """It ends by itself: were nsenter killed, nobody in this PID namespace would reap what it has begun."""
        self.process.stdin.close()
        self.process.wait(10)


def occasion_of(header, body):
    if header != "event":
        return header
    return "event " + ("removed" if body["state"] == -1 else "state" if "event_mtime" in body else "disabled")


def shapes_of(kind, link="ZMQ", script=PYZMQ):
    """By header and occasion, what a body looks like."""
    with Beside(kind, options.build, PROGRAMS, RULES, hosts=(1, 2), options=f"event_link={link}\n{PERIODS}", statistics="all") as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        listening = Listening(cluster, script)
        try:
            listening.wait("instance")
            cluster.call(0, "start_process", 0, "shop:one", "", True)
            listening.wait("application", application_name="shop", statename="RUNNING")
            cluster.call(0, "disable", "many", True)
            listening.wait("event", name="many_00", disabled=True)
            cluster.call(0, "enable", "many")
            cluster.call(0, "update_numprocs", "many", 1, True)
            listening.wait("event", name="many_01", state=-1)
            listening.wait("supvisors")
            listening.wait("hstats")
            listening.wait("pstats", namespec="shop:one")
        finally:
            listening.close()
        found = {}
        for header, body in listening.heard:
            occasion = occasion_of(header, body)
            found.setdefault(occasion, shape(body))
            tap.check(shape(body), found[occasion], f"{kind}: bodies of {occasion} differ")
        return found


def check_shapes(wanted, found):
    for occasion, keys in wanted.items():
        tap.check(found.get(occasion), keys, f"keys and types of {occasion}")
    tap.check(sorted(set(found) - set(wanted)), [], "occasions that Supvisors has not")


def recorded():
    with open(RECORDED, encoding="utf-8") as stream:
        return json.load(stream)


@tap.test("every body has the keys and types that Supvisors 0.19 gives it")
def _():
    reason = missing("svisord", options.build)
    if reason:
        tap.skip(reason)
    reason = missing("supvisors", options.build)
    if reason:
        print(f"# compared with what was recorded of Supvisors 0.19: {reason}")
        wanted = recorded()
    else:
        print("# compared with a Supvisors that runs beside")
        wanted = shapes_of("supvisors")
    if options.record and not reason:
        with open(RECORDED, "w", encoding="utf-8") as stream:
            json.dump(wanted, stream, indent=1)
            stream.write("\n")
    check_shapes(wanted, shapes_of("svisord"))


for each in OWN:
    @tap.test(f"Supvisors' own subscriber class for event_link={each} gets all of it from svisord")
    def _(link=each):
        reason = missing("svisord", options.build) or missing("supvisors", options.build)
        if reason:
            tap.skip(reason)
        check_shapes(recorded(), shapes_of("svisord", link, UNTIL_CLOSED + OWN[link] + OWN_MAIN))


if __name__ == "__main__":
    tap.run_all(options)
