"""What Supvisors 0.19 answers to a list of cases: asked of a checkout, or as it was recorded from one.

SUPVISORS_SRC names the checkout. With `--record` the answers are written to tests/interop/recorded/NAME.json, from
where they come when there is no checkout.
"""

import json
import os
import subprocess
import sys

import tap

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDED = os.path.join(os.path.dirname(HERE), "interop", "recorded")


def answers(name, cases, is_recording):
    """One answer for each case, in their order."""
    path = os.path.join(RECORDED, name + ".json")
    if os.environ.get("SUPVISORS_SRC"):
        done = subprocess.run([sys.executable, os.path.join(HERE, "supvisors_reference.py")], input=json.dumps(cases),
                              capture_output=True, text=True, check=False)
        tap.check_true(done.returncode == 0, f"Supvisors could not be asked: {done.stderr}")
        found = json.loads(done.stdout)
        if is_recording:
            with open(path, "w", encoding="utf-8") as stream:
                json.dump([{"case": case, "answer": answer} for case, answer in zip(cases, found)], stream, indent=1)
                stream.write("\n")
        return found
    print("# SUPVISORS_SRC is not set: compared with what was recorded of Supvisors 0.19")
    with open(path, encoding="utf-8") as stream:
        recorded = json.load(stream)
    by_case = {json.dumps(one["case"], sort_keys=True): one["answer"] for one in recorded}
    missing = [case for case in cases if json.dumps(case, sort_keys=True) not in by_case]
    tap.check_true(not missing, f"nothing is recorded of {missing[:3]}: run with SUPVISORS_SRC and --record")
    return [by_case[json.dumps(case, sort_keys=True)] for case in cases]


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
