# seconds: 900
# Resource events with real controllers: limits that are reached, throttling, refused forks, OOM kills, pressure.
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
import vm
import controllers
import daemon
from daemon import Server

PATIENCE = 90
daemon.READY_SECONDS = PATIENCE  # eBPF alone takes seconds to load there
HEAD = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=resources-test
[eventlistener:ear]
command=@PYTHON@ @DIR@/ear.py
events=PROCESS_RESOURCE,PROCESS_DEATH
buffer_size=100
"""
EAR = """
import sys
from supervisor import childutils
while True:
    headers, payload = childutils.listener.wait(sys.stdin, sys.stdout)
    with open("@DIR@/heard", "a") as stream:
        stream.write(headers["eventname"] + " " + payload.split("\\n", 1)[-1].replace("\\n", " ") + "\\n")
    childutils.listener.ok(sys.stdout)
"""
# Each waits for the file "go", so that the test is ready when it happens.
WAIT = """
import mmap, os, sys, time
while not os.path.exists("@DIR@/go"):
    time.sleep(0.1)
"""
# Takes so many MB and keeps them.
EATER = WAIT + """
memory = mmap.mmap(-1, int(sys.argv[1]) << 20)
for page in range(0, len(memory), 4096):
    memory[page] = 1
time.sleep(1000)
"""
# The same in a child, which is the one that dies.
PARENT = EATER.replace("memory =", "if os.fork() != 0:\n    os.wait()\n    time.sleep(1000)\nmemory =")
# Reads what does not fit: the page cache is reclaimed again and again, and nobody dies.
READER = WAIT + """
for turn in range(3):
    for name in sorted(os.listdir("/usr/bin")):
        try:
            with open("/usr/bin/" + name, "rb") as stream:
                while stream.read(1 << 16):
                    pass
        except OSError:
            pass
time.sleep(1000)
"""
SPINNER = WAIT + """
end = time.monotonic() + 15
while time.monotonic() < end:
    pass
time.sleep(1000)
"""
# Ten children, and then fifty forks that fail, in a burst.
FORKER = WAIT + """
failures = 0
while failures < 50:
    try:
        if os.fork() == 0:
            time.sleep(1000)
    except OSError:
        failures += 1
print("refused", failures, flush=True)
time.sleep(1000)
"""
options = vm.arguments()


def wait_until(predicate, what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while True:
        found = predicate()
        if found:
            return found
        tap.check_true(time.monotonic() < end, f"waited {seconds} s in vain for {what}")
        time.sleep(0.1)


def serve(config, environment=None):
    controllers.make_ready()
    server = Server("svisord", options.build, HEAD + config, start=False, environment=environment)
    for name, text in (("ear", EAR), ("eater", EATER), ("parent", PARENT), ("reader", READER), ("spinner", SPINNER), ("forker", FORKER)):
        server.write(name + ".py", text)
    try:
        server.start()
        server.proxy = server.rpc()
        for row in server.proxy.supervisor.getAllProcessInfo():
            name = f"{row['group']}:{row['name']}"
            wait_until(lambda: server.proxy.supervisor.getProcessInfo(name)["statename"] == "RUNNING", f"{name} to run")
        server.write("go", "")
    except BaseException:
        server.close()
        raise
    return server


def heard(server, wanted=None):
    """The bodies of the events that the listener was told, with the type as "event"."""
    try:
        lines = server.read("heard").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        event, body = line.split(" ", 1)
        found.append(dict(json.loads(body), event=event))
    return [body for body in found if wanted in (None, body["event"])]


def first(server, event):
    return wait_until(lambda: heard(server, event), event)[0]


def program(name, script, limits=""):
    return f"[program:{name}]\ncommand=@PYTHON@ @DIR@/{script}\nautorestart=false\nstartsecs=0\n{limits}\n"


@tap.test("memory_max reached again and again is one event with a count, and later ones come with pauses between them")
def _():
    with serve(program("reader", "reader.py", "memory_max=16MB")) as server:
        body = first(server, "PROCESS_RESOURCE_MEMORY_MAX")
        tap.check((body["name"], body["resource"], body["limit_bytes"]), ("reader", "MEMORY_MAX", 16 << 20), "the event")
        tap.check_true(body["count"] > 1 and 0 < body["usage_bytes"] <= 17 << 20, f"the numbers: {body}")
        told = wait_until(lambda: len(heard(server)) > 1 and heard(server), "the next one")
        tap.check_true(told[1]["last_ms"] - body["last_ms"] >= 9000, f"the pause: {told}")
        leaf = controllers.leaf_of(server.proxy.supervisor.getProcessInfo("reader")["pid"])
        with open(leaf + "/memory.events", encoding="ascii") as stream:
            counted = dict(line.split() for line in stream)
        tap.check_true(sum(row["count"] for row in heard(server)) <= int(counted["max"]), f"{told}, {counted}")
        tap.check([row["event"] for row in heard(server) if row["event"] != "PROCESS_RESOURCE_MEMORY_MAX"], [], "others")


@tap.test("memory_high exceeded is told as such")
def _():
    with serve(program("reader", "reader.py", "memory_high=16MB")) as server:
        body = first(server, "PROCESS_RESOURCE_MEMORY_HIGH")
        tap.check((body["name"], body["limit_bytes"]), ("reader", 16 << 20), "the event")
        tap.check_true(body["count"] >= 1, f"the count: {body}")


@tap.test("an OOM kill is told with its victim and its limit, before the death of the run")
def _():
    with serve(program("eater", "eater.py 100", "memory_max=32MB\nswap_max=0")) as server:
        pid = server.proxy.supervisor.getProcessInfo("eater")["pid"]
        death = first(server, "PROCESS_DEATH")
        told = [row["event"] for row in heard(server)]
        tap.check(told.count("PROCESS_RESOURCE_OOM_KILL"), 1, f"OOM kills among {told}")
        tap.check_true(told.index("PROCESS_RESOURCE_OOM_KILL") < told.index("PROCESS_DEATH"), f"the order: {told}")
        body = first(server, "PROCESS_RESOURCE_OOM_KILL")
        tap.check((body["name"], body["run"], body["pid"], body["count"]), ("eater", 1, pid, 1), "the event")
        tap.check(death["cause"], "OOM", "the certificate")
        if "victim" in body:  # eBPF tells
            tap.check((body["victim"], body["limit_bytes"]), (pid, 32 << 20), "the numbers")
        tap.check_true("OOM killer took a process of it" in server.proxy.svisor.why("eater")["text"], "svctl why")


@tap.test("fifty refused forks within a second are one event")
def _():
    with serve(program("forker", "forker.py", "tasks_max=10")) as server:
        body = first(server, "PROCESS_RESOURCE_TASKS_MAX")
        tap.check((body["name"], body["limit_tasks"], body["tasks"]), ("forker", 10, 10), "the event")
        wait_until(lambda: sum(row["count"] for row in heard(server)) >= 50, "all refusals to be told")
        events = heard(server)
        tap.check(sum(event["count"] for event in events), 50, f"refusals: {events}")
        took_ms = events[-1]["last_ms"] - events[0]["first_ms"]  # over a second where the machine is slow
        tap.check_true(len(events) == 1 or took_ms > 900, f"events: {events}")


@tap.test("what the limit of a group refuses is told of the group, or of the program on a kernel that counts it there")
def _():
    with serve("[group:team]\nprograms=forker,reader\ntasks_max=12\nmemory_max=24MB\n" +
               program("forker", "forker.py") + program("reader", "reader.py")) as server:
        body = first(server, "PROCESS_RESOURCE_TASKS_MAX")
        # pids.events.local came with the counting in the cgroup that has the limit.
        is_new = os.path.exists("/sys/fs/cgroup/init.scope/pids.events.local")
        tap.check((body["group"], body.get("name")), ("team", None if is_new else "forker"), f"the event: {body}")
        body = first(server, "PROCESS_RESOURCE_MEMORY_MAX")
        tap.check((body["group"], body.get("name"), body["limit_bytes"]), ("team", None, 24 << 20), f"the event: {body}")


@tap.test("a program that is throttled by its quota is told with the time that it lost")
def _():
    with serve(program("spinner", "spinner.py", "cpu_quota=20%") + program("free", "spinner.py", "cpu_quota=max")) as server:
        body = first(server, "PROCESS_RESOURCE_CPU_THROTTLED")
        tap.check((body["name"], body["quota_us"]), ("spinner", 20000), "the event")
        tap.check_true(body["count"] >= 3 and body["throttled_us"] > 100000, f"the numbers: {body}")
        time.sleep(12)
        tap.check({row["name"] for row in heard(server)}, {"spinner"}, f"who was throttled: {heard(server)}")


@tap.test("without eBPF an OOM kill is seen where a limit is watched, and oom_policy=stop is kept")
def _():
    with serve(program("parent", "parent.py 100", "memory_max=48MB\nswap_max=0\noom_policy=stop"),
               environment=dict(os.environ, SVISOR_NO_BPF="1")) as server:
        body = first(server, "PROCESS_RESOURCE_OOM_KILL")
        tap.check((body["name"], body["count"], "victim" in body), ("parent", 1, False), "the event")
        wait_until(lambda: server.proxy.supervisor.getProcessInfo("parent")["statename"] == "STOPPED", "parent to be stopped")


if __name__ == "__main__":
    vm.run_all(options, seconds=800)
