"""svisord's two units in a virtual machine of tests/vm: what is installed, and how the machine is asked about it.

Every systemctl takes half a second in there, so what cgroupfs or svisord itself can tell is asked of them.
"""

import glob
import os
import subprocess
import sys
import xmlrpc.client

import tap
import vm
from daemon import wait_until

WAIT_SECONDS = 120
CGROUPS = "/sys/fs/cgroup"
PROGRAMS = CGROUPS + "/system.slice/svisor-programs.service"
CONTROLLERS = {"cpu", "cpuset", "io", "memory", "pids"}
SOCKET = "/run/svisor-test.sock"
CONFIG_HEAD = f"""
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
"""


def prepare(config, watchdog_seconds):
    """What tests/vm/run is told to do in the machine before systemd starts."""
    return f"""
cp -r "$build/vm/installed/." /
cat >/etc/supervisord.conf <<'CONFIG'
{config}
CONFIG
mkdir -p $units/svisord.service.d
printf '[Service]\\nWatchdogSec={watchdog_seconds}\\n' >$units/svisord.service.d/test.conf
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
    def others():  # the cgroup is cheaper to ask than systemctl
        try:
            return set(read(CGROUPS + "/system.slice/svisord.service/cgroup.procs").split()) - {str(before)}
        except OSError:
            return False  # nobody is there, and systemd has removed it

    wait_until(others, WAIT_SECONDS, "svisord to come back")
    wait_until(lambda: info("web"), WAIT_SECONDS, "svisord to answer")
    wait_until(lambda: main_pid() not in (0, before), WAIT_SECONDS, "another main process")
    wait_until(lambda: states() == ("active", "active"), WAIT_SECONDS, "svisord to be ready")
    check_placed(running_pid("web"))


def install(options):
    """The tree that `make install` makes: below the build directory, which the machine can see."""
    done = subprocess.run(["make", "-s", "-C", vm.ROOT, f"BUILD={options.build}", f"DESTDIR={options.build}/vm/installed",
                           "PREFIX=/usr/local", "UNITDIR=/etc/systemd/system", "install"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"make install: {done.stderr}")
