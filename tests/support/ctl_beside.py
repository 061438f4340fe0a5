"""supervisorctl and svctl beside each other: the same words to the same server, and every byte compared.

Each comparison runs both programs, one after the other, against one server that was brought into the same state
before each of them. The server is the real supervisord, or with `--server svisord` ours.

What may differ: uptimes and pids; the name of the program itself; and an error for which supervisorctl prints a
class and a line of its source ("error: <class ..."): there ours must begin with "error: ", too, and end with the
same exit code. After a usage error ours may go on, behind a semicolon, with what to write instead.
"""

import errno
import os
import pty
import re
import select
import signal
import subprocess
import time
import xmlrpc.client

import tap
from compare import HEAD
from daemon import SUPERVISORCTL, Server, binary, wait_until

PROGRAMS = """
[program:ok]
command=/bin/sh -c 'echo hello; echo oops >&2; exec cat'
startsecs=1
stopwaitsecs=5
[program:crash]
command=/bin/sh -c 'exit 7'
startsecs=5
startretries=0
autostart=false
[program:missing]
command=/no/such/file
startretries=0
autostart=false
[program:unexecutable]
command=/etc/passwd
startretries=0
autostart=false
[program:quick]
command=/bin/true
startsecs=0
autorestart=false
[program:idle]
command=/bin/sleep 1000
autostart=false
startsecs=0
[program:a-program-with-a-name-longer-than-thirty-letters]
command=/bin/sleep 1000
startsecs=0
[program:web]
command=/bin/sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=2
startsecs=0
[program:one]
command=/bin/sleep 1000
startsecs=0
[program:two]
command=/bin/sleep 1000
startsecs=0
[group:pair]
programs=one,two
priority=5
"""
CONFIG = HEAD + PROGRAMS
TIMEOUT = 40

NORMAL = [
    # A server that looks late finds the program ended before it ran: its race, not that of supervisorctl or svctl.
    (r"quick: (started|ERROR \(abnormal termination\))", "quick: started or ended"),
    (r"pid \d+, uptime (\d+ days?, )?\d+:\d\d:\d\d", "pid N, uptime T"),
    (r"(?m)^[1-9]\d*$", "N"),
    (r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d\d \d\d:\d\d [AP]M", "DATE"),
]


def read_options():
    def add(parser):
        parser.add_argument("--server", default="supervisord", help="supervisord or svisord")

    return tap.arguments(add)


OPTIONS = read_options()
SVCTL = os.environ.get("SVCTL") or os.path.join(OPTIONS.build, "svctl")
BOTH = (SUPERVISORCTL, SVCTL)


def need_programs():
    for path in BOTH:
        if not os.access(path, os.X_OK):
            tap.skip(f"{path} is not there")
    if binary(OPTIONS.server, OPTIONS.build) is None:
        tap.skip(f"{OPTIONS.server} is not there")


def normal(text, program):
    text = text.replace("use " + program + " -h", "use PROGRAM -h")
    for pattern, replacement in NORMAL:
        text = re.sub(pattern, replacement, text)
    return text


def is_same(reference, ours):
    """Equal line by line, but for the errors that show supervisorctl's own source."""
    # After a 401 supervisorctl says what is wrong, tries once more and shows where that failed.
    reference = re.sub(r"(?m)^(Server requires authentication\n)error: <class .*ProtocolError.*\n", r"\1", reference)
    left, right = reference.split("\n"), ours.split("\n")
    return len(left) == len(right) and all(
        a == b or (a.startswith("error: <class ") and b.startswith("error: "))
        or (a.startswith("Error: ") and b.startswith(a + "; ")) for a, b in zip(left, right))


class Beside:
    """One server, and the two programs beside each other."""

    def __init__(self, server):
        self.server = server
        self.proxy = server.rpc().supervisor
        self.configuration = ["-c", server.config_path]

    def run(self, program, words, stdin=""):
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONIOENCODING"}
        done = subprocess.run([program, *self.configuration, *words], input=stdin.encode(), capture_output=True,
                              timeout=TIMEOUT, cwd=self.server.directory, env=environment)
        return (normal(done.stdout.decode(), program), normal(done.stderr.decode(), program), done.returncode)

    def same(self, words, stdin="", prepare=None, exit_status=None, sort=False):
        """Runs both; `prepare` comes before each. `exit_status` is what the reference must end with."""
        if isinstance(words, str):
            words = words.split()
        answers = []
        for program in BOTH:
            if prepare:
                prepare()
            out, err, status = self.run(program, words, stdin)
            answers.append((("\n".join(sorted(out.split("\n"))) if sort else out), err, status))
        compare(" ".join(words) + (f" < {stdin!r}" if stdin else ""), *answers)
        if exit_status is not None:
            tap.check(answers[0][2], exit_status, f"supervisorctl {' '.join(words)}: exit code")

    def given(self, **states):
        """Brings programs to RUNNING or STOPPED; for names with other letters give a dict to `others`."""
        states.update(states.pop("others", {}))
        for name, state in states.items():
            try:
                if state == "RUNNING":
                    self.proxy.startProcess(name)
                else:
                    self.proxy.stopProcess(name)
            except xmlrpc.client.Fault:
                pass
        return self

    def settle(self):
        wait_until(lambda: not any(info["statename"] in ("STARTING", "STOPPING", "BACKOFF")
                                   for info in self.proxy.getAllProcessInfo()), 20, "the states to settle")


def compare(what, reference, ours):
    lines = []
    for name, left, right in zip(("stdout", "stderr"), reference, ours):
        if not is_same(left, right):
            lines += [f"{what}: {name} differs", f"    supervisorctl {left!r}", f"    svctl         {right!r}"]
    if reference[2] != ours[2]:
        lines.append(f"{what}: exit code {reference[2]} of supervisorctl, {ours[2]} of svctl")
    if lines:
        tap.fail("\n".join(lines))


def beside(sentence, config=CONFIG):
    def register(script):
        def play():
            need_programs()
            with Server(OPTIONS.server, OPTIONS.build, config) as server:
                session = Beside(server)
                session.settle()
                try:
                    script(session)
                except tap.Failure as failure:
                    tap.fail(f"{failure}\n{server.last_words()}")

        tap.test(sentence)(play)
        return script

    return register


class Terminal:
    """A program on a pseudo terminal, and everything that it has printed."""

    def __init__(self, program, words, directory):
        self.program = program
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.environ.update(TERM="dumb", NO_COLOR="1")
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # which a shell has what it runs in the background ignore
            os.execv(program, [program, *words])
        self.text = ""

    def expect(self, pattern, timeout=15):
        end = time.monotonic() + timeout
        while not re.search(pattern, self.text):
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            try:
                piece = os.read(self.fd, 65536) if ready else b""
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                piece = b""
            if not piece:
                tap.fail(f"no {pattern!r} in {self.text!r}")
            self.text += piece.decode("utf-8", "replace")
        return self

    def send(self, text):
        """Types; what was printed before does not count for the next expect()."""
        self.text = ""
        os.write(self.fd, text.encode())
        return self

    def asks(self, before=""):
        """Waits for the prompt behind `before`, and until the program sleeps for a key: one that comes earlier may be lost,
        a Ctrl-C in Python's readline among them."""
        self.expect(before + "supervisor> ")
        wait_until(lambda: "poll" in open(f"/proc/{self.pid}/wchan", encoding="ascii").read(), 15, "the shell to wait for a key")
        return self

    def end(self, timeout=15):
        """The exit code, and all that was printed to the end."""
        stop = time.monotonic() + timeout
        while time.monotonic() < stop:
            ready, _, _ = select.select([self.fd], [], [], max(0, stop - time.monotonic()))
            try:
                piece = os.read(self.fd, 65536) if ready else b""
            except OSError:
                piece = b""
            if not piece:
                break
            self.text += piece.decode("utf-8", "replace")
        done, status = wait_until(lambda: (lambda got: got if got[0] else None)(os.waitpid(self.pid, os.WNOHANG)),
                                  timeout, f"{self.program} to end, which said {self.text!r}")
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def close(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


def on_terminal(s, words, script):
    """Plays a session on a terminal with both programs; what the script returns must be equal."""
    answers = []
    for program in BOTH:
        terminal = Terminal(program, [*s.configuration, *words], s.server.directory)
        try:
            answers.append(script(terminal))
        finally:
            terminal.close()
    tap.check(answers[1], answers[0], " ".join(words) or "the shell")
