#!/usr/bin/python3
"""svisord beside supervisord and beside the bare kernel, on this machine, in one run.

    bench.py --build DIR [--programs N] [--rounds N] [--bpf-rounds N] [--idle SECONDS] [--json FILE] [--servers LIST] [--check]

Absolute numbers belong to a machine and to its mood; the ratios are what is worth comparing. So the bare loop
(bare_spawn.c: clone3 and exec with nothing around it) is measured again before and after every round of a server,
each round is a ratio to its two neighbours, and the median of the rounds counts. docs/benchmarks.md explains the
numbers. Targets are printed with what was measured; with --check a missed one makes the exit status 1.
"""

import argparse
import json
import os
import platform
import resource
import select
import signal
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
from daemon import Server, binary, wait_until
from overhead import measure_bpf

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
# Without restart_delay=0 svisord slows down a program that ends within a second of its start, time after time.
# Supervisor does not know the key, and passes over it.
CRASH = HEAD + """
[program:crash]
command=%(bare)s stamp @DIR@/stamps
autorestart=true
startsecs=0
restart_delay=0
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
LOG_BYTES = 128 << 20
SMALL_ROUNDS = 1  # of supervisord, where a round takes long
SETTLE_SECONDS = 0.5  # after a thousand ends the kernel still removes what they had
SMALL_CRASHES = 4  # it needs a second for each
MEMORY_KEYS = {"Rss:": "rss", "Pss:": "pss", "Private_Dirty:": "private_dirty"}


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def cgroup_mount():
    """Where cgroup2 is, or None when nobody lets us make a cgroup there."""
    with open("/proc/self/mountinfo", encoding="utf-8") as stream:
        mounts = [line.split()[4] for line in stream if " - cgroup2 " in line]
    return next((mount for mount in mounts if os.access(os.path.join(mount, "cgroup.procs"), os.W_OK)), None)


class Bare:
    """The kernel's own cost."""

    def __init__(self, build):
        self.program = os.path.join(build, "bench", "bare_spawn")
        os.makedirs(os.path.dirname(self.program), exist_ok=True)
        subprocess.run([os.environ.get("CC", "gcc"), "-std=c17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-o",
                        self.program, os.path.join(HERE, "bare_spawn.c")], check=True)
        self.start_times = []
        self.crash_times = []

    def lines(self, *arguments):
        # A session of its own, as a server has: the scheduler shares the processors out by sessions (autogroup).
        done = subprocess.run([self.program, *map(str, arguments)], check=True, capture_output=True, text=True,
                              start_new_session=True)
        return [int(line) / 1e9 for line in done.stdout.split()]

    def start(self, count):
        """Seconds to start `count` programs."""
        seconds = self.lines("start", count, "/bin/sleep", "1000000")[0]
        time.sleep(SETTLE_SECONDS)
        self.start_times.append(seconds)
        return seconds

    def equip(self, count):
        """The same, each with three pipes and a cgroup of its own."""
        directory = os.path.join(cgroup_mount(), f"svisor-bench.{os.getpid()}")
        os.mkdir(directory)
        try:
            return self.lines("equip", count, directory, "/bin/sleep", "1000000")[0]
        finally:
            os.rmdir(directory)
            time.sleep(SETTLE_SECONDS)

    def burst(self, count, cgroup=None):
        """One start, exec and exit, of `count` one after the other, in that cgroup: (seconds, of processor time)."""
        command = [self.program, "burst", str(count), "/bin/true"]
        if cgroup:
            command = ["/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', cgroup, *command]
        done = subprocess.run(command, check=True, capture_output=True, text=True, start_new_session=True)
        return tuple(int(word) / 1e9 / count for word in done.stdout.split())

    def crash(self, count):
        """The p50 of `count` crashes, in seconds."""
        fifo = f"{self.program}.{os.getpid()}"
        os.mkfifo(fifo)
        try:
            times = self.lines("crash", count, fifo, self.program, "stamp", fifo)
        finally:
            os.unlink(fifo)
        self.crash_times += times
        return percentile(times, 0.5)


def between(rounds, bare, own):
    """`rounds` times own(), a bare() before and after each: the values of own(), and their ratios to the bare ones."""
    values, ratios = [], []
    before = bare()
    for _ in range(rounds):
        values.append(own())
        after = bare()
        ratios.append(values[-1] / ((before + after) / 2))
        before = after
    return values, ratios


def memory(pid):
    """In bytes: what ps shows (RSS), the fair share of it (PSS), what nobody else could share."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as stream:
        rows = [line.split() for line in stream]
    return {MEMORY_KEYS[row[0]]: int(row[1]) * 1024 for row in rows if row[0] in MEMORY_KEYS}


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


def ask_all(server, results):
    """Eleven times all processes: also what makes the memory that of a daemon in use."""
    calls = [call_seconds(server, "supervisor.getAllProcessInfo") for _ in range(11)]
    results["info_seconds"] = statistics.median(seconds for seconds, _ in calls)
    results["info_bytes"] = calls[-1][1]


def start_all(server, options):
    """Seconds to start them all."""
    proxy = server.rpc()
    begin = time.monotonic()
    proxy.supervisor.startProcessGroup("many", False)
    seconds = time.monotonic() - begin
    running = sum(row["statename"] == "RUNNING" for row in proxy.supervisor.getAllProcessInfo())
    if running != options.programs:
        raise SystemExit(f"{server.kind}: only {running} of {options.programs} run")
    return seconds


def start_round(server, options):
    """Starts and stops them all. The stop is not measured, nor what the kernel has to do after it."""
    seconds = start_all(server, options)
    server.rpc().supervisor.stopAllProcesses()
    time.sleep(SETTLE_SECONDS)
    return seconds


def idle(server, options, results):
    server.disconnect()
    time.sleep(1)  # what the calls have left to do is not idleness
    pid = server.process.pid
    cpu, wakeups = cpu_and_wakeups(pid)
    time.sleep(options.idle)
    cpu_after, wakeups_after = cpu_and_wakeups(pid)
    results["idle_cpu_seconds_a_minute"] = (cpu_after - cpu) * 60 / options.idle
    results["idle_wakeups_a_minute"] = (wakeups_after - wakeups) * 60 / options.idle


def measure_many(kind, options, bare, results):
    values = {"minfds": options.programs * 4 + 200, "programs": options.programs}
    with Server(kind, options.build, HEAD % values) as server:
        call_seconds(server, "supervisor.getState")  # it answers: the start is over
        results["fresh"] = memory(server.process.pid)
        ask_all(server, results)
        results["empty"] = memory(server.process.pid)
    with Server(kind, options.build, MANY % values) as server:
        rounds = SMALL_ROUNDS if kind == "supervisord" else options.rounds
        times, ratios = between(rounds, lambda: bare.start(options.programs),
                                lambda: start_round(server, options))
        results["start_seconds"] = statistics.median(times)
        results["start_share_of_bare"] = 1 / statistics.median(ratios)
        start_all(server, options)
        ask_all(server, results)
        results["full"] = memory(server.process.pid)
        idle(server, options, results)
        server.stop(timeout=120)
    for key in ("rss", "private_dirty"):
        results[f"{key}_a_program"] = (results["full"][key] - results["empty"][key]) / options.programs


def read_stamp(fifo, seconds=20):
    if not select.select([fifo], [], [], seconds)[0]:
        raise SystemExit(f"no replacement within {seconds} s")
    pid, stamp = os.read(fifo, 64).split(b"\n")[0].split()
    return int(pid), int(stamp)


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stream:
        return int(stream.read().rpartition(")")[2].split()[1])


class Crashes:
    """Kills the only program of a server, again and again."""

    def __init__(self, server, fifo):
        self.server = server
        self.fifo = fifo
        self.pid, _ = read_stamp(fifo)
        self.times = []

    def one(self):
        time.sleep(0.002)  # it goes to sleep first, as in the bare loop
        pidfd = os.pidfd_open(self.pid)
        if parent_of(self.pid) != self.server.process.pid:
            raise SystemExit(f"{self.pid} is no child of {self.server.kind}")
        begin = time.monotonic_ns()
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        self.pid, stamp = read_stamp(self.fifo)
        self.times.append((stamp - begin) / 1e9)
        os.close(pidfd)

    def round(self, count):
        for _ in range(count):
            self.one()
        return percentile(self.times[-count:], 0.5)


def measure_crash(kind, options, bare, results):
    config = CRASH % {"minfds": 1024, "bare": bare.program}
    with Server(kind, options.build, config, start=False) as server:
        os.mkfifo(server.path("stamps"))
        fifo = os.open(server.path("stamps"), os.O_RDWR | os.O_CLOEXEC)
        server.start()
        crashes = Crashes(server, fifo)
        is_slow = kind == "supervisord"
        own = SMALL_CRASHES if is_slow else options.crashes // options.rounds
        _, ratios = between(1 if is_slow else options.rounds, lambda: bare.crash(options.crashes // options.rounds),
                            lambda: crashes.round(own))
        os.close(fifo)
        results["crash_p50_seconds"] = percentile(crashes.times, 0.5)
        results["crash_p99_seconds"] = percentile(crashes.times, 0.99)
        results["crash_factor_of_bare"] = statistics.median(ratios)


def log_round(server):
    """Bytes a second of one program that writes LOG_BYTES as fast as it can, until they are in the file.

    The file is emptied afterwards, before the kernel takes them to the disk: it makes writers wait for the disk as soon
    as much is on its way there, and the disk is not what is measured.
    """
    proxy = server.rpc()
    path = server.path("log")
    begin = time.monotonic()
    proxy.supervisor.startProcess("log")
    wait_until(lambda: os.path.exists(path) and os.path.getsize(path) >= LOG_BYTES, 300, f"{LOG_BYTES} bytes of log")
    seconds = time.monotonic() - begin
    proxy.supervisor.clearProcessLogs("log")  # supervisord does not when the program has stopped
    proxy.supervisor.stopProcess("log")
    return LOG_BYTES / seconds


def measure_logs(options, bare, results):
    """All servers at the same time, one writing after the other."""
    config = LOG % {"minfds": 1024, "bare": bare.program, "bytes": LOG_BYTES}
    servers = {kind: Server(kind, options.build, config) for kind in options.servers}
    try:
        rates = {kind: [] for kind in servers}
        for _ in range(options.rounds):
            for kind, server in servers.items():
                rates[kind].append(log_round(server))
    finally:
        for server in servers.values():
            server.close()
    for kind in servers:
        results[kind]["log_bytes_a_second"] = statistics.median(rates[kind])


MIB, KIB = 2**20, 2**10


def rows(programs):
    """Title, how to get the number from the results of one server, how to print it."""
    return [
        (f"start {programs} programs", lambda own: own["start_seconds"], "{:.3f} s"),
        ("  rate, share of the bare loop", lambda own: own.get("start_share_of_bare", 1.0), "{:.0%}"),
        ("  with three pipes and a cgroup", lambda own: own["equipped_share"], "{:.0%}"),
        ("crash to replacement, p50", lambda own: own["crash_p50_seconds"] * 1000, "{:.2f} ms"),
        ("crash to replacement, p99", lambda own: own["crash_p99_seconds"] * 1000, "{:.2f} ms"),
        ("  p50, times the bare loop", lambda own: own.get("crash_factor_of_bare", 1.0), "{:.2f}"),
        (f"getAllProcessInfo of {programs}", lambda own: own["info_seconds"] * 1000, "{:.1f} ms"),
        ("memory without programs, RSS", lambda own: own["empty"]["rss"] / MIB, "{:.1f} MiB"),
        ("  just started, RSS", lambda own: own["fresh"]["rss"] / MIB, "{:.1f} MiB"),
        ("  PSS", lambda own: own["empty"]["pss"] / MIB, "{:.1f} MiB"),
        ("  private, written", lambda own: own["empty"]["private_dirty"] / MIB, "{:.1f} MiB"),
        (f"memory with {programs}, RSS", lambda own: own["full"]["rss"] / MIB, "{:.1f} MiB"),
        ("  PSS", lambda own: own["full"]["pss"] / MIB, "{:.1f} MiB"),
        ("  private, written", lambda own: own["full"]["private_dirty"] / MIB, "{:.1f} MiB"),
        ("memory a program, RSS", lambda own: own["rss_a_program"] / KIB, "{:.1f} KiB"),
        ("  private, written", lambda own: own["private_dirty_a_program"] / KIB, "{:.1f} KiB"),
        ("CPU of an idle minute", lambda own: own["idle_cpu_seconds_a_minute"] * 1000, "{:.1f} ms"),
        ("wake-ups of an idle minute", lambda own: own["idle_wakeups_a_minute"], "{:.0f}"),
        ("fork, exec, exit outside", lambda own: own["bpf_outside"]["seconds"] * 1e6, "{:.0f} us"),
        ("  times without our eBPF", lambda own: own["bpf_outside"]["factor"], "{:.3f}"),
        ("  the same of processor time", lambda own: own["bpf_outside"]["cpu_factor"], "{:.3f}"),
        ("fork, exec, exit in a program", lambda own: own["bpf_inside"]["seconds"] * 1e6, "{:.0f} us"),
        ("  times without our eBPF", lambda own: own["bpf_inside"]["factor"], "{:.3f}"),
        ("  the same of processor time", lambda own: own["bpf_inside"]["cpu_factor"], "{:.3f}"),
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
        if is_pair and values[1] and values[2] and not title.startswith("  "):
            line += f"{values[1] / values[2]:>25.2f}"
        print(line.rstrip())


def targets(results):
    """Title, what was measured, what was wanted, whether it is met."""
    own = results["svisord"]
    found = [
        ("start rate, share of the bare loop", f"{own['start_share_of_bare']:.0%}", f"at least {START_SHARE_MIN:.0%}",
         own["start_share_of_bare"] >= START_SHARE_MIN),
        ("crash to replacement, times the bare loop", f"{own['crash_factor_of_bare']:.2f}",
         f"under {CRASH_FACTOR_MAX:.0f}", own["crash_factor_of_bare"] < CRASH_FACTOR_MAX),
        ("memory without programs", f"{own['empty']['rss'] / MIB:.1f} MiB", f"at most {EMPTY_BYTES_MAX // MIB} MiB",
         own["empty"]["rss"] <= EMPTY_BYTES_MAX),
        ("memory a program", f"{own['rss_a_program'] / KIB:.1f} KiB", f"at most {PROGRAM_BYTES_MAX // KIB} KiB",
         own["rss_a_program"] <= PROGRAM_BYTES_MAX),
        ("wake-ups of an idle minute", f"{own['idle_wakeups_a_minute']:.0f}", "none", own["idle_wakeups_a_minute"] == 0),
    ]
    if "supervisord" in results:
        rate, theirs = own["log_bytes_a_second"] / 1e6, results["supervisord"]["log_bytes_a_second"] / 1e6
        found.append(("log throughput", f"{rate:.0f} MB/s", f"at least {theirs:.0f} MB/s", rate >= theirs))
    return found


def print_targets(results):
    print("\nTargets:")
    results["targets"] = []
    for title, value, wanted, is_met in targets(results):
        print(f"  {'met   ' if is_met else 'MISSED'} {title}: {value}, wanted {wanted}")
        results["targets"].append({"title": title, "value": value, "wanted": wanted, "met": is_met})
    return all(target["met"] for target in results["targets"])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5, help="of the bare loop and svisord in turn")
    parser.add_argument("--crashes", type=int, default=500, help="of svisord, over all rounds")
    parser.add_argument("--bpf-rounds", type=int, default=9, help="with and without eBPF in turn")
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


def measure(options):
    bare = Bare(options.build)
    results = {"programs": options.programs, "cpus": os.cpu_count(), "kernel": platform.release(),
               "load_before": os.getloadavg()[0]}
    for kind in options.servers:
        print(f"bench: {kind}", flush=True)
        own = results[kind] = {}
        measure_many(kind, options, bare, own)
        measure_crash(kind, options, bare, own)
    print("bench: logs", flush=True)
    measure_logs(options, bare, results)
    print("bench: bare", flush=True)
    if cgroup_mount():
        _, ratios = between(options.rounds, lambda: bare.start(options.programs), lambda: bare.equip(options.programs))
    results["bare"] = {"start_seconds": statistics.median(bare.start_times),
                       "crash_p50_seconds": percentile(bare.crash_times, 0.5),
                       "crash_p99_seconds": percentile(bare.crash_times, 0.99)}
    if cgroup_mount():
        results["bare"]["equipped_share"] = 1 / statistics.median(ratios)
    if "svisord" in options.servers:
        print("bench: eBPF", flush=True)
        measure_bpf(options, bare, results)
    results["load_after"] = os.getloadavg()[0]
    return results


def main():
    options = arguments()
    raise_limit(options.programs)
    print(f"bench: {options.programs} programs, {options.crashes} crashes, {options.rounds} rounds, "
          f"{options.idle:g} s idle; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)
    results = measure(options)
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
