# seconds: 700
# The virtual machine itself is what the other tests here need it to be.
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
import vm

options = vm.arguments()


def read(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read()


@tap.test("systemd is process 1, and nothing has failed")
def _():
    tap.check(read("/proc/1/comm").strip(), "systemd", "process 1")
    done = subprocess.run(["systemctl", "--no-pager", "--failed", "--plain", "--no-legend"], capture_output=True, text=True)
    tap.check((done.returncode, done.stdout.strip()), (0, ""), "systemctl --failed")


@tap.test("it runs the kernel that was asked for")
def _():
    tap.check(".".join(os.uname().release.split(".")[:2]), os.environ["SVISOR_VM"], "uname -r")


@tap.test("cgroup2 stands alone and has the controllers")
def _():
    found = read("/sys/fs/cgroup/cgroup.controllers").split()
    tap.check(sorted({"cpu", "cpuset", "io", "memory", "pids"} - set(found)), [], "controllers that are missing")


@tap.test("bpffs is mounted")
def _():
    tap.check_true(" /sys/fs/bpf bpf " in read("/proc/self/mounts"), "no bpf in /proc/self/mounts")


@tap.test("svisord of the build directory can be executed, and nobody can change it")
def _():
    path = os.path.join(options.build, "svisord")
    done = subprocess.run([path, "--version"], capture_output=True, text=True)
    tap.check(done.returncode, 0, f"{path} --version: {done.stderr}")
    try:
        open(os.path.join(options.build, "written-by-the-machine"), "w")
    except OSError:
        return
    tap.fail("the build directory is writable")


@tap.test("the results' share can be written")
def _():
    with open("/run/vm/probe", "w", encoding="ascii") as stream:
        stream.write("x")
    tap.check(read("/run/vm/probe"), "x", "what was written")


if __name__ == "__main__":
    vm.run_all(options)
