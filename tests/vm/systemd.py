# seconds: 900
# svisord under a real systemd: its two units from boot to shutdown, the cgroup it is given, the watchdog, and the
# scope of a daemon that was started by hand.
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
import vm
from daemon import wait_until
from units import (CGROUPS, CONFIG_HEAD, CONTROLLERS, PROGRAMS, SOCKET, WAIT_SECONDS, cgroup_of, check_placed, come_back,
                   info, install, journal, main_pid, prepare, processes_below, read, rpc, run_well, running_pid, show, states)

options = vm.arguments()
CONFIG = CONFIG_HEAD + """[program:web]
command=/bin/sleep 100000
startsecs=0
[program:family]
command=/bin/sh -c 'setsid sleep 100000 & exec sleep 100000'
startsecs=0
[program:missing]
command=/no/such/program
startretries=0
[program:last]
command=/bin/sh -c 'trap "exit 0" TERM; while :; do sleep 100000 & wait; done'
startsecs=0
"""


@tap.test("svisord is up after a boot, and began after its programs' unit was ready")
def _():
    wait_until(lambda: states() == ("active", "active"), WAIT_SECONDS, "both units to be active")
    ready = int(show("svisor-programs", "ActiveEnterTimestampMonotonic"))
    begun = int(show("svisord", "InactiveExitTimestampMonotonic"))
    tap.check_true(0 < ready <= begun, f"programs' unit ready at {ready} us, svisord begun at {begun} us")


@tap.test("programs are in the delegated cgroup, with every controller")
def _():
    check_placed(running_pid("web"))
    tap.check_true(cgroup_of(main_pid()) == "/system.slice/svisord.service", f"svisord is in {cgroup_of(main_pid())}")
    tap.check(processes_below(PROGRAMS + "/holder"), ["/usr/local/sbin/svisor-holder", "svisor-keeper"], "the holder's leaf")
    tap.check(read(PROGRAMS + "/cgroup.procs"), "", "processes in the delegated cgroup itself")


@tap.test("a limit in a program's cgroup can be set and holds")
def _():
    path = CGROUPS + cgroup_of(running_pid("web"))
    with open(path + "/memory.max", "w", encoding="ascii") as stream:
        stream.write("64M")
    tap.check(read(path + "/memory.max").strip(), str(64 << 20), "memory.max")


@tap.test("the kernel report calls every controller active")
def _():
    rows = {row["name"]: row for row in rpc().svisor.getKernelReport()}
    for name in sorted(CONTROLLERS):
        row = rows[f"controller {name}"]
        tap.check_true(row["active"], f"controller {name}: {row['missing']}")
    tap.check_true(rows["cgroup2"]["detail"].startswith(PROGRAMS), f"cgroup2 is at {rows['cgroup2']['detail']}")


@tap.test("systemctl status has a line with the counts")
def _():
    wanted = "4 processes: 3 running, 1 fatal"
    wait_until(lambda: show("svisord", "StatusText") == wanted, WAIT_SECONDS, repr(wanted))
    rpc().supervisor.stopProcess("web")
    wanted = "4 processes: 2 running, 1 fatal, 1 stopped"
    wait_until(lambda: show("svisord", "StatusText") == wanted, WAIT_SECONDS, repr(wanted))
    rpc().supervisor.startProcess("web")


@tap.test("what systemd says to svisord is not inherited by its programs")
def _():
    ours, theirs = (read(f"/proc/{pid}/environ") for pid in (main_pid(), running_pid("web")))
    for name in ("NOTIFY_SOCKET=", "WATCHDOG_USEC=", "SVISOR_PROGRAMS_UNIT="):
        tap.check_true(name in ours, f"{name} is not even said to svisord")
        tap.check_true(name not in theirs, f"the program inherits {name}")


@tap.test("a line of the log has its priority in the journal")
def _():
    run_well("journalctl", "--sync")
    critical = run_well("journalctl", "--no-pager", "-o", "cat", "-u", "svisord", "-p", "crit")
    tap.check_true("is running as root" in critical and "spawned" not in critical, f"critical lines: {critical}")
    every = run_well("journalctl", "--no-pager", "-o", "cat", "-u", "svisord", "-p", "info")
    tap.check_true(re.search(r"^spawned: 'web' with pid", every, re.M), f"lines: {every}")


@tap.test("systemctl restart works again and again")
def _():
    for _ in range(2):
        before, web = main_pid(), running_pid("web")
        run_well("systemctl", "restart", "svisord")
        come_back(before)
        tap.check_true(running_pid("web") != web, "the program is the same: a restart is to stop and start it")
    tap.check(show("svisord", "Result"), "success", "Result")
    tap.check(show("svisor-programs", "NRestarts"), "0", "restarts of the holder")


@tap.test("systemctl reload takes over what has changed, and nothing else")
def _():
    before, web = main_pid(), running_pid("web")
    with open("/etc/supervisord.conf", "a", encoding="ascii") as stream:
        stream.write("[program:added]\ncommand=/bin/sleep 100000\nstartsecs=0\n")
    run_well("systemctl", "reload", "svisord")
    running_pid("added")
    tap.check((main_pid(), running_pid("web")), (before, web), "svisord and the program that has not changed")


@tap.test("a SIGHUP restarts everything, and systemd hears of it")
def _():
    before, web = main_pid(), running_pid("web")
    os.kill(before, signal.SIGHUP)
    wait_until(lambda: (info("web") or {"pid": 0})["pid"] not in (0, web), WAIT_SECONDS, "another web")
    wait_until(lambda: states()[0] == "active", WAIT_SECONDS, "svisord to be active")
    tap.check(main_pid(), before, "main process")
    check_placed(running_pid("web"))


@tap.test("systemctl stop ends every program, strays too, and the holder stays")
def _():
    run_well("systemctl", "stop", "svisord")
    tap.check(processes_below(PROGRAMS), ["/usr/local/sbin/svisor-holder"], "what lives on")
    tap.check(states(), ("inactive", "active"), "units")
    tap.check(show("svisord", "Result"), "success", "Result")
    run_well("systemctl", "start", "svisord")
    come_back(0)


@tap.test("svctl shutdown is final")
def _():
    run_well("svctl", "shutdown")
    wait_until(lambda: states()[0] == "inactive", WAIT_SECONDS, "svisord to be inactive")
    tap.check(show("svisord", "Result"), "success", "Result")
    time.sleep(1)  # RestartSec is a tenth of it
    tap.check(states()[0], "inactive", "ActiveState, after the time of a restart")
    run_well("systemctl", "start", "svisord")
    come_back(0)


@tap.test("a daemon that hangs is killed by the watchdog, and the next one works")
def _():
    before = main_pid()
    os.kill(before, signal.SIGSTOP)
    come_back(before)
    tap.check_true("watchdog" in journal().lower(), f"nobody speaks of a watchdog:\n{journal()}")


@tap.test("a daemon that is killed comes back, again and again")
def _():
    for _ in range(2):
        before = main_pid()
        os.kill(before, signal.SIGKILL)
        come_back(before)
    tap.check_true("219" not in journal(), journal())


@tap.test("stopping the programs' unit stops svisord first, and leaves nobody")
def _():
    run_well("systemctl", "stop", "svisor-programs")
    tap.check(states(), ("inactive", "inactive"), "units")
    tap.check(processes_below(PROGRAMS), [], "what lives on")
    tap.check_true(int(show("svisord", "InactiveEnterTimestampMonotonic"))
                   <= int(show("svisor-programs", "ActiveExitTimestampMonotonic")), "svisord is stopped after the programs")
    run_well("systemctl", "start", "svisord")
    come_back(0)


HAND = f"{CGROUPS}/system.slice/svisor-hand.scope"


def hand_command():
    with open("/tmp/hand.conf", "w", encoding="ascii") as stream:
        stream.write(CONFIG.replace(SOCKET, "/tmp/hand.sock").replace("identifier=machine", "identifier=hand")
                     .replace("/run/vm/svisord.log", "/tmp/hand.log").replace("/run/svisor-test", "/tmp/hand"))
    return [options.build + "/svisord", "-n", "-c", "/tmp/hand.conf"]


def start_by_hand():
    process = subprocess.Popen(hand_command(), stdout=subprocess.DEVNULL)
    wait_until(lambda: os.path.exists("/tmp/hand.sock") and info("web", "/tmp/hand.sock"), WAIT_SECONDS,
               "svisord to answer")
    check_placed(running_pid("web", "/tmp/hand.sock"), "/system.slice/svisor-hand.scope/svisor/hand/")
    return process


@tap.test("started by hand svisord gets a scope with every controller, and gives it back")
def _():
    here = cgroup_of("self")
    process = start_by_hand()
    tap.check(cgroup_of(process.pid), here, "the cgroup of svisord itself")
    tap.check(show("svisor-hand.scope", "ActiveState"), "active", "the scope")
    web = running_pid("web", "/tmp/hand.sock")
    process.send_signal(signal.SIGHUP)  # the scope of before may just be going away
    wait_until(lambda: (info("web", "/tmp/hand.sock") or {"pid": 0})["pid"] not in (0, web), WAIT_SECONDS, "another web")
    check_placed(running_pid("web", "/tmp/hand.sock"), "/system.slice/svisor-hand.scope/svisor/hand/")
    process.terminate()
    tap.check(process.wait(WAIT_SECONDS), 0, "exit status")
    wait_until(lambda: not os.path.exists(HAND), WAIT_SECONDS, "the scope to go away")


@tap.test("a scope that a killed svisord has left is used by the next one, with the programs in it")
def _():
    process = start_by_hand()
    web = running_pid("web", "/tmp/hand.sock")
    process.kill()
    process.wait()
    wait_until(lambda: not any("svisor-holder" in name for name in processes_below(HAND)), WAIT_SECONDS,
               "the holder to end with svisord")
    tap.check_true(os.path.exists(HAND), "the scope went away with svisord")
    process = start_by_hand()
    tap.check(running_pid("web", "/tmp/hand.sock"), web, "the program, which has lived on")
    process.terminate()
    tap.check(process.wait(WAIT_SECONDS), 0, "exit status")
    wait_until(lambda: not os.path.exists(HAND), WAIT_SECONDS, "the scope to go away")


@tap.test("in a unit of its own with Delegate=yes programs run, without controllers, and it is said why")
def _():
    run_well("systemd-run", "--unit=own", "-p", "Delegate=yes", *hand_command())
    wait_until(lambda: os.path.exists("/tmp/hand.sock") and info("web", "/tmp/hand.sock"), WAIT_SECONDS, "an answer")
    path = cgroup_of(running_pid("web", "/tmp/hand.sock"))
    tap.check_true(path.startswith("/system.slice/own.service/svisor/hand/"), f"the program is in {path}")
    tap.check(read(CGROUPS + "/system.slice/own.service/cgroup.subtree_control").strip(), "", "subtree_control of the unit")
    rows = {row["name"]: row for row in rpc("/tmp/hand.sock").svisor.getKernelReport()}
    tap.check_true("passed on" in rows["controller memory"]["missing"], rows["controller memory"]["missing"])
    run_well("systemctl", "stop", "own")


@tap.test("in a PID namespace of its own svisord asks for no scope, for the numbers there are others'")
def _():
    process = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *hand_command()],
                               stdout=subprocess.DEVNULL)
    running_pid("web", "/tmp/hand.sock")
    tap.check_true(not os.path.exists(HAND), "there is a scope")
    tap.check_true("systemd gives no cgroup" in read("/tmp/hand.log"), f"nobody says why:\n{read('/tmp/hand.log')}")
    process.kill()  # and, by --kill-child, svisord, which is process 1 of the namespace, and all with it
    process.wait()


@vm.afterwards("at a shutdown svisord ends its programs itself, before their unit goes")
def _(results):
    text = read(results + "/svisord.log")
    last = text[text.rindex("received SIGTERM"):]
    for name in ("web", "last", "family"):
        tap.check_true(f"stopped: {name} (" in last, f"{name} was not stopped by svisord:\n{last}")


if __name__ == "__main__":
    if not vm.is_inside() and not options.list:
        install(options)
    vm.run_all(options, seconds=800, arguments=("--prepare", prepare(CONFIG, 8), "--shutdown"))
