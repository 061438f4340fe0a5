#!/usr/bin/python3
"""The same rules and the same commands give the same placements, sequences and final states in Supvisors 0.19 and in svisor.

Three instances on two nodes. SUPVISORS_SRC names a checkout of Supvisors, which then runs beside (eight minutes: it waits for
its ticks); without it svisor is compared with what was recorded of it.
"""
# seconds: 900

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from placement_samples import STRATEGIES
from placement_session import main, phase

MASTER, SECOND, LAST = 0, 1, 2


@phase("applications start with the cluster, in their order, each by its strategy", tidy=False)
def _(session):
    session.settle()
    for number, name in enumerate(STRATEGIES, 2):
        session.note_application(f"auto_{name.lower()}")
        session.note_waves(f"auto_{name.lower()}", since=1)
    session.note_application("ballast")
    first = {}
    for index in range(session.count):
        for row in session.cluster.call(index, "get_all_local_process_info"):
            if row["start_monotonic"]:
                first[row["group"]] = min(first.get(row["group"], 1e9), row["start_monotonic"])
    session.note("order of the applications", sorted(first, key=first.get))


def place_by_every_strategy(session, asked, application):
    for strategy in STRATEGIES:
        session.call(asked, "start_application", strategy, application)
        session.note_application(application)
        session.note_waves(application)
        session.call(MASTER, "stop_application", application)


@phase("every strategy places the processes of an application alike, one by one")
def _(session):
    place_by_every_strategy(session, SECOND, "work")


@phase("every strategy places a whole application on one instance alike")
def _(session):
    place_by_every_strategy(session, LAST, "single")


@phase("every strategy places a whole application on one node alike")
def _(session):
    place_by_every_strategy(session, SECOND, "node")


@phase("every strategy places a single process alike, and predicts so")
def _(session):
    for strategy in STRATEGIES:
        for process in ("work:work1", "work:work2", "work:work6"):
            session.call(SECOND, "test_start_process", strategy, process)
            session.call(SECOND, "start_process", strategy, process)
        session.note("where they run", session.placed("work"))
        session.call(MASTER, "stop_application", "work")


def room_for_what_starts(reference, ours):
    """Supvisors asks for room for all of a SINGLE_INSTANCE application to start one program of it."""
    return (reference, ours) in (({"single:single2": ["supv-03"]}, {"single:single2": ["supv-01"]}),
                                 (["fault", 40, "ABNORMAL_TERMINATION: failed to start whole:whole1"], ["result", True]))


@phase("one program of an application of one instance has its place alike")
def _(session):
    for process in ("work:work1", "work:work2", "work:work6"):
        session.call(SECOND, "start_process", "MOST_LOADED_NODE", process)
    session.call(SECOND, "start_process", "MOST_LOADED_NODE", "single:single2")
    session.note("where it runs", session.placed("single"), room_for_what_starts)
    session.call(MASTER, "stop_application", "single")
    session.call(SECOND, "start_process", "LESS_LOADED", "whole:whole1", accept=room_for_what_starts)


@phase("# and @ assign the processes of a program alike")
def _(session):
    for application in ("hash", "at"):
        session.call(MASTER, "start_application", "LESS_LOADED", application)
        session.note_application(application)
        for process in (0, 1, 2, 3):
            rules = session.outcome(MASTER, "get_process_rules", f"{application}:{application[:1]}_{process:02}"
                                    if application == "hash" else f"at:at_{process:02}")
            session.note(f"{application} {process}", rules[1][0]["identifiers"])


@phase("what no node has room for is refused alike")
def _(session):
    for application in ("heavy", "tight"):
        session.call(MASTER, "start_application", "LESS_LOADED", application)
        session.note_application(application)
        session.note_waves(application)
        session.call(MASTER, "stop_application", application)
    session.call(MASTER, "start_process", "CONFIG", "heavy:heavy1")
    session.call(MASTER, "start_process", "MOST_LOADED", "heavy:heavy2")
    session.call(MASTER, "test_start_process", "CONFIG", "heavy:heavy3")
    session.call(MASTER, "start_process", "CONFIG", "heavy:heavy3")
    session.call(MASTER, "start_application", "LESS_LOADED", "whole")
    session.note_application("whole")
    session.note_application("heavy")


@phase("start and stop sequences, and jobs that are waited for, have the same order")
def _(session):
    session.call(SECOND, "start_application", "LESS_LOADED", "steps")
    session.note_waves("steps")
    session.call(SECOND, "start_process", "LESS_LOADED", "steps:steps5")
    session.note_application("steps")
    session.call(LAST, "stop_application", "steps")
    session.note_waves("steps", "stop")
    session.call(MASTER, "restart_application", "CONFIG", "steps")
    session.note_waves("steps", "start")
    session.note_application("steps")
    for application in ("jobs", "badjobs"):
        session.call(MASTER, "start_application", "CONFIG", application)
        session.settle()
        session.note_waves(application)
        session.note_application(application)


@phase("every starting failure strategy ends alike")
def _(session):
    for application in ("abort", "stop", "go_on", "optional"):
        session.call(MASTER, "start_application", "CONFIG", application)
        session.settle()
        session.note_application(application)
        session.note_waves(application)


@phase("every running failure strategy does the same about a program that crashes")
def _(session):
    crashed = {"run_continue": "rc1", "run_process": "rp3", "run_stop": "rs3", "run_restart": "ra1"}
    for application, process in crashed.items():
        session.call(SECOND, "start_application", "LESS_LOADED", application)
        before = session.pids(application)
        session.crash(f"{application}:{process}")
        session.settle()
        session.note_application(application)
        after = session.pids(application)
        session.note("started again", sorted(name for name in before if name in after and before[name] != after[name]))


@phase("an operational status formula and required programs tell the same failures")
def _(session):
    session.call(MASTER, "start_application", "CONFIG", "formula")
    session.note_application("formula")
    for process in ("formula3", "formula4", "formula5", "formula1"):
        session.call(MASTER, "stop_process", f"formula:{process}")
        session.note_application("formula")
    session.call(MASTER, "start_process", "CONFIG", "formula:formula1")
    session.note_application("formula")
    session.crash("formula:formula2")
    session.settle()
    session.note_application("formula")


def conflict(session, application):
    """The first program of it runs twice, then, the younger copy last."""
    runs = session.placed(application)
    process = f"{application}:{application}1"
    other = next(index for index in (LAST, SECOND, MASTER) if f"supv-0{index + 1}" not in runs[process])
    session.outcome(other, "supervisor.startProcess", process)
    session.wait_state("CONCILIATION")
    rows = session.cluster.call(MASTER, "get_conflicts")
    session.note("conflicts", [[row["process_name"], sorted(row["identifiers"])] for row in rows])


@phase("every conciliation strategy resolves a real conflict alike")
def _(session):
    for application in ("same", "twice"):
        session.call(MASTER, "start_application", "LESS_LOADED", application)
    for strategy, application in (("SENICIDE", "same"), ("INFANTICIDE", "same"), ("STOP", "same"), ("RESTART", "same"),
                                  ("RUNNING_FAILURE", "same"), ("RUNNING_FAILURE", "twice")):
        if not session.placed(application).get(f"{application}:{application}1"):
            session.call(MASTER, "start_process", "LESS_LOADED", f"{application}:{application}1")
        conflict(session, application)
        if application == "same" and strategy == "SENICIDE":
            session.call(SECOND, "conciliate", "USER")
            session.note_application(application)
        session.call(MASTER, "conciliate", strategy)
        session.wait_state("OPERATION")
        session.settle()
        session.note_application(application)


LOST = ("lost_continue", "lost_process", "lost_stop", "lost_restart")
WELL = {"statename": "RUNNING", "major_failure": False, "minor_failure": False}
STOPPED_AFTER_FAILURE = {"statename": "STOPPED", "major_failure": False, "minor_failure": True}
# What svisor does about the programs of a lost Master: what both do about those of any other lost instance.
MASTERS_PROGRAMS = (
    {"lost_process:lp1": ["supv-03"], "lost_process:lp2": ["supv-02"], "lost_process:lp3": ["supv-02"]},
    [WELL, {"lp1": ["RUNNING", True], "lp2": ["RUNNING", True], "lp3": ["RUNNING", True]}],
    {}, [STOPPED_AFTER_FAILURE, {"ls1": ["STOPPED", True], "ls2": ["STOPPED", True], "ls3": ["FATAL", False]}],
    {"lost_restart:lr1": ["supv-03"], "lost_restart:lr2": ["supv-02"], "lost_restart:lr3": ["supv-02"]},
    [WELL, {"lr1": ["RUNNING", True], "lr2": ["RUNNING", True], "lr3": ["RUNNING", True]}],
    ["lost_process:lp3", "lost_restart:lr1", "lost_restart:lr2", "lost_restart:lr3"],
)


def masters_programs_are_missed(_, ours):
    """Supvisors does nothing about the programs of a dead Master, the next Master of svisor what their rules say."""
    return ours in MASTERS_PROGRAMS


# What is known of programs that were lost with an instance, after its return.
NOT_FORGOTTEN = (
    [{**WELL, "minor_failure": True}, {"lc1": ["EXITED", False], "lc2": ["RUNNING", True], "lc3": ["RUNNING", True]}],
    [STOPPED_AFTER_FAILURE, {"ls1": ["EXITED", False], "ls2": ["STOPPED", True], "ls3": ["STOPPED", True]}],
    {"ballast:ballast1": ["supv-01"], "ballast:ballast2": ["supv-02"], "ballast:ballast3": ["supv-03"]},
    [WELL, {"ballast1": ["RUNNING", True], "ballast2": ["RUNNING", True], "ballast3": ["RUNNING", True]}],
)


def failure_is_not_forgotten(_, ours):
    """The new supervisord knows nothing, and Supvisors takes its rows for the truth. That of svisor knows what its keeper has
    ended, and so an application that starts by itself is repaired."""
    return ours in NOT_FORGOTTEN


def lose(session, index, accept=None):
    """Its daemon dies while it runs a program of each; who runs where afterwards, and what was started again."""
    before = {}
    for application in LOST:
        session.call(SECOND, "start_application", "CONFIG", application)
        before.update(session.pids(application))
    session.note("before", {name: sorted(where) for name, where in before.items()})
    session.cluster.kill(index)
    witness = SECOND if index == MASTER else MASTER
    session.cluster.wait(lambda: session.cluster.instance_state(witness, index) == "STOPPED", 40, "the loss to be told")
    session.wait_state("OPERATION")
    session.settle()
    after = {}
    for application in LOST:
        session.note_application(application, accept)
        after.update(session.pids(application))
    session.note("started again", sorted(name for name in after if after[name] != before[name]), accept)
    session.note("the Master", session.cluster.call(witness, "get_master_identifier"))


@phase("every running failure strategy does the same about a program whose instance is lost and comes back")
def _(session):
    lose(session, LAST)
    session.start_gone()
    session.wait_state("OPERATION")
    session.settle()
    for application in (*LOST, "ballast"):
        session.note_application(application, failure_is_not_forgotten)
    session.note("the Master", session.cluster.call(MASTER, "get_master_identifier"))


@phase("RESTART after a crash restarts the cluster, and the same applications start again in the same places")
def _(session):
    session.call(SECOND, "start_application", "CONFIG", "reborn")
    before = session.pids("ballast")
    session.crash("reborn:reborn")
    session.cluster.wait(lambda: len(session.pids("ballast")) == 3
                         and not any(one in before.values() for one in session.pids("ballast").values()), 90, "a new start")
    session.wait_state("OPERATION")
    session.settle()
    session.note("where all run", {name: sorted(where) for name, where in session.cluster.observed().items()})
    session.note_application("reborn")


# After the one that lets every daemon begin anew: Supvisors counts an instance that has come back three times in its node's load.
@phase("when the Master is lost the same other one is Master, and its programs are looked after as any others")
def _(session):
    lose(session, MASTER, masters_programs_are_missed)


@phase("SHUTDOWN after a crash ends every daemon and every program")
def _(session):
    session.call(SECOND, "start_application", "CONFIG", "last")
    session.crash("last:last")
    session.cluster.wait(lambda: not any(one.is_running() for one in session.cluster.instances), 60, "the end of all")
    session.note("exit codes", [one.process.returncode for one in session.cluster.instances])
    session.note("what still runs", sorted(session.cluster.observed(alive_only=False)))


if __name__ == "__main__":
    main()
