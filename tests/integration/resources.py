# suite: quick
# Resource events without controllers (tests/vm/resources.py has them): pressure, who hears of it, and how often.
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import Server, binary, wait_until

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
"""
# Writes each event into a file: its header's name, and its payload.
LISTENER = """
[eventlistener:ear]
command=@PYTHON@ @DIR@/ear.py
events=PROCESS_RESOURCE
buffer_size=100
"""
EAR = """
import sys
from supervisor import childutils
while True:
    headers, payload = childutils.listener.wait(sys.stdin, sys.stdout)
    with open("@DIR@/heard", "a") as stream:
        stream.write(headers["eventname"] + " " + payload.replace("\\n", " ") + "\\n")
    childutils.listener.ok(sys.stdout)
"""
# More loops than any machine has processors: some of it waits most of the time.
BUSY = """#!@PYTHON@
import os, time
for _ in range(3 * os.cpu_count()):
    if os.fork() == 0:
        end = time.monotonic() + float("@SECONDS@")
        while time.monotonic() < end:
            pass
        os._exit(0)
time.sleep(1000)
"""
# Forks so many processes a second, for so long; they are gone at once.
FORKER = """#!@PYTHON@
import os, sys, time
rate, seconds = int(sys.argv[1]), float(sys.argv[2])
begin = time.monotonic()
for number in range(int(rate * seconds)):
    if os.fork() == 0:
        os._exit(0)
    os.wait()
    time.sleep(max(0, begin + (number + 1) / rate - time.monotonic()))
time.sleep(1000)
"""
options = tap.arguments()


def serve(config, seconds=6, environment=None):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    server = Server("svisord", options.build, HEAD + config, start=False, environment=environment)
    server.write("ear.py", EAR)
    server.write("forker", FORKER, 0o755)
    server.write("busy", BUSY.replace("@SECONDS@", str(seconds)), 0o755)
    try:
        server.start()
        server.proxy = server.rpc()
    except BaseException:
        server.close()
        raise
    return server


def need(server, name):
    """Leaves the test when the machine does not offer what that row of the kernel's report is about."""
    for row in server.proxy.svisor.getKernelReport():
        if row["name"] == name and not row["active"]:
            tap.skip(f"{name}: {row['missing']}")


def events(server, name):
    return server.proxy.svisor.getResourceEvents(name)


def heard(server):
    """[(event name, {word: value}, body)] of what the listener was told."""
    try:
        lines = server.read("heard").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        name, rest = line.split(" ", 1)
        words, body = rest.split(" {", 1)
        found.append((name, dict(word.split(":", 1) for word in words.split()), json.loads("{" + body)))
    return found


@tap.test("pressure above the bound is told once to the log, to listeners, to the API and to svctl why")
def _():
    with serve("""
[program:busy]
command=@DIR@/busy
pressure_warn=cpu:some 10% over 2s
[program:calm]
command=/bin/sleep 1000
pressure_warn=cpu 10%, memory 10%, io:full 10% over 4s
""" + LISTENER) as server:
        need(server, "limit pressure_warn")
        wait_until(lambda: heard(server), 20, "an event")
        time.sleep(3)  # further bounds are passed meanwhile, and wait for the end of the pause
        told = heard(server)
        tap.check(len(told), 1, f"events: {told}")
        name, words, body = told[0]
        tap.check(name, "PROCESS_RESOURCE_PRESSURE", "the event")
        info = server.proxy.supervisor.getProcessInfo("busy")
        tap.check(words, {"processname": "busy", "groupname": "busy", "run": "1", "pid": str(info["pid"]),
                          "resource": "CPU_PRESSURE", "count": str(body["count"])}, "its words")
        tap.check((body["full"], body["bound"], body["window_ms"], body["resource"]), (False, 1000, 2000, "CPU_PRESSURE"),
                  "its body")
        tap.check_true(body["stalled_us"] >= 200000, f"stalled for 10% of 2 s: {body}")
        tap.check_true(0 <= body["last_ms"] - body["first_ms"] <= 1500, f"a second is gathered: {body}")
        rows = events(server, "busy")
        tap.check(rows, [body], "the API's")
        tap.check(events(server, "calm"), [], "the calm one's")
        tap.check(server.read("main.log").count("resources: busy: some of it waited for a processor for more than 10% of 2 s"),
                  1, "lines in the log")
        why = server.proxy.svisor.why("busy")
        tap.check_true("Of late: some of it waited for a processor" in why["text"], why["text"])
        tap.check(why["resources"], rows, "why's")


@tap.test("the bound of a group is about all of its programs, and is told of the group")
def _():
    with serve("""
[group:pair]
programs=busy,calm
pressure_warn=cpu 10% over 2s
[program:busy]
command=@DIR@/busy
[program:calm]
command=/bin/sleep 1000
""" + LISTENER) as server:
        need(server, "limit pressure_warn")
        wait_until(lambda: heard(server), 20, "an event")
        _, words, body = heard(server)[0]
        tap.check(words, {"groupname": "pair", "resource": "CPU_PRESSURE", "count": str(body["count"])}, "its words")
        tap.check("name" in body or "run" in body, False, f"a process is named: {body}")
        for name in ("pair:busy", "pair:calm"):
            tap.check(events(server, name), [body], f"what {name} shows")
        tap.check_true("resources: group pair: some of it" in server.read("main.log"), server.read("main.log"))


@tap.test("a bound that comes with a changed file counts for the program that runs, and one that goes is forgotten")
def _():
    with serve("""
[program:busy]
command=@DIR@/busy
""" + LISTENER, seconds=30) as server:
        time.sleep(2.5)
        tap.check(heard(server), [], "events without a bound")
        pid = server.proxy.supervisor.getProcessInfo("busy")["pid"]
        config = server.config
        server.write_config(config.replace("command=@DIR@/busy", "command=@DIR@/busy\npressure_warn=cpu 10% over 2s"))
        tap.check(server.proxy.supervisor.reloadConfig()[0], [[], [], []], "what reread says")
        need(server, "limit pressure_warn")
        wait_until(lambda: heard(server), 20, "an event")
        server.write_config(config)
        server.proxy.supervisor.reloadConfig()
        tap.check(server.proxy.supervisor.getProcessInfo("busy")["pid"], pid, "pid")
        links = [os.readlink(f"/proc/{server.process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{server.process.pid}/fd")]
        tap.check([link for link in links if "pressure" in link], [], "triggers that are open")


@tap.test("a bound that is none is refused with what to write instead")
def _():
    for value, words in (("disk 20%", "write cpu, memory or io"), ("memory:some 20% over 60s", "from 0.5s to 10s"),
                         ("memory 20", "per cent sign")):
        server = Server("svisord", options.build, HEAD + f"""
[program:x]
command=/bin/sleep 1000
pressure_warn={value}
""", start=False)
        with server:
            server.start(ready=False)
            server.wait(20)
            said = server.read("output")
            tap.check_true(words in said and "pressure_warn" in said, f"{value}: {said}")


@tap.test("forks above the rate are told with their number, and those below it are not")
def _():
    with serve("""
[program:fast]
command=@DIR@/forker 100 4
fork_rate_warn=50/s
[program:slow]
command=@DIR@/forker 20 4
fork_rate_warn=50
[program:minute]
command=@DIR@/forker 20 4
fork_rate_warn=60/min
""" + LISTENER) as server:
        need(server, "limit fork_rate_warn")
        told = wait_until(lambda: len(heard(server)) == 2 and heard(server), 20, "two events")
        time.sleep(2)
        told = heard(server)
        tap.check(sorted(body["name"] for _, _, body in told), ["fast", "minute"], "who is told of")
        bodies = {body["name"]: body for _, _, body in told}
        tap.check((bodies["fast"]["bound"], bodies["fast"]["window_ms"]), (50, 1000), "the bound of fast")
        tap.check((bodies["minute"]["bound"], bodies["minute"]["window_ms"], bodies["minute"]["forks"]),
                  (60, 60000, 61), "the numbers of minute")
        tap.check_true(51 <= bodies["fast"]["forks"] <= 130, f"forks in the busiest second: {bodies['fast']}")
        tap.check({name for name, _, _ in told}, {"PROCESS_RESOURCE_FORK_RATE"}, "the event")
        # Three or four windows of one second: the rest waits for the end of the pause.
        tap.check_true(bodies["fast"]["count"] <= 2, f"windows in the first event: {bodies['fast']}")


@tap.test("the rate of a group is that of its programs together, and changes with the file")
def _():
    with serve("""
[group:pair]
programs=a,b
fork_rate_warn=1000/s
[program:a]
command=@DIR@/forker 40 12
[program:b]
command=@DIR@/forker 40 12
""" + LISTENER) as server:
        need(server, "limit fork_rate_warn")
        time.sleep(2.5)
        tap.check(heard(server), [], "events below the bound")
        server.write_config(server.config.replace("1000/s", "60/s"))
        server.proxy.supervisor.reloadConfig()
        _, words, body = wait_until(lambda: heard(server), 20, "an event")[0]
        tap.check((words["groupname"], "processname" in words, body["bound"]), ("pair", False, 60), "the event")


@tap.test("without cgroups the bound is inactive, is told once, and stops nobody")
def _():
    if os.geteuid() != 0:
        tap.skip("needs root for a mount namespace")
    server = Server("svisord", options.build, HEAD + """
[program:one]
command=/bin/sleep 1000
pressure_warn=cpu 10%
fork_rate_warn=10/s
[program:two]
command=/bin/sleep 1000
pressure_warn=cpu 10%
fork_rate_warn=10/s
""", start=False, wrapper=("unshare", "--mount", "sh", "-c", "umount -a -t cgroup2; exec \"$0\" \"$@\""))
    with server:
        server.start()
        proxy = server.rpc()
        wait_until(lambda: proxy.supervisor.getProcessInfo("two")["pid"] > 0, 10, "two to live")
        rows = {row["name"]: row for row in proxy.svisor.getKernelReport()}
        for key in ("pressure_warn", "fork_rate_warn"):
            tap.check(rows[f"limit {key}"]["active"], False, f"the row of {key}")
            tap.check(server.read("main.log").count(f"{key} of "), 1, f"lines about {key}")


@tap.test("without eBPF the rate of forks is inactive, and says so")
def _():
    with serve("""
[program:one]
command=/bin/sleep 1000
fork_rate_warn=10/s
""", environment=dict(os.environ, SVISOR_NO_BPF="1")) as server:
        rows = {row["name"]: row for row in server.proxy.svisor.getKernelReport()}
        row = rows["limit fork_rate_warn"]
        tap.check((row["active"], row["missing"]), (False, "eBPF sees no forks"), "the row")


if __name__ == "__main__":
    tap.run_all(options)
