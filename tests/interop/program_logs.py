# What becomes of a program's output: files, rotation, AUTO, NONE, redirection, escape sequences, reopening.
import glob
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from compare import HEAD, main, scenario
from daemon import wait_until


def files(s, pattern):
    return sorted(os.path.basename(path) for path in glob.glob(s.server.path(pattern)))


@scenario("output goes where the options say, and nowhere with NONE", HEAD + """
[program:plain]
command=/bin/sh -c 'echo out; echo err >&2; sleep 1000'
stdout_logfile=@DIR@/plain.out
stderr_logfile=@DIR@/plain.err
startsecs=0
[program:merged]
command=/bin/sh -c 'echo out; echo err >&2; sleep 1000'
stdout_logfile=@DIR@/merged.out
stderr_logfile=@DIR@/merged.err
redirect_stderr=true
startsecs=0
[program:none]
command=/bin/sh -c 'echo out; echo err >&2; sleep 1000'
stdout_logfile=NONE
stderr_logfile=none
startsecs=0
[program:auto]
command=/bin/sh -c 'echo out; echo err >&2; sleep 1000'
startsecs=0
[program:expanded]
command=/bin/sh -c 'echo out; sleep 1000'
stdout_logfile=%(here)s/%(program_name)s-%(process_num)d.out
startsecs=0
""")
def _(s):
    s.note("plain", (s.wait_file("plain.out", "out"), s.wait_file("plain.err", "err")))
    s.note("merged", s.wait_file("merged.out", "out\nerr"))
    s.note("expanded", s.wait_file("expanded-0.out", "out"))
    wait_until(lambda: s.rpc("supervisor.readProcessStdoutLog", "auto", 0, 0), 10, "auto's output")
    wait_until(lambda: s.rpc("supervisor.readProcessStderrLog", "auto", 0, 0), 10, "auto's errors")
    s.note("files", [re.sub(r"-[a-z0-9_]{8}\.log", "-<random>.log", name) for name in files(s, "*")
                     if name not in ("output", "main.pid", "test.timeline")])  # the last is svisord's own: docs/migration.md
    for name in ("plain", "merged", "none", "auto"):
        for method in ("readProcessStdoutLog", "readProcessStderrLog", "tailProcessStdoutLog", "tailProcessStderrLog"):
            s.call("supervisor." + method, name, 0, 100)
        s.call("supervisor.clearProcessLogs", name)
    s.call("supervisor.getAllProcessInfo")
    s.call("supervisor.getAllConfigInfo")
    s.note("plain after clear", s.server.read("plain.out"))


@scenario("logs rotate at the same size into the same files", HEAD + """
[program:one]
command=@PYTHON@ -u @DIR@/steps
stdout_logfile=@DIR@/one.log
stdout_logfile_maxbytes=1KB
stdout_logfile_backups=0
startsecs=0
[program:steps]
command=@PYTHON@ -u @DIR@/steps
stdout_logfile=@DIR@/steps.log
stdout_logfile_maxbytes=1KB
stdout_logfile_backups=2
startsecs=0
""", start=False)
def _(s):
    # One write a piece, each after the daemon has stored the last: then the cut is at the same place.
    s.server.write("steps", """
import os, time
for piece in range(9):
    os.write(1, (str(piece) * 399 + "\\n").encode())
    time.sleep(0.15)
os.write(1, b"end\\n")
time.sleep(99)
""")
    s.server.start()
    for name in ("steps", "one"):
        s.wait_file(name + ".log", "end")
        for path in files(s, name + ".log*"):
            s.note(path, s.server.read(path))


@scenario("strip_ansi removes the same escape sequences", HEAD + r"""
strip_ansi=true
[program:colour]
command=@PYTHON@ @DIR@/colour
stdout_logfile=@DIR@/colour.log
startsecs=0
""", start=False)
def _(s):
    s.server.write("colour", r"""
import os, time
for text in ("plain ", "\x1b[31mred\x1b[0m ", "\x1b[1;4;33mbold\x1b[m ", "\x1b[2Jclear ", "\x1b[?25lhide ",
             "\x1b]0;title\x07bell ", "\x1bM ", "a\x1b[10Cb ", "\x1b[K\n", "end\n"):
    os.write(1, text.encode())
    time.sleep(0.1)
time.sleep(99)
""")
    s.server.start()
    s.note("log", s.wait_file("colour.log", "end"))


@scenario("SIGUSR2 reopens the main log and the programs' logs", HEAD + """
[program:cat]
command=/bin/cat
stdout_logfile=@DIR@/cat.log
startsecs=0
""")
def _(s):
    s.wait_state("cat", "RUNNING")
    s.rpc("supervisor.sendProcessStdin", "cat", "before\n")
    s.wait_file("cat.log", "before")
    os.rename(s.server.path("cat.log"), s.server.path("cat.old"))
    os.rename(s.server.log_path, s.server.path("main.old"))
    s.server.send(signal.SIGUSR2)
    wait_until(lambda: os.path.exists(s.server.path("cat.log")) and os.path.exists(s.server.log_path), 10, "new files")
    s.rpc("supervisor.sendProcessStdin", "cat", "after\n")
    s.note("new", s.wait_file("cat.log", "after"))
    s.note("old", s.server.read("cat.old"))
    s.note("the old main log knows", "SIGUSR2 indicating log reopen request" in s.server.read("main.old"))


@scenario("the last output of a program that ends is kept, and a log is appended to", HEAD + """
[program:last]
command=@PYTHON@ -c "import sys; sys.stdout.write('x' * 300000 + 'tail'); sys.stdout.flush()"
stdout_logfile=@DIR@/last.log
stdout_logfile_maxbytes=0
startsecs=0
autorestart=false
autostart=false
""", start=False)
def _(s):
    s.server.write("last.log", "kept from before\n")
    s.server.start()
    for _ in range(2):
        s.call("supervisor.startProcess", "last")
        s.wait_state("last", "EXITED")
    wait_until(lambda: s.server.read("last.log").count("tail") == 2, 10, "both outputs")
    text = s.server.read("last.log")
    s.note("log", (text[:20], len(text), text[-10:]))
    s.call("supervisor.tailProcessStdoutLog", "last", 0, 20)
    s.call("supervisor.readProcessStdoutLog", "last", -8, 0)


@scenario("old automatic logs are removed at the start, unless nocleanup", HEAD.replace(
    "identifier=test", "identifier=test\nnocleanup=%(ENV_KEEP)s") + """
[program:quiet]
command=/bin/sleep 1000
startsecs=0
""", environment=dict(os.environ, KEEP="false"), start=False)
def _(s):
    s.server.write("quiet-stdout---test-abcd1234.log", "old")
    s.server.write("quiet-stdout---other-abcd1234.log", "old")
    s.server.write("quiet-stdout---test-abcd1234.log.1", "old")
    s.server.start()
    s.wait_state("quiet", "RUNNING")
    s.note("left", [name for name in files(s, "*abcd1234*")])
    s.server.stop()
    s.server.environment["KEEP"] = "true"
    s.server.write("quiet-stdout---test-abcd1234.log", "old")
    s.server.start()
    s.note("left with nocleanup", [name for name in files(s, "*abcd1234*")])


if __name__ == "__main__":
    main()
