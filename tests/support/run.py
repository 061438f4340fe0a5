#!/usr/bin/python3
"""Runs the tests and says in one line how many passed, failed and were skipped.

    run.py --build DIR [--filter TEXT] SUITE...

A suite is a list of programs that print the Test Anything Protocol:

    unit          every program below DIR/test (cmocka; also the simulation and the checks of bpf)
    web           web/src/**/*.test.ts: the model of the dashboard, by node
    fuzz          DIR/fuzz/replay_*: every fuzz target over its saved corpus
    lint          tests/lint/lint.py
    integration   tests/integration/*.py
    interop       tests/interop/*.py: beside the real Supervisor
    kernel        tests/kernel/*.py: every way to die, and what svisord says of it
    browser       tests/browser/*.py: the dashboard of real daemons in Chromium
    vm            tests/vm/*.py: in virtual machines with systemd and real controllers, on each kernel
    quick         unit, web, fuzz, lint, and the integration and browser programs that say so
    all           all of them, vm on the newest kernel only

A Python program may say in comments within its first ten lines:

    # suite: quick        it also belongs to check-quick
    # seconds: 600        it may take this long
    # isolation: none     it must see the machine's own process ids

Two programs run at a time, in sessions of their own; as root also in PID namespaces of their own, so that
nothing which a test signals can be outside of it, and nothing survives it. Each gets a private TMPDIR. At the
end comes one more test: that no process, cgroup, pin or file was left behind. A suite that ran nothing, or
that skipped everything, is a failure; except vm, which needs QEMU and a kernel from Debian's archive, and browser.
"""

import argparse
import concurrent.futures
import ctypes
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUITES = ("unit", "web", "fuzz", "lint", "integration", "interop", "kernel", "browser", "vm")
KERNELS = ("6.1", "6.12")  # of the virtual machines, the newest last
NOT_QUICK = ("interop", "kernel", "vm")
SECONDS_MAX = 300
JOBS = 2
TAIL_LINES = 60
PR_SET_CHILD_SUBREAPER = 36

RESULT = re.compile(r"^(not )?ok\b\s*(\d*)\s*-?\s*(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)")
SKIP = re.compile(r"#\s*skip\w*[:\s]*(.*)$", re.I)


class Program:
    """One program to run, and what became of it."""

    def __init__(self, suite, name, command, seconds=SECONDS_MAX, is_isolated=False):
        self.suite = suite
        self.name = name
        self.command = command
        self.seconds_max = seconds
        self.is_isolated = is_isolated
        self.passed_count = 0
        self.failures = []  # (sentence, what it said)
        self.skips = []  # (sentence, reason)
        self.left = []
        self.seconds = 0.0


def header(path):
    """The `# word: value` lines at the top of a test program."""
    found = {}
    with open(path, encoding="utf-8") as stream:
        for _, line in zip(range(10), stream):
            match = re.match(r"#\s*(suite|seconds|isolation):\s*(\S+)", line)
            if match:
                found[match.group(1)] = match.group(2)
    return found


def executables(pattern):
    return sorted(path for path in glob.glob(pattern, recursive=True)
                  if os.path.isfile(path) and os.access(path, os.X_OK))


def can_isolate():
    """True when a PID namespace can be made here."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    return subprocess.run(ISOLATE + ["true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


ISOLATE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


def python_programs(suite, build, only_quick=False):
    programs = []
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", suite, "*.py"))):
        words = header(path)
        if only_quick and words.get("suite") != "quick":
            continue
        programs.append(Program(suite, os.path.relpath(path, ROOT), [sys.executable, path, "--build", build],
                                int(words.get("seconds", SECONDS_MAX)), words.get("isolation") != "none"))
    return programs


def vm_programs(build, kernels):
    """Each program once for each kernel: a machine keeps little more than one processor busy."""
    programs = []
    for one in python_programs("vm", build):
        for kernel in kernels:
            programs.append(Program("vm", f"{one.name} {kernel}", one.command + ["--kernel", kernel], one.seconds_max,
                                    one.is_isolated))
    return programs


def programs_of(suite, build, options):
    if suite == "unit":
        return [Program(suite, os.path.relpath(path, build), [path]) for path in executables(build + "/test/**")]
    if suite == "web":
        return [Program(suite, os.path.relpath(path, build), ["node", "--test", "--test-reporter=tap", path])
                for path in sorted(glob.glob(build + "/web/test/*.mjs"))]
    if suite == "fuzz":
        return [Program(suite, os.path.relpath(path, build), [path, name, f"{ROOT}/tests/fuzz/corpus/{name}"])
                for path in executables(build + "/fuzz/replay_*")
                for name in [os.path.basename(path).removeprefix("replay_")]]
    if suite == "lint":
        return [Program(suite, "tests/lint/lint.py", [sys.executable, ROOT + "/tests/lint/lint.py", "--build", build])]
    if suite == "vm":
        return vm_programs(build, KERNELS if "vm" in options.suites else KERNELS[-1:])
    return python_programs(suite, build, "quick" in options.suites)


def read_output(program, output, status):
    """Counts what the program printed."""
    planned = 0
    said = []
    results = 0
    for line in output.split("\n"):
        plan, result = PLAN.match(line), RESULT.match(line)
        if plan:
            planned += int(plan.group(1))
        if not result:
            said.append(line)
            continue
        results += 1
        skip = SKIP.search(line)
        sentence = SKIP.sub("", result.group(3)).strip(" #-") or f"test {result.group(2)}"
        if skip:
            reasons = [skip.group(1)] + [SKIP.search(one).group(1) for one in said if SKIP.search(one)]
            reason = next((text for text in reversed(reasons) if text and text != sentence), "no reason given")
            program.skips.append((sentence, reason.strip()))
        elif result.group(1):
            program.failures.append((sentence, None))
        else:
            program.passed_count += 1
        said = []
    text = "\n".join(output.rstrip("\n").split("\n")[-TAIL_LINES:])
    if status != 0 and not program.failures:
        program.failures.append((f"ended with status {status}", None))
    if results < planned:
        program.failures.append((f"ran {results} of {planned} tests", None))
    if results == 0 and not program.failures:
        program.failures.append(("ran no test", None))
    if program.failures:
        program.failures[-1] = (program.failures[-1][0], text)


def run(program, isolate):
    directory = tempfile.mkdtemp(prefix="svc-")
    os.chmod(directory, 0o755)  # programs of other users look into it
    environment = dict(os.environ, TMPDIR=directory, CMOCKA_MESSAGE_OUTPUT="TAP", LC_ALL="C.UTF-8", TZ="UTC",
                       PYTHONDONTWRITEBYTECODE="1")
    command = (ISOLATE if isolate and program.is_isolated else []) + program.command
    begin = time.monotonic()
    output_path = os.path.join(directory, ".output")
    with open(output_path, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                   env=environment, cwd=ROOT, start_new_session=True)
        try:
            status = process.wait(program.seconds_max)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # ours, and not yet reaped: the number cannot be another's
            process.wait()
            status = f"nothing: killed after {program.seconds_max} s"
    program.seconds = time.monotonic() - begin
    with open(output_path, "rb") as stream:
        read_output(program, stream.read().decode("utf-8", "replace"), status)
    os.unlink(output_path)
    program.left = [os.path.join(directory, name) for name in sorted(os.listdir(directory))]
    shutil.rmtree(directory, ignore_errors=True)
    return program


def mounts(kind):
    with open("/proc/self/mountinfo", encoding="utf-8") as stream:
        for line in stream:
            words = line.split()
            if words[words.index("-") + 1] == kind:
                yield words[4]


def traces():
    """What svisor leaves on a machine while it runs: cgroups, pins, files of its run-time directory."""
    found = set()
    for mount in mounts("cgroup2"):
        names = glob.glob(mount + "/**/svisor*", recursive=True) + glob.glob(mount + "/svisor*/*")
        found.update(name for name in names if os.path.isdir(name))
    for mount in mounts("bpf"):
        found.update(glob.glob(mount + "/svisor*"))
    found.update(glob.glob("/run/svisor*") + glob.glob("/run/svisor*/*"))
    return found


def is_in_use(path):
    """A cgroup with processes in it, which then are not ours: somebody else's daemon runs here as well."""
    try:
        with open(path + "/cgroup.events", encoding="ascii") as stream:
            return "populated 1" in stream.read()
    except OSError:
        return False


def children():
    """Process ids below us. As their subreaper we inherit whatever a test has left."""
    with open("/proc/self/task/%d/children" % os.getpid(), encoding="ascii") as stream:
        return [int(word) for word in stream.read().split()]


def end_child(pid):
    """Ends a process that a test has left to us. Its command line."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            command = stream.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
        if os.waitpid(pid, os.WNOHANG)[0] == 0:
            os.kill(pid, signal.SIGKILL)  # a child of ours that has not been reaped
            os.waitpid(pid, 0)
            return f"process {pid}: {command}"
    except OSError:
        pass
    return None


def left_behind(programs, before):
    lines = [f"{program.name}: file {path}" for program in programs for path in program.left]
    for pid in iter(lambda: next(iter(children()), None), None):  # killing one may hand us its children
        line = end_child(pid)
        if line:
            lines.append(line)
    return lines + [path for path in sorted(traces() - before) if not is_in_use(path)]


def print_program(program):
    word = "FAIL" if program.failures else "ok"
    print(f"{word:4} {program.suite:11} {program.name}: {program.passed_count} passed, "
          f"{len(program.failures)} failed, {len(program.skips)} skipped, {program.seconds:.1f} s", flush=True)


def print_failure(sentence, text):
    print(f"  {sentence}")
    if text:
        print(textwrap.indent(text, " " * 6))


def summarize(programs, suites):
    """Prints skips and failures; gives the numbers."""
    passed = sum(program.passed_count for program in programs)
    failures = [(program.name, *failure) for program in programs for failure in program.failures]
    skips = [(program.name, *skip) for program in programs for skip in program.skips]
    for suite in suites:
        own = [program for program in programs if program.suite == suite]
        is_excused = suite in ("vm", "browser") and any(program.skips for program in own)
        if not is_excused and not any(program.passed_count or program.failures for program in own):
            failures.append((suite, "the suite ran nothing" if not own else "the suite skipped everything", None))
    if skips:
        print("\nSkipped:")
        for name, sentence, reason in skips:
            print(f"  {name}: {sentence}\n      because {reason}")
    if failures:
        print("\nFailed:")
        for name, sentence, text in failures:
            print_failure(f"{name}: {sentence}", text)
    return passed, len(failures), len(skips)


# Suites whose programs share the machine with a second one and compare what happens in time.
TIMED = ("integration", "interop", "kernel", "browser", "vm")


def again_alone(program, isolate):
    """
    A program of a timed suite that failed is run once more with the machine to itself. What passes then was
    the fault of the company, and is told; what fails again is a failure.
    """
    if program.suite not in TIMED or not program.failures:
        return program
    again = Program(program.suite, program.name, program.command, program.seconds_max, program.is_isolated)
    run(again, isolate)
    for sentence, text in program.failures:
        print_failure(f"   failed beside another program, {'again' if again.failures else 'not'} alone: {sentence}", text)
    print_program(again)
    again.left += program.left
    return again


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--filter", default="", help="only programs whose name contains this")
    parser.add_argument("suites", nargs="+", choices=SUITES + ("quick", "all"), metavar="SUITE")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    only_quick = "quick" in options.suites
    suites = [name for name in SUITES if name in options.suites or "all" in options.suites
              or (only_quick and name not in NOT_QUICK)]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before = traces()
    isolate = can_isolate()
    programs = [program for suite in suites for program in programs_of(suite, build, options)
                if options.filter in program.name]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for program in pool.map(lambda one: run(one, isolate), programs):
            print_program(program)
    programs = [again_alone(program, isolate) for program in programs]
    clean = Program("clean", "tests/support/run.py", [])
    lines = left_behind(programs, before)
    if lines:
        clean.failures.append(("no process, cgroup, pin or file is left behind", "\n".join(lines)))
    else:
        clean.passed_count += 1
    print_program(clean)
    chosen = [suite for suite in suites if not options.filter or any(one.suite == suite for one in programs)]
    passed, failed, skipped = summarize(programs + [clean], chosen)
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
