# seconds: 150
# Statistics without [rpcinterface:supvisors]: they are taken from the first question on, until nobody looks any more.
import json
import os
import sys
import urllib.request
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import Server, binary, wait_until
from frames import opened_by_hand
from probe import status_field

CONFIG = """
[inet_http_server]
port=127.0.0.1:@PORT@
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=solo
"""
SLEEPS = """
[program:sleep]
command=/bin/sleep 1000
"""
PROGRAMS = """
[program:burn]
command=@PYTHON@ -c "while True: pass"
startsecs=0
[program:hold]
command=@PYTHON@ -c "import signal; held = bytearray(b'x') * (96 << 20); print('held', flush=True); signal.pause()"
startsecs=0
stdout_logfile=@DIR@/hold.log
"""
PERIODS = [2.0, 10.0, 60.0]
LOOK_SECONDS = 30  # SV_STATISTICS_LOOK_NS
UNKNOWN_METHOD, INCORRECT = 1, 2
options = tap.arguments()


def solo(programs):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    return Server("svisord", options.build, CONFIG + programs)


def fault(function, *arguments):
    try:
        function(*arguments)
    except xmlrpc.client.Fault as answer:
        return answer.faultCode, answer.faultString
    return None


def next_period(ask, times):
    """The first answer with a period that ended after these."""
    def grown():
        answer = ask()
        return answer if answer["times"] and answer["times"][-1] > (times[-1] if times else 0) else None

    return wait_until(grown, 20, "the next period")


def share_of_memory(resident_bytes):
    with open("/proc/meminfo", encoding="ascii") as stream:
        return 100 * resident_bytes / (int(stream.readline().split()[1]) << 10)


@tap.test("a program that burns is shown with what it has burnt, one that holds memory with that")
def _():
    with solo(PROGRAMS) as server:
        svisor = server.rpc().svisor
        wait_until(lambda: "held" in server.read("hold.log"), 20, "hold to hold it")
        first = svisor.getUsage()
        tap.check((first["periods"], first["target_period"], first["cores"], first["irix_mode"]),
                  (PERIODS, 2.0, os.cpu_count(), False), "the head of the first answer")
        tap.check((first["host"], first["processes"]), ({}, {}), "what was measured before somebody asked")
        burn = next_period(lambda: svisor.getProcessStatistics("burn"), [])
        then = next_period(lambda: svisor.getProcessStatistics("burn"), burn["times"])
        # Others are at work on this machine: how much of a processor it had is in the counters.
        spent = then["last"]["cpu_seconds"] - burn["last"]["cpu_seconds"]
        lasted = then["last"]["now_monotonic"] - burn["last"]["now_monotonic"]
        tap.check_true(abs(then["cpu"][-1] * then["cores"] - 100 * spent / lasted) < 0.1 * then["cores"],
                       f"{then['cpu'][-1]} % of {then['cores']} processors, but {spent} s in {lasted} s")
        tap.check_true(0 < then["cpu"][-1] <= 100 / then["cores"] * 1.05, f"about one processor: {then['cpu']}")
        print(f"# burn: {then['cpu'][-1] * then['cores']:.1f} % of one processor")
        hold = svisor.getProcessStatistics("hold")
        tap.check_true(hold["last"]["resident_bytes"] > 96 << 20, f"resident: {hold['last']}")
        tap.check_true(abs(hold["mem"][-1] - share_of_memory(hold["last"]["resident_bytes"])) <= 0.1, f"memory: {hold['mem']}")
        usage = svisor.getUsage(2)
        tap.check((sorted(usage["host"]), sorted(usage["processes"])), (["cpu", "mem"], ["burn", "hold"]), "the usage of all")
        tap.check(svisor.getUsage(60)["processes"], {}, "what has no minute behind it")


@tap.test("the host has a history, in XML-RPC as in REST")
def _():
    with solo(PROGRAMS) as server:
        rpc = server.rpc()
        host = next_period(rpc.svisor.getHostStatistics, [])
        tap.check((len(host["cpu"]), host["cores"]), (os.cpu_count() + 1, os.cpu_count()), "processors")
        tap.check_true(all(0 <= one <= 100 for row in [*host["cpu"], host["mem"]] for one in row), f"per cent: {host}")
        tap.check("lo" in host["net_io"], True, "the loopback interface")
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/svisor/getHostStatistics?period=2", timeout=20) as answer:
            tap.check(sorted(json.load(answer)), sorted(host), "keys of REST")
        tap.check(fault(rpc.svisor.getHostStatistics, 7.5), (INCORRECT, "INCORRECT_PARAMETERS: period=7.5 is none of the periods: 2, 10, 60"), "a period")
        tap.check(fault(rpc.supvisors.get_statistics_status)[0], UNKNOWN_METHOD, "the switches of a cluster")


def is_calm(server):
    """Does not wake up for more than one period."""
    def switches():
        return status_field(server.process.pid, "voluntary_ctxt_switches")

    before = switches()
    try:
        return not wait_until(lambda: switches() != before, PERIODS[0] * 2, "a wake-up")
    except AssertionError:
        return True


@tap.test("when nobody asks any more svisord sleeps and has forgotten it; an open page keeps it")
def _():
    with solo(SLEEPS) as asked, solo(SLEEPS) as shown, opened_by_hand(shown.port, "/live"):
        for server in (asked, shown):
            next_period(server.rpc().svisor.getHostStatistics, [])
        tap.check(is_calm(asked), False, "calm after the first question")
        wait_until(lambda: is_calm(asked), 3 * LOOK_SECONDS, "it to be calm")
        tap.check(is_calm(shown), False, "calm while a page is open")
        tap.check_true(shown.rpc().svisor.getHostStatistics()["times"][-1] > LOOK_SECONDS - 3 * PERIODS[0], "the page has lost its history")
        svisor = asked.rpc().svisor
        host, program, usage = svisor.getHostStatistics(), svisor.getProcessStatistics("sleep"), svisor.getUsage()
        tap.check((host["times"], program["times"], usage["processes"]), ([], [], {}), "what was forgotten")
        next_period(svisor.getHostStatistics, [])


if __name__ == "__main__":
    tap.run_all(options)
