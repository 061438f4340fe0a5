"""What Supvisors 0.19 answers to a list of cases: asked of a checkout, or as it was recorded from one.

SUPVISORS_SRC names the checkout. With `--record` the answers are written to tests/interop/recorded/NAME.txt, from
where they come when there is no checkout: one line for each case, with the digest of the case.
"""

import hashlib
import json
import os
import subprocess
import sys

import tap

HERE = os.path.dirname(os.path.abspath(__file__))
# What a recorded answer leaves out.
COMMON = {"identifiers": ["*"], "at_identifiers": [], "hash_identifiers": [], "start_sequence": 0, "stop_sequence": 0,
          "starting_failure_strategy": "ABORT", "running_failure_strategy": "CONTINUE"}
DEFAULTS = {
    "applications": {"managed": False, "distribution": "ALL_INSTANCES", "starting_strategy": "CONFIG",
                     "operational_status": "", **COMMON},
    "processes": {"required": False, "wait_exit": False, "expected_loading": 0, **COMMON},
}
RECORDED = os.path.join(os.path.dirname(HERE), "interop", "recorded")


def _key(case):
    return hashlib.sha256(json.dumps(case, sort_keys=True).encode()).hexdigest()[:20]


def _slim(answer):
    """Without the fields of rules that have their default."""
    if not isinstance(answer, dict):
        return answer
    return {kind: value if kind not in DEFAULTS else {
        name: {key: field for key, field in fields.items() if field != DEFAULTS[kind][key]}
        for name, fields in value.items()} for kind, value in answer.items()}


def answers(name, cases, is_recording):
    """One answer for each case, in their order."""
    path = os.path.join(RECORDED, name + ".txt")
    if os.environ.get("SUPVISORS_SRC"):
        done = subprocess.run([sys.executable, os.path.join(HERE, "supvisors_reference.py")], input=json.dumps(cases),
                              capture_output=True, text=True, check=False)
        tap.check_true(done.returncode == 0, f"Supvisors could not be asked: {done.stderr}")
        found = json.loads(done.stdout)
        if is_recording:
            with open(path, "w", encoding="utf-8") as stream:
                for case, answer in zip(cases, found):
                    stream.write(f"{_key(case)} {json.dumps(_slim(answer), ensure_ascii=False)}\n")
        return [_slim(answer) for answer in found]
    print("# SUPVISORS_SRC is not set: compared with what was recorded of Supvisors 0.19")
    with open(path, encoding="utf-8") as stream:
        by_case = {line[:20]: json.loads(line[21:]) for line in stream}
    missing = [case for case in cases if _key(case) not in by_case]
    tap.check_true(not missing, f"nothing is recorded of {missing[:3]}: run with SUPVISORS_SRC and --record")
    return [by_case[_key(case)] for case in cases]


def sections(text):
    """What `svisord --check` prints: [(title, {key: text})]; a title is a section or a comment with a colon."""
    found = [("", {})]
    for line in text.split("\n"):
        if line.startswith("[") or line.startswith("; rules of "):
            found.append((line, {}))
        elif "=" in line and not line.startswith(";"):
            key, _, value = line.partition("=")
            found[-1][1].setdefault(key, value)
    return found
