# The life of a process: every state and how it is reached, as getProcessInfo tells it.
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from compare import HEAD, main, scenario, spawn_error, told_reason
from daemon import wait_until


@scenario("back-off, fatal and the number of tries are the same", HEAD + """
[program:crash]
command=/bin/sh -c 'echo try >> @DIR@/tries; exit 7'
startsecs=5
startretries=2
[program:unexecutable]
command=@DIR@/script
startretries=1
[program:noretry]
command=/bin/false
startsecs=5
startretries=0
[program:missing]
command=/no/such/file
startretries=1
[program:baddirectory]
command=/bin/sleep 1000
directory=/no/such/directory
startretries=0
[program:noformat]
command=@DIR@/noformat
startsecs=5
autostart=false
startretries=0
""")
def _(s):
    for name in ("crash", "unexecutable", "noretry", "missing"):
        s.wait_state(name, "FATAL", timeout=30)
        s.call("supervisor.getProcessInfo", name)
    s.server.write("noformat", "neither a program nor a script", mode=0o755)
    s.call("supervisor.startProcess", "noformat", accept=spawn_error)
    for name in ("baddirectory", "noformat"):
        s.wait_state(name, "FATAL", timeout=30)
        s.call("supervisor.getProcessInfo", name, accept=told_reason)
    s.note("tries", s.server.read("tries"))
    s.note("stderr of the bad directory",
           s.rpc("supervisor.readProcessStderrLog", "baddirectory", 0, 0))
    s.note("stderr of what is no program", s.rpc("supervisor.readProcessStderrLog", "noformat", 0, 0))
    for name in ("crash", "missing"):
        s.call("supervisor.startProcess", name)
        s.call("supervisor.stopProcess", name)
        s.call("supervisor.getProcessInfo", name)
    s.note("tries", s.server.read("tries")[:15])


@scenario("exit codes, signals and autorestart decide alike who comes back", HEAD + """
[program:done]
command=/bin/sh -c 'echo run >> @DIR@/done; exit 0'
startsecs=0
[program:expected]
command=/bin/sh -c 'echo run >> @DIR@/expected; exit 2'
startsecs=0
exitcodes=0,2
[program:never]
command=/bin/sh -c 'echo run >> @DIR@/never; exit 1'
startsecs=0
autorestart=false
[program:signalled]
command=/bin/sh -c 'echo run >> @DIR@/signalled; kill -9 $$'
startsecs=0
autorestart=false
[program:quickzero]
command=/bin/sh -c 'echo run >> @DIR@/quickzero; exit 0'
startsecs=5
startretries=1
autorestart=false
[program:again]
command=/bin/sh -c 'echo run >> @DIR@/again; test `wc -l < @DIR@/again` -ge 3 && exec sleep 1000; exit 1'
startsecs=0
[program:always]
command=/bin/sh -c 'echo run >> @DIR@/always; test `wc -l < @DIR@/always` -ge 3 && exec sleep 1000; exit 0'
startsecs=0
autorestart=true
""")
def _(s):
    for name in ("done", "expected", "never", "signalled"):
        s.wait_state(name, "EXITED")
    s.wait_state("quickzero", "FATAL", "EXITED")
    for name in ("again", "always"):
        wait_until(lambda: s.server.read(name).count("run") == 3, 20, name)
        s.wait_state(name, "RUNNING")
    for row in s.call("supervisor.getAllProcessInfo")[1]:
        s.note("runs of " + row["name"], s.server.read(row["name"]).count("run"))


@scenario("stop signals, groups of processes and the final KILL are the same", HEAD + """
[program:usr1]
command=@PYTHON@ -c "import signal,sys,time; signal.signal(10, lambda *a: sys.exit(5)); print('up', flush=True); time.sleep(99)"
stopsignal=USR1
startsecs=0
stdout_logfile=@DIR@/usr1.log
[program:deaf]
command=@PYTHON@ -c "import signal,time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(99)"
stopwaitsecs=1
startsecs=0
stdout_logfile=@DIR@/deaf.log
[program:family]
command=/bin/sh -c 'sleep 1000 & echo $! > @DIR@/child; echo up; wait'
stopasgroup=true
startsecs=0
stdout_logfile=@DIR@/family.log
[program:zero]
command=/bin/sh -c 'trap "exit 0" TERM; echo up; while :; do sleep 0.02; done'
startsecs=0
stdout_logfile=@DIR@/zero.log
[program:killfamily]
command=/bin/sh -c 'trap "" TERM; sleep 1000 & echo $! > @DIR@/killchild; echo up; wait; wait'
killasgroup=true
stopwaitsecs=1
startsecs=0
stdout_logfile=@DIR@/killfamily.log
""")
def _(s):
    for name in ("usr1", "deaf", "family", "zero", "killfamily"):
        s.wait_file(name + ".log", "up")
    for name in ("usr1", "family", "zero"):
        s.call("supervisor.stopProcess", name)
        s.call("supervisor.getProcessInfo", name)
    s.wait_gone(int(s.server.read("child")))
    for name in ("deaf", "killfamily"):
        s.call("supervisor.stopProcess", name, False)
        s.call("supervisor.getProcessInfo", name)
        s.call("supervisor.startProcess", name)
        s.call("supervisor.sendProcessStdin", name, "x")
        s.wait_state(name, "STOPPED")
        s.call("supervisor.getProcessInfo", name)
    s.wait_gone(int(s.server.read("killchild")))


@scenario("a process is STARTING until startsecs have passed, and can be stopped then", HEAD + """
[program:slow]
command=/bin/sleep 1000
startsecs=2
autostart=false
[program:dies]
command=/bin/sh -c 'sleep 0.2; exit 4'
startsecs=3
startretries=0
autostart=false
[program:backoff]
command=/bin/false
startsecs=5
startretries=50
autostart=false
""")
def _(s):
    s.call("supervisor.startProcess", "slow", False)
    s.call("supervisor.getProcessInfo", "slow")
    s.call("supervisor.signalProcess", "slow", "CONT")
    s.call("supervisor.stopProcess", "slow")
    s.call("supervisor.getProcessInfo", "slow")
    s.call("supervisor.startProcess", "slow")
    s.call("supervisor.getProcessInfo", "slow")
    s.call("supervisor.startProcess", "dies")
    s.call("supervisor.getProcessInfo", "dies")
    s.call("supervisor.startProcess", "backoff")
    s.wait_state("backoff", "BACKOFF")
    info = s.rpc("supervisor.getProcessInfo", "backoff")
    s.note("in back-off", {key: info[key] for key in ("pid", "exitstatus", "spawnerr")})
    s.wait_state("backoff", "BACKOFF")
    s.call("supervisor.stopProcess", "backoff")
    s.call("supervisor.getProcessInfo", "backoff")


ORDER = """
[program:%(name)s]
command=/bin/sh -c 'echo start %(name)s >> @DIR@/order; trap "echo stop %(name)s >> @DIR@/order; exit 0" TERM;
    echo up; while :; do sleep 0.02; done'
priority=%(priority)s
startsecs=1
stdout_logfile=@DIR@/%(name)s.log
"""


@scenario("priorities order the start and the stop of programs", HEAD + "".join(
    ORDER % {"name": name, "priority": priority}
    for name, priority in (("late", 30), ("early", 10), ("middle", 20), ("default", 999))))
def _(s):
    for name in ("early", "middle", "late", "default"):
        s.wait_state(name, "RUNNING")
        s.wait_file(name + ".log", "up")
    # Spawned one after the other, they write when the kernel lets them: the daemon's own log has the order.
    log = s.server.read("main.log").split("\n")
    s.note("start order", [line.split("'")[1] for line in log if "INFO spawned:" in line])
    s.server.stop()
    s.note("stop order", [line for line in s.server.read("order").split("\n") if line.startswith("stop")])
    log = s.server.read("main.log").split("\n")
    s.note("stop order as logged", [line.split("stopped: ")[1].split()[0] for line in log if "stopped: " in line])


@scenario("groups and numprocs make the same names, numbers and expansions", HEAD + """
[program:many]
command=/bin/sh -c 'echo %(program_name)s %(process_num)d %(group_name)s %(host_node_name)s %(here)s %(numprocs)s $TAG; sleep 1000'
process_name=%(program_name)s-%(process_num)03d
numprocs=3
numprocs_start=7
startsecs=0
environment=TAG="t%(process_num)d"
stdout_logfile=@DIR@/%(program_name)s-%(process_num)d.log
[program:alone]
command=/bin/sleep 1000
startsecs=0
[group:team]
programs=many,alone
priority=12
""")
def _(s):
    wait_until(lambda: all(row["state"] == 20 for row in s.rpc("supervisor.getAllProcessInfo")), 20, "all to run")
    s.call("supervisor.getAllProcessInfo")
    s.call("supervisor.getAllConfigInfo")
    for number in (7, 8, 9):
        s.note(f"output {number}", s.wait_file(f"many-{number}.log", "t"))
    s.call("supervisor.stopProcessGroup", "team", sort=True)
    s.call("supervisor.getAllProcessInfo")


if __name__ == "__main__":
    main()
