# seconds: 400
# The same session of a cluster of supervisord with Supvisors 0.19 and of svisord: every published body has the same keys with
# the same types. SUPVISORS_SRC names the checkout; without it, or as no root, what was recorded of Supvisors is compared with.
# --record writes that.
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
HEADERS = ("supvisors", "instance", "application", "process", "event")
SUBSCRIBER = """
import os, sys, threading, zmq
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0))).start()
sub = zmq.Context().socket(zmq.SUB)
for header in sys.argv[2:]:
    sub.setsockopt_string(zmq.SUBSCRIBE, header)
sub.connect("tcp://127.0.0.1:" + sys.argv[1])
while True:
    header, body = sub.recv_multipart()
    print(header.decode(), body.decode(), flush=True)
"""
options = tap.arguments(lambda parser: parser.add_argument("--record", action="store_true"))


def shape(body):
    return {key: type(value).__name__ for key, value in sorted(body.items())}


class Listening:
    """PyZMQ in the network of the first host."""

    def __init__(self, cluster):
        words = cluster.instances[0].host.command(["/usr/bin/python3", "-c", SUBSCRIBER, "60002", *HEADERS])
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
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


def shapes_of(kind):
    """By header and occasion, what a body looks like."""
    with Beside(kind, options.build, PROGRAMS, RULES, hosts=(1, 2), options="event_link=ZMQ") as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        listening = Listening(cluster)
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
        finally:
            listening.close()
        found = {}
        for header, body in listening.heard:
            occasion = header
            if header == "event":
                occasion += " removed" if body["state"] == -1 else " state" if "event_mtime" in body else " disabled"
            found.setdefault(occasion, shape(body))
            tap.check(shape(body), found[occasion], f"{kind}: bodies of {occasion} differ")
        return found


@tap.test("every body has the keys and types that Supvisors 0.19 gives it")
def _():
    reason = missing("svisord", options.build)
    if reason:
        tap.skip(reason)
    reason = missing("supvisors", options.build)
    if reason:
        print(f"# compared with what was recorded of Supvisors 0.19: {reason}")
        with open(RECORDED, encoding="utf-8") as stream:
            wanted = json.load(stream)
    else:
        print("# compared with a Supvisors that runs beside")
        wanted = shapes_of("supvisors")
    if options.record and not reason:
        with open(RECORDED, "w", encoding="utf-8") as stream:
            json.dump(wanted, stream, indent=1)
            stream.write("\n")
    found = shapes_of("svisord")
    for occasion, keys in wanted.items():
        tap.check(found.get(occasion), keys, f"keys and types of {occasion}")
    tap.check(sorted(set(found) - set(wanted)), [], "occasions that Supvisors has not")


if __name__ == "__main__":
    tap.run_all(options)
