# suite: quick
# svctl daemon-reexec: another file at svisord's path, and the same process, the same programs, the same sockets.
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import Server, binary, is_zombie, wait_until

CONFIG = """
[unix_http_server]
file=@SOCK@
[inet_http_server]
port=127.0.0.1:@PORT@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=reexec-test
[program:steady]
command=/bin/sleep 1000
startsecs=0
[program:late]
command=/bin/sh -c 'ulimit -n; env; exec sleep 1000'
autostart=false
startsecs=0
"""
LINES = """
[program:lines]
command=@PYTHON@ @DIR@/lines.py
startsecs=0
stdout_logfile=@DIR@/lines.log
[program:short]
command=/bin/sh -c 'sleep 0.0$(($$ %% 9)); exit 7'
startsecs=0
autorestart=true
exitcodes=7
restart_delay=0
"""
COUNTER = "import itertools, time\nfor n in itertools.count():\n    print(n, flush=True)\n    time.sleep(0.0005)\n"
OTHER = "9.8.7"  # as long as the real one
options = tap.arguments()


def version_of(program):
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()


def make_other(program, path):
    """A svisord that says it is another version: the text is all that tells it."""
    real = version_of(program).encode()
    tap.check(len(real), len(OTHER), f"{real!r}: OTHER of this test must be as long")
    with open(program, "rb") as source, open(path, "wb") as target:
        text = rb"(?<![A-Z_])" + re.escape(real)  # not the LIBBPF_0.1.0 of a symbol
        target.write(re.sub(text, OTHER.encode(), source.read()))
    os.chmod(path, 0o755)


def place(server, source):
    """Puts a program where svisord was started from, as a package manager does: by rename."""
    shutil.copy(source, server.path("new"))
    os.rename(server.path("new"), server.path("svisord"))


def prepare(config=CONFIG, **more):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    server = Server("svisord", options.build, config, start=False, **more)
    server.original = server.program
    server.program = server.path("svisord")
    place(server, server.original)
    make_other(server.original, server.path("other"))
    return server


def serve(config=CONFIG, **more):
    server = prepare(config, **more)
    try:
        server.start()
    except BaseException:
        server.close()
        raise
    return server


def svctl(server, *words):
    done = subprocess.run([os.path.join(options.build, "svctl"), "-s", "unix://" + server.socket_path, *words],
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def reexec(server):
    status, text = svctl(server, "daemon-reexec")
    tap.check_true(status == 0, f"{status}: {text}\n{server.last_words()}")
    return text


def info(server, name):
    return server.rpc().supervisor.getProcessInfo(name)


def lives(pid):
    return os.path.exists(f"/proc/{pid}") and not is_zombie(pid)


@tap.test("an upgrade, and then a downgrade: the same process, the same program, another version")
def _():
    with serve() as server:
        real = version_of(server.original)
        steady, daemon = info(server, "steady")["pid"], server.process.pid
        for source, before, after in ((server.path("other"), real, OTHER), (server.original, OTHER, real)):
            place(server, source)
            tap.check(reexec(server), f"svisord {after}: re-executed, was {before}\n", "what svctl says")
            tap.check(server.rpc().svisor.getVersion(), after, "version")
            tap.check(server.rpc().supervisor.getPID(), daemon, "pid of svisord")
            tap.check(os.readlink(f"/proc/{daemon}/exe"), server.path("svisord"), "what the process executes")
            tap.check((info(server, "steady")["pid"], info(server, "steady")["statename"]), (steady, "RUNNING"), "steady")
            tap.check(server.read("main.pid"), f"{daemon}\n", "pid file")
        tap.check(server.stop(), 0, "exit status")
        tap.check_true(not lives(steady), "steady outlived a stop")
        tap.check([name for name in ("s.sock", "main.pid") if os.path.exists(server.path(name))], [], "files left")


@tap.test("no client is refused, over the unix socket or TCP, while svisord is executed again and again")
def _():
    with serve() as server:
        refused, count, is_over = [], [0], threading.Event()

        def knock(family, address):
            while not is_over.is_set():
                with socket.socket(family) as client:
                    try:
                        client.connect(address)
                        count[0] += 1
                    except OSError as error:
                        refused.append(f"{address}: {error}")
                time.sleep(0.001)

        threads = [threading.Thread(target=knock, args=to) for to in (
            (socket.AF_UNIX, server.socket_path), (socket.AF_INET, ("127.0.0.1", server.port)))]
        for thread in threads:
            thread.start()
        try:
            for _ in range(5):
                reexec(server)
        finally:
            is_over.set()
            for thread in threads:
                thread.join()
        print(f"# {count[0]} connections")
        tap.check(refused[:3], [], "refused")
        tap.check_true(count[0] > 20, f"only {count[0]} connections")


@tap.test("what a program writes is logged once, and each exit status is exact, however often svisord is executed")
def _():
    server = prepare(CONFIG + LINES)
    server.write("lines.py", COUNTER)
    with server:
        server.start()
        for _ in range(8):
            reexec(server)
        server.stop()
        numbers = [int(line) for line in server.read("lines.log").split()]
        tap.check_true(numbers == list(range(len(numbers))) and len(numbers) > 100,
                       f"{len(numbers)} lines, the last is {numbers[-1:]}")
        told = re.findall(r"exited: short \((.*)\)$", server.read("main.log"), re.M)
        tap.check(set(told), {"exit status 7; expected"}, "how short ended")
        ends, starts = len(told), server.read("main.log").count("spawned: 'short'")
        tap.check_true(starts - ends in (0, 1), f"short was started {starts} times and ended {ends} times")


@tap.test("a file that cannot be the next svisord is refused, in its own words, and nothing changes")
def _():
    with serve() as server:
        steady, daemon = info(server, "steady")["pid"], server.process.pid

        def refuse(words):
            status, text = svctl(server, "daemon-reexec")
            tap.check((status, text.startswith("ERROR: nothing has changed: FAILED: ")), (1, True), text)
            for word in words:
                tap.check_true(word in text, f"{word!r} is not in {text!r}")
            tap.check(server.rpc().supervisor.getPID(), daemon, "pid of svisord")
            tap.check(info(server, "steady")["pid"], steady, "pid of steady")

        for content, mode, words in (
                ("nonsense", 0o755, ("cannot be executed", "ENOEXEC")),
                ("#!/bin/sh\necho no such library; exit 127\n", 0o755, ("cannot run", "127", "no such library")),
                ("#!/bin/sh\nkill -SEGV $$\n", 0o755, ("cannot run", "SIGSEGV")),
                ("#!/bin/sh\necho hello; echo world\n", 0o755, ("does not answer --version", "hello\nworld")),
                ("#!/bin/sh\n[ $1 = --version ] && echo 5 || { echo too old >&2; exit 2; }\n", 0o755,
                 ("version 5", "would not start", "too old")),
                ("", 0o644, ("cannot be executed", "EACCES"))):
            server.write("script", content, mode)
            place(server, server.path("script"))
            refuse(words)
        os.unlink(server.path("svisord"))
        refuse(("cannot be executed", "ENOENT"))
        place(server, server.original)
        server.write_config(CONFIG.replace("startsecs=0", "startsecs=x"))
        refuse(("would not start", "startsecs"))
        server.write_config(CONFIG)
        reexec(server)


@tap.test("should the exec fail after all, the old image goes on with everything")
def _():
    with serve() as server:
        real, steady, daemon = version_of(server.original), info(server, "steady")["pid"], server.process.pid
        server.write("script", f"#!/bin/sh\n[ $1 = --version ] && echo {OTHER} || rm @DIR@/svisord\n", 0o755)
        place(server, server.path("script"))
        status, text = svctl(server, "daemon-reexec")
        tap.check((status, text), (1, f"ERROR: svisord {real} answers, not {OTHER}: see the log (svctl maintail)\n"),
                  "what svctl says")
        tap.check_true("could not be executed: No such file" in server.read("main.log"), server.last_words())
        tap.check((server.rpc().supervisor.getPID(), info(server, "steady")["pid"]), (daemon, steady), "pids")
        place(server, server.original)
        reexec(server)


@tap.test("in the background, with relative names and a directory of its own, svisord stays what and where it was")
def _():
    relative = CONFIG.replace("@DIR@/main.pid\n", "main.pid\ndirectory=/\numask=027\n").replace("@DIR@", ".")
    server = prepare(relative, arguments=())
    server.config_path = "server.conf"
    with server:
        server.start()
        server.process.wait()
        daemon = int(wait_until(lambda: os.path.exists(server.path("main.pid")) and server.read("main.pid"), 10, "a pid"))
        steady = info(server, "steady")["pid"]
        reexec(server)
        tap.check((int(server.read("main.pid")), info(server, "steady")["pid"]), (daemon, steady), "pids")
        tap.check((os.readlink(f"/proc/{daemon}/cwd"), os.readlink(f"/proc/{daemon}/fd/0")), ("/", "/dev/null"),
                  "directory and stdin")
        with open(f"/proc/{daemon}/status", encoding="ascii") as stream:
            tap.check_true("Umask:\t0027" in stream.read(), "umask")
        server.rpc().supervisor.shutdown()
        wait_until(lambda: not lives(daemon), 10, "svisord to end")


def descriptors(pid):
    """What they lead to, but for the numbers of pipes and connections that come and go."""
    links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    return sorted(link.partition(":[")[0] for link in links if not link.startswith("socket:"))


@tap.test("limits, environment and descriptors are as they were, however often")
def _():
    with serve(wrapper=("sh", "-c", 'ulimit -Sn 1500; exec "$@"', "sh")) as server:
        daemon = server.process.pid
        reexec(server)
        before = descriptors(daemon)
        for _ in range(4):
            reexec(server)
        tap.check(descriptors(daemon), before, "descriptors of svisord")
        server.rpc().supervisor.startProcess("late")
        wait_until(lambda: "PATH=" in server.rpc().supervisor.readProcessStdoutLog("late", 0, 0), 10, "late to write")
        text = server.rpc().supervisor.readProcessStdoutLog("late", 0, 0)
        tap.check((text.split("\n")[0], "SVISOR_REEXEC" in text), ("1500", False), text)
        tap.check(len(os.listdir(f"/proc/{info(server, 'late')['pid']}/fd")), 3, "descriptors of a program")


@tap.test("a socket that the files no longer name is closed and removed, and a new mode is given to one that stays")
def _():
    with serve() as server:
        server.write_config(CONFIG.replace("file=@SOCK@", "file=@SOCK@\nchmod=0770"))
        reexec(server)
        tap.check(oct(os.stat(server.socket_path).st_mode & 0o777), "0o770", "mode")
        server.write_config(CONFIG.replace("file=@SOCK@", "file=@DIR@/t.sock"))
        server.rpc(over="tcp").svisor.reexec()
        wait_until(lambda: os.path.exists(server.path("t.sock")), 10, "the new socket")
        server.rpc(over="tcp").supervisor.getState()
        tap.check(os.path.exists(server.socket_path), False, "the old socket")


@tap.test("an old client that cannot be answered is told so by its connection, not left waiting")
def _():
    with serve() as server:
        proxy = server.rpc()
        waiting = []

        def wait():
            try:
                proxy.supervisor.startProcess("steady2")
            except (OSError, xmlrpc.client.Error) as error:
                waiting.append(error)

        server.write_config(CONFIG + "[program:steady2]\ncommand=/bin/sleep 1000\nstartsecs=1000\nautostart=false\n")
        server.rpc().supervisor.reloadConfig()
        server.rpc().supervisor.addProcessGroup("steady2")
        thread = threading.Thread(target=wait)
        thread.start()
        wait_until(lambda: info(server, "steady2")["statename"] == "STARTING", 10, "the start")
        reexec(server)
        thread.join(10)
        tap.check((thread.is_alive(), len(waiting)), (False, 1), "the call that waited")
        tap.check(info(server, "steady2")["statename"], "STARTING", "steady2")


def journal_of(server):
    """The path of its journal: that is open, or mapped, in svisord alone."""
    with open(f"/proc/{server.process.pid}/maps", encoding="utf-8") as stream:
        paths = {line.split()[-1] for line in stream}
    directory = f"/proc/{server.process.pid}/fd"
    paths.update(os.readlink(os.path.join(directory, fd)) for fd in os.listdir(directory))
    return next(path for path in paths if os.path.basename(path) == "journal")


def frame(body):
    checksum = 0x811c9dc5
    for byte in body:
        checksum = (checksum ^ byte) * 0x01000193 & 0xffffffff
    return struct.pack("<II", len(body), checksum) + body


def change_version(path, version):
    """The header of a svisord to come: in place, for svisord may be writing behind it."""
    with open(path, "r+b") as stream:
        length, _ = struct.unpack("<II", stream.read(8))
        body = stream.read(length)
        stream.seek(0)
        stream.write(frame(body[:1] + struct.pack("<I", version) + body[5:]))
    return struct.unpack_from("<I", body, 1)[0]


def append(path, body):
    """Behind the last record, where zeros may stand."""
    with open(path, "r+b") as stream:
        text, offset = stream.read(), 0
        while offset + 4 <= len(text) and (length := struct.unpack_from("<I", text, offset)[0]):
            offset += 8 + length
        stream.seek(offset)
        stream.write(frame(body))


@tap.test("a journal of another version: neither a start nor a reexec touches what it cannot read")
def _():
    with serve() as server:
        steady, path = info(server, "steady")["pid"], journal_of(server)
        version = change_version(path, 99)
        status, text = svctl(server, "daemon-reexec")
        tap.check_true(status == 1 and "nothing has changed" in text and "version 99 of the journal" in text, text)
        server.disconnect()
        server.process.kill()
        server.process.wait()
        server.start(ready=False)
        tap.check(server.wait(), 2, "exit status of a start")
        tap.check_true("version 99 of the journal" in server.read("main.log"), server.last_words())
        tap.check_true(lives(steady), "steady has ended")
        change_version(path, version)
        server.start()
        tap.check((info(server, "steady")["pid"], info(server, "steady")["statename"]), (steady, "RUNNING"), "steady")
        tap.check(server.stop(), 0, "exit status")
        tap.check_true(not lives(steady), "steady outlived a stop")


@tap.test("what a later svisord of the same journal has added is passed over")
def _():
    with serve() as server:
        steady, path = info(server, "steady")["pid"], journal_of(server)
        server.disconnect()
        server.process.kill()
        server.process.wait()
        append(path, b"\x2asomething that this svisord has never heard of")
        server.start()
        tap.check((info(server, "steady")["pid"], info(server, "steady")["statename"]), (steady, "RUNNING"), "steady")


@tap.test("a start that is refused after a crash, for a port that is taken, leaves the programs to the next one")
def _():
    with serve(CONFIG) as server:
        steady = info(server, "steady")["pid"]
        server.disconnect()
        server.process.kill()
        server.process.wait()
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", server.port))
            other.listen()
            server.start(ready=False)
            tap.check(server.wait(), 2, "exit status")
        server.start()
        tap.check((info(server, "steady")["pid"], info(server, "steady")["statename"]), (steady, "RUNNING"), "steady")
        tap.check(server.stop(), 0, "exit status")
        tap.check_true(not lives(steady), "steady outlived a stop")


@tap.test("as PID 1, of whom the programs are children that die with it, svisord can be executed anew as well")
def _():
    if os.geteuid() != 0:
        tap.skip("a PID namespace needs root")
    with serve(wrapper=("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")) as server:
        steady = info(server, "steady")["pid"]
        place(server, server.path("other"))
        reexec(server)
        tap.check((server.rpc().svisor.getVersion(), server.rpc().supervisor.getPID()), (OTHER, 1), "version and pid")
        tap.check((info(server, "steady")["pid"], info(server, "steady")["statename"]), (steady, "RUNNING"), "steady")
        server.rpc().supervisor.shutdown()
        tap.check(server.wait(), 0, "exit status")


if __name__ == "__main__":
    tap.run_all()
