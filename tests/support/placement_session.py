"""One phase, two clusters, what became of it compared: who runs where, in which order it began, and what is said of it.

    @phase("every strategy chooses the same instance")
    def _(session):
        session.call(1, "start_application", "LOCAL", "work")
        session.note_application("work")

A phase plays on Supvisors 0.19 and on svisor at the same time, on clusters that all phases share and find tidy. Without
SUPVISORS_SRC it plays on svisor alone, and is compared with what the same program recorded of Supvisors (`--record`).
"""

import json
import os
import signal
import threading
import time
import traceback
import xmlrpc.client

import tap
from cluster_beside import Beside, missing
from compare import compare_notes
from placement_samples import APPLICATIONS, programs_text, rules_text, sequence_of

RECORDED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop", "recorded", "supvisors_placements.json")
HOSTS = (1, 1, 2)
# For how long nothing may change before it counts as settled: Supervisor looks at its children once a second.
QUIET_SECONDS = {"supvisors": 2.2, "svisord": 0.6}
SETTLE_SECONDS = 60
AGREE_SECONDS = 2
KEPT = "ballast"


class Session:
    """A running cluster, and the notes of the present phase."""

    def __init__(self, kind, build):
        self.kind = kind
        self.cluster = Beside(kind, build, programs_text(), rules_text(), HOSTS)
        self.notes = []
        self.begin = time.monotonic()
        self.count = len(HOSTS)

    # Noting.

    def note(self, label, value, accept=None):
        self.notes.append((label, json.loads(json.dumps(value)), accept))
        return value

    def outcome(self, index, method, *arguments):
        try:
            return ["result", self.cluster.call(index, method, *arguments)]
        except xmlrpc.client.Fault as fault:
            return ["fault", fault.faultCode, fault.faultString]
        except xmlrpc.client.ProtocolError as error:
            return ["HTTP", error.errcode]

    def call(self, index, method, *arguments, accept=None):
        """Calls one instance, notes the answer, and waits until all instances have heard of what it has done."""
        self.begin = time.monotonic()
        answer = self.outcome(index, method, *arguments)
        self.note(f"supv-0{index + 1}: {method}{arguments!r}", answer, accept)
        application = arguments[-1].split(":")[0]
        if application in APPLICATIONS:
            self.agree(application)

    def living(self):
        return [index for index in range(self.count) if self.cluster.instances[index].is_running()]

    def agree(self, application):
        """Until all instances say the same of it; not for ever: what a lost one had is not known alike everywhere."""
        end = time.monotonic() + AGREE_SECONDS
        while len({json.dumps(self.told(index, application)) for index in self.living()}) > 1 and time.monotonic() < end:
            time.sleep(0.005)

    def said(self, index, application):
        return {f"{row['application_name']}:{row['process_name']}": sorted(self.cluster.nick_of[one] for one in row["identifiers"])
                for row in self.cluster.call(index, "get_process_info", application + ":*") if row["identifiers"]}

    def placed(self, application):
        """{process: [nicknames]} in /proc. What every instance says must be the same, at the latest a moment later."""
        found = {}

        def is_agreed(index):
            found.clear()  # a process is born a moment before it is where it belongs
            found.update({process: sorted(where) for process, where in self.pids(application).items()})
            return self.said(index, application) == found

        for index in self.living():
            self.cluster.wait(lambda: is_agreed(index), 5, f"supv-0{index + 1} to say what is in /proc of {application}")
        return found

    def pids(self, application):
        """{process: {nickname: pid}}"""
        return {process: where for process, where in self.cluster.observed().items() if process.startswith(application + ":")}

    def waves(self, application, moment="start", since=None):
        """Who was started (or stopped) since the last call, in order; those of one sequence that followed each other as one."""
        rows = []
        for index in self.living():
            rows += self.cluster.call(index, "get_all_local_process_info")
        happened = sorted((row[f"{moment}_monotonic"], f"{row['group']}:{row['name']}") for row in rows
                          if row["group"] == application and row[f"{moment}_monotonic"] > (since or self.begin))
        waves = []
        for _, process in happened:
            number = sequence_of(process, f"{moment}_sequence")
            if not waves or waves[-1][0] != number:
                waves.append([number, []])
            waves[-1][1].append(process)
        return [[number, sorted(names)] for number, names in waves]

    def told(self, index, application):
        """What an instance says of an application and of its processes."""
        info = self.cluster.call(index, "get_application_info", application)
        states = {row["process_name"]: [row["statename"], row["expected_exit"]]
                  for row in self.cluster.call(index, "get_process_info", application + ":*")}
        return [{key: info[key] for key in ("statename", "major_failure", "minor_failure")}, states]

    def note_application(self, application, accept=None):
        """Where its processes run, their states, and its own; as soon as all instances have heard of it."""
        self.note(f"{application}: where it runs", self.placed(application), accept)
        self.agree(application)
        self.note(f"{application}: states", self.told(self.living()[0], application), accept)

    def note_waves(self, application, moment="start", since=None):
        self.note(f"{application}: order of {moment}", self.waves(application, moment, since))

    # Waiting.

    def _picture(self):
        state = [self.outcome(index, "get_supvisors_state") for index in self.living()]
        jobs = [one[1]["starting_jobs"] or one[1]["stopping_jobs"] for one in state if one[0] == "result"]
        return (any(jobs) or any(one[0] != "result" for one in state), self.cluster.observed(),
                [one[1]["fsm_statename"] for one in state if one[0] == "result"])

    def settle(self):
        """Until no job is left and nothing has changed for a while."""
        end = time.monotonic() + SETTLE_SECONDS
        quiet_since, last = time.monotonic(), None
        while time.monotonic() < quiet_since + QUIET_SECONDS[self.kind]:
            picture = self._picture()
            if picture[0] or picture != last:
                quiet_since, last = time.monotonic(), picture
            tap.check_true(time.monotonic() < end, f"{self.kind}: not settled after {SETTLE_SECONDS} s: {picture}\n"
                           f"{self.cluster.last_words()}")
            time.sleep(0.05)

    def wait_state(self, wanted):
        self.cluster.wait_state(wanted, self.living())

    # Doing.

    def crash(self, process):
        """Its program is killed from outside, everywhere."""
        self.begin = time.monotonic()
        for pid in self.pids(process.split(":")[0])[process].values():
            os.kill(pid, signal.SIGKILL)

    def start_gone(self):
        """Daemons that have died come back. Behind one of svisord nothing may have lived on: its keeper has seen to it."""
        for index in range(self.count):
            if not self.cluster.instances[index].is_running():
                had_orphans = self.cluster.end_orphans(index)
                tap.check_true(self.kind == "supvisors" or not had_orphans, "programs of a dead svisord live on")
                self.cluster.start([index])

    def tidy(self):
        """All daemons work, and nothing but the ballast runs."""
        self.start_gone()
        self.wait_state_or_conciliate()
        for application in APPLICATIONS:
            if application != KEPT and self.pids(application):
                answer = self.outcome(0, "stop_application", application)
                tap.check(answer, ["result", True], f"{self.kind}: stop_application({application})")
        ballast = self.cluster.observed()
        wanted = {f"{KEPT}:{KEPT}{i + 1}": [f"supv-0{i + 1}"] for i in range(self.count)}
        if {process: list(where) for process, where in ballast.items()} != wanted:
            self.outcome(0, "restart_application", "CONFIG", KEPT)
        self.settle()
        self.notes = []

    def wait_state_or_conciliate(self):
        def works():
            states = {self.cluster.state(index) for index in range(self.count)}
            if states == {"CONCILIATION"}:
                self.outcome(0, "conciliate", "STOP")
            return states == {"OPERATION"}

        self.cluster.wait(works, 90, "OPERATION")


class Pair:
    """Both clusters, made at their first use."""

    def __init__(self, options):
        self.options = options
        self.sessions = {}
        self.recorded = {}

    def play(self, sentence, script, needs_tidiness):
        reason = missing("svisord", self.options.build)
        if reason:
            tap.skip(reason)
        why_alone = missing("supvisors", self.options.build)
        kinds = ["svisord"] if why_alone else ["supvisors", "svisord"]
        outcomes = {kind: {} for kind in kinds}
        threads = [threading.Thread(target=self._play, args=(kind, script, needs_tidiness, outcomes[kind])) for kind in kinds]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        errors = [outcome["error"] for outcome in outcomes.values() if "error" in outcome]
        ours = outcomes["svisord"].get("notes", [])
        if why_alone:
            print(f"# {why_alone}: compared with what was recorded of Supvisors 0.19")
            reference = self.read(sentence, ours)
        else:
            reference = outcomes["supvisors"].get("notes", [])
        if not why_alone and "error" not in outcomes["supvisors"]:
            self.recorded[sentence] = [note[:2] for note in reference]
        if self.options.show:
            for label, value, _ in reference:
                print(f"# {label}\n#     {value!r}")
        shorter = min(len(reference), len(ours)) if errors else None
        lines = compare_notes(reference[:shorter], ours[:shorter])
        if errors or lines:
            tap.fail("\n".join(lines + errors))
        tap.check_true(ours, "the phase noted nothing")

    def _play(self, kind, script, needs_tidiness, outcome):
        try:
            session = self.sessions.get(kind)
            if session is None:
                session = self.sessions[kind] = Session(kind, self.options.build)
                session.cluster.start()
                session.wait_state("OPERATION")
            session.notes = []
            if needs_tidiness:
                session.tidy()
            try:
                script(session)
            finally:
                outcome["notes"] = session.notes
        except BaseException:
            outcome["error"] = f"{kind}: {traceback.format_exc()}"

    def read(self, sentence, ours):
        notes = read_recorded().get(sentence)
        tap.check_true(notes is not None, "nothing is recorded of this: run with SUPVISORS_SRC and --record")
        accepts = [accept for _, _, accept in ours] + [None] * len(notes)
        return [(label, value, accept) for (label, value), accept in zip(notes, accepts)]

    def close(self):
        for session in self.sessions.values():
            session.cluster.close()
        if self.options.record and self.recorded:
            write_recorded({**read_recorded(), **self.recorded})


def read_recorded():
    try:
        with open(RECORDED, encoding="utf-8") as stream:
            return json.load(stream)
    except FileNotFoundError:
        return {}


def write_recorded(phases):
    """One line for each note, so that a difference can be read."""
    blocks = [json.dumps(sentence) + ": [\n" + ",\n".join(json.dumps(note, ensure_ascii=False) for note in notes) + "\n]"
              for sentence, notes in phases.items()]
    with open(RECORDED, "w", encoding="utf-8") as stream:
        stream.write("{\n" + ",\n".join(blocks) + "\n}\n")


_pair = None


def options():
    def add(parser):
        parser.add_argument("--record", action="store_true", help="write down what Supvisors answered")
        parser.add_argument("--show", action="store_true", help="print what Supvisors answered")

    return tap.arguments(add)


def phase(sentence, tidy=True):
    def register(script):
        tap.test(sentence)(lambda: _pair.play(sentence, script, tidy))
        return script

    return register


def main():
    global _pair
    chosen = options()
    _pair = Pair(chosen)
    try:
        tap.run_all(chosen)
    finally:
        _pair.close()

