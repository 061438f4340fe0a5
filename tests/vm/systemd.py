# seconds: 900
# svisord under a real systemd: its two units from boot to shutdown, the cgroup it is given, the watchdog, and the
# scope of a daemon that was started by hand.
import glob
import os
import re
import signal
import subprocess
import sys
import time
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
import vm
from daemon import wait_until

options = vm.arguments()
WAIT_SECONDS = 120
CGROUPS = "/sys/fs/cgroup"
PROGRAMS = CGROUPS + "/system.slice/svisor-programs.service"
CONTROLLERS = {"cpu", "cpuset", "io", "memory", "pids"}
SOCKET = "/run/svisor-test.sock"
CONFIG = f"""
[unix_http_server]
file={SOCKET}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{SOCKET}
[supervisord]
logfile=/run/vm/svisord.log
pidfile=/run/svisor-test.pid
childlogdir=/tmp
identifier=machine
[program:web]
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
# In the machine, before systemd starts.
PREPARE = f"""
cp -r "$build/vm/installed/." /
cat >/etc/supervisord.conf <<'CONFIG'
{CONFIG}
CONFIG
mkdir -p $units/svisord.service.d
printf '[Service]\\nWatchdogSec=8\\n' >$units/svisord.service.d/test.conf
systemctl enable svisord.service
"""


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip()


def run_well(*command):
    status, output = run(*command)
    tap.check_true(status == 0, f"{' '.join(command)}: {status}: {output}\n{journal()}")
    return output


def journal():
    return run("journalctl", "--no-pager", "-n", "30", "-u", "svisord", "-u", "svisor-programs")[1]


def show(unit, name):
    return run_well("systemctl", "show", "-P", name, unit)


def main_pid():
    return int(show("svisord", "MainPID"))


def states():
    """ActiveState of svisord and of its programs' unit: in here a systemctl takes half a second."""
    return tuple(run("systemctl", "is-active", "svisord", "svisor-programs")[1].split())


def rpc(path=SOCKET):
    from supervisor.xmlrpc import SupervisorTransport
    return xmlrpc.client.ServerProxy("http://127.0.0.1", SupervisorTransport(None, None, "unix://" + path))


def info(name, path=SOCKET):
    """None while svisord does not answer, or is stopping."""
    try:
        return rpc(path).supervisor.getProcessInfo(name)
    except (OSError, xmlrpc.client.Fault):
        return None


def running_pid(name, path=SOCKET):
    def pid():
        found = info(name, path)
        return found and found["statename"] == "RUNNING" and found["pid"]

    return wait_until(pid, WAIT_SECONDS, f"{name} to run")


def cgroup_of(pid):
    with open(f"/proc/{pid}/cgroup", encoding="ascii") as stream:
        return stream.read().strip().removeprefix("0::")


def read(path):
    with open(path, encoding="utf-8", errors="replace") as stream:
        return stream.read()


def processes_below(directory):
    """Command lines of everything that lives below a cgroup."""
    found = []
    for path in glob.glob(directory + "/**/cgroup.procs", recursive=True):
        for pid in read(path).split():
            try:
                found.append(read(f"/proc/{pid}/cmdline").replace("\0", " ").strip())
            except OSError:
                pass
    return sorted(found)


def check_placed(pid, base="/system.slice/svisor-programs.service/svisor/machine/"):
    path = cgroup_of(pid)
    tap.check_true(path.startswith(base), f"the program is in {path}, not below {base}")
    missing = CONTROLLERS - set(read(f"{CGROUPS}{path}/cgroup.controllers").split())
    tap.check(sorted(missing), [], f"controllers that are missing in {path}")


def come_back(before):
    """Another main process is there, and its programs are where they belong."""
    service = CGROUPS + "/system.slice/svisord.service/cgroup.procs"  # cheaper to ask than systemctl
    wait_until(lambda: os.path.exists(service) and set(read(service).split()) - {str(before)}, WAIT_SECONDS,
               "svisord to come back")
    wait_until(lambda: info("web"), WAIT_SECONDS, "svisord to answer")
    wait_until(lambda: main_pid() not in (0, before), WAIT_SECONDS, "another main process")
    wait_until(lambda: states() == ("active", "active"), WAIT_SECONDS, "svisord to be ready")
    check_placed(running_pid("web"))


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
    tap.check(processes_below(PROGRAMS + "/holder"), ["/usr/local/sbin/svisor-holder"], "the holder's leaf")
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


def install():
    """The tree that `make install` makes: below the build directory, which the machine can see."""
    done = subprocess.run(["make", "-s", "-C", vm.ROOT, f"BUILD={options.build}", f"DESTDIR={options.build}/vm/installed",
                           "PREFIX=/usr/local", "UNITDIR=/etc/systemd/system", "install"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"make install: {done.stderr}")


if __name__ == "__main__":
    if not vm.is_inside() and not options.list:
        install()
    vm.run_all(options, seconds=800, arguments=("--prepare", PREPARE, "--shutdown"))
