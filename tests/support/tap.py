"""A test program in a few lines, in the Test Anything Protocol.

    from tap import check, run_all, skip, test

    @test("a stopped program has no pid")
    def _():
        check(info["pid"], 0, "pid")

    if __name__ == "__main__":
        run_all()

Tests run in the order in which they are written, each prints one line, and what a failing one has to say
follows it as `# ` lines. run.py reads exactly this.
"""

import argparse
import os
import sys
import time
import traceback

_tests = []


class Skip(Exception):
    """Raised by skip(): the test cannot run here, and the text says why."""


class Failure(AssertionError):
    """A check that did not hold; the text is for people, no traceback needed."""


def test(sentence):
    """Registers the decorated function under a sentence that says what holds when it passes."""

    def register(function):
        _tests.append((sentence, function))
        return function

    return register


def skip(reason):
    raise Skip(reason)


def fail(text):
    raise Failure(text)


def check(actual, expected, what):
    if actual != expected:
        raise Failure(f"{what}: expected {expected!r}, got {actual!r}")


def check_true(condition, text):
    if not condition:
        raise Failure(text)


def arguments(add=None):
    """The options that every test program has; `add(parser)` may give it more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build", help="directory with svisord and svctl")
    parser.add_argument("--only", default="", help="run the tests whose sentence contains this")
    parser.add_argument("--list", action="store_true", help="print the sentences and leave")
    if add is not None:
        add(parser)
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    return options


def _say(text):
    for line in text.rstrip("\n").split("\n"):
        print("# " + line)


def run_all(options=None):
    """Runs every registered test and leaves the program: 0 when none failed."""
    options = options or arguments()
    chosen = [entry for entry in _tests if options.only in entry[0]]
    if options.list:
        for sentence, _ in chosen:
            print(sentence)
        sys.exit(0)
    print(f"1..{len(chosen)}", flush=True)
    failed_count = 0
    for number, (sentence, function) in enumerate(chosen, 1):
        begin = time.monotonic()
        try:
            function()
        except Skip as reason:
            print(f"ok {number} - {sentence} # SKIP {reason}")
        except Failure as failure:
            failed_count += 1
            print(f"not ok {number} - {sentence}")
            _say(str(failure))
        except Exception:  # a broken test is a failed test, and the next one still runs
            failed_count += 1
            print(f"not ok {number} - {sentence}")
            _say(traceback.format_exc())
        else:
            print(f"ok {number} - {sentence}")
        _say(f"took {time.monotonic() - begin:.2f} s")
        sys.stdout.flush()
    sys.exit(1 if failed_count else 0)
