# svctl beside supervisorctl: the same words to the same server, and every byte and the exit code compared.
# suite: quick
"""Each test runs both programs, one after the other, against one server that was brought into the same state
before each of them. The server is the real supervisord, or with `--server svisord` ours.

What may differ: uptimes and pids; the name of the program itself; the lines that svctl adds below a help text;
and an error for which supervisorctl prints a class and a line of its source ("error: <class ..."): there ours
must begin with "error: ", too, and end with the same exit code.
"""
import errno
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
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
        a == b or (a.startswith("error: <class ") and b.startswith("error: ")) for a, b in zip(left, right))


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


@beside("status prints the same table and ends with the same code for any names")
def _(s):
    s.given(crash="RUNNING", missing="RUNNING")
    s.same("status", exit_status=3)
    s.same("status ok", exit_status=0)
    s.same("status web:*", exit_status=0)
    s.same("status web: pair:one ok ok")
    s.same("status all nothing", exit_status=3)
    s.same("status nothing nothing:* web:web_7 web", exit_status=4)
    s.same("status idle nothing")
    s.same("status nothing idle")
    s.same("status ok:*")


@beside("start says and returns the same")
def _(s):
    stopped = lambda: s.given(ok="STOPPED", idle="STOPPED", others={"web:web_0": "STOPPED", "pair:one": "STOPPED"})
    s.same("start", exit_status=2)
    s.same("start ok", prepare=stopped, exit_status=0)
    s.same("start ok idle web:web_0", prepare=stopped, exit_status=0)
    s.same("start web:* pair:", prepare=stopped, exit_status=0)
    s.same("start ok", prepare=lambda: s.given(ok="RUNNING"), exit_status=0)
    s.same("start nothing", exit_status=1)
    s.same("start nothing:*", exit_status=2)
    s.same("start crash", exit_status=7)
    s.same("start missing", exit_status=1)
    s.same("start unexecutable", exit_status=1)
    s.same("start ok:ok web_0", exit_status=1)
    s.same("start all", prepare=stopped, sort=True)


@beside("stop says and returns the same")
def _(s):
    running = lambda: s.given(ok="RUNNING", idle="RUNNING", others={
        "web:web_0": "RUNNING", "web:web_1": "RUNNING", "pair:one": "RUNNING", "pair:two": "RUNNING",
        "a-program-with-a-name-longer-than-thirty-letters": "RUNNING"})
    s.same("stop", exit_status=1)
    s.same("stop ok idle", prepare=running, exit_status=0)
    s.same("stop web:*", prepare=running, exit_status=0, sort=True)
    s.same("stop pair:one web:web_1 nothing", prepare=running, exit_status=1)
    s.same("stop nothing:*", exit_status=1)
    s.same("stop crash", exit_status=0)
    s.same("stop all", prepare=running, exit_status=0, sort=True)


@beside("restart says and returns the same")
def _(s):
    s.same("restart", exit_status=1)
    s.same("restart ok idle", prepare=lambda: s.given(idle="STOPPED"), exit_status=0)
    s.same("restart web:*", sort=True, exit_status=0)
    s.same("restart nothing crash")
    s.same("restart nothing:*")


@beside("signal and clear say and return the same")
def _(s):
    s.same("signal", exit_status=1)
    s.same("signal HUP", exit_status=1)
    s.same("signal CONT ok web:* nothing nothing:*")
    s.same("signal 18 all", sort=True)
    s.same("signal SIGCONT idle", exit_status=7)
    s.same("signal NOSIGNAL ok", exit_status=1)
    s.same("signal NOSIGNAL web:*", exit_status=1)
    s.same("clear", exit_status=1)
    s.same("clear ok web:web_0 nothing", exit_status=1)
    s.same("clear all", exit_status=0)


@beside("tail and maintail print the same bytes")
def _(s):
    s.same("tail ok", exit_status=0)
    s.same("tail -3 ok", exit_status=0)
    s.same("tail -3 ok stderr", exit_status=0)
    s.same("tail ok STDERR")
    s.same("tail -0 ok")
    s.same("tail --3 ok")
    for words in ("tail", "tail a b c d", "tail -x ok", "tail -f", "tail -5", "tail ok somewhere", "tail - ok",
                  "tail nothing", "tail web", "tail web:web_0 stdout", "tail -5 ok stdout extra", "tail -f3 ok",
                  "maintail -x", "maintail 5", "maintail -1 -2", "maintail -7x"):
        s.same(words)
    s.same("maintail -9")


@beside("pid, version and avail print the same")
def _(s):
    s.same("pid", exit_status=0)
    s.same("pid all", exit_status=0)
    s.same("pid ok idle", exit_status=7)
    s.same("pid nothing ok", exit_status=1)
    s.same("version", exit_status=0)
    s.same("version 2", exit_status=1)
    s.same("avail", exit_status=0)
    s.same("avail all", exit_status=1)


CHANGED = CONFIG.replace("command=/bin/sleep 1000\nautostart=false\n", "command=/bin/sleep 2000\nautostart=false\n") \
    .replace("[program:quick]", "[program:new]").replace("command=/bin/true", "command=/bin/sleep 500")


@beside("reread, update, add and remove say and return the same")
def _(s):
    def back():
        s.server.write_config(CONFIG)
        added, changed, removed = s.proxy.reloadConfig()[0]
        for name in [*removed, *changed]:
            s.proxy.stopProcessGroup(name)
            s.proxy.removeProcessGroup(name)
        for name in [*added, *changed]:
            s.proxy.addProcessGroup(name)
        s.settle()

    def changed():
        back()
        s.server.write_config(CHANGED)

    def broken():
        s.server.write_config(CONFIG + "\n[program:bad]\n")

    s.same("reread", prepare=back, exit_status=0)
    s.same("reread", prepare=changed, exit_status=0)
    s.same("reread now", exit_status=1)
    s.same("update", prepare=back, exit_status=0)
    s.same("update", prepare=changed, exit_status=0)
    s.same("update all", prepare=changed)
    s.same("update new", prepare=changed)
    s.same("update nothing", prepare=changed, exit_status=1)
    s.same("update idle nothing all", prepare=changed)
    s.same("reread", prepare=broken, exit_status=1)
    s.same("add", exit_status=0)
    s.same("add ok", prepare=back, exit_status=0)
    s.same("add nothing", exit_status=1)
    s.same("remove", exit_status=0)
    s.same("remove ok nothing", exit_status=1)

    def with_new():
        changed()
        s.proxy.reloadConfig()

    s.same("add new ok", prepare=with_new, exit_status=0)

    def stopped():
        back()
        s.given(idle="STOPPED")

    s.same("remove idle", prepare=stopped, exit_status=0)


@beside("help begins with the same text, and a mistake in the command line is told in the same words")
def _(s):
    for topic in ("add", "avail", "clear", "exit", "fg", "maintail", "open", "pid", "quit", "reload", "remove",
                  "reread", "restart", "shutdown", "signal", "start", "status", "stop", "tail", "update", "version"):
        reference, ours = (s.run(program, ["help", topic]) for program in BOTH)
        tap.check(ours[0][:len(reference[0])], reference[0], f"help {topic}")
        tap.check(ours[1:], reference[1:], f"help {topic}: stderr and exit code")
    reference, ours = (s.run(program, ["help"]) for program in BOTH)
    tap.check(ours[0][:len(reference[0])], reference[0], "help")
    for words in (["help", "help"], ["?fg"], ["?"][:0] + ["help", "nothing"], ["help", "fg", "open"], ["help", "EOF"],
                  ["EOF"], ["exit"], ["quit", "now"], ["nothing"], ["status-all"], ["!ls"], [" "], ["fg"],
                  ["fg", "a", "b"], ["fg", "nothing"], ["fg", "idle"], ["open", "x"], ["open"], ["open", "ftp://x"],
                  ["reload", "x"], ["shutdown", "x"], ["stop-all", "x"], ["start_all"]):
        s.same(words)
    for words in (["-x"], ["--nothing"], ["-s"], ["--serverurl"], ["--interactive=3"], ["-i", "-i"],
                  ["-s", "http://a", "-s", "http://b", "pid"], ["--c", "/no/such/file"]):
        s.same(words, exit_status=2)
    s.same(["-s", "unix://" + s.server.socket_path, "pid"], exit_status=0)
    s.configuration = ["-c", "/no/such/file"]
    s.same("status", exit_status=2)
    s.configuration = ["-c", s.server.write("empty.conf", "[supervisord]\n")]
    s.same("status", exit_status=2)


@beside("without a server every command says and returns the same")
def _(s):
    for url in ("unix:///no/such/socket", f"http://127.0.0.1:{s.server.port}"):
        s.configuration = ["-c", s.server.write("away.conf", f"[supervisorctl]\nserverurl={url}\n")]
        for words in ("status", "status x", "start x", "start", "stop x", "restart x", "signal HUP x", "pid", "tail x",
                      "tail -f x", "maintail", "clear x", "version", "version x", "fg x", "add", "add x", "remove x",
                      "update", "reread", "avail", "reload", "shutdown", "help stop", "open " + url):
            s.same(words)


@beside("the shell does the same with lines from a pipe")
def _(s):
    s.same("", stdin="version\nnothing\n\n  pid\n? stop\nstatus ok\nexit\nversion\n", exit_status=0)
    s.same("", stdin="stop idle\nshutdown\nno\nreload\n\nversion", exit_status=0)
    s.same("-i", stdin="help nothing\nEOF\n", exit_status=0)
    s.same("-i version", exit_status=0)
    s.same("", stdin=f"open unix://{s.server.socket_path}\nopen x\n", exit_status=0)


class Terminal:
    """A program on a pseudo terminal, and everything that it has printed."""

    def __init__(self, program, words, directory):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.environ.update(TERM="dumb", NO_COLOR="1")
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
                                  timeout, "the program to end")
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


@beside("Ctrl-C ends tail -f, maintail -f and fg as in supervisorctl")
def _(s):
    def follow(terminal):
        terminal.expect("exit <==\r\n").expect("hello\r\n")
        return terminal.send("\x03").end(), re.sub(r"\^C", "", terminal.text)

    def main_log(terminal):
        terminal.expect("exit <==\r\n").expect("\n.*\n")
        return terminal.send("\x03").end(), re.sub(r"\^C", "", terminal.text)

    def foreground(terminal):
        terminal.expect("exit <==\r\n").expect("hello\r\n")
        terminal.send("a line\r").expect("a line\r\na line\r\n")
        # supervisorctl says so and then waits for its thread, often for ever: only the words are compared.
        terminal.send("\x03").expect("Exiting foreground\r\n")
        return re.sub(r"\^C", "", terminal.text)

    on_terminal(s, ["tail", "-f", "ok"], follow)
    on_terminal(s, ["maintail", "-f"], main_log)
    on_terminal(s, ["fg", "ok"], foreground)


@beside("the shell on a terminal asks, completes and ends as supervisorctl's")
def _(s):
    def answers(terminal):
        terminal.expect("supervisor> ")
        terminal.send("shutdown\r").expect("y/N\\? ")
        terminal.send("n\r").expect("supervisor> ")
        terminal.send("versio\t\r").expect(r"\n[^\n]*\d\.\d")
        terminal.expect("supervisor> ").send("status pair:o\t\r").expect(r"pair:one +RUNNING")
        return terminal.expect("supervisor> ").send("\x04").end()

    on_terminal(s, [], answers)
    on_terminal(s, [], lambda terminal: terminal.expect("supervisor> ").send("\x03").end())
    on_terminal(s, [], lambda terminal: terminal.expect("supervisor> ").send("exit\r").end())


PASSWORD = HEAD.replace("file=@SOCK@\n", "file=@SOCK@\nusername=ann\npassword=secret\n") + PROGRAMS


def password_server(script):
    need_programs()
    with Server(OPTIONS.server, OPTIONS.build, PASSWORD) as server:
        session = Beside(server)
        session.configuration = ["-s", "unix://" + server.socket_path]
        script(session)


@tap.test("a server with a password is met in the same words")
def _():
    def script(s):
        s.same("version", exit_status=1)
        s.same("status", exit_status=1)
        s.same("-u ann version", exit_status=1)
        s.same("-u ann -p wrong version", exit_status=1)
        s.same("-u ann -p secret version", exit_status=0)
        s.same("tail -f ok")

        def shell(terminal):
            terminal.expect("requires authentication\r\nUsername:").send("ann\r")
            terminal.expect("Password:").send("secret\r").expect("ok +RUNNING[^>]*supervisor> ")
            return terminal.send("\x04").end()

        on_terminal(s, [], shell)

    password_server(script)


@tap.test("reload and shutdown say and return the same")
def _():
    need_programs()
    for words in (["reload"], ["shutdown"]):
        answers = []
        for program in BOTH:
            with Server(OPTIONS.server, OPTIONS.build, CONFIG) as server:
                answers.append(Beside(server).run(program, words))
        compare(" ".join(words), *answers)


if __name__ == "__main__":
    tap.run_all(OPTIONS)
