"""What our eBPF programs cost one fork, exec and exit: for bench.py."""

import os
import statistics

from daemon import Server, wait_until
from probe import cgroup_root, facility, leaves

HOST = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
loglevel=warn
[program:host]
command=/bin/sleep 1000000
startsecs=0
stdout_logfile=NONE
stderr_logfile=NONE
"""
BURST_SPAWNS = 300  # a third of a second on a quiet machine


def bursts(options, bare, environment):
    """{"outside": what one fork, exec and exit takes, "inside": the same in the cgroup of a program}, beside an svisord
    with that environment, and whether its eBPF programs were attached."""
    with Server("svisord", options.build, HOST, environment=environment) as server:
        proxy = server.rpc()
        wait_until(lambda: proxy.supervisor.getProcessInfo("host")["statename"] == "RUNNING", 10, "the program to run")
        root = cgroup_root(proxy)
        if root is None:
            return None, False
        leaf = next(leaf for leaf in leaves(root) if "/host." in leaf)
        found = {"outside": bare.burst(BURST_SPAWNS), "inside": bare.burst(BURST_SPAWNS, os.path.join(root, leaf))}
        return found, facility(proxy, "eBPF exit")["active"]


def measure_bpf(options, bare, results):
    """Two daemons in turn, one without eBPF: each round is a pair, and the median of the ratios counts."""
    times = {True: [], False: []}
    for number in range(options.bpf_rounds):
        for is_attached in (True, False) if number % 2 == 0 else (False, True):
            found, is_active = bursts(options, bare, {} if is_attached else {"SVISOR_NO_BPF": "1"})
            if found is None or is_active != is_attached:
                return  # this machine has no eBPF for us, and the rows stay empty
            times[is_attached].append(found)
    for where in ("outside", "inside"):
        on, off = ([found[where] for found in times[is_attached]] for is_attached in (True, False))
        factors = [statistics.median(a[of] / b[of] for a, b in zip(on, off)) for of in (0, 1)]
        results["svisord"][f"bpf_{where}"] = {"seconds": statistics.median(seconds for seconds, _ in on),
                                              "factor": factors[0], "cpu_factor": factors[1]}
        results["bare"][f"bpf_{where}"] = {"seconds": statistics.median(seconds for seconds, _ in off)}
