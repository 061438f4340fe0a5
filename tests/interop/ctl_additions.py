# What svctl has and supervisorctl has not, against a real server; and servers that svctl must not trust.
# suite: quick
import http.server
import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
import xmlrpc.server

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from compare import HEAD
from daemon import Server, binary, wait_until

CONFIG = HEAD + """
[program:talker]
command=/bin/sh -c 'for i in 1 2 3 4 5; do echo line $i; done; exec cat'
startsecs=0
[program:other]
command=/bin/sh -c 'echo from other; echo to stderr >&2; exec cat'
startsecs=0
[program:flaky]
command=/bin/sh -c 'test -e @DIR@/good && exec sleep 1000; exit 7'
process_name=%(program_name)s_%(process_num)d
numprocs=3
startsecs=1
startretries=0
autostart=false
[program:done]
command=/bin/sh -c 'exit 0'
startsecs=0
autorestart=false
"""


def read_options():
    def add(parser):
        parser.add_argument("--server", default="supervisord", help="supervisord or svisord")

    return tap.arguments(add)


OPTIONS = read_options()
SVCTL = os.environ.get("SVCTL") or os.path.join(OPTIONS.build, "svctl")


def svctl(url, *words, **more):
    done = subprocess.run([SVCTL, "-s", url, *words], capture_output=True, text=True, timeout=60, **more)
    return done.returncode, done.stdout, done.stderr


class Running:
    def __init__(self, server):
        self.server = server
        self.url = "unix://" + server.socket_path
        self.proxy = server.rpc().supervisor

    def ctl(self, *words):
        return svctl(self.url, *words)

    def json(self, *words):
        return json.loads(self.ctl(*words)[1])

    def follow(self, *words):
        return subprocess.Popen([SVCTL, "-s", self.url, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def running(sentence):
    def register(script):
        def play():
            if not os.access(SVCTL, os.X_OK):
                tap.skip(f"{SVCTL} is not built")
            if binary(OPTIONS.server, OPTIONS.build) is None:
                tap.skip(f"{OPTIONS.server} is not there")
            with Server(OPTIONS.server, OPTIONS.build, CONFIG) as server:
                session = Running(server)
                wait_until(lambda: session.proxy.getProcessInfo("done")["statename"] == "EXITED", 10, "done to end")
                wait_until(lambda: "line 5" in session.proxy.readProcessStdoutLog("talker", 0, 0), 10, "output")
                script(session)

        tap.test(sentence)(play)
        return script

    return register


@running("every --json is JSON with the documented keys")
def _(s):
    rows = s.json("status", "--json")
    tap.check(sorted(rows[0]), sorted("name group process state statename description pid started stopped exit_status "
                                      "spawn_error".split()), "keys of status")
    tap.check([row["name"] for row in rows],
              ["done", "flaky:flaky_0", "flaky:flaky_1", "flaky:flaky_2", "other", "talker"], "names")
    tap.check(s.ctl("status", "--json", "talker")[0], 0, "exit code of status --json talker")
    tap.check(s.ctl("status", "--json", "done")[0], 3, "exit code of status --json done")
    tap.check("why" in s.json("status", "--json", "--why", "talker")[0], True, "why in status --json --why")
    tap.check(sorted(s.json("avail", "--json")[0]), sorted("name group process in_use autostart group_priority "
                                                           "process_priority".split()), "keys of avail")
    tap.check(s.json("reread", "--json"), {"available": [], "changed": [], "disappeared": []}, "reread")
    tap.check(s.json("pid", "talker", "--json")[0]["name"], "talker", "pid")
    tap.check(s.json("pid", "--json")[0]["pid"], s.proxy.getPID(), "pid of the daemon")
    tap.check(sorted(s.json("version", "--json")), ["api_version", "identification", "version"], "version")
    why = s.json("why", "--json", "done")[0]
    tap.check((why["name"], why["statename"]), ("done", "EXITED"), "name and state in why")
    tap.check_true(why["text"], f"no text in {why}")


@running("status --why and why tell the exit code and the times")
def _(s):
    code, out, _ = s.ctl("status", "--why", "done", "talker")
    tap.check(code, 3, "exit code")
    tap.check_true("started 20" in out and "ended 20" in out, f"times in {out!r}")
    code, out, _ = s.ctl("why", "done")
    tap.check(code, 0, "exit code of why")
    tap.check_true(out.startswith(("done is EXITED. ", "done is EXITED: ")), f"{out!r}")
    tap.check(s.ctl("why", "nothing")[:2], (1, "nothing: ERROR (no such process)\n"), "why of nothing")


@running("logs shows the last lines of several programs behind their names")
def _(s):
    tap.check(s.ctl("logs", "-n", "2", "talker", "other")[:2],
              (0, "talker | line 4\ntalker | line 5\nother  | from other\n"), "logs -n 2")
    tap.check(s.ctl("logs", "--stderr", "other")[1], "other | to stderr\n", "logs --stderr")
    tap.check(s.ctl("logs", "-n", "0", "talker")[1], "", "logs -n 0")
    tap.check(s.ctl("logs", "-n", "x", "talker")[0], 2, "logs -n x")
    tap.check(s.ctl("logs")[0], 2, "logs without a name")


@running("logs -f goes on without a line lost or repeated, and ends with Ctrl-C")
def _(s):
    process = s.follow("logs", "-f", "-n", "1", "talker", "other")
    seen = b""
    try:
        def read_until(text):
            nonlocal seen
            end = time.monotonic() + 15
            while text not in seen:
                ready, _, _ = select.select([process.stdout], [], [], max(0, end - time.monotonic()))
                piece = os.read(process.stdout.fileno(), 65536) if ready else b""
                if not piece:
                    tap.fail(f"no {text!r} in {seen!r}")
                seen += piece

        read_until(b"from other\n")
        # The stream is there when a marker comes through; supervisord may still be opening it.
        for number in range(6, 9):
            s.proxy.sendProcessStdin("talker", f"line {number}\n")
            read_until(b"talker | line %d\n" % number)
        s.proxy.sendProcessStdin("other", "again\n")
        read_until(b"other  | again\n")
        process.send_signal(signal.SIGINT)
        tap.check(process.wait(10), 0, "exit code")
        seen += process.stdout.read()
        tap.check(sorted(seen.decode().splitlines()),
                  sorted(["talker | line 5", "other  | from other", "talker | line 6", "talker | line 7",
                          "talker | line 8", "other  | again"]), "lines")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@running("restart --rolling ends at the first failure and names what it left alone")
def _(s):
    open(s.server.path("good"), "w").close()
    tap.check(s.ctl("start", "flaky:*")[0], 0, "start")
    code, out, _ = s.ctl("restart", "--rolling", "flaky:*")
    tap.check((code, out), (0, "".join(f"flaky:flaky_{i}: stopped\nflaky:flaky_{i}: started\n" for i in range(3))), "rolling")
    before = s.proxy.getProcessInfo("flaky:flaky_1")["pid"]
    os.remove(s.server.path("good"))
    code, out, _ = s.ctl("restart", "--rolling", "flaky:*")
    tap.check(code, 7, "exit code")
    tap.check_true(out.endswith("not restarted: flaky:flaky_1, flaky:flaky_2\n"), f"{out!r}")
    tap.check(s.proxy.getProcessInfo("flaky:flaky_1")["pid"], before, "the pid of the second")
    tap.check(s.ctl("restart", "--rolling", "nothing", "talker")[:2], (1, "nothing: ERROR (no such process)\n"), "nothing")


@running("status is coloured on a terminal only, and not with NO_COLOR")
def _(s):
    def on_terminal(**environment):
        pid, fd = pty.fork()
        if pid == 0:
            for name in ("NO_COLOR", "TERM"):
                os.environ.pop(name, None)
            os.environ.update(environment)
            os.execv(SVCTL, [SVCTL, "-s", s.url, "status", "talker"])
        out = b""
        try:
            while True:
                piece = os.read(fd, 65536)
                if not piece:
                    break
                out += piece
        except OSError:
            pass  # the other side is closed
        os.close(fd)
        os.waitpid(pid, 0)
        return b"\033[" in out

    tap.check(on_terminal(TERM="xterm"), True, "colour on a terminal")
    tap.check(on_terminal(TERM="xterm", NO_COLOR="1"), False, "colour with NO_COLOR")
    tap.check(on_terminal(TERM="dumb"), False, "colour on a dumb terminal")
    tap.check("\033[" in s.ctl("status")[1], False, "colour in a pipe")


def answering(body, status=200):
    """An HTTP server that gives the same answer to everything; `body` is made of pieces."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.end_headers()
            try:
                for piece in body():
                    self.wfile.write(piece)
            except OSError:
                pass  # svctl has heard enough

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@tap.test("a server that sends rubbish, nothing, too much or an error is refused with a clear word")
def _():
    for body, status, word in ((lambda: [b"<html>hello</html>"], 200, "not XML-RPC"),
                               (lambda: [], 200, "not XML-RPC"),
                               (lambda: [b"\0\xff" * 100], 200, "not XML-RPC"),
                               (lambda: (b"x" * (1 << 20) for _ in range(200)), 200, "is over 64 MB"),
                               (lambda: [b"gone"], 404, "HTTP status 404")):
        server = answering(body, status)
        try:
            code, out, err = svctl(f"http://127.0.0.1:{server.server_address[1]}", "version")
        finally:
            server.shutdown()
            server.server_close()
        tap.check(code, 1, f"exit code for {word}")
        tap.check_true(out.startswith("error: ") and word in out and out.count("\n") == 1 and not err, f"{word}: {out!r} {err!r}")


@tap.test("why and kernel show what svisord tells, and bear what it leaves out")
def _():
    server = xmlrpc.server.SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False, allow_none=True)
    server.register_function(lambda: "3.0", "supervisor.getVersion")
    server.register_function(lambda: [{"name": "web", "group": "web", "state": 100, "statename": "EXITED",
                                       "description": "yesterday"}], "supervisor.getAllProcessInfo")
    server.register_function(lambda name: {"name": "web", "group": "web", "statename": "EXITED", "state": 100,
                                           "text": "It was ended by SIGKILL: the host ran out of memory.",
                                           "last_output": ["one", "two"]}, "svisor.why")
    server.register_function(lambda: [
        {"name": "cgroup2", "active": True, "gives": "one cgroup a process", "missing": "", "remedy": ""},
        {"name": "eBPF", "active": False, "gives": "who sent a signal", "missing": "CAP_BPF", "remedy": "run as root"},
        {"name": "odd"}], "svisor.getKernelReport")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        tap.check(svctl(url, "why", "web"), (0, "web is EXITED. It was ended by SIGKILL: the host ran out of memory.\n"
                                                "Its last output:\n  | one\n  | two\n", ""), "why")
        tap.check(svctl(url, "kernel"), (0, "NAME     ACTIVE  GIVES\n"
                                            "cgroup2  yes     one cgroup a process\n"
                                            "eBPF     no      who sent a signal\n"
                                            "                 missing: CAP_BPF\n"
                                            "                 remedy:  run as root\n"
                                            "odd      no      \n", ""), "kernel")
        tap.check(len(json.loads(svctl(url, "kernel", "--json")[1])), 3, "rows of kernel --json")
    finally:
        server.shutdown()
        server.server_close()


@tap.test("every command of svctl stands in its manual")
def _():
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    with open(os.path.join(root, "docs", "man", "svctl.1"), encoding="utf-8") as stream:
        manual = stream.read()
    lists = svctl("http://127.0.0.1:1", "help")[1].split("=\n")[1:]
    names = " ".join(part.split("\n\n")[0] for part in lists).split()
    tap.check_true(len(names) > 20, f"{names}")
    tap.check([name for name in names if f".Ss {name}\n" not in manual], [], "commands without a place in the manual")


if __name__ == "__main__":
    tap.run_all(OPTIONS)
