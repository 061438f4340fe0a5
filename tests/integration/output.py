# suite: quick
# Output in bad times: a flood, a full disk, a log file or its directory gone, and every special destination.
import os
import shutil
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import Server, binary, wait_until
from probe import memory_kb

HEAD = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=output-test
"""
options = tap.arguments()


def serve(config, **more):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    return Server("svisord", options.build, HEAD + config, **more)


def info(server, name):
    return server.rpc().supervisor.getProcessInfo(name)


def wait_state(server, name, state):
    wait_until(lambda: info(server, name)["statename"] == state, 20, f"{name} to be {state}")


def seconds(function):
    begin = time.monotonic()
    function()
    return time.monotonic() - begin


def size_of(server, name):
    try:
        return os.path.getsize(server.path(name))
    except FileNotFoundError:
        return None


@tap.test("three programs that write at full speed leave the API, a start, a stop and other output their time")
def _():
    with serve("""
[program:flood]
command=/usr/bin/yes
process_name=%(program_name)s_%(process_num)d
numprocs=3
stdout_logfile=@DIR@/%(program_name)s_%(process_num)d.log
stdout_logfile_maxbytes=1MB
stdout_logfile_backups=2
[program:cat]
command=/bin/cat
stdout_logfile=@DIR@/cat.log
startsecs=0
""") as server:
        for number in range(3):
            wait_state(server, f"flood:flood_{number}", "RUNNING")
        proxy = server.rpc()
        states = sorted(seconds(proxy.supervisor.getState) for _ in range(100))
        cycles = []
        for number in range(10):
            proxy.supervisor.sendProcessStdin("cat", f"line {number}\n")
            cycles.append(seconds(lambda: wait_until(lambda: f"line {number}\n" in server.read("cat.log"), 10, "cat")))
            cycles.append(seconds(lambda: proxy.supervisor.stopProcess("cat")))
            cycles.append(seconds(lambda: proxy.supervisor.startProcess("cat")))
        print(f"# getState under flood: median {states[50] * 1e3:.1f} ms, worst {states[-1] * 1e3:.1f} ms; "
              f"worst echo, stop or start {max(cycles) * 1e3:.0f} ms")
        tap.check_true(states[90] < 0.25 and max(cycles) < 2, "the flood holds others up")
        for number in range(3):
            names = [f"flood_{number}.log{tail}" for tail in ("", ".1", ".2")]
            # A rotation renames them one after the other, many times a second.
            wait_until(lambda names=names, number=number: names == sorted(
                name for name in os.listdir(server.directory) if name.startswith(f"flood_{number}.log")), 5,
                "log and its backups, and no more")
            for name in names:
                # In the moment of a rotation the log itself is not there.
                size = wait_until(lambda name=name: os.path.exists(server.path(name)) and size_of(server, name), 5, name)
                tap.check_true(size < (1 << 20) + (256 << 10), f"{name} is too large")
        took = seconds(lambda: proxy.supervisor.stopProcessGroup("flood"))
        tap.check_true(took < 3, f"the stop of the flood took {took:.1f} s")


# A disk of 1 MB that only svisord and its programs see. $0: where.
SMALL_DISK = ("unshare", "-m", "--propagation", "private", "sh", "-c",
              'mount -t tmpfs -o size=1m small "$0" || exit 77; exec "$@"')


def serve_on_small_disk(config):
    if os.geteuid() != 0:
        tap.skip("only root can mount a small disk")
    server = serve(config, start=False)
    os.mkdir(server.path("disk"))
    server.wrapper = [*SMALL_DISK, server.path("disk")]
    server.start()
    return server, f"/proc/{server.process.pid}/root{server.path('disk')}/"


def read(path):
    with open(path, "rb") as stream:
        return stream.read().decode("utf-8", "replace")


def fill(disk):
    try:
        with open(disk + "filler", "wb", buffering=0) as stream:
            while True:
                stream.write(bytes(4096))
    except OSError:
        pass


@tap.test("a full disk is told once, costs no program, and its end is told with the number of lost bytes")
def _():
    server, disk = serve_on_small_disk("""
[program:cat]
command=/bin/cat
stdout_logfile=@DIR@/disk/cat.log
startsecs=0
[program:other]
command=/bin/cat
stdout_logfile=@DIR@/other.log
startsecs=0
""")
    with server:
        wait_state(server, "cat", "RUNNING")
        proxy = server.rpc()
        fill(disk)
        for number in range(8):
            proxy.supervisor.sendProcessStdin("cat", "x" * 5000 + "\n")
        wait_until(lambda: "No space left" in server.read("main.log"), 10, "the line about the full disk")
        proxy.supervisor.sendProcessStdin("other", "still here\n")
        wait_until(lambda: "still here" in server.read("other.log"), 10, "the echo of other")
        tap.check(info(server, "cat")["statename"], "RUNNING", "cat on a full disk")
        tap.check(server.read("main.log").count("No space left"), 1, "lines about the full disk")
        os.unlink(disk + "filler")
        proxy.supervisor.sendProcessStdin("cat", "afterwards\n")
        wait_until(lambda: "afterwards" in read(disk + "cat.log"), 10, "new output in the log")
        line = next(line for line in server.read("main.log").split("\n") if "now writing again" in line)
        tap.check_true(" bytes could not be written" in line and " 0 bytes" not in line, f"the line says {line!r}")


@tap.test("svisord whose own log is on a full disk goes on, and tells it afterwards")
def _():
    server, disk = serve_on_small_disk("""
[program:cat]
command=/bin/cat
startsecs=0
""")
    with server:
        wait_state(server, "cat", "RUNNING")
        proxy = server.rpc()
        server.write_config(server.config.replace("logfile=@DIR@/main.log", "logfile=@DIR@/disk/main.log"))
        proxy.supervisor.restart()
        wait_until(lambda: os.path.exists(disk + "main.log") and "entered RUNNING" in read(disk + "main.log"), 10, "the new log")
        fill(disk)
        proxy = server.rpc()
        for _ in range(30):
            proxy.supervisor.stopProcess("cat")
            proxy.supervisor.startProcess("cat")
        os.unlink(disk + "filler")
        proxy.supervisor.stopProcess("cat")
        wait_until(lambda: "bytes could not be written" in read(disk + "main.log"), 10, "the line about the loss")
        tap.check(server.stop(), 0, "exit status")


@tap.test("a log that is removed or moved under our feet comes back with a reopen, a clear or a rotation")
def _():
    with serve("""
[program:cat]
command=/bin/cat
stdout_logfile=@DIR@/cat.log
stdout_logfile_maxbytes=1000
startsecs=0
""") as server:
        wait_state(server, "cat", "RUNNING")
        proxy = server.rpc()

        def say(text):
            proxy.supervisor.sendProcessStdin("cat", text + "\n")
            wait_until(lambda: os.path.exists(server.path("cat.log")) and text in server.read("cat.log"), 10, text)

        say("before")
        os.rename(server.path("cat.log"), server.path("moved.log"))
        server.send(signal.SIGUSR2)
        wait_until(lambda: os.path.exists(server.path("cat.log")), 10, "the reopened log")
        say("after a reopen")
        os.unlink(server.path("cat.log"))
        proxy.supervisor.clearProcessLogs("cat")
        say("after a clear")
        os.unlink(server.path("cat.log"))
        proxy.supervisor.sendProcessStdin("cat", "x" * 2000 + "\n")
        wait_until(lambda: os.path.exists(server.path("cat.log")), 10, "the log after a rotation")
        say("after a rotation")


@tap.test("a log directory that goes away fails that program with its name, and the others go on")
def _():
    with serve("""
[program:homeless]
command=/bin/cat
stdout_logfile=@DIR@/sub/homeless.log
startretries=0
autostart=false
[program:cat]
command=/bin/cat
stdout_logfile=@DIR@/cat.log
startsecs=0
""", start=False) as server:
        os.mkdir(server.path("sub"))
        server.start()
        shutil.rmtree(server.path("sub"))
        try:
            server.rpc().supervisor.startProcess("homeless")
        except Exception as fault:
            tap.check_true("SPAWN_ERROR" in str(fault), f"the fault is {fault}")
        wait_state(server, "homeless", "FATAL")
        spawnerr = info(server, "homeless")["spawnerr"]
        tap.check_true("ENOENT" in spawnerr and "homeless" in spawnerr, f"spawnerr is {spawnerr!r}")
        tap.check_true(server.path("sub") in server.read("main.log") + spawnerr, "nothing names the directory")
        tap.check(info(server, "cat")["statename"], "RUNNING", "cat")
        os.mkdir(server.path("sub"))
        server.rpc().supervisor.startProcess("homeless")
        tap.check(info(server, "homeless")["statename"], "RUNNING", "homeless with its directory back")


@tap.test("/dev/stdout, /dev/null, a FIFO without a reader and a full device are destinations like others")
def _():
    with serve("""
[program:out]
command=/bin/sh -c 'echo to stdout; exec sleep 1000'
stdout_logfile=@DIR@/stdout
stdout_logfile_maxbytes=0
startsecs=0
[program:null]
command=/bin/sh -c 'echo to nowhere; exec sleep 1000'
stdout_logfile=@DIR@/null
stdout_logfile_maxbytes=1
startsecs=0
[program:full]
command=/bin/sh -c 'while :; do echo to full || exit 1; sleep 0.01; done'
stdout_logfile=@DIR@/full
startsecs=0
[program:fifo]
command=/bin/sh -c 'echo to fifo; exec sleep 1000'
stdout_logfile=@DIR@/fifo
startsecs=0
""", start=False) as server:
        for name in ("stdout", "null", "full"):
            os.symlink("/dev/" + name, server.path(name))
        os.mkfifo(server.path("fifo"))
        server.start()
        for name in ("out", "null", "full"):
            wait_state(server, name, "RUNNING")
        wait_until(lambda: "to stdout" in server.read("output"), 10, "the line on svisord's own stdout")
        wait_until(lambda: info(server, "fifo")["statename"] in ("RUNNING", "FATAL"), 20, "fifo to be settled")
        tap.check(info(server, "full")["statename"], "RUNNING", "full")
        server.rpc().supervisor.clearAllProcessLogs()
        tap.check_true(os.path.exists("/dev/null") and not os.path.isfile("/dev/null"), "/dev/null is gone")
        tap.check(server.stop(), 0, "exit status")


@tap.test("a syslog and a journal that nobody reads or that are not there hold nobody up")
def _():
    with serve("""
[program:both]
command=/usr/bin/yes
stdout_logfile=NONE
stdout_syslog=true
stdout_journal=true
startsecs=0
""") as server:
        wait_state(server, "both", "RUNNING")
        proxy = server.rpc()
        worst = max(seconds(proxy.supervisor.getState) for _ in range(50))
        print(f"# worst getState {worst * 1e3:.0f} ms")
        tap.check_true(worst < 0.15, f"getState took {worst:.2f} s")
        took = seconds(lambda: proxy.supervisor.stopProcess("both"))
        tap.check_true(took < 3, f"the stop took {took:.1f} s")


@tap.test("a client that follows a flood and does not read costs a bounded amount of memory")
def _():
    with serve("""
[program:flood]
command=/usr/bin/yes
stdout_logfile=@DIR@/flood.log
stdout_logfile_maxbytes=1MB
startsecs=0
""") as server:
        wait_state(server, "flood", "RUNNING")
        before = memory_kb(server.process.pid)
        readers = []
        for _ in range(10):
            client = socket.socket(socket.AF_UNIX)
            client.connect(server.socket_path)
            client.sendall(b"GET /logtail/flood HTTP/1.1\r\nHost: x\r\n\r\n")
            readers.append(client)
        stop = threading.Event()
        peak = before
        for _ in range(30):
            server.rpc().supervisor.getState()
            peak = max(peak, memory_kb(server.process.pid))
            stop.wait(0.05)
        for client in readers:
            client.close()
        print(f"# ten readers that do not read: {before} KB before, at most {peak} KB")
        tap.check_true(peak - before < 32 << 10, f"memory grew from {before} to {peak} KB")


if __name__ == "__main__":
    tap.run_all(options)
