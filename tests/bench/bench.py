#!/usr/bin/python3
"""svisord beside supervisord and beside the bare kernel, on this machine, in one run.

    bench.py --build DIR [--programs N] [--idle SECONDS] [--json FILE] [--servers LIST] [--check]

Absolute numbers belong to a machine; the ratios are what is worth comparing. The bare loop is bare_spawn.c:
clone and exec with nothing around it. Targets are printed with what was measured; with --check a missed one
makes the exit status 1.
"""

import argparse
import json
import os
import resource
import select
import signal
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from daemon import Server, binary, wait_until

HEAD = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
loglevel=warn
minfds=%(minfds)d
"""
MANY = HEAD + """
[program:many]
command=/bin/sleep 1000000
process_name=%%(program_name)s_%%(process_num)05d
numprocs=%(programs)d
autostart=false
startsecs=0
stdout_logfile=NONE
stderr_logfile=NONE
"""
CRASH = HEAD + """
[program:crash]
command=%(bare)s stamp @DIR@/stamps
autorestart=true
startsecs=0
stdout_logfile=NONE
stderr_logfile=NONE
"""
LOG = HEAD + """
[program:log]
command=%(bare)s write %(bytes)d
autostart=false
startsecs=0
stdout_logfile=@DIR@/log
stdout_logfile_maxbytes=0
stderr_logfile=NONE
"""

START_SHARE_MIN = 0.70  # of the bare loop's rate
CRASH_FACTOR_MAX = 3.0  # times the bare loop's p50
EMPTY_BYTES_MAX = 8 << 20
PROGRAM_BYTES_MAX = 8 << 10
SUPERVISORD_CRASHES = 5  # it needs a second for each


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Bare:
    """The kernel's own cost."""

    def __init__(self, build):
        self.program = os.path.join(build, "bench", "bare_spawn")
        os.makedirs(os.path.dirname(self.program), exist_ok=True)
        subprocess.run([os.environ.get("CC", "gcc"), "-std=c17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-o",
                        self.program, os.path.join(HERE, "bare_spawn.c")], check=True)

    def lines(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments)], check=True, capture_output=True, text=True)
        return [int(line) for line in done.stdout.split()]

    def start_seconds(self, count):
        return statistics.median(self.lines("start", count, "/bin/sleep", "1000000")[0] for _ in range(3)) / 1e9

    def crash_seconds(self, count):
        fifo = self.program + ".stamps"
        os.mkfifo(fifo)
        try:
            return [value / 1e9 for value in self.lines("crash", count, fifo, self.program, "stamp", fifo)]
        finally:
            os.unlink(fifo)


def memory(pid):
    """RSS and PSS in bytes."""
    found = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as stream:
        for line in stream:
            words = line.split()
            if words[0] in ("Rss:", "Pss:"):
                found[words[0][:-1].lower()] = int(words[1]) * 1024
    return found


def cpu_and_wakeups(pid):
    """Seconds of CPU used so far, and voluntary context switches, of all threads."""
    switches, cpu_ns = 0, 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as stream:
            switches += sum(int(line.split()[1]) for line in stream if line.startswith("voluntary"))
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as stream:
            cpu_ns += int(stream.read().split()[0])
    return cpu_ns / 1e9, switches


def call_seconds(server, method):
    """The time of one call up to the last byte of its answer, unparsed, and the answer's size."""
    body = f"<methodCall><methodName>{method}</methodName><params/></methodCall>"
    request = (f"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nConnection: close\r\n"
               f"Content-Length: {len(body)}\r\n\r\n{body}").encode()
    with socket.socket(socket.AF_UNIX) as connection:
        begin = time.monotonic()
        connection.connect(server.socket_path)
        connection.sendall(request)
        size = 0
        while piece := connection.recv(1 << 20):
            size += len(piece)
        return time.monotonic() - begin, size


def start_rounds(kind, server, options, results):
    """Starts the whole group a few times; the last time it stays."""
    proxy = server.rpc()
    rounds = []
    wanted = 1 if kind == "supervisord" else 3
    for number in range(wanted):
        begin = time.monotonic()
        proxy.supervisor.startProcessGroup("many", False)
        rounds.append(time.monotonic() - begin)
        running = sum(row["statename"] == "RUNNING" for row in proxy.supervisor.getAllProcessInfo())
        if running != options.programs:
            raise SystemExit(f"{kind}: only {running} of {options.programs} run")
        if number + 1 < wanted:
            proxy.supervisor.stopAllProcesses()
    results["start_seconds"] = statistics.median(rounds)
    results["full"] = memory(server.process.pid)


def idle(server, options, results):
    server.disconnect()
    time.sleep(1)  # what the calls have left to do is not idleness
    pid = server.process.pid
    cpu, wakeups = cpu_and_wakeups(pid)
    time.sleep(options.idle)
    cpu_after, wakeups_after = cpu_and_wakeups(pid)
    results["idle_cpu_seconds_a_minute"] = (cpu_after - cpu) * 60 / options.idle
    results["idle_wakeups_a_minute"] = (wakeups_after - wakeups) * 60 / options.idle


def measure_many(kind, options, results):
    config = MANY % {"minfds": options.programs * 4 + 200, "programs": options.programs}
    # The same configuration with one program, never started: what a daemon weighs by itself.
    with Server(kind, options.build, config.replace(f"numprocs={options.programs}", "numprocs=1")) as server:
        results["empty"] = memory(server.process.pid)
    with Server(kind, options.build, config) as server:
        start_rounds(kind, server, options, results)
        calls = [call_seconds(server, "supervisor.getAllProcessInfo") for _ in range(11)]
        results["info_seconds"] = statistics.median(seconds for seconds, _ in calls)
        results["info_bytes"] = calls[-1][1]
        idle(server, options, results)
        server.stop(timeout=120)


def read_stamp(fifo, seconds=20):
    if not select.select([fifo], [], [], seconds)[0]:
        raise SystemExit(f"no replacement within {seconds} s")
    pid, stamp = os.read(fifo, 64).split(b"\n")[0].split()
    return int(pid), int(stamp)


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stream:
        return int(stream.read().rpartition(")")[2].split()[1])


def measure_crash(kind, options, bare, results):
    config = CRASH % {"minfds": 1024, "bare": bare.program}
    with Server(kind, options.build, config, start=False) as server:
        os.mkfifo(server.path("stamps"))
        fifo = os.open(server.path("stamps"), os.O_RDWR | os.O_CLOEXEC)
        server.start()
        pid, _ = read_stamp(fifo)
        times = []
        for _ in range(SUPERVISORD_CRASHES if kind == "supervisord" else options.crashes):
            time.sleep(0.002)
            pidfd = os.pidfd_open(pid)
            if parent_of(pid) != server.process.pid:
                raise SystemExit(f"{pid} is no child of {kind}")
            begin = time.monotonic_ns()
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            pid, stamp = read_stamp(fifo)
            times.append((stamp - begin) / 1e9)
            os.close(pidfd)
        os.close(fifo)
        results["crash_p50_seconds"] = percentile(times, 0.5)
        results["crash_p99_seconds"] = percentile(times, 0.99)


def measure_log(kind, options, bare, results):
    size = (64 if kind == "supervisord" else 512) << 20
    config = LOG % {"minfds": 1024, "bare": bare.program, "bytes": size}
    with Server(kind, options.build, config) as server:
        begin = time.monotonic()
        server.rpc().supervisor.startProcess("log")
        wait_until(lambda: os.path.exists(server.path("log")) and os.path.getsize(server.path("log")) >= size, 300,
                   f"{size} bytes of log")
        results["log_bytes_a_second"] = size / (time.monotonic() - begin)


def derive(results, options):
    for kind in options.servers:
        own = results[kind]
        own["start_share_of_bare"] = results["bare"]["start_seconds"] / own["start_seconds"]
        own["crash_factor_of_bare"] = own["crash_p50_seconds"] / results["bare"]["crash_p50_seconds"]
        own["bytes_a_program"] = max(0, own["full"]["pss"] - own["empty"]["pss"]) / options.programs


def rows(programs):
    """Title, how to get the number from the results of one server, how to print it."""
    return [
        (f"start {programs} programs", lambda own: own["start_seconds"], "{:.3f} s"),
        ("  rate, share of the bare loop", lambda own: own.get("start_share_of_bare", 1.0), "{:.0%}"),
        ("crash to replacement, p50", lambda own: own["crash_p50_seconds"] * 1000, "{:.2f} ms"),
        ("crash to replacement, p99", lambda own: own["crash_p99_seconds"] * 1000, "{:.2f} ms"),
        ("  p50, times the bare loop", lambda own: own.get("crash_factor_of_bare", 1.0), "{:.2f}"),
        (f"getAllProcessInfo of {programs}", lambda own: own["info_seconds"] * 1000, "{:.1f} ms"),
        ("memory without programs, RSS", lambda own: own["empty"]["rss"] / 2**20, "{:.1f} MiB"),
        ("memory without programs, PSS", lambda own: own["empty"]["pss"] / 2**20, "{:.1f} MiB"),
        (f"memory with {programs}, RSS", lambda own: own["full"]["rss"] / 2**20, "{:.1f} MiB"),
        ("  a program, PSS", lambda own: own["bytes_a_program"] / 1024, "{:.1f} KiB"),
        ("CPU of an idle minute", lambda own: own["idle_cpu_seconds_a_minute"] * 1000, "{:.1f} ms"),
        ("wake-ups of an idle minute", lambda own: own["idle_wakeups_a_minute"], "{:.0f}"),
        ("log throughput", lambda own: own["log_bytes_a_second"] / 1e6, "{:.0f} MB/s"),
    ]


def print_table(results, options):
    columns = ["bare", *options.servers]
    is_pair = options.servers == ["supervisord", "svisord"]
    print(f"\n{'':34}" + "".join(f"{name:>14}" for name in columns) + ("   supervisord / svisord" if is_pair else ""))
    for title, get, form in rows(options.programs):
        values = []
        for name in columns:
            try:
                values.append(get(results[name]))
            except KeyError:  # the bare loop has no memory, no log and no answers
                values.append(None)
        line = f"{title:34}" + "".join(f"{'' if value is None else form.format(value):>14}" for value in values)
        if is_pair and values[2] and not title.startswith("  "):
            line += f"{values[1] / values[2]:>25.2f}"
        print(line.rstrip())


def targets(own):
    """Title, what was measured, what was wanted, whether it is met."""
    return [
        ("start rate, share of the bare loop", f"{own['start_share_of_bare']:.0%}", f"at least {START_SHARE_MIN:.0%}",
         own["start_share_of_bare"] >= START_SHARE_MIN),
        ("crash to replacement, times the bare loop", f"{own['crash_factor_of_bare']:.2f}",
         f"under {CRASH_FACTOR_MAX:.0f}", own["crash_factor_of_bare"] < CRASH_FACTOR_MAX),
        ("memory without programs", f"{own['empty']['rss'] / 2**20:.1f} MiB", f"at most {EMPTY_BYTES_MAX >> 20} MiB",
         own["empty"]["rss"] <= EMPTY_BYTES_MAX),
        ("memory a program", f"{own['bytes_a_program'] / 1024:.1f} KiB", f"at most {PROGRAM_BYTES_MAX >> 10} KiB",
         own["bytes_a_program"] <= PROGRAM_BYTES_MAX),
        ("wake-ups of an idle minute", f"{own['idle_wakeups_a_minute']:.0f}", "none", own["idle_wakeups_a_minute"] == 0),
    ]


def print_targets(results):
    print("\nTargets:")
    results["targets"] = []
    for title, value, wanted, is_met in targets(results["svisord"]):
        print(f"  {'met   ' if is_met else 'MISSED'} {title}: {value}, wanted {wanted}")
        results["targets"].append({"title": title, "value": value, "wanted": wanted, "met": is_met})
    return all(target["met"] for target in results["targets"])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--crashes", type=int, default=500)
    parser.add_argument("--idle", type=float, default=10, help="seconds; the results are for a minute")
    parser.add_argument("--servers", default="supervisord,svisord")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--check", action="store_true", help="leave with 1 when a target is missed")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    options.servers = [kind for kind in options.servers.split(",") if binary(kind, options.build)]
    return options


def raise_limit(programs):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = programs * 5 + 1000
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"{wanted} descriptors are needed, the hard limit is {hard}: try fewer --programs")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def main():
    options = arguments()
    raise_limit(options.programs)
    bare = Bare(options.build)
    print(f"bench: {options.programs} programs, {options.crashes} crashes, {options.idle:g} s idle", flush=True)
    times = bare.crash_seconds(options.crashes)
    results = {"programs": options.programs, "bare": {
        "start_seconds": bare.start_seconds(options.programs), "crash_p50_seconds": percentile(times, 0.5),
        "crash_p99_seconds": percentile(times, 0.99)}}
    for kind in options.servers:
        own = results[kind] = {}
        print(f"bench: {kind}", flush=True)
        measure_many(kind, options, own)
        measure_crash(kind, options, bare, own)
        measure_log(kind, options, bare, own)
    derive(results, options)
    print_table(results, options)
    is_met = True
    if "svisord" in options.servers:
        is_met = print_targets(results)
    else:
        print(f"\nsvisord is not in {options.build}: only the baselines were measured")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as stream:
            json.dump(results, stream, indent=2)
    sys.exit(1 if options.check and not is_met else 0)


if __name__ == "__main__":
    main()
