"""Runs a test program inside virtual machines with systemd as PID 1 and real controllers (tests/vm/run).

    import tap, vm
    options = vm.arguments()

    @tap.test("a program has the memory controller")
    def _(): ...

    if __name__ == "__main__":
        vm.run_all(options)

    @vm.afterwards("it went down in the right order")
    def _(results): ...            # on the host, with the folder that was /run/vm, when the machine is off

Started on the host, run_all() boots one machine for each kernel, starts this same program in it, and passes on what it
prints, each sentence with the kernel before it. Inside, where SVISOR_VM is set, it is tap.run_all(). Every time limit of
a test in there wants to be ten times the usual one: the processor is emulated.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

import tap

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
RUN = os.path.join(ROOT, "tests", "vm", "run")
KERNELS = ("6.1", "6.12")
MACHINE_SECONDS = 600  # four times what it takes, for a host that has other work
MACHINE_FAILED = 125
PROGRAMS = ("qemu-system-x86_64", "busybox", "depmod", "cpio")


_afterwards = []


def afterwards(sentence):
    """Registers a check of what the machine has left in /run/vm."""

    def register(function):
        _afterwards.append((sentence, function))
        return function

    return register


def is_inside():
    return "SVISOR_VM" in os.environ


def arguments(add=None):
    def add_kernel(parser):
        parser.add_argument("--kernel", action="append", choices=KERNELS, help="only on this kernel")
        if add is not None:
            add(parser)

    return tap.arguments(add_kernel)


def missing(build, kernel):
    """Why there can be no machine with this kernel here; None: there can."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    absent = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    if absent:
        return f"{absent[0]} is not installed (make deps)"
    done = subprocess.run([os.path.join(ROOT, "tests", "vm", "kernel"), kernel, build], capture_output=True, text=True,
                          env=dict(os.environ, PATH=path))
    if done.returncode != 0:
        return f"Debian's kernel {kernel} cannot be fetched: {' '.join(done.stderr.split())[-200:]}"
    return None


def run(kernel, command, options, seconds=MACHINE_SECONDS, arguments=()):
    """Runs a command in a machine. (status, what it printed, what was said about the machine)

    The emulated processor now and then meets an instruction that another one is patching, while the kernel boots: a
    panic of the guest before it has run anything is told, and the machine is started once more."""
    for is_last in (False, True):
        done = subprocess.run([RUN, *arguments, kernel, str(seconds), *command], capture_output=True, text=True,
                              errors="replace", env=dict(os.environ, BUILD=options.build))
        if is_last or done.stdout or "Kernel panic" not in done.stderr:
            break
        print(f"# {kernel}: the machine did not boot (kernel panic), once more", flush=True)
    return done.returncode, done.stdout, done.stderr


def _pass_on(kernel, status, output, trouble):
    """What the program in the machine printed, with the kernel before each sentence. True when all is well."""
    sys.stdout.write(re.sub(r"^((?:not )?ok \d+ - )", rf"\g<1>{kernel}: ", output, flags=re.M))
    results = len(re.findall(r"^(?:not )?ok \d+", output, re.M))
    plan = re.search(r"^1\.\.(\d+)", output, re.M)
    if plan and results == int(plan.group(1)) and status in (0, 1):
        return status == 0
    print(f"not ok {results + 1} - {kernel}: the machine runs to the end")
    for line in trouble.rstrip("\n").split("\n"):
        print(f"# {line}")
    return False


def _look_afterwards(kernel, results):
    is_well = True
    print(f"1..{len(_afterwards)}")
    for number, (sentence, function) in enumerate(_afterwards, 1):
        try:
            function(results)
        except (tap.Failure, OSError) as failure:
            is_well = False
            print(f"not ok {number} - {kernel}: {sentence}\n# " + str(failure).replace("\n", "\n# "))
        else:
            print(f"ok {number} - {kernel}: {sentence}")
    return is_well


def run_all(options, kernels=KERNELS, seconds=MACHINE_SECONDS, arguments=()):
    """Leaves the program: 0 when no test failed. `arguments`: further options of tests/vm/run, such as --prepare."""
    if is_inside() or options.list:
        tap.run_all(options)
    program = [sys.executable, os.path.abspath(sys.argv[0]), "--build", options.build, "--only", options.only]
    is_well = True
    for kernel in options.kernel or kernels:
        reason = missing(options.build, kernel)
        if reason:
            print(f"1..1\nok 1 - {kernel}: a machine with this kernel # SKIP {reason}", flush=True)
            continue
        with tempfile.TemporaryDirectory() as results:
            extra = ("--results", results, *arguments)
            is_well_here = _pass_on(kernel, *run(kernel, program, options, seconds, extra))
            if is_well_here and _afterwards and not options.only:
                is_well_here = _look_afterwards(kernel, results)
            is_well = is_well and is_well_here
        sys.stdout.flush()
    sys.exit(0 if is_well else 1)
