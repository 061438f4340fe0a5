# seconds: 900
# Programs outlive svisord under a real systemd: a kill, a restart with on_stop=keep, an upgrade in place; where the
# keeper lives; the exact status of what ends meanwhile, by eBPF alone (neither kernel has PIDFD_INFO_EXIT); and what is
# said without it.
import os
import re
import signal
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
import vm
from daemon import wait_until
from units import (CGROUPS, CONFIG_HEAD, PROGRAMS, SOCKET, WAIT_SECONDS, cgroup_of, come_back, info, install, journal,
                   main_pid, prepare, processes_below, read, rpc, run_well, running_pid, show, states)

options = vm.arguments()
SVISORD = "/usr/local/sbin/svisord"
OTHER = "9.8.7"
CONFIG = CONFIG_HEAD + """[svisor]
on_stop=keep
[program:web]
command=/bin/sleep 100000
startsecs=0
[program:ender]
command=/bin/sh -c 'while ! rm /tmp/end; do sleep 0.05; done 2>/dev/null; echo ends; exit 7'
startsecs=0
autorestart=false
[program:victim]
command=/bin/sleep 100000
startsecs=0
autorestart=false
[program:last]
command=/bin/sh -c 'trap "exit 0" TERM; while :; do sleep 100000 & wait; done'
startsecs=0
"""


def start_all():
    """Every program runs; their pids."""
    for name in ("web", "ender", "victim", "last"):
        if info(name)["statename"] != "RUNNING":
            rpc().supervisor.startProcess(name)
    return {name: running_pid(name) for name in ("web", "ender", "victim", "last")}


def ends(pid):
    """It is dead and reaped: from now on nobody can ask its process for the status."""
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), WAIT_SECONDS, f"{pid} to be gone")


def end_two(pids):
    with open("/tmp/end", "w", encoding="ascii"):
        pass
    os.kill(pids["victim"], signal.SIGUSR1)
    for name in ("ender", "victim"):
        ends(pids[name])


def check_told(death, wanted):
    tap.check({key: death.get(key) for key in wanted}, wanted, f"certificate: {death.get('text')}")


def wait_answer():
    wait_until(lambda: info("web"), WAIT_SECONDS, "svisord to answer")


@tap.test("the keeper lives with the holder, and svisord alone in its own unit")
def _():
    wait_until(lambda: states() == ("active", "active"), WAIT_SECONDS, "both units to be active")
    tap.check(processes_below(PROGRAMS + "/holder"), ["/usr/local/sbin/svisor-holder", "svisor-keeper"], "the holder's leaf")
    tap.check(processes_below(CGROUPS + "/system.slice/svisord.service"), [SVISORD + " -n"], "svisord's unit")


@tap.test("systemctl restart, with on_stop=keep: another svisord, the same programs, and nothing left over")
def _():
    before, pids = main_pid(), start_all()
    run_well("systemctl", "restart", "svisord")
    come_back(before)
    tap.check({name: running_pid(name) for name in pids}, pids, "pids")
    tap.check_true("left-over" not in journal().lower() and "left over" not in journal().lower(), journal())


@tap.test("what ends while svisord is stopped: exit status, signal and its sender are exact")
def _():
    pids = start_all()
    run_well("systemctl", "stop", "svisord")
    end_two(pids)
    run_well("systemctl", "start", "svisord")
    wait_answer()
    wait_until(lambda: info("ender")["statename"] == info("victim")["statename"] == "EXITED", WAIT_SECONDS, "the ends")
    tap.check(info("ender")["exitstatus"], 7, "exit status of ender")
    check_told(rpc().svisor.getDeathCertificate("ender"), {"exit_code": 7})
    victim = rpc().svisor.getDeathCertificate("victim")
    check_told(victim, {"signal": int(signal.SIGUSR1)})
    tap.check_true(f"by pid {os.getpid()} (python3, user root)" in victim["text"], victim["text"])
    tap.check_true(rpc().supervisor.readProcessStdoutLog("ender", 0, 0).endswith("ends\n"), "the last line of ender")
    tap.check(running_pid("web"), pids["web"], "web")


@tap.test("a SIGKILL of svisord: its programs go on, and it is back with all of them")
def _():
    for _ in range(2):
        before, pids = main_pid(), start_all()
        os.kill(before, signal.SIGKILL)
        end_two(pids)
        come_back(before)
        tap.check({name: running_pid(name) for name in ("web", "last")}, {name: pids[name] for name in ("web", "last")},
                  "pids")
        wait_until(lambda: info("ender")["statename"] == info("victim")["statename"] == "EXITED", WAIT_SECONDS, "the ends")
        tap.check(info("ender")["exitstatus"], 7, "exit status of ender")
        check_told(rpc().svisor.getDeathCertificate("victim"), {"signal": int(signal.SIGUSR1)})
    tap.check(processes_below(PROGRAMS + "/holder"), ["/usr/local/sbin/svisor-holder", "svisor-keeper"], "the holder's leaf")
    tap.check_true("status is unknown" not in read("/run/vm/svisord.log"), "a status was unknown")


def place(content):
    with open(SVISORD + ".new", "wb") as stream:
        stream.write(content)
    os.chmod(SVISORD + ".new", 0o755)
    os.rename(SVISORD + ".new", SVISORD)


@tap.test("an upgrade in place and back: the same main process for systemd, the same programs")
def _():
    with open(SVISORD, "rb") as stream:
        original = stream.read()
    version = subprocess.run([SVISORD, "--version"], capture_output=True, text=True).stdout.strip()
    other = re.sub(rb"(?<![A-Z_])" + re.escape(version.encode()), OTHER.encode(), original)
    daemon, pids, restarts = main_pid(), start_all(), show("svisord", "NRestarts")
    for content, before, after in ((other, version, OTHER), (original, OTHER, version)):
        place(content)
        tap.check(run_well("svctl", "daemon-reexec"), f"svisord {after}: re-executed, was {before}", "svctl")
        tap.check(rpc().svisor.getVersion(), after, "version")
        tap.check(main_pid(), daemon, "main process")
        tap.check({name: running_pid(name) for name in pids}, pids, "pids")
        wait_until(lambda: states() == ("active", "active"), WAIT_SECONDS, "the units to be active")
    tap.check(show("svisord", "NRestarts"), restarts, "restarts")
    os.kill(daemon, 0)
    # It is fed by the new image: the watchdog of this unit is shorter than what follows.
    wait_until(lambda: show("svisord", "StatusText").startswith("4 processes"), WAIT_SECONDS, "the status line")


@tap.test("a file that cannot run is refused, and svisord goes on")
def _():
    daemon, web = main_pid(), running_pid("web")
    shutil.copy(SVISORD, "/tmp/good")
    place(b"#!/bin/sh\necho broken; exit 1\n")
    done = subprocess.run(["svctl", "daemon-reexec"], capture_output=True, text=True)
    with open("/tmp/good", "rb") as stream:
        place(stream.read())
    tap.check_true(done.returncode == 1 and "broken" in done.stdout, done.stdout + done.stderr)
    tap.check((main_pid(), running_pid("web")), (daemon, web), "pids")


@tap.test("without eBPF: the programs are taken back all the same, and an unknown status is called unknown")
def _():
    os.makedirs("/run/systemd/system/svisord.service.d", exist_ok=True)
    with open("/run/systemd/system/svisord.service.d/bpf.conf", "w", encoding="ascii") as stream:
        stream.write("[Service]\nEnvironment=SVISOR_NO_BPF=1\n")
    run_well("systemctl", "daemon-reload")
    pids = start_all()
    run_well("systemctl", "restart", "svisord")  # from here on nobody holds a ring
    wait_answer()
    tap.check({name: running_pid(name) for name in pids}, pids, "pids")
    run_well("systemctl", "stop", "svisord")
    end_two(pids)
    run_well("systemctl", "start", "svisord")
    wait_answer()
    wait_until(lambda: info("ender")["statename"] == info("victim")["statename"] == "EXITED", WAIT_SECONDS, "the ends")
    log = read("/run/vm/svisord.log")
    for name in ("ender", "victim"):
        tap.check_true(f"{name} (pid {pids[name]}): has ended, and its exit status is unknown" in log, f"{name}: {log[-3000:]}")
    tap.check_true("nobody kept its exit status" in rpc().svisor.why("ender")["text"], rpc().svisor.why("ender")["text"])
    # A reexec needs no help: they are still children.
    pids = start_all()
    with open("/tmp/end", "w", encoding="ascii"):
        pass
    run_well("svctl", "daemon-reexec")
    wait_until(lambda: info("ender")["statename"] == "EXITED", WAIT_SECONDS, "ender")
    tap.check(info("ender")["exitstatus"], 7, "exit status of ender")
    os.unlink("/run/systemd/system/svisord.service.d/bpf.conf")
    run_well("systemctl", "daemon-reload")
    run_well("systemctl", "restart", "svisord")
    wait_answer()
    tap.check(running_pid("web"), pids["web"], "web")


@tap.test("when the programs' unit is stopped, on_stop=keep does not hold: svisord stops each of them itself")
def _():
    start_all()
    run_well("systemctl", "stop", "svisor-programs")
    tap.check(states(), ("inactive", "inactive"), "units")
    tap.check(processes_below(PROGRAMS), [], "what lives on")
    log = read("/run/vm/svisord.log")
    tap.check_true("on_stop=keep does not hold now: systemd ends the unit" in log, log[-3000:])
    tap.check_true("stopped: last (exit status 0)" in log, log[-3000:])
    run_well("systemctl", "start", "svisord")
    come_back(0)


@tap.test("svctl shutdown stops everything, the keeper too, and the holder stays")
def _():
    start_all()
    run_well("svctl", "shutdown")
    wait_until(lambda: states()[0] == "inactive", WAIT_SECONDS, "svisord to be inactive")
    tap.check(processes_below(PROGRAMS), ["/usr/local/sbin/svisor-holder"], "what lives on")
    run_well("systemctl", "start", "svisord")
    come_back(0)


HAND = f"{CGROUPS}/system.slice/svisor-hand.scope"


def start_by_hand():
    with open("/tmp/hand.conf", "w", encoding="ascii") as stream:
        stream.write(CONFIG.replace(SOCKET, "/tmp/hand.sock").replace("identifier=machine", "identifier=hand")
                     .replace("/run/vm/svisord.log", "/tmp/hand.log").replace("/run/svisor-test", "/tmp/hand"))
    process = subprocess.Popen([SVISORD, "-n", "-c", "/tmp/hand.conf"], stdout=subprocess.DEVNULL)
    wait_until(lambda: os.path.exists("/tmp/hand.sock") and info("web", "/tmp/hand.sock"), WAIT_SECONDS, "svisord by hand")
    return process


@tap.test("started by hand: kept programs live in the scope with the keeper, a reexec stays in it, and all of it goes at last")
def _():
    process = start_by_hand()
    web = running_pid("web", "/tmp/hand.sock")
    run_well("svctl", "-c", "/tmp/hand.conf", "daemon-reexec")
    tap.check(running_pid("web", "/tmp/hand.sock"), web, "web after a reexec")
    process.terminate()
    tap.check(process.wait(WAIT_SECONDS), 0, "exit status")
    tap.check(processes_below(HAND + "/holder"), ["svisor-keeper"], "who holds the scope")
    tap.check_true(cgroup_of(web).startswith("/system.slice/svisor-hand.scope/"), cgroup_of(web))
    process = start_by_hand()
    tap.check(running_pid("web", "/tmp/hand.sock"), web, "web after a restart")
    rpc("/tmp/hand.sock").supervisor.shutdown()
    tap.check(process.wait(WAIT_SECONDS), 0, "exit status")
    wait_until(lambda: not os.path.exists(HAND), WAIT_SECONDS, "the scope to go away")


@vm.afterwards("at a shutdown of the machine svisord ends its programs itself, for all its on_stop=keep")
def _(results):
    text = read(results + "/svisord.log")
    last = text[text.rindex("received SIGTERM"):]
    for name in ("web", "last"):
        tap.check_true(f"stopped: {name} (" in last, f"{name} was not stopped by svisord:\n{last}")


if __name__ == "__main__":
    if not vm.is_inside() and not options.list:
        install(options)
    vm.run_all(options, seconds=800, arguments=("--prepare", prepare(CONFIG, 30), "--shutdown"))
