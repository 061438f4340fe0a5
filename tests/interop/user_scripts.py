# What people have written around Supervisor works unchanged: listeners that call the daemon back, watchdogs,
# messages between the output, pidproxy, Debian's files, logs on /dev/fd/1, every kind of address and owner.
import os
import re
import socket
import stat
import sys
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from compare import HEAD, main, scenario
from daemon import wait_until

# In the manner of superlance: hears events, looks at the payload, acts through the daemon that runs it.
WATCHDOG = """
import os, re, sys
from supervisor import childutils
rpc = childutils.getRPCInterface(os.environ)
log = open(sys.argv[1], "a", buffering=1)
while True:
    headers, payload = childutils.listener.wait()
    name = headers["eventname"]
    if name == "REMOTE_COMMUNICATION":
        body_headers, data = childutils.eventdata(payload)
        word, _, target = data.partition(" ")
        if word == "restart":
            print("stop", rpc.supervisor.stopProcess(target), file=log)
            print("start", rpc.supervisor.startProcess(target), file=log)
        elif word == "info":
            info = rpc.supervisor.getProcessInfo(target)
            print("info", info["statename"], info["group"], file=log)
        elif word == "fault":
            try:
                rpc.supervisor.startProcess(target)
            except Exception as error:
                print("fault", error.faultCode, error.faultString, file=log)
    else:
        pheaders, pdata = childutils.eventdata(payload + "\\n")
        pheaders.pop("pid", None)
        print(name, sorted(pheaders.items()), file=log)
        if name == "PROCESS_STATE_EXITED" and pheaders["expected"] == "0":
            print("start", rpc.supervisor.startProcess(pheaders["groupname"] + ":" + pheaders["processname"]), file=log)
    childutils.listener.ok()
"""

WATCHED = """
[program:web]
command=/bin/cat
startsecs=0
[program:fails]
command=/bin/sh -c 'test -e @DIR@/failed && exec cat; touch @DIR@/failed; read line; exit 7'
autorestart=false
startsecs=0
[eventlistener:watchdog]
command=@PYTHON@ @DIR@/watchdog @DIR@/heard
events=PROCESS_STATE_EXITED,PROCESS_STATE_FATAL,REMOTE_COMMUNICATION
result_handler=supervisor.dispatchers:default_handler
buffer_size=50
startsecs=0
"""


def watch(s):
    s.server.write("watchdog", WATCHDOG)
    s.server.start()
    s.proxy = s.server.rpc("me", "secret")
    for name in ("web", "fails", "watchdog"):
        s.wait_state(name, "RUNNING")
    for order, answer in (("info web", "info"), ("restart web", "start"), ("fault nope", "fault")):
        s.rpc("supervisor.sendRemoteCommEvent", "order", order)
        s.note(order, s.wait_file("heard", answer))
    s.rpc("supervisor.sendProcessStdin", "fails", "now\n")
    s.note("heard", s.wait_file("heard", "EXITED(.*\n)+start"))
    s.wait_state("fails", "RUNNING")
    s.call("supervisor.getProcessInfo", "web")
    s.call("supervisor.getProcessInfo", "fails")


@scenario("a listener calls back through childutils, and may stop and start while it holds an event",
          HEAD + WATCHED, start=False)
def _(s):
    watch(s)


LOGIN = "username=me\npassword=secret\n"
LOGIN_OF_PROGRAMS = """environment=SUPERVISOR_USERNAME="me",SUPERVISOR_PASSWORD="secret"\n"""


@scenario("the same with a password on the unix socket",
          HEAD.replace("file=@SOCK@\n", "file=@SOCK@\n" + LOGIN) + WATCHED + LOGIN_OF_PROGRAMS, start=False)
def _(s):
    watch(s)


@scenario("the same where there is only an HTTP port with a password",
          HEAD.replace("[unix_http_server]\nfile=@SOCK@\n", "[inet_http_server]\nport=127.0.0.1:@PORT@\n" + LOGIN)
          .replace("unix://@SOCK@", "http://127.0.0.1:@PORT@") + WATCHED + LOGIN_OF_PROGRAMS, start=False)
def _(s):
    give = s.server.rpc
    s.server.rpc = lambda username, password: give(username, password, "tcp")
    watch(s)


@scenario("a program calls the daemon and sends messages with childutils.pcomm", HEAD + """
[program:talks]
command=@PYTHON@ @DIR@/talks
stdout_logfile=@DIR@/talks.log
stdout_capture_maxbytes=1KB
stderr_capture_maxbytes=1KB
autostart=false
startsecs=0
autorestart=false
[eventlistener:watchdog]
command=@PYTHON@ @DIR@/watchdog @DIR@/heard
events=PROCESS_COMMUNICATION
startsecs=0
""", start=False)
def _(s):
    s.server.write("watchdog", WATCHDOG.replace("        pheaders.pop",
                                                "        print(repr(pdata), file=log)\n        pheaders.pop"))
    s.server.write("talks", """
import os, sys
from supervisor import childutils
rpc = childutils.getRPCInterface(os.environ)
me = os.environ["SUPERVISOR_GROUP_NAME"] + ":" + os.environ["SUPERVISOR_PROCESS_NAME"]
print("I am", rpc.supervisor.getProcessInfo(me)["pid"] == os.getpid(), os.environ["SUPERVISOR_ENABLED"], flush=True)
childutils.pcomm.send(b"to stdout", sys.stdout.buffer)  # pcomm.stdout() itself fails under Python 3
print("between", flush=True)
childutils.pcomm.send(b"to stderr", sys.stderr.buffer)
os.write(1, b"end" + b"." * 60 + b"\\n")  # Supervisor loses a last piece that is shorter than its token
""")
    s.server.start()
    s.wait_state("watchdog", "RUNNING")
    s.rpc("supervisor.startProcess", "talks")
    s.note("heard", sorted(s.wait_file("heard", "(.*to std(.*\n)+){2}").split("\n")))
    s.note("log", s.wait_file("talks.log", r"^end\.+\n"))


@scenario("pidproxy passes signals on, and what it stands for ends in its own time", HEAD + """
[program:proxied]
command=@PYTHON@ /usr/bin/pidproxy @DIR@/slow.pid @DIR@/launch
startsecs=0
""", start=False)
def _(s):
    s.server.write("launch", "#!/bin/sh\nexec @PYTHON@ @DIR@/slow\n", mode=0o755)
    s.server.write("slow", """
import os, signal, sys, time
if os.fork():
    os.wait()
    sys.exit()
os.setsid()
def note(word):
    with open("@DIR@/story", "a") as stream:
        print(word, file=stream)
def leave(*_):
    note("asked")
    time.sleep(0.5)
    note("left in good order")
    os._exit(0)
signal.signal(signal.SIGTERM, leave)
signal.signal(signal.SIGHUP, lambda *_: note("hup"))
with open("@DIR@/slow.pid.new", "w") as stream:
    stream.write(str(os.getpid()))
os.rename("@DIR@/slow.pid.new", "@DIR@/slow.pid")
note("up")
while True:
    time.sleep(9)
""")
    s.server.start()
    s.wait_file("story", "up")
    s.call("supervisor.signalProcess", "proxied", "HUP")
    s.wait_file("story", "hup")
    s.call("supervisor.stopProcess", "proxied")
    # Accepted: svisord asks everything that the program left in its cgroup to end, too, so it may hear it twice.
    s.note("story", re.sub("(asked\n)+", "asked\n", s.wait_file("story", "good order")))
    s.call("supervisor.getProcessInfo", "proxied")


@scenario("Debian's own supervisord.conf, with programs in conf.d, runs in the background", """
; supervisor config file

[unix_http_server]
file=@SOCK@   ; (the path to the socket file)
chmod=0700                       ; sockef file mode (default 0700)

[supervisord]
logfile=@DIR@/main.log ; (main log file;default $CWD/supervisord.log)
pidfile=@DIR@/main.pid ; (supervisord pidfile;default supervisord.pid)
childlogdir=@DIR@/logs            ; ('AUTO' child log dir, default $TEMP)

; the below section must remain in the config file for RPC
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://@SOCK@ ; use a unix:// URL  for a unix socket

[include]
files = @DIR@/conf.d/*.conf
""", arguments=(), start=False)
def _(s):
    os.mkdir(s.server.path("conf.d"))
    os.mkdir(s.server.path("logs"))
    s.server.write("conf.d/one.conf", "[program:one]\ncommand = /bin/cat ; a comment\nstartsecs = 0\nuser = @USER@\n")
    s.server.start()
    s.wait_state("one", "RUNNING")
    s.ctl("status")
    s.server.write("conf.d/two.conf", "[program:two]\ncommand=/bin/cat\nstartsecs=0\n[group:both]\nprograms=one,two\n")
    s.ctl("reread")
    s.ctl("update")
    for name in ("both:one", "both:two"):
        s.wait_state(name, "RUNNING")
    s.ctl("status")
    s.ctl("restart", "both:*", sort=True)
    s.note("logs", sorted(re.sub(r"-[a-z0-9_]{8}\.log", "", name) for name in os.listdir(s.server.path("logs"))))
    s.note("socket", oct(stat.S_IMODE(os.stat(s.server.socket_path).st_mode)))
    pid = s.rpc("supervisor.getPID")
    s.ctl("shutdown")
    s.wait_gone(pid)


@scenario("logs on /dev/fd/1, as in containers: the output of programs and of the daemon in one stream", HEAD.replace(
    "logfile=@DIR@/main.log", "logfile=%(ENV_OUT)s\nlogfile_maxbytes=0\nsilent=true") + """
[program:talks]
command=/bin/sh -c 'echo on stdout; echo on stderr >&2; exec sleep 1000'
stdout_logfile=%(ENV_OUT)s
stdout_logfile_maxbytes=0
stderr_logfile=%(ENV_OUT)s
stderr_logfile_maxbytes=0
startsecs=0
[program:merged]
command=/bin/sh -c 'echo merged stdout; echo merged stderr >&2; exec sleep 1000'
stdout_logfile=%(ENV_OUT)s
stdout_logfile_maxbytes=0
redirect_stderr=true
startsecs=0
""", environment=dict(os.environ, OUT="/dev/fd/1"))
def _(s):
    for line in ("on stdout", "on stderr", "merged stdout", "merged stderr"):
        s.note(line, bool(s.wait_file("output", f"^{line}$")))
    s.note("the daemon, too", bool(s.wait_file("output", "INFO spawned: 'talks'")))
    # The text depends on who wrote first.
    s.note("reading", s.outcome("supervisor.readProcessStdoutLog", "talks", 0, 9)[0])
    s.note("the tail", s.outcome("supervisor.tailProcessStdoutLog", "talks", 0, 9)[0])
    s.note("the daemon's", s.outcome("supervisor.readLog", 0, 9)[0])
    s.call("supervisor.getAllConfigInfo")


@scenario("addresses, owners and values from the environment are taken alike", HEAD.replace(
    "file=@SOCK@", "file=%(here)s/s.sock\nchmod=0%(ENV_MODE)s\nchown=@USER@").replace("[supervisord]",
    "[inet_http_server]\nport=*:@PORT@\n[supervisord]\nenvironment=FROM=\"%(ENV_MODE)s\",LEVEL=\"3\"") + """
; @SOCK@
[program:look]
command=/bin/sh -c 'echo $FROM $LEVEL $OWN %(ENV_LEVEL)s %(host_node_name)s; exec sleep 1000'
environment=OWN="%(ENV_LEVEL)s-%(program_name)s"
stdout_logfile=@DIR@/%(ENV_LEVEL)s.log
priority=%(ENV_LEVEL)s
startsecs=0
[fcgi-program:gate]
command=/bin/sleep 1000
socket=unix://@DIR@/%(program_name)s.sock
socket_owner=@USER@
socket_mode=0600
process_name=%(program_name)s_%(process_num)d
numprocs=2
startsecs=0
""", environment=dict(os.environ, MODE="760"))
def _(s):
    s.note("output", s.wait_file("3.log", "\n"))
    for name in ("s.sock", "gate.sock"):
        facts = os.stat(s.server.path(name))
        s.note(name, (oct(stat.S_IMODE(facts.st_mode)), facts.st_uid, facts.st_gid))
    for address in ("127.0.0.1", socket.gethostname()):
        try:
            proxy = xmlrpc.client.ServerProxy(f"http://{address}:{s.server.port}/RPC2")
            s.note(address, proxy.supervisor.getState())
        except OSError as error:
            s.note(address, type(error).__name__)
    wait_until(lambda: all(row["state"] == 20 for row in s.rpc("supervisor.getAllProcessInfo")), 20, "all to run")
    s.call("supervisor.getAllConfigInfo")
    s.ctl("status", "gate:*")


if __name__ == "__main__":
    main()
