# seconds: 900
# Limits with real controllers: what the kernel does to a program that has them, and what a changed file changes.
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
import vm
import controllers
import daemon
from daemon import Server

HEAD = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=limits-test
"""
PATIENCE = 90
daemon.READY_SECONDS = PATIENCE  # eBPF alone takes seconds to load there
# Takes so many MB and keeps them; says so first and last.
EATER = """#!@PYTHON@
import mmap, sys, time
print("begins", flush=True)
memory = mmap.mmap(-1, int(sys.argv[1]) << 20)
for page in range(0, len(memory), 4096):
    memory[page] = 1
print("has eaten", flush=True)
time.sleep(1000)
"""
# A main process that stays, and a child that is taken by the OOM killer.
PARENT = """#!/bin/sh
@DIR@/eater 200 &
echo child $!
wait $!
echo child ended with $?
exec sleep 1000
"""
SPINNER = "#!/bin/sh\nwhile :; do :; done\n"
FORKER = """#!@PYTHON@
import os, time
count = 0
try:
    for count in range(100):
        if os.fork() == 0:
            time.sleep(1000)
except OSError as error:
    print("refused after", count, error.strerror, flush=True)
time.sleep(1000)
"""
options = vm.arguments()


def wait_until(predicate, what):
    """As that of daemon.py, at the pace of an emulated processor: asking is work, too."""
    end = time.monotonic() + PATIENCE
    while True:
        found = predicate()
        if found:
            return found
        tap.check_true(time.monotonic() < end, f"waited {PATIENCE} s in vain for {what}")
        time.sleep(0.1)


def serve(config, environment=None, wrapper=()):
    controllers.make_ready()
    server = Server("svisord", options.build, HEAD + config, start=False, environment=environment, wrapper=wrapper)
    for name, text in (("eater", EATER), ("parent", PARENT), ("spinner", SPINNER), ("forker", FORKER)):
        server.write(name, text, 0o755)
    try:
        server.start()
    except BaseException:
        server.close()
        raise
    server.proxy = server.rpc()
    return server


def info(server, name):
    return server.proxy.supervisor.getProcessInfo(name)


def leaf_of(server, name, group=None):
    """The cgroup directory of the run that lives."""
    def found():
        pid = info(server, f"{group or name}:{name}")["pid"]
        if pid == 0:
            return None
        return controllers.leaf_of(pid)
    return wait_until(found, f"{name} to live")


def value(directory, name):
    with open(os.path.join(directory, name), encoding="ascii") as stream:
        return stream.read().strip()


def fields(directory, name):
    return {key: int(number) for key, number in (line.split() for line in value(directory, name).split("\n"))}


def wait_log(server, text):
    wait_until(lambda: text in server.read("main.log"), f"{text!r} in the log")


def death_by_oom(server, name):
    death = server.proxy.svisor.getDeathCertificate(name)
    return death.get("signal"), "oom_victim" in death


def output(server, name):
    return server.proxy.supervisor.readProcessStdoutLog(name, 0, 0)


def change(server, *pairs):
    """Another configuration file, and what supervisorctl's update does first."""
    config = server.config
    for before, after in pairs:
        tap.check_true(before in config, f"{before} is not in the configuration")
        config = config.replace(before, after)
    server.write_config(config)
    return server.proxy.supervisor.reloadConfig()[0]


@tap.test("where svisord itself lives in the delegated cgroup, programs run, and the limits say that they do not")
def _():
    # cpuset could be switched on in there, and no process could live in any cgroup below from then on.
    with serve("""
[program:bound]
command=/bin/sleep 1000
cpuset=0
tasks_max=10
""", wrapper=("systemd-run", "--quiet", "--scope", "--property=Delegate=yes")) as server:
        wait_until(lambda: info(server, "bound")["statename"] == "RUNNING", "bound to run")
        rows = {row["name"]: row for row in server.proxy.svisor.getKernelReport()}
        for key in ("cpuset", "tasks_max"):
            told = f"{key} of bound is inactive: " in server.read("main.log")
            tap.check(told, not rows[f"limit {key}"]["active"], f"{key} is told to be inactive")


@tap.test("every key is a file of the leaf, with the value that was asked for")
def _():
    with serve("""
[program:all]
command=/bin/sleep 1000
memory_max=100MB
memory_high=64MB
swap_max=0
cpu_weight=200
cpu_quota=150%
cpuset=0
io_max=@DIR@ rbps=10MB wiops=100
tasks_max=10
oom_policy=kill
[program:none]
command=/bin/sleep 1000
""") as server:
        leaf = leaf_of(server, "all")
        found = {name: value(leaf, name) for name in (
            "memory.max", "memory.high", "memory.swap.max", "cpu.weight", "cpu.max", "cpuset.cpus", "pids.max",
            "memory.oom.group")}
        tap.check(found, {"memory.max": str(100 << 20), "memory.high": str(64 << 20), "memory.swap.max": "0",
                          "cpu.weight": "200", "cpu.max": "150000 100000", "cpuset.cpus": "0", "pids.max": "10",
                          "memory.oom.group": "1"}, "files")
        tap.check(os.sched_getaffinity(info(server, "all")["pid"]), {0}, "processors of the program")
        rows = {row["name"]: row for row in server.proxy.svisor.getKernelReport()}
        tap.check([name for name in rows if name.startswith("limit ") and not rows[name]["active"]], [], "inactive")
        # @DIR@ lies on a tmpfs, which is no disk: refused, told, and the program runs.
        wait_log(server, "io_max of all is inactive")
        none = leaf_of(server, "none")
        if os.path.exists(os.path.join(none, "memory.max")):  # somebody else may have asked for the controller
            tap.check(value(none, "memory.max"), "max", "a program without limits")


@tap.test("memory_max: the eater of too much dies of it, and why says so")
def _():
    with serve("""
[program:eater]
command=@DIR@/eater 100
memory_max=30MB
swap_max=0
autorestart=false
startsecs=0
""") as server:
        wait_until(lambda: info(server, "eater")["statename"] == "EXITED", "the eater to die")
        tap.check(output(server, "eater"), "begins\n", "output")
        tap.check(death_by_oom(server, "eater"), (9, True), "signal 9, by the OOM killer")


@tap.test("cpu_quota: a program that spins gets its part and is throttled")
def _():
    with serve("""
[program:spinner]
command=@DIR@/spinner
cpu_quota=20%
""") as server:
        leaf = leaf_of(server, "spinner")
        before, begin = fields(leaf, "cpu.stat"), time.monotonic()
        wait_until(lambda: fields(leaf, "cpu.stat")["nr_throttled"] >= before["nr_throttled"] + 20, "throttling")
        after, end = fields(leaf, "cpu.stat"), time.monotonic()
        share = (after["usage_usec"] - before["usage_usec"]) / 1e6 / (end - begin)
        print(f"# {share:.3f} of a processor, throttled in {after['nr_throttled']} of {after['nr_periods']} periods")
        tap.check_true(0.1 < share < 0.3, f"20% became {share:.3f}")


SPINNERS = """
[program:light]
command=@DIR@/spinner
cpuset=0
cpu_weight=50
[program:heavy]
command=@DIR@/spinner
cpuset=0
cpu_weight=400
"""


def check_shares(server, group):
    """Both want all of one processor, and 8 is to 1 what they are to get."""
    leaves = [leaf_of(server, name, group) for name in ("heavy", "light")]

    def used():
        return [fields(leaf, "cpu.stat")["usage_usec"] for leaf in leaves]

    before = used()
    after = wait_until(lambda: sum(used()) - sum(before) > 6e6 and used(), "six seconds of work")
    heavy, light = after[0] - before[0], after[1] - before[1]
    print(f"# heavy {heavy} us, light {light} us")
    tap.check_true(heavy > 4 * light, f"heavy had {heavy} us, light {light} us")
    return leaves


@tap.test("cpu_weight: of two programs on one processor the heavier gets more, in a group")
def _():
    with serve("[group:pair]\nprograms=light,heavy\n" + SPINNERS) as server:
        check_shares(server, "pair")


@tap.test("cpu_weight: so it is between programs of no group, and a changed weight is changed in both directories")
def _():
    with serve(SPINNERS) as server:
        leaf = check_shares(server, None)[0]
        change(server, ("cpu_weight=400", "cpu_weight=70"))
        places = leaf, os.path.dirname(leaf)
        tap.check([value(place, "cpu.weight") for place in places], ["70", "70"], "changed")
        change(server, ("cpu_weight=70\n", ""))
        tap.check([value(place, "cpu.weight") for place in places], ["100", "100"], "taken back")


@tap.test("tasks_max: fork fails at the bound")
def _():
    with serve("""
[program:forker]
command=@DIR@/forker
tasks_max=8
""") as server:
        wait_until(lambda: "refused" in output(server, "forker"), "a refused fork")
        tap.check(output(server, "forker"), "refused after 7 Resource temporarily unavailable\n", "output")


@tap.test("the limits of a group bound its programs together, also when its directory is made anew")
def _():
    with serve("""
[group:pair]
programs=one,two
tasks_max=20
memory_max=200MB
[program:one]
command=@DIR@/forker
tasks_max=15
[program:two]
command=/bin/sleep 1000
autostart=false
""") as server:
        leaf = leaf_of(server, "one", "pair")
        group = os.path.dirname(leaf)
        tap.check((value(group, "pids.max"), value(group, "memory.max")), ("20", str(200 << 20)), "the group's files")
        wait_until(lambda: "refused" in output(server, "pair:one"), "a refused fork")
        tap.check(output(server, "pair:one"), "refused after 14 Resource temporarily unavailable\n", "its own bound")
        server.proxy.supervisor.stopProcess("pair:one")
        wait_until(lambda: not os.path.exists(group), "the empty directory to go")
        server.proxy.supervisor.startProcess("pair:two")
        tap.check(value(group, "pids.max"), "20", "the new directory")


@tap.test("a changed limit reaches the living program, and its next run")
def _():
    with serve("""
[group:live]
programs=web
memory_max=300MB
[program:web]
command=/bin/sleep 1000
memory_max=100MB
cpu_weight=50
cpuset=0
""") as server:
        leaf = leaf_of(server, "web", "live")
        pid = info(server, "live:web")["pid"]
        answer = change(server, ("memory_max=100MB", "memory_max=200MB"), ("cpu_weight=50\n", ""), ("cpuset=0\n", ""),
                        ("memory_max=300MB", "memory_max=max\ntasks_max=50"))
        tap.check(answer, [[], [], []], "nothing is to be started again")
        tap.check(info(server, "live:web")["pid"], pid, "pid")
        tap.check((value(leaf, "memory.max"), value(leaf, "cpu.weight")), (str(200 << 20), "100"), "the leaf's files")
        tap.check(os.sched_getaffinity(pid), {0, 1}, "processors")
        group = os.path.dirname(leaf)
        tap.check((value(group, "memory.max"), value(group, "pids.max")), ("max", "50"), "the group's files")
        for line in ("web: memory_max 100MB -> 200MB", "web: cpu_weight 50 -> (none)",
                     "group live: memory_max 300MB -> max", "group live: tasks_max (none) -> 50"):
            wait_log(server, line)
        server.proxy.supervisor.stopProcess("live:web")
        server.proxy.supervisor.startProcess("live:web")
        tap.check(value(leaf_of(server, "web", "live"), "memory.max"), str(200 << 20), "the next run")


@tap.test("memory_max that is lowered below what is in use is met by the living program")
def _():
    with serve("""
[program:eater]
command=@DIR@/eater 60
memory_max=200MB
swap_max=0
autorestart=false
startsecs=0
""") as server:
        wait_until(lambda: "has eaten" in output(server, "eater"), "the meal")
        change(server, ("memory_max=200MB", "memory_max=20MB"))
        if os.environ["SVISOR_VM"] in ("6.1", "6.12"):  # such kernels kill while the limit is written
            wait_until(lambda: info(server, "eater")["statename"] == "EXITED", "the eater to die")
            tap.check(death_by_oom(server, "eater"), (9, True), "signal 9, by the OOM killer")


@tap.test("oom_policy=continue: the rest of the program lives on")
def _():
    with serve("""
[program:family]
command=@DIR@/parent
memory_max=40MB
swap_max=0
""") as server:
        wait_until(lambda: "child ended with 137" in output(server, "family"), "the end of the child")
        wait_log(server, "family: lost a process to the kernel's OOM killer")
        tap.check(info(server, "family")["statename"], "RUNNING", "state")


@tap.test("oom_policy=stop: the rest is stopped, and started anew as autorestart says")
def _():
    with serve("""
[program:once]
command=@DIR@/parent
memory_max=40MB
swap_max=0
oom_policy=stop
autorestart=false
[program:again]
command=@DIR@/parent
memory_max=40MB
swap_max=0
oom_policy=stop
""") as server:
        wait_until(lambda: info(server, "once")["statename"] == "STOPPED", "once to be stopped")
        tap.check(server.proxy.svisor.why("once")["reason"], "OOM_STOP", "reason")
        wait_until(lambda: server.proxy.svisor.why("again")["run"] > 2, "again to be started again")
        server.proxy.supervisor.stopProcess("again")
        tap.check(info(server, "again")["statename"], "STOPPED", "stopped by request")


@tap.test("oom_policy=stop hears of it without eBPF")
def _():
    with serve("""
[program:once]
command=@DIR@/parent
memory_max=40MB
swap_max=0
oom_policy=stop
autorestart=false
""", environment=dict(os.environ, SVISOR_NO_BPF="1")) as server:
        wait_until(lambda: info(server, "once")["statename"] == "STOPPED", "once to be stopped")
        tap.check(server.proxy.svisor.why("once")["reason"], "OOM_STOP", "reason")


@tap.test("oom_policy=kill: the kernel takes the whole program")
def _():
    with serve("""
[program:family]
command=@DIR@/parent
memory_max=40MB
swap_max=0
oom_policy=kill
autorestart=false
startsecs=0
""") as server:
        wait_until(lambda: info(server, "family")["statename"] == "EXITED", "the family to die")
        tap.check_true("child ended" not in output(server, "family"), "the parent has outlived its child")
        tap.check(death_by_oom(server, "family"), (9, True), "signal 9, by the OOM killer")


if __name__ == "__main__":
    vm.run_all(options, seconds=800)
