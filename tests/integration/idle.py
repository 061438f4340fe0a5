# suite: quick
# A daemon that has nothing to do does nothing.
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import Server, binary, wait_until
from probe import connect, status_field

CONFIG = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=idle-test
[program:sleeper]
command=/bin/sh -c 'sleep 1000 & exec sleep 1000'
process_name=%(program_name)s_%(process_num)d
numprocs=20
startsecs=1
"""
SECONDS = 5
options = tap.arguments()


def switches(pid):
    """Every return of svisord to the processor after a sleep is one voluntary switch before it."""
    return status_field(pid, "voluntary_ctxt_switches")


@tap.test("with twenty programs and an open connection svisord does not wake up once in five seconds")
def _():
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    with Server("svisord", options.build, CONFIG) as server:
        proxy = server.rpc()
        wait_until(lambda: all(row["statename"] == "RUNNING" for row in proxy.supervisor.getAllProcessInfo()), 20, "all to run")
        idle = connect(server)  # beside the proxy's, which has carried requests
        pid = server.process.pid

        def is_calm():
            before = switches(pid)
            time.sleep(1)
            return switches(pid) == before

        wait_until(is_calm, 30, "what the start has left to do")
        before = switches(pid)
        time.sleep(SECONDS)
        tap.check(switches(pid) - before, 0, f"wake-ups in {SECONDS} s")
        idle.close()


if __name__ == "__main__":
    tap.run_all(options)
