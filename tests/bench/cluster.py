#!/usr/bin/python3
"""A cluster of svisord beside one of supervisord with Supvisors 0.19, both with default settings, in one run.

    cluster.py --build DIR [--rounds N] [--servers LIST] [--load MINUTES] [--json FILE] [--check]

SUPVISORS_SRC names the checkout of Supvisors; without it svisord is measured alone. Each cluster has a small network of its
own (tests/support/cluster_beside.py; root). What runs is seen by an observer in /proc, and no daemon is asked for it. Of
svisord every measurement is made --rounds times, and the worst one counts; of Supvisors once. --load keeps all processors
busy for that long and counts the instances that are called lost although they live (--rounds 0: nothing else).
docs/mesh.md has the numbers.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
import xmlrpc.client

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
from bench import Bare
from cluster_beside import Beside, missing

PROGRAM = """
[program:{name}]
command=/bin/sleep 1000000
directory=@DIR@
autostart=false
autorestart=false
startsecs=0
"""
RULE = """<program name="{name}"><identifiers>{where}</identifiers><start_sequence>{sequence}</start_sequence>
<expected_loading>1</expected_loading><running_failure_strategy>RESTART_PROCESS</running_failure_strategy></program>"""
CREW = [f"crew{number:02}" for number in range(60)]
CREW_SEQUENCES = 3
# Where each runs first, and where it can go.
MOVING = {"of_master": "supv-01,supv-02", "of_last": "supv-03,supv-02"}
GIVE_UP_SECONDS = {"supvisors": 40, "svisord": 20}
LOST = ("FAILED", "STOPPED", "ISOLATED")
ROW_OF = {"up_3": "three instances in OPERATION", "up_8": "eight instances in OPERATION", "killed": "a killed daemon is reported",
          "silent": "a silent daemon is reported", "moved": "its program runs elsewhere",
          "moved_silent": "the program of a silent daemon runs elsewhere", "moved_master": "the program of a killed Master runs elsewhere",
          "crew": "60 programs in three sequences run", "crew_of_bare": "  times the bare spawn time of 60"}
TARGETS = {"up_3": 1.0, "up_8": 1.0, "killed": 0.1, "silent": 1.5, "moved": 2.0, "moved_master": 2.0, "crew_of_bare": 3.0}


def programs_and_rules():
    programs = "".join(PROGRAM.format(name=name) for name in (*MOVING, *CREW))
    programs += f"[group:moving]\nprograms={','.join(MOVING)}\n[group:crew]\nprograms={','.join(CREW)}\n"
    moving = "".join(RULE.format(name=name, where=where, sequence=1) for name, where in MOVING.items())
    crew = "".join(RULE.format(name=name, where="*", sequence=1 + index * CREW_SEQUENCES // len(CREW))
                   for index, name in enumerate(CREW))
    return programs, (f'<application name="moving"><programs>{moving}</programs></application>'
                      f'<application name="crew"><starting_strategy>LESS_LOADED</starting_strategy><programs>{crew}</programs>'
                      "</application>")


def cluster(kind, options, hosts):
    return Beside(kind, options.build, *programs_and_rules(), hosts=hosts)


def until(predicate, seconds, pause=0.002, begin=None):
    """Seconds until it holds; None when it does not in time."""
    begin = begin or time.monotonic()
    while time.monotonic() < begin + seconds:
        if predicate():
            return time.monotonic() - begin
        time.sleep(pause)
    return None


def bring_up(servers):
    """Seconds from the start of the last daemon until every one is in OPERATION."""
    waiting = list(range(len(servers.instances)))
    servers.start(waiting[:-1])
    begin = time.monotonic()
    servers.start(waiting[-1:])

    def is_up():
        while waiting and servers.state(waiting[0]) == "OPERATION":
            waiting.pop(0)
        return not waiting and all(servers.state(index) == "OPERATION" for index in range(len(servers.instances)))

    seconds = until(is_up, 90, 0.02, begin)
    if seconds is None:
        raise SystemExit(f"{servers.kind}: no OPERATION\n{servers.last_words()}")
    return seconds


def is_reported(servers, index):
    try:
        return all(servers.instance_state(seen_by, index) in LOST
                   for seen_by in range(len(servers.instances)) if seen_by != index)
    except xmlrpc.client.Fault:
        return False


def lose(servers, index, program, number):
    """A daemon gets a signal: seconds until all others call it lost, and until its program runs elsewhere."""
    nick = servers.instances[index].nick
    process = f"moving:{program}"
    if list(servers.observed(alive_only=False)[process]) != [nick]:
        raise SystemExit(f"{servers.kind}: {process} does not run on {nick}")
    begin, patience = time.monotonic(), GIVE_UP_SECONDS[servers.kind]
    servers.instances[index].send(number)
    reported = until(lambda: is_reported(servers, index), patience, begin=begin)
    moved = until(lambda: set(servers.observed(alive_only=False).get(process, {})) - {nick}, patience, begin=begin)
    copies = len(servers.observed(alive_only=False).get(process, {}))
    return reported, moved, copies


def start_crew(servers):
    """Seconds from the request to its answer; then they all run, as the observer says."""
    begin = time.monotonic()
    servers.call(0, "start_application", "LESS_LOADED", "crew", True)
    seconds = time.monotonic() - begin
    placed = [next(iter(where)) for process, where in servers.observed().items() if process.startswith("crew:")]
    counts = sorted(placed.count(one.nick) for one in servers.instances)
    if counts != [len(CREW) // 3] * 3:
        raise SystemExit(f"{servers.kind}: the crew is placed as {counts}")
    return seconds


def measure_crew(servers, bare, own):
    before = bare.start(len(CREW))
    own.setdefault("crew", []).append(start_crew(servers))
    after = bare.start(len(CREW))
    own.setdefault("crew_of_bare", []).append(own["crew"][-1] / ((before + after) / 2))
    servers.call(0, "stop_application", "crew")


def measure_loss(kind, options, own, index, program, number):
    """One cluster, one loss. A daemon that was stopped goes on before the end, and finds its place again."""
    with cluster(kind, options, (1, 2, 3)) as servers:
        own.setdefault("up_3", []).append(bring_up(servers))
        servers.call(0, "start_application", "CONFIG", "moving")
        reported, moved, copies = lose(servers, index, program, number)
        is_killed = number == signal.SIGKILL
        own.setdefault("killed" if is_killed else "silent", []).append(reported)
        own.setdefault("moved_silent" if not is_killed else "moved_master" if index == 0 else "moved", []).append(moved)
        own.setdefault("copies", []).append(copies)


def measure(kind, options, bare):
    own = {}
    for _ in range(min(1, options.rounds) if kind == "supvisors" else options.rounds):
        with cluster(kind, options, (1,) * 8) as servers:
            own.setdefault("up_8", []).append(bring_up(servers))
        with cluster(kind, options, (1, 2, 3)) as servers:
            own.setdefault("up_3", []).append(bring_up(servers))
            for _ in range(1 if kind == "supvisors" else 3):
                measure_crew(servers, bare, own)
        measure_loss(kind, options, own, 2, "of_last", signal.SIGKILL)
        measure_loss(kind, options, own, 0, "of_master", signal.SIGKILL)
        measure_loss(kind, options, own, 2, "of_last", signal.SIGSTOP)
    return own


def losses_told(servers):
    """Lines of the logs that call an instance lost."""
    found = []
    for one in servers.instances:
        with open(os.path.join(one.directory, "main.log"), encoding="utf-8", errors="replace") as stream:
            found += [line.strip() for line in stream if " FAILED" in line]
    return found


def measure_load(options):
    """False alarms in a cluster of three, and in one of eight, while two programs for each processor do nothing but count."""
    busy = [subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"], start_new_session=True)
            for _ in range(2 * (os.cpu_count() or 1))]
    try:
        with cluster("svisord", options, (1, 2, 3)) as three, cluster("svisord", options, (1,) * 8) as eight:
            for servers in (three, eight):
                bring_up(servers)
            time.sleep(options.load * 60)
            told = losses_told(three) + losses_told(eight)
            states = {servers.state(index) for servers in (three, eight) for index in range(len(servers.instances))}
    finally:
        for one in busy:
            one.kill()
            one.wait()
    for line in told[:20]:
        print(f"# {line}")
    return {"minutes": options.load, "programs": len(busy), "false_alarms": len(told), "states": sorted(map(str, states))}


def shown(key, values):
    if not values:
        return ""
    if any(value is None for value in values):
        return "never"
    worst, median = max(values), statistics.median(values)
    form = "{:.2f}" if key == "crew_of_bare" else "{:.0f} ms" if worst < 10 else "{:.1f} s"
    factor = 1000 if "ms" in form else 1
    text = form.format(worst * factor)
    return text if len(values) == 1 else f"{form.format(median * factor)}, {text}"


def print_table(results, options):
    print(f"\n{'median, worst':48}" + "".join(f"{kind:>22}" for kind in options.servers))
    for key, title in ROW_OF.items():
        print(f"{title:48}" + "".join(f"{shown(key, results[kind].get(key, [])):>22}" for kind in options.servers))
    for kind in options.servers:
        print(f"{kind}: copies of a program after the loss of its daemon: {results[kind].get('copies', [])}")


def print_targets(results):
    own = results["svisord"]
    measured = {key: limit for key, limit in TARGETS.items() if key in own}
    missed = [key for key, limit in measured.items() if any(value is None or value >= limit for value in own[key])]
    print("\nTargets, for the worst of all rounds:")
    for key, limit in measured.items():
        wanted = f"under {limit:g}" + ("" if key == "crew_of_bare" else " s")
        print(f"  {'MISSED' if key in missed else 'met   '} {ROW_OF[key].strip()}: {shown(key, own[key])}, wanted {wanted}")
    if "load" in results:
        alarms = results["load"]["false_alarms"]
        states = results["load"]["states"]
        is_calm = alarms == 0 and states == ["OPERATION"]
        print(f"  {'met   ' if is_calm else 'MISSED'} false alarms in {results['load']['minutes']:g} minutes of full load: {alarms}; "
              f"at the end all are in {', '.join(states)}")
        missed += [] if is_calm else ["load"]
    return not missed


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--servers", default="supvisors,svisord")
    parser.add_argument("--load", type=float, default=0, metavar="MINUTES")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--check", action="store_true", help="leave with 1 when a target is missed")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    reasons = {kind: missing(kind, options.build) for kind in options.servers.split(",")}
    for kind, reason in reasons.items():
        if reason:
            print(f"cluster: no {kind}: {reason}")
    options.servers = [kind for kind, reason in reasons.items() if reason is None]
    return options


def main():
    options = arguments()
    if "svisord" not in options.servers:
        sys.exit(1)
    bare = Bare(options.build)
    print(f"cluster: {options.rounds} rounds; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)
    results = {}
    for kind in options.servers:
        print(f"cluster: {kind}", flush=True)
        results[kind] = measure(kind, options, bare)
    if options.load:
        print(f"cluster: {options.load:g} minutes of full load", flush=True)
        results["load"] = measure_load(options)
    print_table(results, options)
    is_met = print_targets(results)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as stream:
            json.dump(results, stream, indent=2)
    sys.exit(1 if options.check and not is_met else 0)


if __name__ == "__main__":
    main()
