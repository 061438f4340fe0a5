"""Clients of a cluster of three svisord, which run one distributed application: svctl, and supervisorctl with the plug-in
of Supvisors (a checkout of which SUPVISORS_SRC names)."""

import json
import os
import re
import subprocess
import sys

import tap
from cluster_servers import Cluster
from daemon import binary, wait_until

ALPHA = """
[program:a1]
command=/bin/sleep 10001
autostart=false
autorestart=false
startsecs=0
[program:a2]
command=/bin/sleep 10002
autostart=false
autorestart=false
startsecs=0
[program:a3]
command=/bin/sleep 10003
autostart=false
autorestart=false
startsecs=0
[group:alpha]
programs=a1,a2,a3
"""
PROGRAMS = ALPHA + """
[program:beta]
command=/bin/sleep 10004
autostart=false
startsecs=0
[program:gone]
command=/bin/true
autostart=false
autorestart=false
startsecs=0
"""
PROGRAM = """<program name="{}"><identifiers>*</identifiers><start_sequence>{}</start_sequence>
<stop_sequence>{}</stop_sequence><required>{}</required><expected_loading>10</expected_loading>
<running_failure_strategy>RESTART_PROCESS</running_failure_strategy></program>"""
RULES = """<application name="alpha"><start_sequence>1</start_sequence><stop_sequence>1</stop_sequence>
<starting_strategy>LESS_LOADED</starting_strategy><programs>""" + PROGRAM.format("a1", 1, 1, "true") \
    + PROGRAM.format("a2", 2, 2, "false") + PROGRAM.format("a3", 2, 2, "false") + "</programs></application>"
CLIENT = """[supervisorctl]
serverurl=http://127.0.0.1:{port}
[ctlplugin:supvisors]
supervisor.ctl_factory=supvisors.supvisorsctl:make_supvisors_controller_plugin
"""


def svctl_of(build):
    return os.environ.get("SVCTL") or os.path.join(build, "svctl")


class Supervisorctl:
    """The real one."""

    def __init__(self, build, configuration):
        del build
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "supvisors_ctl.py")
        self.process = subprocess.Popen([sys.executable, script, configuration], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "PYTHONWARNINGS": "ignore"})

    def __call__(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Svctl:
    def __init__(self, build, configuration):
        self.words = [svctl_of(build), "-c", configuration]

    def __call__(self, line):
        done = subprocess.run([*self.words, *line.split()], capture_output=True, text=True,
                              timeout=60, check=False)
        return done.stdout + done.stderr, done.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Session:
    """A cluster that has settled, and clients of its first instance."""

    def __init__(self, build, programs=PROGRAMS):
        if binary("svisord", build) is None or not os.access(svctl_of(build), os.X_OK):
            tap.skip(f"svisord or svctl is not built in {build}")
        self.build = build
        self.cluster = Cluster(build, 3, programs, RULES)

    def __enter__(self):
        try:
            self.settle()
        except BaseException:
            self.cluster.close()
            raise
        return self

    def __exit__(self, *_):
        self.cluster.close()

    def settle(self):
        self.cluster.start()
        for server in self.cluster.servers:
            server.wait_ready()
        self.cluster.wait_state("OPERATION")
        first = self.cluster.servers[0]
        self.configuration = first.write("client.conf", CLIENT.format(port=self.cluster.ports[0]))
        wait_until(lambda: self.running() == [["s1"], ["s2"], ["s3"]], 20, "alpha to run on all three")

    def running(self):
        return [self.cluster.running_on(0, f"alpha:a{i}") for i in (1, 2, 3)]

    def settled(self, line):
        """Jobs end a moment after the answer that they let go."""
        wait_until(lambda: not any(self.cluster.call(0, "get_supvisors_state")[key]
                                   for key in ("starting_jobs", "stopping_jobs")), 20, f"the jobs of {line} to end")

    def normal(self, text):
        """Without what no two runs share; every column keeps its width."""
        for i, port in enumerate(self.cluster.ports):
            text = text.replace(str(port).ljust(5), f"PORT{i + 1}"[:5])
        text = re.sub(r"\d\d:\d\d:\d\d", "HH:MM:SS", text)
        text = re.sub(r"(HH:MM:SS  )\d+( +)(ok|error)", lambda m: f"{m[1]}{'N':<9}{m[3]}", text)
        return re.sub(r"(HH:MM:SS    )[1-9]\d* *", lambda m: f"{m[1]}{'N':<8}", text)

    def texts(self, client, lines):
        """What each of them prints, and its exit code."""
        found = []
        with client(self.build, self.configuration) as run:
            for line in lines:
                text, status = run(line)
                self.settled(line)
                found.append(f"$ {line}\n{self.normal(text)}exit {status}\n")
        return found
