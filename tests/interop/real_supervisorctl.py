# Debian's real supervisorctl drives both servers: every action, right and wrong, text and exit codes.
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from compare import HEAD, main, scenario

CONFIG = HEAD + """
[program:cat]
command=/bin/cat
stdout_logfile=@DIR@/cat.log
startsecs=0
[program:pair]
command=/bin/sleep 1000
process_name=%(program_name)s_%(process_num)02d
numprocs=2
autostart=false
startsecs=0
[program:crash]
command=/bin/sh -c 'exit 3'
autostart=false
startsecs=5
startretries=0
[program:missing]
command=/no/such/file
autostart=false
startretries=0
[program:never]
command=/bin/sleep 1000
autostart=false
startsecs=0
"""


@scenario("status, start, stop, restart and signal print the same and leave with the same code", CONFIG)
def _(s):
    s.wait_state("cat", "RUNNING")
    for arguments in (("status",), ("status", "cat"), ("status", "nope"), ("status", "pair:*"), ("status", "pair:pair_00", "cat"),
                      ("start", "cat"), ("start", "never", "pair:pair_00"), ("start", "nope"), ("start", "pair:*"),
                      ("start", "missing"), ("start", "crash"), ("status",), ("stop", "never", "nope"), ("stop", "never"),
                      ("stop", "pair:*"), ("restart", "cat"), ("restart", "never"), ("restart", "nope"),
                      ("signal", "CONT", "cat"), ("signal", "NOPE", "cat"), ("signal", "CONT", "never"), ("signal",),
                      ("signal", "CONT", "nope"), ("start",), ("stop",), ("restart",), ("status", "nope:*"), ("clear", "cat"),
                      ("clear", "nope"), ("clear",), ("clear", "all"), ("stop", "pair:nope"), ("pid", "nope"), ("nonsense",)):
        s.ctl(*arguments, sort=arguments[-1:] in (("pair:*",), ("all",)))
    s.ctl("start", "all", sort=True)
    s.ctl("signal", "CONT", "all", sort=True)
    s.ctl("stop", "all", sort=True)
    s.ctl("status")


@scenario("add, remove, avail, version, pid and help answer alike", CONFIG)
def _(s):
    s.wait_state("cat", "RUNNING")
    for arguments in (("avail",), ("version",), ("add", "cat"), ("add", "nope"), ("add",), ("remove", "cat"),
                      ("remove", "nope"), ("remove",), ("stop", "cat"), ("remove", "cat"), ("avail",), ("add", "cat"),
                      ("reread",), ("pid", "never"), ("version", "x"), ("help", "nope")):
        s.ctl(*arguments)
    s.note("pid", s.ctl_quiet("pid") == f"{s.server.process.pid}\n")
    s.note("pid cat", s.ctl_quiet("pid", "cat") == f"{s.rpc('supervisor.getProcessInfo', 'cat')['pid']}\n")


@scenario("tail and maintail print the same bytes", CONFIG, start=False)
def _(s):
    s.server.write("cat.log", "".join(f"line {number:03d}\n" for number in range(300)))
    s.server.start()
    s.wait_state("cat", "RUNNING")
    for arguments in (("tail", "cat"), ("tail", "-20", "cat"), ("tail", "cat", "stdout"), ("tail", "cat", "stderr"),
                      ("tail", "nope"), ("tail", "cat", "nope"), ("tail",), ("tail", "-x", "cat"), ("tail", "never"),
                      ("maintail", "-x"), ("maintail", "a", "b")):
        s.ctl(*arguments)
    s.note("maintail", "started with pid" in s.ctl_quiet("maintail", "-5000"))


@scenario("commands typed into the shell answer alike", CONFIG)
def _(s):
    s.wait_state("cat", "RUNNING")
    s.ctl("-i", stdin="status cat\nstop cat\nstatus cat\nstart cat\nnonsense\nhelp status\nexit\n")


@scenario("without a server, or after shutdown, the same words and codes", CONFIG)
def _(s):
    s.wait_state("cat", "RUNNING")
    s.ctl("reload")
    s.wait_file("main.log", "(?s)spawned: 'cat'.*spawned: 'cat'")
    s.wait_ready()
    s.ctl("shutdown")
    s.note("exit", s.server.wait())
    for arguments in (("status",), ("start", "cat"), ("pid",), ("shutdown",), ("reread",), ("update",)):
        s.ctl(*arguments)


if __name__ == "__main__":
    main()
