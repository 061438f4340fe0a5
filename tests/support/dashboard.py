"""What the tests of the dashboard share: a shop on three nodes, and what svctl says of it."""

import contextlib
import functools
import json
import os
import select
import signal
import subprocess
import time

import tap
from browser import Browser
from cluster_ctl import svctl_of
from cluster_servers import Cluster
from daemon import wait_until

# `crash` reads an address that is not mapped when it is told to; `talk` says what it is told.
PROGRAMS = """
[program:web]
command=sleep 1000
startsecs=0
autostart=false
[program:stock]
command=sleep 1000
startsecs=0
autostart=false
[program:till]
command=sleep 1000
startsecs=0
autostart=false
autorestart=false
[group:shop]
programs=web,stock,till
[program:crash]
command=@PYTHON@ -c "import ctypes, signal; signal.signal(signal.SIGUSR1, lambda *_: ctypes.string_at(0)); print('ready', flush=True); [signal.pause() for _ in iter(int, 1)]"
startsecs=0
autostart=false
autorestart=false
stdout_logfile=@DIR@/crash.log
[program:talk]
command=sh -c 'echo first line; exec cat'
startsecs=0
stdout_logfile=@DIR@/talk.log
"""
RULES = """
<application name="shop"><start_sequence>1</start_sequence><starting_strategy>LESS_LOADED</starting_strategy>
  <programs>
    <program name="web"><identifiers>s1,s2,s3</identifiers><start_sequence>1</start_sequence><required>true</required>
      <expected_loading>20</expected_loading><running_failure_strategy>RESTART_PROCESS</running_failure_strategy></program>
    <program name="stock"><identifiers>s1,s2,s3</identifiers><start_sequence>1</start_sequence><expected_loading>10</expected_loading>
      <running_failure_strategy>RESTART_PROCESS</running_failure_strategy></program>
    <program name="till"><identifiers>s1,s2,s3</identifiers><start_sequence>2</start_sequence></program>
  </programs>
</application>
"""


class Scene:
    """A browser and an open shop: made when a test first wants them, shared by all tests of a program."""

    def __init__(self, build, programs="", rules="", **more):
        self.build = build
        self.make = lambda: Cluster(build, 3, PROGRAMS + programs, RULES + rules, **more)
        self.kept = contextlib.ExitStack()

    @functools.cached_property
    def browser(self):
        return self.kept.enter_context(Browser())

    @functools.cached_property
    def cluster(self):
        return opened(self.kept.enter_context(self.make()))

    def open(self, index, place="#/", **more):
        """A page of this node that is live."""
        return live(self.browser.open(url(self.cluster, index, place), **more))

    def rpc(self, index):
        return self.cluster.servers[index].rpc(over="tcp")

    def told(self, index, *words):
        """What svctl of that node prints as JSON."""
        line = [svctl_of(self.build), "-s", url(self.cluster, index, ""), *words, "--json"]
        return json.loads(subprocess.run(line, capture_output=True, text=True, timeout=60, check=False).stdout)

    def statename(self, index, namespec):
        return self.rpc(index).supervisor.getProcessInfo(namespec)["statename"]

    def place_of(self, index):
        """The address of its page."""
        return "#/instances/" + self.cluster.identifiers[index].replace(":", "%3A")

    def places(self):
        """The addresses of all pages."""
        talk = self.cluster.identifiers[2].replace(":", "%3A") + "%2Ftalk"
        return ["#/", self.place_of(0), self.place_of(2), f"{self.place_of(2)}/host", f"{self.place_of(2)}/log", "#/applications/shop", "#/processes/shop%3Aweb", "#/processes/crash",
                "#/conciliation", f"#/logs?follow={talk}", "#/timeline", "#/nowhere"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kept.close()


def opened(cluster):
    """All are there, and the shop is open."""
    cluster.start()
    cluster.wait_state("OPERATION")
    wait_until(lambda: all(cluster.call(i, "get_application_info", "shop")["statename"] == "RUNNING" for i in range(3)), 20,
               "all to see the shop open")
    return cluster


def url(cluster, index, place="#/"):
    return f"http://127.0.0.1:{cluster.ports[index]}/{place}"


def live(page):
    page.get_by_role("status", name="Connection: Live").wait_for()
    return page


def started(server, namespec):
    """It runs; its pid."""
    proxy = server.rpc(over="tcp").supervisor
    if proxy.getProcessInfo(namespec)["pid"] == 0:
        proxy.startProcess(namespec)
    return proxy.getProcessInfo(namespec)["pid"]


def end(pid, number):
    """Of a program that we have just started. The moment, by the wall clock, in which the kernel says that it is dead."""
    descriptor = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(descriptor, number)
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        tap.check_true(waiting.poll(10000), f"{pid} does not die of signal {number}")
        return time.time()
    finally:
        os.close(descriptor)
