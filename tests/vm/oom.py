# seconds: 700
# The OOM killer, for real: by a program's own limit, by its group's, and of a grandchild only.
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
import vm
import daemon
from daemon import Server, wait_until
from deaths import DEFAULTS, HEAD, death_of
from probe import cgroup_root

options = vm.arguments()
daemon.READY_SECONDS = 90  # eBPF alone takes seconds to load there
LIMIT = 48 << 20
HOG = """
import os, sys, time
while not os.path.exists("@DIR@/go"):
    time.sleep(0.05)
if len(sys.argv) > 1 and os.fork() != 0:
    os.wait()
    sys.exit(7)
held = bytearray(100 << 20)
time.sleep(1000)
"""
CONFIG = "".join(f"[program:{name}]\ncommand=@PYTHON@ @DIR@/hog.py {words}\n{DEFAULTS}"
                 for name, words in (("own", ""), ("group", ""), ("child", "child")))


def die(name, limited):
    """Runs a program under a limit written by hand into the directory `limited` below the root: its certificate."""
    server = Server("svisord", options.build, (HEAD + CONFIG).replace("@ID@", "oom-test"), start=False)
    server.write("hog.py", HOG)
    with server:
        server.start()
        proxy = server.rpc()
        proxy.supervisor.startProcess(name)
        directory = os.path.join(cgroup_root(proxy), limited)
        if not os.path.exists(directory + "/memory.max"):
            tap.skip(f"{directory} has no memory controller")
        for file, value in (("memory.swap.max", 0), ("memory.max", LIMIT)):
            if os.path.exists(f"{directory}/{file}"):
                with open(f"{directory}/{file}", "w", encoding="ascii") as stream:
                    stream.write(str(value))
        server.write("go", "")
        wait_until(lambda: proxy.supervisor.getProcessInfo(name)["statename"] == "EXITED", 120, f"{name} to end")
        return death_of(server, name)


def check(death, **expected):
    tap.check({key: death.get(key) for key in expected}, expected, death["summary"])
    # The kernel charges a cgroup before it asks those above: the peak of the leaf may stand over
    # their limit, by one huge page and a batch.
    tap.check_true(death["memory_peak_bytes"] <= LIMIT + (4 << 20) and death["oom_usage_bytes"] <= LIMIT,
                   f"the peak: {death}")


@tap.test("a program that reaches its own limit was ended by the OOM killer, and the limit is told")
def _():
    death = die("own", "own/own.1")
    check(death, cause="OOM", signal=int(signal.SIGKILL), oom_scope="OWN", oom_limit_bytes=LIMIT, oom_victim=death["pid"])
    tap.check_true(death["oom_cgroup"].endswith("/own/own.1"), death["oom_cgroup"])


@tap.test("the limit of the group is told from its own")
def _():
    death = die("group", "group")
    check(death, cause="OOM", signal=int(signal.SIGKILL), oom_scope="ANCESTOR", oom_limit_bytes=LIMIT,
          oom_victim=death["pid"])
    tap.check_true(death["oom_cgroup"].endswith("/group"), death["oom_cgroup"])


@tap.test("a grandchild that the OOM killer has chosen is named, and the parent has exited by itself")
def _():
    death = die("child", "child/child.1")
    check(death, cause="EXITED", exit_code=7, oom_scope="OWN", oom_limit_bytes=LIMIT)
    tap.check_true(death["oom_victim"] != death["pid"] and death["oom_command"].startswith("python3"), death)


if __name__ == "__main__":
    vm.run_all(options)
