#!/usr/bin/python3
"""Formulas, names and the signs # and @ mean to svisord what they mean to Supvisors 0.19."""
# seconds: 120

import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import supvisors_facts
import tap

NAMES = ["a", "b", "web_1", "web_2", "web_10", "größe"]
OPERANDS = ["'a'", '"b"', "'web_1'", "'web_.*'", "r'web_\\d'", "'nobody'", "'gr..e'", "'a|b'", "'.'", "'web' '_1'", "'('",
            "'[ab]'", "a", "1", "'\\x61'", "u'b'", "b'a'", "'a' 'b'", "''"]
INSTANCES = [["one:1", "first", ["odd", "all"]], ["two:1", "second", ["even", "all"]], ["three:1", "three:1", ["odd"]],
             ["four:1", "four", []], ["five:1", "five", ["odd", "last"]]]
WORDS = ["one:1", "first", "second", "three:1", "four", "five:1", "odd", "even", "all", "last", "nobody", "two:1"]


def random_formula(chance, depth=0):
    form = chance.choice(["operand", "operand", "any", "all", "not", "and", "or", "brackets"]) if depth < 4 else "operand"
    inner = lambda: random_formula(chance, depth + 1)  # noqa: E731
    return {"operand": lambda: chance.choice(OPERANDS), "any": lambda: f"any({inner()})", "all": lambda: f"all({inner()})",
            "not": lambda: f"not {inner()}", "and": lambda: f"{inner()} and {inner()}",
            "or": lambda: f"{inner()} or {inner()}", "brackets": lambda: f"({inner()})"}[form]()


def broken(chance, text):
    """The text with a piece lost, or doubled."""
    place = chance.randrange(len(text))
    length = chance.randint(1, 3)
    return text[:place] + text[place + length:] if chance.random() < 0.6 else text[:place + length] + text[place:]


def ask(lines):
    done = subprocess.run([os.path.join(tap_options.build, "gen", "ask")], input="".join(line + "\n" for line in lines),
                          capture_output=True, text=True, check=False)
    answers = done.stdout.split("\n")[:-1]
    tap.check(len(answers), len(lines), "answers")
    return answers


def compare(name, cases, lines, shown=lambda answer, case: answer):
    expected = supvisors_facts.answers(name, cases, tap_options.record)
    found = [f"{case}: Supvisors {shown(wanted, case)!r}, svisord {actual!r}"
             for case, wanted, actual in zip(cases, expected, ask(lines)) if shown(wanted, case) != actual]
    print(f"# {len(cases)} cases")
    tap.check_true(not found, f"{len(found)} differ\n" + "\n".join(found[:20]))


def formula_cases(seeds):
    cases = []
    for seed in seeds:
        chance = random.Random(seed)
        text = random_formula(chance)
        if seed % 4 == 0:
            text = broken(chance, text)
        if "\t" not in text and "\n" not in text:
            cases.append({"formula": text, "processes": {name: chance.random() < 0.6 for name in NAMES}})
    return cases


def formula_line(case):
    return "\t".join(["formula", case["formula"]] + [f"{name}={int(is_good)}" for name, is_good in case["processes"].items()])


@tap.test("a formula is true, false, an error or refused alike")
def _():
    cases = formula_cases(range(600 if not os.environ.get("SUPVISORS_SRC") or tap_options.record else 6000))
    compare("supvisors_formulas", cases, [formula_line(case) for case in cases])


@tap.test("identifiers, nicknames and stereotypes are found alike")
def _():
    cases = []
    for seed in range(200):
        chance = random.Random(seed)
        chosen = [chance.choice(WORDS) for _ in range(chance.randint(0, 5))]
        cases.append({"names": list(dict.fromkeys(chosen)), "instances": INSTANCES})
    lines = ["\t".join(["find", ",".join(case["names"])] + [f"{one};{nick};{','.join(kinds)}"
                                                              for one, nick, kinds in INSTANCES]) for case in cases]
    compare("supvisors_names", cases, lines, lambda answer, _: ",".join(answer))


@tap.test("# and @ give processes to the same instances")
def _():
    cases, lines = [], []
    identifiers = [one for one, _, _ in INSTANCES]
    for seed in range(300):
        chance = random.Random(seed)
        allowed = chance.sample(identifiers, chance.randint(1, len(identifiers)))
        assigned = [chance.choice(allowed) if chance.random() < 0.25 else None for _ in range(chance.randint(1, 9))]
        sign = chance.choice("@#")
        cases.append({"sign": sign, "names": allowed, "instances": INSTANCES, "assigned": assigned})
        lines.append("\t".join(["at" if sign == "@" else "hash",
                                ",".join(str(identifiers.index(one)) for one in allowed),
                                ",".join("-" if one is None else str(identifiers.index(one)) for one in assigned)]))
    compare("supvisors_assignments", cases, lines,
            lambda answer, _: ",".join("-" if one is None else str(identifiers.index(one)) for one in answer))


if __name__ == "__main__":
    tap_options = tap.arguments(lambda parser: parser.add_argument("--record", action="store_true"))
    tap.run_all(tap_options)
