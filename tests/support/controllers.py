"""The cgroups of a virtual machine, made ready for a svisord that is started by a test in there.

    controllers.make_ready()      # once before the server, as often as wanted
"""

import os

ROOT = "/sys/fs/cgroup"
FROM_THE_ROOT = "+cpu +cpuset +io +memory +pids"


def leaf_of(pid):
    """The cgroup directory of a process."""
    with open(f"/proc/{pid}/cgroup", encoding="ascii") as stream:
        return ROOT + stream.read().strip().split("::", 1)[1]


def leave_the_unit():
    """The unit of a test is delegated: svisord would build in its cgroup, where it and the test live."""
    unit = leaf_of("self")
    if unit.endswith("/test"):
        return
    os.makedirs(unit + "/test", exist_ok=True)
    with open(unit + "/cgroup.procs", encoding="ascii") as stream:
        pids = stream.read().split()
    for pid in pids:
        with open(unit + "/test/cgroup.procs", "w", encoding="ascii") as stream:
            stream.write(pid)


def make_ready():
    """And the controllers are on below the root: what systemd does when a unit asks, and nobody does in there."""
    leave_the_unit()
    with open(ROOT + "/cgroup.subtree_control", "w", encoding="ascii") as stream:
        stream.write(FROM_THE_ROOT)
