# What svctl says of a cluster and supervisorctl does not: nodes, apps, place, --json, and completion in the shell.
# seconds: 120
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from cluster_ctl import Session, Svctl, svctl_of
from ctl_beside import Terminal
from daemon import wait_until

OPTIONS = tap.arguments()


def printed(run, line, status=0):
    text, exit_status = run(line)
    tap.check(exit_status, status, f"{line}: exit code; it printed {text!r}")
    return text


@tap.test("nodes shows who is there, who is Master, and why a killed daemon is not")
def _():
    with Session(OPTIONS.build) as session, Svctl(OPTIONS.build, session.configuration) as run:
        lines = printed(run, "nodes").splitlines()
        tap.check(lines[0].split(), "NODE IDENTIFIER STATE CLUSTER LOAD VERSION".split(), "titles")
        tap.check([line.split()[:2] for line in lines[1:]], [["*", "s1"], ["s2", session.cluster.identifiers[1]],
                                                             ["s3", session.cluster.identifiers[2]]], "rows")
        nodes = json.loads(printed(run, "nodes --json"))
        tap.check([(node["nick_identifier"], node["statename"], node["is_master"], node["loading"])
                   for node in nodes], [(name, "RUNNING", name == "s1", 10) for name in ("s1", "s2", "s3")], "nodes")
        tap.check(len({node["version"] for node in nodes} - {""}), 1, "versions")
        session.cluster.kill(2)
        wait_until(lambda: session.cluster.instance_state(0, 2) == "FAILED", 10, "the loss to be reported")
        text = printed(run, "nodes")
        tap.check_true("\ns3: " in text, f"no reason in {text!r}")


@tap.test("apps counts what runs where, and place says where each process may run and why it runs there")
def _():
    with Session(OPTIONS.build) as session, Svctl(OPTIONS.build, session.configuration) as run:
        rows = json.loads(printed(run, "apps --json"))
        tap.check(rows[0]["running_on"], {"s1": 1, "s2": 1, "s3": 1}, "where alpha runs")
        lines = printed(run, "apps").splitlines()
        tap.check(lines[1].split(), ["alpha", "RUNNING", "-", "yes", "3/3", "s1,", "s2,", "s3"], "the row of alpha")
        tap.check([line.split()[3] for line in lines[2:]], ["no", "no"], "beta and gone are not managed")

        text = printed(run, "place alpha beta")
        for part in ("alpha: RUNNING; starting strategy LESS_LOADED, distribution ALL_INSTANCES\n",
                     "\n  a2: RUNNING on s2\n    may run on s1, s2, s3 (identifiers: *), and counts 10% there\n",
                     "\nbeta: STOPPED; no rules, so the cluster does not place it\n"):
            tap.check_true(part in text, f"no {part!r} in {text!r}")
        placement = json.loads(printed(run, "place --json alpha"))[0]
        tap.check([process["running_on"] for process in placement["processes"]], [["s1"], ["s2"], ["s3"]], "placement")
        tap.check_true(all(process["why"] for process in placement["processes"]), f"a decision without reason: {placement}")
        tap.check(printed(run, "place nothing", 1),
                  "nothing: ERROR (BAD_NAME: application=nothing unknown to Supvisors)\n", "an unknown application")
        tap.check_true(printed(run, "place", 2).startswith("Error: place requires the name of an application\n"), "place")


@tap.test("the listings give the answers of the methods as JSON")
def _():
    with Session(OPTIONS.build) as session, Svctl(OPTIONS.build, session.configuration) as run:
        for line, count, key in (("sstate", 1, "fsm_statename"), ("sstate s2 s3", 2, "fsm_statename"),
                                 ("instance_status", 3, "loading"), ("application_info", 3, "major_failure"),
                                 ("application_rules alpha", 1, "starting_strategy"),
                                 ("sstatus alpha:*", 3, "identifiers"), ("local_status", 5, "pid"),
                                 ("process_rules", 5, "wait_exit"), ("conflicts", 0, None)):
            rows = json.loads(printed(run, line + " --json"))
            tap.check((len(rows), all(key in row for row in rows)), (count, True), line)
        tap.check(json.loads(printed(run, "master --json"))["nick_identifier"], "s1", "the Master")


@tap.test("the shell completes strategies, applications, processes of the cluster and instances")
def _():
    with Session(OPTIONS.build) as session:
        terminal = Terminal(svctl_of(OPTIONS.build), ["-c", session.configuration], session.cluster.servers[0].directory)
        try:
            terminal.expect("supervisor> ")
            terminal.send("start_application MOST_LOADED_N\t").expect("MOST_LOADED_NODE")
            terminal.send("alp\t").expect("alpha")
            terminal.send("\nstart_process LOC\tbet\t").expect("LOCAL beta")
            terminal.send("\nstop_process beta\nconciliate SEN\t").expect("SENICIDE")
            terminal.send("\ninstance_status s3\t").expect("s3 ").send("\n").expect("s3 .* ok")
            terminal.send("disable_stats ho\t").expect("host ").send("\n").expect("Host statistics disabled: True")
            terminal.send("exit\n")
            tap.check(terminal.end(), 0, "the exit code")
        finally:
            terminal.close()


if __name__ == "__main__":
    tap.run_all(OPTIONS)
