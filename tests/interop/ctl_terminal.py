# svctl beside supervisorctl on a terminal: Ctrl-C, the shell, passwords.
# suite: quick
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from compare import HEAD
from ctl_beside import OPTIONS, PROGRAMS, SVCTL, Beside, Server, Terminal, beside, need_programs, on_terminal


@beside("Ctrl-C ends tail -f, maintail -f and fg as in supervisorctl")
def _(s):
    def tidy(text):
        # A Ctrl-C in the wrong moment is "Cannot connect" to supervisorctl, instead of an empty line.
        text = re.sub(r"\S+ Cannot connect, error: <class 'KeyboardInterrupt'> \(\)", "", text)
        return text.replace("^C", "")

    def follow(terminal):
        terminal.expect("exit <==\r\n").expect("hello\r\n")
        return terminal.send("\x03").end(), tidy(terminal.text)

    def main_log(terminal):
        terminal.expect("exit <==\r\n").expect("\n.*\n")
        code = terminal.send("\x03").end()
        return code, tidy(terminal.text)[-2:]  # what else the daemon logged in between is its own affair

    def foreground(terminal):
        terminal.expect("exit <==\r\n").expect("hello\r\n").expect("oops\r\n")  # two streams, in any order
        terminal.send("a line\r").expect("a line\r\na line\r\n")
        # supervisorctl says so and then waits for its thread, often for ever: only the words are compared.
        terminal.send("\x03").expect("Exiting foreground\r\n")
        return tidy(terminal.text)

    on_terminal(s, ["tail", "-f", "ok"], follow)
    on_terminal(s, ["maintail", "-f"], main_log)
    on_terminal(s, ["fg", "ok"], foreground)


@beside("the shell on a terminal asks, completes and ends as supervisorctl's")
def _(s):
    def answers(terminal):
        terminal.asks().send("shutdown\r").expect("y/N\\? ")
        terminal.send("n\r").asks()
        # Behind the answer: a completed line is printed again, with its own prompt.
        terminal.send("versio\t\r").asks(r"\n[^\n]*\d\.\d[^\n]*\n")
        terminal.send("status pair:o\t\r").asks(r"pair:one +RUNNING[^\n]*\n")
        return terminal.send("\x04").end()

    on_terminal(s, [], answers)
    on_terminal(s, [], lambda terminal: terminal.asks().send("\x03").end())
    on_terminal(s, [], lambda terminal: terminal.asks().send("exit\r").end())


@beside("the shell keeps its history in the file")
def _(s):
    path = s.server.path("history")
    for typed, keys in (("version", "version\r"), ("nothing", "nothing\r"), ("nothing", "\x10\r")):
        terminal = Terminal(SVCTL, [*s.configuration, "-r", path], s.server.directory)
        try:
            terminal.asks().send(keys)
            terminal.asks((r"\n[^\n]*\d\.\d[^\n]*" if typed == "version" else "Unknown syntax[^\n]*") + r"\n")
            tap.check(terminal.send("\x04").end(), 0, "exit code")
        finally:
            terminal.close()
        with open(path, encoding="utf-8") as stream:
            tap.check(stream.read().splitlines()[-1], typed, "the last line of the history")


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


if __name__ == "__main__":
    tap.run_all(OPTIONS)
