# suite: quick
# Limits without controllers (tests/vm/limits.py has them): what a process carries, what cannot be had, what changes.
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import Server, binary, wait_until
from probe import cgroup_root

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
options = tap.arguments()
CGROUP_KEYS = """memory_max=100MB
memory_high=90MB
swap_max=10MB
cpu_weight=200
cpu_quota=150%
cpuset=0
io_weight=50
io_max=/ rbps=10MB
tasks_max=100
oom_policy=kill
"""


def serve(config):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    return Server("svisord", options.build, HEAD + config)


def info(server, name):
    return server.rpc().supervisor.getProcessInfo(name)


def pid_of(server, name):
    return wait_until(lambda: info(server, name)["pid"], 10, f"{name} to live")


def wait_log(server, text):
    wait_until(lambda: text in server.read("main.log"), 10, f"{text!r} in the log")


def limits(pid):
    """{"open files": ("1000", "2000"), …} of /proc/PID/limits"""
    with open(f"/proc/{pid}/limits", encoding="ascii") as stream:
        lines = stream.read().split("\n")[1:-1]
    return {line[4:26].strip(): (line[26:47].strip(), line[47:68].strip()) for line in lines}


def carried(pid):
    """What a process carries: nice, oom_score_adj and the limits of open files."""
    with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as stream:
        score = int(stream.read())
    return os.getpriority(os.PRIO_PROCESS, pid), score, limits(pid)["open files"]


def change(server, *pairs):
    config = server.config
    for before, after in pairs:
        tap.check_true(before in config, f"{before} is not in the configuration")
        config = config.replace(before, after)
    server.write_config(config)
    return server.rpc().supervisor.reloadConfig()[0]


@tap.test("a program is born with its nice, its oom_score_adjust and its rlimits")
def _():
    with serve("""
[program:bound]
command=/bin/sleep 1000
nice=5
oom_score_adjust=300
rlimit_core=0
rlimit_cpu=1000:2000
rlimit_fsize=1MB
rlimit_nofile=100:200
rlimit_stack=1MB:2MB
rlimit_as=1GB
[program:free]
command=/bin/sleep 1000
""") as server:
        pid = pid_of(server, "bound")
        tap.check(carried(pid), (5, 300, ("100", "200")), "nice, score, open files")
        found = {name: limits(pid)[name] for name in ("core file size", "cpu time", "file size", "stack size",
                                                      "address space")}
        tap.check(found, {"core file size": ("0", "0"), "cpu time": ("1000", "2000"),
                          "file size": ("1048576", "1048576"), "stack size": ("1048576", "2097152"),
                          "address space": ("1073741824", "1073741824")}, "limits")
        mine = carried(os.getpid())
        tap.check(carried(pid_of(server, "free")), mine, "a program without limits is as who started svisord")


@tap.test("every key that has no controller here is inactive, is told once, and stops nobody")
def _():
    with serve(f"""
[program:one]
command=/bin/sleep 1000
{CGROUP_KEYS}
[program:two]
command=/bin/sleep 1000
{CGROUP_KEYS}
""") as server:
        pid_of(server, "one"), pid_of(server, "two")
        rows = {row["name"]: row for row in server.rpc().svisor.getKernelReport()}
        log = server.read("main.log")
        for line in CGROUP_KEYS.splitlines():
            key = line.split("=")[0]
            row = rows[f"limit {key}"]
            if row["active"]:
                continue
            told = log.count(f" {key} of one is inactive: ") + log.count(f" {key} of two is inactive: ")
            tap.check(told, 1, f"lines about {key}")
            tap.check_true(row["missing"] and row["remedy"], f"no reason for {key}: {row}")


@tap.test("a limit that the daemon may not set fails the start, with the reason in spawnerr")
def _():
    with serve("""
[program:greedy]
command=/bin/sleep 1000
rlimit_nofile=2147483584
startretries=0
""") as server:
        wait_until(lambda: info(server, "greedy")["statename"] == "FATAL", 10, "greedy to fail")
        tap.check(info(server, "greedy")["spawnerr"], "couldn't set rlimit_nofile to 2147483584: EPERM", "spawnerr")
        death = server.rpc().svisor.getDeathCertificate("greedy")
        tap.check((death["stage"], death["error_name"]), ("LIMIT", "EPERM"), "the certificate")
        tap.check(server.rpc().supervisor.readProcessStderrLog("greedy", 0, 0),
                  "supervisor: couldn't set rlimit_nofile to 2147483584: EPERM\n"
                  "supervisor: child process was not spawned\n", "stderr")


@tap.test("the limits of a group are the defaults of its programs")
def _():
    with serve("""
[group:pair]
programs=plain,own
nice=3
rlimit_nofile=111
[program:plain]
command=/bin/sleep 1000
[program:own]
command=/bin/sleep 1000
nice=7
""") as server:
        plain, own = pid_of(server, "pair:plain"), pid_of(server, "pair:own")
        tap.check((carried(plain)[0], carried(plain)[2]), (3, ("111", "111")), "plain")
        tap.check((carried(own)[0], carried(own)[2]), (7, ("111", "111")), "own")


@tap.test("a changed limit reaches every process of a living program but those that have their own, and the next run")
def _():
    with serve("""
[program:web]
command=/bin/sh -c 'sleep 1000 & echo $! > @DIR@/child; nice -n 4 sleep 1000 & echo $! > @DIR@/nicer; wait'
nice=2
oom_score_adjust=100
rlimit_nofile=300:400
[program:other]
command=/bin/sleep 1000
""") as server:
        pid, other = pid_of(server, "web"), pid_of(server, "other")
        children = [int(wait_until(lambda n=name: os.path.exists(server.path(n)) and server.read(n).strip(), 10, name))
                    for name in ("child", "nicer")]
        wait_until(lambda: os.getpriority(os.PRIO_PROCESS, children[1]) == 6, 10, "the nicer child to be nicer")
        before = carried(other)
        answer = change(server, ("nice=2", "nice=5"), ("oom_score_adjust=100", "oom_score_adjust=200"),
                        ("rlimit_nofile=300:400", "rlimit_nofile=50:400"))
        tap.check(answer, [[], [], []], "nothing is to be started again")
        tap.check(info(server, "web")["pid"], pid, "pid")
        tap.check(carried(pid), (5, 200, ("50", "400")), "the main process")
        if cgroup_root(server.rpc()):
            tap.check(carried(children[0]), (5, 200, ("50", "400")), "its child")
            tap.check(carried(children[1]), (6, 200, ("50", "400")), "a child with a nice of its own")
        tap.check(carried(other), before, "another program")
        for line in ("web: nice 2 -> 5", "web: oom_score_adjust 100 -> 200", "web: rlimit_nofile 300:400 -> 50:400"):
            wait_log(server, line)
        server.rpc().supervisor.stopProcess("web")
        server.rpc().supervisor.startProcess("web")
        tap.check(carried(pid_of(server, "web")), (5, 200, ("50", "400")), "the next run")
        tap.check(change(server, ("nice=5", "nice=5\nstopwaitsecs=3")), [[], ["web"], []], "another change is an update")


@tap.test("a limit that is taken away is the daemon's again, and what has changed is told once")
def _():
    with serve("""
[program:web]
command=/bin/sleep 1000
oom_score_adjust=500
rlimit_nofile=100:1000
memory_max=100MB
""") as server:
        pid = pid_of(server, "web")
        change(server, ("oom_score_adjust=500\n", ""), ("rlimit_nofile=100:1000", "rlimit_nofile=200:1000"),
               ("100MB", "200MB"))
        tap.check(info(server, "web")["pid"], pid, "pid")
        tap.check(carried(pid)[1:], (carried(os.getpid())[1], ("200", "1000")), "score, open files")
        wait_log(server, "web: oom_score_adjust 500 -> (none)")
        wait_log(server, "web: memory_max 100MB -> 200MB")
        tap.check(change(server), [[], [], []], "the same file again")
        tap.check(server.read("main.log").count("memory_max 100MB -> 200MB"), 1, "lines")


@tap.test("the next daemon gives an adopted program the limits of its file")
def _():
    with serve("""
[program:web]
command=/bin/sleep 1000
rlimit_nofile=300:400
oom_score_adjust=100
""") as server:
        pid = pid_of(server, "web")
        server.process.kill()
        server.process.wait()
        server.write_config(server.config.replace("300:400", "50:400"))
        server.start()
        wait_until(lambda: info(server, "web")["statename"] == "RUNNING", 10, "web to be adopted")
        tap.check(info(server, "web")["pid"], pid, "pid")
        tap.check(carried(pid)[1:], (100, ("50", "400")), "score, open files")


if __name__ == "__main__":
    tap.run_all(options)
