"""The applications of tests/interop/placements.py: for each a group of programs, and its rules.

The ballast makes every strategy choose differently: supv-01 carries 30 %, supv-02 10 %, supv-03 35 %; supv-01 and supv-02
share a node, so that the nodes carry 40 and 35 %.
"""

STRATEGIES = ("CONFIG", "LESS_LOADED", "MOST_LOADED", "LOCAL", "LESS_LOADED_NODE", "MOST_LOADED_NODE")
ENDLESS = "/bin/sleep 100000"
# What belongs into the [program:x] section; everything else of a program is a rule.
SECTION_KEYS = ("command", "startsecs", "startretries", "autorestart", "exitcodes", "numprocs", "process_name", "directory")
SECTION = {"command": ENDLESS, "directory": "@DIR@", "startsecs": 0, "autostart": "false", "autorestart": "false"}
# The order in which the schema wants them is any; that of Supvisors' documents is kept.
FAILS = {"command": "/bin/sh -c 'exit 3'", "startsecs": 2, "startretries": 0}


def program(sequence=1, load=0, **more):
    return {"start_sequence": sequence, "expected_loading": load, **more}


def one_of_each(prefix, sequences, **more):
    """p1, p2, ...: one program for each number of a sequence."""
    return {f"{prefix}{i}": program(sequence, **more) for i, sequence in enumerate(sequences, 1)}


def started_by_themselves():
    """For each strategy an application that starts with the cluster, one after the other."""
    return {f"auto_{name.lower()}": {"start_sequence": number, "starting_strategy": name,
                                     "programs": one_of_each(f"auto{number}_", (1, 1, 2), load=2)}
            for number, name in enumerate(STRATEGIES, 2)}


def failing(prefix, strategy, required="true"):
    """The second of three sequences has a program that does not start."""
    return {"starting_failure_strategy": strategy, "programs": {
        f"{prefix}1": program(1), f"{prefix}2": program(2, required=required, **FAILS), f"{prefix}3": program(2),
        f"{prefix}4": program(3)}}


def crashing(prefix, strategy):
    return {"running_failure_strategy": strategy, "starting_strategy": "LESS_LOADED",
            "programs": one_of_each(prefix, (1, 1, 2), load=5)}


def losing(prefix, strategy):
    """One program on each instance, the first and the last of which may also run on supv-02."""
    return {"running_failure_strategy": strategy, "programs": {
        f"{prefix}1": program(1, 5, identifiers="supv-03,supv-02"), f"{prefix}2": program(1, 5, identifiers="supv-02"),
        f"{prefix}3": program(2, 5, identifiers="supv-01,supv-02")}}


def conflicting(prefix, strategy):
    return {"starting_strategy": "LESS_LOADED", "running_failure_strategy": strategy,
            "programs": one_of_each(prefix, (1, 1), load=5)}


APPLICATIONS = {
    "ballast": {"start_sequence": 1, "programs": {
        "ballast1": program(load=30, identifiers="supv-01"), "ballast2": program(load=10, identifiers="supv-02"),
        "ballast3": program(load=35, identifiers="supv-03")}},
    **started_by_themselves(),
    "work": {"programs": {
        "work1": program(1, 10, identifiers="supv-03,supv-01"), "work2": program(1, 20), "work3": program(2, 15),
        "work4": program(2, 5), "work5": program(2, 5, identifiers="supv-02,supv-03"), "work6": program(0, 5)}},
    "single": {"distribution": "SINGLE_INSTANCE", "identifiers": "supv-03,supv-02,supv-01",
               "programs": one_of_each("single", (1, 1, 2), load=10)},
    "node": {"distribution": "SINGLE_NODE", "identifiers": "supv-02,supv-03,supv-01",
             "programs": one_of_each("node", (1, 2, 3), load=10)},
    "hash": {"programs": {"h": {"numprocs": 4, "process_name": "h_%(process_num)02d", "pattern": "h_",
                                **program(1, identifiers="#")}}},
    "at": {"programs": {"at": {"numprocs": 4, "process_name": "at_%(process_num)02d", "pattern": "at_",
                               **program(1, identifiers="@,supv-03,supv-01")}}},
    "heavy": {"starting_strategy": "LESS_LOADED", "programs": one_of_each("heavy", (1, 2, 3, 3), load=55, required="false")},
    "tight": {"starting_failure_strategy": "ABORT", "programs": {
        "tight1": program(1, 60), "tight2": program(2, 70, required="true"), "tight3": program(3, 1)}},
    "whole": {"distribution": "SINGLE_INSTANCE", "programs": one_of_each("whole", (1, 2), load=40)},
    "steps": {"programs": {
        "steps1": program(3, stop_sequence=1), "steps2": program(1, stop_sequence=2), "steps3": program(2, stop_sequence=2),
        "steps4": program(2, stop_sequence=3), "steps5": program(0, stop_sequence=4)}},
    "jobs": {"programs": {
        "jobs1": program(1, wait_exit="true", required="true", command="/bin/sleep 1.5"), "jobs2": program(2),
        "jobs3": program(2, wait_exit="true", command="/bin/sleep 1.2"), "jobs4": program(3)}},
    "badjobs": {"programs": {
        "badjobs1": program(1, wait_exit="true", required="true", command="/bin/sh -c 'sleep 1.5; exit 4'"),
        "badjobs2": program(2)}},
    "abort": failing("abort", "ABORT"), "stop": failing("stop", "STOP"), "go_on": failing("go_on", "CONTINUE"),
    "optional": failing("optional", "STOP", required="false"),
    "run_continue": crashing("rc", "CONTINUE"), "run_process": crashing("rp", "RESTART_PROCESS"),
    "run_stop": crashing("rs", "STOP_APPLICATION"), "run_restart": crashing("ra", "RESTART_APPLICATION"),
    "lost_continue": losing("lc", "CONTINUE"), "lost_process": losing("lp", "RESTART_PROCESS"),
    "lost_stop": losing("ls", "STOP_APPLICATION"), "lost_restart": losing("lr", "RESTART_APPLICATION"),
    "formula": {"operational_status": "all('formula[12]') and (any('formula[34]') or not 'formula5')",
                "programs": one_of_each("formula", (1, 1, 1, 1, 1))},
    "same": conflicting("same", "RESTART_PROCESS"), "twice": conflicting("twice", "STOP_APPLICATION"),
    "reborn": {"running_failure_strategy": "RESTART", "programs": {"reborn": program(1, identifiers="supv-02")}},
    "last": {"running_failure_strategy": "SHUTDOWN", "programs": {"last": program(1, identifiers="supv-02")}},
}


def _elements(rules):
    return "".join(f"<{key}>{value}</{key}>" for key, value in rules.items() if key not in ("programs", "pattern", *SECTION_KEYS))


def programs_text():
    lines = []
    for application, row in APPLICATIONS.items():
        for name, own in row["programs"].items():
            section = {**SECTION, **{key: value for key, value in own.items() if key in SECTION_KEYS}}
            lines += [f"[program:{name}]", *(f"{key}={value}" for key, value in section.items())]
        lines += [f"[group:{application}]", "programs=" + ",".join(row["programs"])]
    return "\n".join(lines) + "\n"


def rules_text():
    def one(name, own):
        which = f'pattern="{own["pattern"]}"' if "pattern" in own else f'name="{name}"'
        return f"<program {which}>{_elements(own)}</program>"

    return "\n".join(f'<application name="{name}">{_elements(row)}<programs>'
                     + "".join(one(*item) for item in row["programs"].items()) + "</programs></application>"
                     for name, row in APPLICATIONS.items())


def sequence_of(process, key):
    """Of a process `application:name`, its start_sequence or stop_sequence."""
    application, name = process.split(":")
    rules = APPLICATIONS[application]["programs"].get(name)
    if rules is None:  # of a program with numprocs
        rules = next(iter(APPLICATIONS[application]["programs"].values()))
    return rules.get(key, rules["start_sequence"])
