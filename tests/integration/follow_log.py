# suite: quick
# seconds: 30
# svisor.followLog on a real daemon: every byte of a log once, over rotations, and what is told when bytes are gone.
# svctl logs -f: every line once, also over the death of svisord.
import base64
import os
import signal
import subprocess
import sys
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import lone
import tap
from daemon import wait_until

PROGRAMS = """
[program:writer]
command=/bin/cat
startsecs=0
stdout_logfile=@DIR@/writer.log
stdout_logfile_maxbytes=500
stdout_logfile_backups=3
redirect_stderr=true
[program:mute]
command=/bin/sleep 1000
startsecs=0
stdout_logfile=NONE
stderr_logfile=syslog
"""
CTL = """
[supervisorctl]
serverurl=unix://@SOCK@
"""
NO_FILE, BAD_ARGUMENTS = 20, 3
options = tap.arguments()


class Reader:
    """One who follows a log, and has what came so far."""

    def __init__(self, server, name, channel="stdout", limit=0):
        self.server, self.words, self.limit = server, (name, channel), limit
        self.cursor, self.bytes, self.gap_count = "", b"", 0

    def look(self):
        piece = self.server.rpc().svisor.followLog(*self.words, self.cursor, self.limit)
        self.cursor = piece["cursor"]
        self.bytes += base64.b64decode(piece["base64"])
        self.gap_count += piece["is_gap"]
        return piece["behind"]

    def catch_up(self):
        while self.look() > 0:
            pass
        return self.bytes


def serve():
    return lone.serve(options.build, lone.SOCKET + CTL + PROGRAMS)


def write(server, text):
    """The program writes it, and it is in the log: in one of its files."""
    server.rpc().supervisor.sendProcessStdin("writer", text)
    last = text.encode().splitlines()[-1]
    names = ["writer.log", "writer.log.1"]
    wait_until(lambda: any(last in open(server.path(name), "rb").read() for name in names if os.path.exists(server.path(name))),
               10, f"{last} in the log")


def fault_of(server, *words):
    try:
        server.rpc().svisor.followLog(*words)
    except xmlrpc.client.Fault as fault:
        return fault.faultCode, fault.faultString
    return None


@tap.test("every line is read once, over rotations, by a reader that comes often and by one that comes late with small steps")
def _():
    with serve() as server:
        often, late = Reader(server, "writer"), Reader(server, "writer", limit=7)
        often.look(), late.look()
        wanted = b""
        for i in range(60):
            line = f"{i:04d} line of text\n"
            wanted += line.encode()
            write(server, line)
            often.look()
        tap.check(often.catch_up(), wanted, "read at each line")
        tap.check(late.catch_up(), wanted, "read at the end, seven bytes at a time")
        tap.check((often.gap_count, late.gap_count), (0, 0), "gaps")
        tap.check(os.path.exists(server.path("writer.log.2")), True, "it has turned over")


@tap.test("bytes that no XML and no JSON carries come as they were written")
def _():
    with serve() as server:
        reader = Reader(server, "writer")
        reader.look()
        odd = b"\x1b[31mred\x1b[0m \x00\xff\xfe \xe2\x82\n"
        with open(f"/proc/{server.rpc().supervisor.getProcessInfo('writer')['pid']}/fd/0", "wb", buffering=0) as stdin:
            stdin.write(odd)
        wait_until(lambda: reader.catch_up() == odd, 10, "the bytes")


@tap.test("a log that was emptied, and one that has turned over too often, begin anew and say so")
def _():
    with serve() as server:
        reader = Reader(server, "writer")
        write(server, "before\n")
        reader.look()
        server.rpc().supervisor.clearProcessLogs("writer")
        write(server, "after\n")
        tap.check((reader.catch_up(), reader.gap_count), (b"before\nafter\n", 1), "emptied")
        for i in range(200):
            write(server, f"{i:04d} line of text\n")
        read = reader.catch_up()
        tap.check(reader.gap_count, 2, "gaps")
        tap.check(read.endswith(b"0199 line of text\n"), True, "the end is there")


@tap.test("a log that is not there is told in words, and the daemon's own can be followed")
def _():
    with serve() as server:
        tap.check(fault_of(server, "mute", "stdout"), (NO_FILE, "NO_FILE: stdout_logfile is NONE"), "none")
        tap.check(fault_of(server, "mute", "stderr")[0], NO_FILE, "syslog")
        tap.check(fault_of(server, "writer", "stderr"),
                  (NO_FILE, "NO_FILE: redirect_stderr: its error output is in the log of its output"), "redirected")
        tap.check(fault_of(server, "writer", "stdout", "1-2")[0], BAD_ARGUMENTS, "no cursor")
        tap.check(b"entered RUNNING" in Reader(server, "").catch_up(), True, "the daemon's own log")


@tap.test("svctl logs -f waits for the next daemon, and shows what was written meanwhile")
def _():
    counter = "[program:counter]\ncommand=sh -c 'while :; do i=$((i+1)); echo line number $i; sleep 0.01; done'\nstartsecs=0\n"
    with lone.serve(options.build, lone.SOCKET + CTL + counter + "[program:idle]\ncommand=cat\nstartsecs=0\n") as server:
        svctl = ["timeout", "25", os.path.join(options.build, "svctl"), "-c", server.config_path, "logs", "-f", "counter", "idle"]
        with subprocess.Popen(svctl, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as following:
            lines = [following.stdout.readline() for _ in range(30)]
            for _ in range(2):
                server.disconnect()
                server.process.kill()
                server.process.wait()
                said = following.stderr.readline()
                tap.check_true("waiting for the next daemon" in said, said)
                server.start()
                lines += [following.stdout.readline() for _ in range(300)]
            first = int(lines[0].split()[-1])
            tap.check(lines, [f"counter | line number {number}\n" for number in range(first, first + len(lines))], "lines")
            following.send_signal(signal.SIGINT)
            tap.check((following.wait(20), following.stderr.read()), (0, ""), "its exit code, and what else it says")


@tap.test("svctl logs -f begins with the new log of a program, and ends when the next daemon does not know it")
def _():
    with serve() as server:
        svctl = ["timeout", "20", os.path.join(options.build, "svctl"), "-c", server.config_path, "logs", "-f", "writer"]
        with subprocess.Popen(svctl, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as following:
            write(server, "the first words\n")
            tap.check(following.stdout.readline(), "writer | the first words\n", "a line")
            server.stop()
            tap.check_true("waiting for the next daemon" in following.stderr.readline(), "that it waits")
            with open(server.path("writer.log"), "w", encoding="ascii") as log:
                log.write("other words\n")
            server.start()
            tap.check(following.stdout.readline(), "writer | other words\n", "the new log")
            tap.check_true("has turned over, lines may be missing" in following.stderr.readline(), "what it says of it")
            server.stop()
            server.write_config(server.config.replace("[program:writer]", "[program:another]"))
            server.start()
            tap.check((following.wait(20), following.stdout.read()), (1, "writer: ERROR (no such process)\n"), "how it ends")


if __name__ == "__main__":
    tap.run_all(options)
