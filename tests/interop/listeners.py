# Event listeners: the same events, headers and payloads in the same order; bad and slow listeners; full buffers.
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from compare import HEAD, main, scenario
from daemon import wait_until

# Writes every event as one line to the file named by its argument, and answers as told: OK, or what the
# file `answers` beside it says, one word an event. Uses the library that Supervisor ships for listeners.
LISTENER = """
import sys
from supervisor import childutils
log = open(sys.argv[1], "a", buffering=1)
answers = iter(sys.argv[2:])
while True:
    headers, payload = childutils.listener.wait()
    print(sorted(headers.items()), repr(payload), file=log)
    answer = next(answers, "OK")
    if answer == "die":
        sys.exit(3)
    elif answer == "garbage":
        print("not a result", flush=True)
    elif answer == "other":
        childutils.listener.send("something else")
    elif answer == "FAIL":
        childutils.listener.fail()
    else:
        childutils.listener.ok()
"""

POOL = """
[eventlistener:%(name)s]
command=@PYTHON@ @DIR@/listener @DIR@/%(name)s.events %(answers)s
events=%(events)s
stderr_logfile=@DIR@/%(name)s.err
startsecs=0
%(more)s
"""


def pool(name, events, answers="", more=""):
    return POOL % {"name": name, "events": events, "answers": answers, "more": more}


def lines_of(s, name):
    """The events that a pool has got, without TICKs."""
    path = s.server.path(name + ".events")
    lines = s.server.read(name + ".events").rstrip("\n").split("\n") if os.path.exists(path) else []
    return [line for line in lines if line and "TICK" not in line]


def begin(s):
    s.server.write("listener", LISTENER)
    s.server.start()


def wait_event(s, name, pattern):
    s.wait_file(name + ".events", pattern)


PROGRAMS = """
[program:cat]
command=/bin/cat
autostart=false
startsecs=0
[program:crash]
command=/bin/sh -c 'exit 3'
autostart=false
startsecs=5
startretries=1
[program:ends]
command=/bin/sh -c 'exit 0'
autostart=false
startsecs=0
autorestart=false
[program:bad]
command=/bin/sh -c 'exit 5'
autostart=false
startsecs=0
autorestart=false
[program:later]
command=/bin/sleep 1000
autostart=false
startsecs=1
"""


@scenario("the states of processes make the same events, headers and payloads", HEAD + PROGRAMS
          + pool("states", "PROCESS_STATE"), start=False)
def _(s):
    begin(s)
    wait_event(s, "states", "processname:states .*|PROCESS_STATE_RUNNING")
    for name, last in (("cat", "RUNNING"), ("crash", "FATAL"), ("ends", "EXITED"), ("bad", "EXITED"), ("later", "RUNNING")):
        s.outcome("supervisor.startProcess", name)
        wait_event(s, "states", f"PROCESS_STATE_{last}.*processname:{name} ")
    s.rpc("supervisor.stopProcess", "cat")
    s.rpc("supervisor.stopProcess", "later")
    wait_event(s, "states", "PROCESS_STATE_STOPPED.*processname:later ")
    for line in lines_of(s, "states"):
        s.note("event", re.sub(r"\('len', '\d+'\)", "", line) if "pid:" in line else line)


@scenario("the daemon, groups, remote calls and logs make the same events", HEAD + """
[program:talk]
command=/bin/sh -c 'echo one; echo two >&2; sleep 1000'
autostart=false
startsecs=0
stdout_events_enabled=true
stderr_events_enabled=true
[program:capture]
command=@PYTHON@ @DIR@/capture
autostart=false
startsecs=0
stdout_capture_maxbytes=1MB
stderr_capture_maxbytes=30
stdout_logfile=@DIR@/capture.log
""" + pool("rest", "SUPERVISOR_STATE_CHANGE,PROCESS_GROUP,REMOTE_COMMUNICATION,PROCESS_LOG,PROCESS_COMMUNICATION"),
          start=False)
def _(s):
    s.server.write("capture", """
import os, time
begin, end = b"<!--XSUPERVISOR:BEGIN-->", b"<!--XSUPERVISOR:END-->"
os.write(1, b"before" + begin + "a message: gr\\u00fc\\u00df dich".encode() + end + b"after\\n")
time.sleep(0.3)
os.write(2, begin + b"x" * 50 + end)
time.sleep(99)
""")
    begin(s)
    wait_event(s, "rest", "SUPERVISOR_STATE_CHANGE_RUNNING")
    s.call("supervisor.sendRemoteCommEvent", "greeting", "hello\nworld")
    wait_event(s, "rest", "REMOTE_COMMUNICATION")
    s.call("supervisor.sendRemoteCommEvent", "", "")
    s.call("supervisor.removeProcessGroup", "talk")
    s.call("supervisor.addProcessGroup", "talk")
    s.call("supervisor.startProcess", "talk")
    wait_event(s, "rest", "channel:stdout")
    wait_event(s, "rest", "channel:stderr")
    s.call("supervisor.startProcess", "capture")
    wait_event(s, "rest", "COMMUNICATION_STDERR")
    s.wait_file("capture.log", "before")
    # Which of two channels is read first is chance: their events are compared in the order of their text.
    lines = [re.sub(r"serial', '\d+'", "serial', 'N'", line) if "PROCESS_LOG" in line else line
             for line in lines_of(s, "rest")]
    for line in sorted(lines, key=lambda line: line if "PROCESS_LOG" in line else ""):
        s.note("event", re.sub(r"\('len', '\d+'\)", "", line) if "pid:" in line else line)
    # Supervisor keeps what might be the beginning of a token until more comes; svisord may write it at once.
    text = s.server.read("capture.log")
    s.note("log without what was captured", text.startswith("before") and "message" not in text)
    s.server.stop()
    s.note("last", [line for line in lines_of(s, "rest") if "STOPPING" in line])


@scenario("a TICK names a multiple of five seconds", HEAD + pool("ticks", "TICK_5,TICK_60"), start=False)
def _(s):
    begin(s)
    wait_event(s, "ticks", "TICK_5")
    line = s.server.read("ticks.events").split("\n")[0]
    when = int(re.search(r"when:(\d+)", line).group(1))
    s.note("multiple", when % 5)
    s.note("event", line)


@scenario("a rejected event comes again first, with its own serials", HEAD + PROGRAMS
          + pool("rejects", "REMOTE_COMMUNICATION", "FAIL FAIL OK other OK"), start=False)
def _(s):
    begin(s)
    s.wait_state("rejects", "RUNNING")
    for number in range(4):
        s.call("supervisor.sendRemoteCommEvent", "number", str(number))
    wait_until(lambda: len(lines_of(s, "rejects")) >= 5, 20, "five deliveries")
    s.note("deliveries", lines_of(s, "rejects")[:5])
    log = s.server.read("main.log")
    s.note("log", [line.split(" ", 2)[2] for line in log.split("\n") if "event was rejected" in line])


@scenario("a broken listener is UNKNOWN to the events, and gets no more of them", HEAD + PROGRAMS
          + pool("broken", "REMOTE_COMMUNICATION", "OK garbage") + pool("whole", "REMOTE_COMMUNICATION"), start=False)
def _(s):
    begin(s)
    for name in ("broken", "whole"):
        s.wait_state(name, "RUNNING")
    for number in range(4):
        s.call("supervisor.sendRemoteCommEvent", "number", str(number))
        wait_event(s, "whole", f"\\\\n{number}'")
    wait_until(lambda: len(lines_of(s, "broken")) >= 2, 20, "two deliveries")
    s.note("deliveries", [lines_of(s, "broken")[:2], len(lines_of(s, "broken"))])
    s.note("state", s.state("broken"))


@scenario("a listener that dies with an event gives it back", HEAD + PROGRAMS
          + pool("dies", "REMOTE_COMMUNICATION", more="autorestart=true"), start=False)
def _(s):
    s.server.write("listener", LISTENER.replace(
        'answers = iter(sys.argv[2:])', 'import os\nanswers = iter(["die"] if os.path.getsize(sys.argv[1]) == 0 else [])'))
    s.server.start()
    s.wait_state("dies", "RUNNING")
    s.call("supervisor.sendRemoteCommEvent", "only", "once")
    wait_until(lambda: len(lines_of(s, "dies")) >= 2, 30, "the second delivery")
    s.note("deliveries", lines_of(s, "dies"))


@scenario("a full buffer drops the oldest event and says so", HEAD + pool(
    "slow", "REMOTE_COMMUNICATION", more="buffer_size=3\nautostart=false"), start=False)
def _(s):
    begin(s)
    for number in range(7):
        s.call("supervisor.sendRemoteCommEvent", "number", str(number))
    log = s.server.read("main.log")
    s.note("log", [line.split(" ", 2)[2] for line in log.split("\n") if "overflow" in line])
    s.call("supervisor.startProcess", "slow")
    wait_event(s, "slow", r"\\n6'")
    s.note("deliveries", lines_of(s, "slow"))


@scenario("a pool gives each event to one of its processes, two pools get it both", HEAD + pool(
    "many", "REMOTE_COMMUNICATION", more="numprocs=3\nprocess_name=%(program_name)s_%(process_num)d\nbuffer_size=100")
    + pool("one", "EVENT", more="buffer_size=100"), start=False)
def _(s):
    begin(s)
    for name in ("many:many_0", "many:many_1", "many:many_2", "one"):
        s.wait_state(name, "RUNNING")
    for number in range(20):
        s.rpc("supervisor.sendRemoteCommEvent", "number", str(number))
    wait_event(s, "one", r"\\n19'")
    wait_until(lambda: len(lines_of(s, "many")) >= 20, 20, "all events")
    s.note("pool of three", sorted(re.search(r"\\n(\d+)'", line).group(1) for line in lines_of(s, "many")))
    s.note("pool serials", sorted(int(re.search(r"poolserial', '(\d+)'", line).group(1)) for line in lines_of(s, "many")))
    s.note("remote events in EVENT", len([line for line in lines_of(s, "one") if "REMOTE" in line]))


if __name__ == "__main__":
    main()
