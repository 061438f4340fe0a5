# suite: quick
# Statistics of a host and of programs that use a known amount of it, and /metrics as a strict parser reads it.
import base64
import os
import re
import sys
import time
import urllib.error
import urllib.request
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import Server, wait_until

HEAD = """
[unix_http_server]
file=@SOCK@
[inet_http_server]
port=127.0.0.1:@PORT@
{access}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
{plugin}
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=statistics-{pid}
minfds=20000
"""
PLUGIN = """
[rpcinterface:supvisors]
supervisor.rpcinterface_factory=supvisors.plugin:make_supvisors_rpcinterface
stats_collecting_period=1
stats_periods=1,2
stats_histo=10
"""
# A child burns processor time; the parent waits for it, as the shell scripts do that programs are started by.
BURN = """
import os
if os.fork() == 0:
    while True:
        pass
os.wait()
"""
# Two processes, each holding 48 MiB of its own.
HOLD = """
import os, signal
os.fork()
held = bytearray(48 << 20)
for i in range(0, len(held), 4096):
    held[i] = 1
print("held", flush=True)
signal.pause()
"""
PROGRAMS = """
[program:burn]
command=@PYTHON@ @DIR@/burn.py
startsecs=0
stopasgroup=true
[program:hold]
command=@PYTHON@ @DIR@/hold.py
startsecs=0
stdout_logfile=@DIR@/hold.log
[program:never]
command=/bin/true
autostart=false
"""
INCORRECT, BAD_NAME = 2, 10
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
options = tap.arguments()


def serve(programs="", plugin=PLUGIN, access=""):
    server = Server("svisord", options.build, "", start=False)
    server.write("burn.py", BURN)
    server.write("hold.py", HOLD)
    server.write_config(HEAD.format(plugin=plugin, access=access, pid=os.getpid()) + programs)
    try:
        server.start()
    except BaseException:
        server.close()
        raise
    return server


def metrics(server, headers=None, method="GET"):
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/metrics", headers=headers or {}, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def value(text, name, **labels):
    """The one sample of that name with these labels among others; None: there is none."""
    found = [line for line in text.splitlines() if re.split("[{ ]", line)[0] == name
             and all(f'{key}="{word}"' in line for key, word in labels.items())]
    tap.check_true(len(found) <= 1, f"{name} {labels} is there {len(found)} times")
    return float(found[0].rsplit(" ", 1)[1]) if found else None


def descendants(pid):
    """The process and its children, as ps would see them."""
    found = [pid]
    for parent in found:
        with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as stream:
            found += [int(word) for word in stream.read().split()]
    return found


def proc_cpu(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stream:
        fields = stream.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def proc_resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as stream:
        return int(stream.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def fault(function, *arguments):
    try:
        function(*arguments)
    except xmlrpc.client.Fault as answer:
        return answer.faultCode, answer.faultString
    return None


@tap.test("a program that burns a processor is charged for what its child has burnt")
def _():
    with serve(PROGRAMS) as server:
        rpc = server.rpc()

        def history():
            answer = rpc.svisor.getProcessStatistics("burn")
            return answer if len(answer["cpu"]) >= 2 else None

        got = wait_until(history, 20, "two periods")
        burnt = sum(proc_cpu(pid) for pid in descendants(got["last"]["pid"]))
        waited = time.monotonic() - got["last"]["now_monotonic"]
        tap.check_true(burnt - waited * 1.1 - 0.1 <= got["last"]["cpu_seconds"] <= burnt + 0.1,
                       f"{got['last']['cpu_seconds']} s, but /proc says {burnt} s, {waited} s later")
        tap.check((got["target_period"], got["cores"], got["irix_mode"]), (1.0, os.cpu_count(), False), "head")
        tap.check(len(got["times"]), len(got["mem"]), "lengths")
        # Others are at work on this machine: how much of a processor it had is in the counters.
        tap.check_true(all(1 < one <= 100 / got["cores"] * 1.05 for one in got["cpu"]),
                       f"per cent of {got['cores']} processors: {got['cpu']}")
        tap.check_true(all(one >= 1 for one in [b - a for a, b in zip(got["times"], got["times"][1:])]),
                       f"periods shorter than one second: {got['times']}")
        tap.check(got["last"]["processes"], 2, "processes")
        tap.check(got["last"]["tasks"], 2, "tasks")


@tap.test("the usage of all is the last average of each, and says which periods there are")
def _():
    with serve(PROGRAMS) as server:
        rpc = server.rpc()

        def both():  # of the same moment: no period has ended between
            first = rpc.svisor.getProcessStatistics("burn")
            usage, host = rpc.svisor.getUsage(), rpc.svisor.getHostStatistics()
            is_same = first["times"] and rpc.svisor.getProcessStatistics("burn")["times"] == first["times"] and host["times"]
            return (first, host, usage) if is_same and usage["processes"].get("burn") == [first["cpu"][-1], first["mem"][-1]] else None

        history, host, usage = wait_until(both, 20, "the usage to be the last average")
        tap.check((usage["target_period"], usage["cores"], usage["irix_mode"]), (1.0, os.cpu_count(), False), "head")
        tap.check(usage["periods"], [1.0, 2.0], "periods")
        tap.check_true(abs(usage["now"] - time.time()) < 5, f"now: {usage['now']}")
        tap.check(sorted(usage["host"]), ["cpu", "mem"], "the host")
        rpc.supervisor.stopProcess("burn")
        tap.check("burn" in rpc.svisor.getUsage()["processes"], False, "a process that has ended")
        tap.check(fault(rpc.svisor.getUsage, 7.5)[0], INCORRECT, "another period")


@tap.test("in IRIX mode a processor has 100 per cent")
def _():
    with serve(PROGRAMS, PLUGIN + "stats_irix_mode=true\n") as server:
        rpc = server.rpc()
        got = wait_until(lambda: rpc.svisor.getProcessStatistics("burn", 1) if
                         len(rpc.svisor.getProcessStatistics("burn", 1)["cpu"]) >= 2 else None, 20, "two periods")
        tap.check(got["irix_mode"], True, "irix_mode")
        # The history and the counter tell of the same time.
        first = rpc.svisor.getProcessStatistics("burn")

        def next_one():
            answer = rpc.svisor.getProcessStatistics("burn")
            return answer if answer["times"][-1] > first["times"][-1] else None

        then = wait_until(next_one, 20, "the next period")
        spent = then["last"]["cpu_seconds"] - first["last"]["cpu_seconds"]
        lasted = then["last"]["now_monotonic"] - first["last"]["now_monotonic"]
        tap.check_true(abs(then["cpu"][-1] - 100 * spent / lasted) < 0.1,
                       f"{then['cpu'][-1]} %, but {spent} s in {lasted} s")


@tap.test("the memory of all processes of a program counts")
def _():
    with serve(PROGRAMS) as server:
        rpc = server.rpc()
        wait_until(lambda: os.path.exists(server.path("hold.log")) and server.read("hold.log").count("held") == 2, 20, "both to hold it")
        pid = rpc.supervisor.getProcessInfo("hold")["pid"]
        expected = sum(proc_resident(one) for one in descendants(pid))
        tap.check_true(expected >= 96 << 20, f"/proc says {expected}")

        def held():  # the answer may be a second old
            text = metrics(server)[1]
            resident = value(text, "svisor_process_resident_memory_bytes", group="hold")
            return text if resident is not None and abs(resident - expected) < expected / 20 else None

        text = wait_until(held, 10, f"/metrics to tell of {expected} bytes, as /proc does")
        tap.check(value(text, "svisor_process_processes", group="hold"), 2, "processes")
        tap.check(value(text, "svisor_process_running", process="never"), 0, "never runs")
        tap.check(value(text, "svisor_process_cpu_seconds_total", process="never"), None, "its time")


@tap.test("the switches and the period of Supvisors work, and are told")
def _():
    with serve(PROGRAMS, PLUGIN.replace("stats_periods", "stats_enabled=HOST\nstats_periods")) as server:
        supvisors = server.rpc().supvisors
        svisor = server.rpc().svisor
        status = {"host_stats": True, "process_stats": False, "collecting_period": 1}
        tap.check(supvisors.get_statistics_status(), status, "at the start")
        wait_until(lambda: svisor.getHostStatistics()["times"], 20, "the first period of the host")
        tap.check(svisor.getProcessStatistics("hold")["times"], [], "of a program")
        tap.check(supvisors.enable_process_statistics(True), True, "answer")
        tap.check(supvisors.enable_host_statistics(False), True, "answer")
        tap.check(supvisors.update_collecting_period(0.5), True, "answer")
        status = {"host_stats": False, "process_stats": True, "collecting_period": 0.5}
        tap.check(supvisors.get_statistics_status(), status, "afterwards")
        before = svisor.getHostStatistics()["times"]
        wait_until(lambda: svisor.getProcessStatistics("hold")["times"], 20, "the first period of a program")
        tap.check(svisor.getHostStatistics()["times"], before, "of the host, which is kept and does not grow")
        for bad in (0, -1, 3601, 1e300):
            code, words = fault(supvisors.update_collecting_period, bad)
            tap.check_true(code == INCORRECT and "expected in [0.1;3600]" in words, words)
        tap.check(fault(supvisors.update_collecting_period, "1")[0], INCORRECT, "a text")
        tap.check(supvisors.get_statistics_status(), status, "after those")
        tap.check(fault(svisor.getHostStatistics, 7.5),
                  (INCORRECT, "INCORRECT_PARAMETERS: period=7.5 is none of the periods: 1, 2"), "a period")
        tap.check(fault(svisor.getProcessStatistics, "nobody")[0], BAD_NAME, "a name")


@tap.test("stats_enabled=false measures nothing until it is switched on")
def _():
    with serve(PROGRAMS, PLUGIN + "stats_enabled=false\n") as server:
        rpc = server.rpc()
        status = {"host_stats": False, "process_stats": False, "collecting_period": 1}
        tap.check(rpc.supvisors.get_statistics_status(), status, "status")
        tap.check(value(metrics(server)[1], "svisor_statistics_samples_total"), 1, "samples: the one asked for")
        rpc.supvisors.enable_host_statistics(True)
        wait_until(lambda: rpc.svisor.getHostStatistics()["times"], 20, "the first period")


@tap.test("the history of a run ends with it, and no list is longer than stats_histo")
def _():
    with serve(PROGRAMS) as server:
        rpc = server.rpc()
        rpc.supvisors.update_collecting_period(0.1)
        wait_until(lambda: len(rpc.svisor.getProcessStatistics("hold", 1)["times"]) == 2, 30, "two periods")
        tap.check(rpc.svisor.getProcessStatistics("hold", 2)["target_period"], 2.0, "the other period")
        rpc.supervisor.stopProcess("hold")
        wait_until(lambda: not rpc.svisor.getProcessStatistics("hold")["times"], 20, "it to be forgotten")
        rpc.supervisor.startProcess("hold")
        wait_until(lambda: rpc.svisor.getProcessStatistics("hold")["times"], 20, "a new one")
        tap.check_true(rpc.svisor.getProcessStatistics("hold")["times"][0] < 2, "it begins anew")
        wait_until(lambda: len(rpc.svisor.getHostStatistics()["times"]) == 10, 30, "ten periods of the host")
        end = rpc.svisor.getHostStatistics()["times"][-1]
        wait_until(lambda: rpc.svisor.getHostStatistics()["times"][-1] > end, 20, "one more")
        got = rpc.svisor.getHostStatistics()
        tap.check([len(one) for one in got["cpu"]], [10] * (os.cpu_count() + 1), "processors")
        tap.check({len(one["times"]) for one in got["disk_usage"].values()} <= {10}, True, "partitions")


@tap.test("the host is measured as psutil measures it")
def _():
    try:
        import psutil
    except ImportError:
        tap.skip("python3-psutil is not installed")
    with serve() as server:
        rpc = server.rpc()
        got = wait_until(lambda: rpc.svisor.getHostStatistics() if rpc.svisor.getHostStatistics()["times"] else None,
                         20, "the first period")
        running = {name for name, row in psutil.net_if_stats().items() if row.isup}
        tap.check(set(got["net_io"]), running & set(psutil.net_io_counters(pernic=True)), "interfaces")
        tap.check(set(got["disk_io"]), set(psutil.disk_io_counters(perdisk=True)), "disks")
        usage = {one.mountpoint: psutil.disk_usage(one.mountpoint).percent for one in psutil.disk_partitions()}
        tap.check(set(got["disk_usage"]), set(usage), "partitions")
        for name, percent in usage.items():
            tap.check_true(abs(got["disk_usage"][name]["used"][-1] - percent) <= 0.5, f"{name}: {percent}")
        tap.check_true(abs(got["mem"][-1] - psutil.virtual_memory().percent) < 5, f"memory: {got['mem'][-1]}")
        tap.check(len(got["cpu"]), psutil.cpu_count() + 1, "processors")
        tap.check_true(all(0 <= one <= 100 for row in got["cpu"] for one in row), f"per cent: {got['cpu']}")


@tap.test("a strict parser reads /metrics, and every family has its unit")
def _():
    try:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
    except ImportError:
        tap.skip("python3-prometheus-client is not installed")
    odd = PROGRAMS + '[program:o"d\\d]\ncommand=/bin/sleep 1000\n'
    with serve(odd) as server:
        kind, text = metrics(server)
        tap.check(kind, OPENMETRICS, "content type")
        families = {family.name: family for family in text_string_to_metric_families(text)}
        tap.check_true(text.endswith("# EOF\n"), "the end is not marked")
        for name, family in families.items():
            unit = "seconds" if name.endswith("_seconds") else "bytes" if name.endswith("_bytes") else ""
            tap.check(family.unit, unit, f"unit of {name}")
            tap.check_true(family.documentation.endswith("."), f"{name} is not explained")
            for sample in family.samples:
                tap.check_true(set(sample.labels) <= {"group", "process", "cpu", "mode", "interface", "device",
                                                      "mountpoint", "kind", "version"}, f"{name}: {sample.labels}")
        names = {sample.labels["process"] for sample in families["svisor_process_running"].samples}
        tap.check(names, {"burn", "hold", "never", 'o"d\\d'}, "programs")
        for needed in ("svisor_daemon_cpu_seconds", "svisor_daemon_resident_memory_bytes", "svisor_statistics_cpu_seconds",
                       "svisor_kernel_records_lost", "svisor_host_cpu_seconds"):
            tap.check_true(families[needed].samples, f"{needed} has no sample")


@tap.test("many who ask for /metrics at once share one measurement")
def _():
    with serve(PROGRAMS, plugin="") as server:
        texts = [metrics(server)[1] for _ in range(20)]
        counts = [value(text, "svisor_statistics_samples_total") for text in texts]
        tap.check_true(counts[-1] <= 3, f"samples: {counts}")
        tap.check_true(value(texts[0], "svisor_process_cpu_seconds_total", process="hold") is not None,
                       "it is measured without [rpcinterface:supvisors] too")


@tap.test("/metrics wants the password, and GET")
def _():
    with serve(access="username=u\npassword=p", plugin="") as server:
        for headers, method, expected in (({}, "GET", 401), ({}, "POST", 401),
                                          ({"Authorization": "Basic " + base64.b64encode(b"u:p").decode()}, "POST", 405)):
            try:
                metrics(server, headers, method)
                tap.fail(f"{method} was answered")
            except urllib.error.HTTPError as answer:
                tap.check(answer.code, expected, method)
                tap.check(answer.headers["Allow"], "GET, HEAD" if expected == 405 else None, f"{method}: Allow")
        tap.check(metrics(server, {"Authorization": "Basic " + base64.b64encode(b"u:p").decode()}, "HEAD"), (OPENMETRICS, ""), "HEAD")
        tap.check(metrics(server, {"Authorization": "Basic " + base64.b64encode(b"u:p").decode()})[0], OPENMETRICS, "type")


def middle(numbers):
    return sorted(numbers)[len(numbers) // 2]


@tap.test("one measurement of 1,000 programs costs less than 30 ms of processor time")
def _():
    many = "[program:many]\ncommand=/bin/sleep 1000\nprocess_name=%(program_name)s_%(process_num)d\nnumprocs=1000\n" \
           "startsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\nautostart=false\n"
    with serve(many, plugin="") as server:
        rpc = server.rpc()
        rpc.supervisor.startProcessGroup("many")
        costs = []
        while len(costs) < 21 and (len(costs) < 5 or middle(costs) >= 30):  # others use this machine, too
            rpc.svisor.getUsage()  # so that histories are made of it, too
            text = metrics(server)[1]
            costs.append(1000 * value(text, "svisor_statistics_last_cpu_seconds"))
            measured = text.count("svisor_process_resident_memory_bytes{")
            tap.check(measured, 1000, "programs measured")
            time.sleep(1.05)  # an older answer is given to whoever asks within a second
        print(f"# 1,000 programs: {', '.join(f'{cost:.1f}' for cost in costs)} ms, /metrics {len(text) >> 10} KiB")
        tap.check_true(middle(costs) < 30, f"ms: {costs}")
        wait_until(lambda: len(rpc.svisor.getUsage()["processes"]) == 1000, 20, "an average of each")


if __name__ == "__main__":
    tap.run_all()
