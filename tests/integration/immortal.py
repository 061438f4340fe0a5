# seconds: 600
# Kills svisord with SIGKILL at random moments while programs start, crash, stop and write numbered lines, and
# compares what the next daemons say with what the programs themselves wrote down (tests/support/witness.c).
# KILLS=1000 makes it the long run; SEED repeats one.
import http.client
import os
import random
import re
import signal
import subprocess
import sys
import time
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import Server, binary, wait_until

KILLS = int(os.environ.get("KILLS", "25"))
SEED = int(os.environ.get("SEED", str(random.randrange(10**6))))
HEAD = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
logfile_maxbytes=0
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=immortal-test
"""
PROGRAM = """
[program:{name}]
command=@DIR@/witness @DIR@/accounts {name} {life}
numprocs={count}
process_name=%(program_name)s%(process_num)d
stdout_logfile=@DIR@/%(program_name)s%(process_num)d.log
stdout_logfile_maxbytes=0
redirect_stderr=true
autorestart={again}
startsecs=0
restart_delay=0
"""
options = tap.arguments()


def config():
    text = HEAD
    for name, count, life, again in (("steady", 60, 0, "true"), ("crash", 30, 600, "true"), ("toggle", 10, 0, "false")):
        text += PROGRAM.format(name=name, count=count, life=life, again=again).replace(
            f"accounts {name} ", f"accounts {name}%(process_num)d ")
    return text


def prepare():
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    server = Server("svisord", options.build, config(), start=False)
    os.mkdir(server.path("accounts"))
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "witness.c")
    subprocess.run(["cc", "-O2", "-o", server.path("witness"), source], check=True)
    return server


def kill(server):
    server.disconnect()
    server.process.kill()
    server.process.wait()


class Run:
    """What a program says of one of its runs; lines and code are None if it did not end by itself."""

    def __init__(self, key, pid):
        self.key, self.pid, self.lines, self.code = key, pid, None, None


def account(server, name):
    runs = {}
    for line in server.read("accounts/" + name).splitlines():
        word, key, *numbers = line.split()
        if word == "start":
            runs[key] = Run(key, int(numbers[0]))
        else:
            runs[key].lines, runs[key].code = map(int, numbers)
    return list(runs.values())


def lives(server, pid):
    """Numbers are given out again: after a thousand kills somebody else may have that of a program that ended."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            return server.path("accounts").encode() in stream.read()  # of a zombie it is empty
    except OSError:
        return False


def lines(server, name):
    """What its log says: run -> the numbers of its lines, in order."""
    seen = {}
    for line in server.read(name + ".log").splitlines():
        written_by, key, number = line.split()
        assert written_by == name, line
        seen.setdefault(key, []).append(int(number))
    return seen


def names():
    return [f"{kind}{i}" for kind, count in (("steady", 60), ("crash", 30), ("toggle", 10)) for i in range(count)]


def disturb(server, chance):
    """Stops and starts a program or two, and does not mind if nobody answers any more."""
    for _ in range(chance.randrange(4)):
        name = f"toggle:toggle{chance.randrange(10)}"
        try:
            getattr(server.rpc().supervisor, chance.choice(("startProcess", "stopProcess")))(name, False)
        except (xmlrpc.client.Fault, http.client.HTTPException, OSError):
            pass


def answers(server):
    """A connection alone proves nothing: a child that was being born when its daemon died has its sockets, too."""
    try:
        return server.rpc().supervisor.getState()
    except (http.client.HTTPException, OSError):
        return None


def torment(server):
    chance = random.Random(SEED)
    server.start()
    for _ in range(KILLS):
        disturb(server, chance)
        time.sleep(chance.uniform(0, 0.15))  # the random moment is what is tested
        kill(server)
        time.sleep(chance.choice((0, 0, chance.uniform(0, 0.4))))
        server.start(ready=chance.random() < 0.8)
    wait_until(lambda: answers(server), 20, "svisord to answer")


server = None


@tap.test(f"svisord survives {KILLS} SIGKILLs at random moments (SEED={SEED})")
def _():
    global server
    server = prepare()
    torment(server)
    proxy = server.rpc()
    for info in proxy.supervisor.getAllProcessInfo():
        if info["group"] == "steady":
            tap.check(info["statename"], "RUNNING", info["name"])


@tap.test("no program noticed: those that never end are still in their first run")
def _():
    for i in range(60):
        runs = account(server, f"steady{i}")
        tap.check(len(runs), 1, f"runs of steady{i}")
        tap.check_true(lives(server, runs[0].pid), f"steady{i} is gone")


@tap.test("a stop ends all of them, the adopted ones, too")
def _():
    tap.check(server.stop(), 0, "exit status")
    for name in names():
        for run in account(server, name):
            tap.check_true(run.lines is not None, f"{name} {run.pid} did not end by itself")
            # A pid that has come back to another run of the same test belongs to one that is gone, too.
            tap.check_true(not lives(server, run.pid), f"{name} {run.pid} lives")


@tap.test("no line of any program is missing or doubled")
def _():
    wrong, total = [], 0
    for name in names():
        seen = lines(server, name)
        for run in account(server, name):
            if run.lines is None:
                continue  # killed: told above
            got = seen.pop(run.key, [])
            total += run.lines
            if got != list(range(run.lines)):
                missing = sorted(set(range(run.lines)) - set(got))
                doubled = len(got) - len(set(got))
                wrong.append(f"{name} {run.pid}: {run.lines} written, missing {missing[:5]}…{len(missing)}, doubled {doubled}")
        wrong += [f"{name}: lines of a run that nobody knows: {key}" for key in seen]
    tap.check_true(not wrong, "\n".join(wrong[:20]) + f"\n{len(wrong)} runs")
    print(f"# {total} lines")


def is_within(told, ended):
    """True when `told` is `ended` with some left out."""
    rest = iter(ended)
    return all(status in rest for status in told)


def first_difference(told, ended):
    """Where the two part, with what stands before."""
    at = 0
    for i, status in enumerate(told):
        while at < len(ended) and ended[at] != status:
            at += 1
        if at == len(ended):
            near = max(0, i - 4)
            return f"told … {told[near:i + 3]}; of {len(ended)} ends {len(told)} are told, and number {i} is none of the rest"
        at += 1
    return "none"


@tap.test("every exit status that is told is the one that the program ended with, in order, and told once")
def _():
    told = {}
    for name, status in re.findall(r"(?:exited|stopped): (\w+) \(exit status (\d+)", server.read("main.log")):
        told.setdefault(name, []).append(int(status))
    tap.check_true("exit status is unknown" not in server.read("main.log"), "an exit status was unknown")
    wrong, untold, total = [], 0, 0
    for i in range(30):
        name = f"crash{i}"
        ended = [run.code for run in account(server, name)]
        total += len(ended)
        untold += len(ended) - len(told.get(name, []))
        if not is_within(told.get(name, []), ended):
            wrong.append(f"{name}: " + first_difference(told.get(name, []), ended))
    tap.check_true(not wrong, "\n".join(wrong[:10]) + f"\n{len(wrong)} programs")
    # A SIGKILL between the journal and the log costs the line in the log, and only that.
    print(f"# {total} ends; {untold} of them were known, and the daemon was killed before it could log them")
    tap.check_true(untold <= KILLS, f"{untold} ends were not told by {KILLS} daemons")
    server.close()


if __name__ == "__main__":
    tap.run_all()
