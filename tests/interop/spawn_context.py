# What a program finds around it: environment, directory, umask, user, descriptors, signals, session.
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from compare import HEAD, main, scenario

# Prints what a program inherits, one fact a line. Python sets nothing of it by itself but SIGPIPE and SIGXFSZ,
# which is why the signal lines come from /proc of a shell.
LOOK = r"""
import os, resource
print("cwd", os.getcwd())
old = os.umask(0); print("umask %03o" % old)
print("uid", os.getuid(), os.geteuid(), "gid", os.getgid(), sorted(os.getgroups()))
print("leader", os.getpgrp() == os.getpid(), "session of its own", os.getsid(0) == os.getpid())
print("descriptors", sorted(int(name) for name in os.listdir("/proc/self/fd"))[:3])
for fd in (0, 1, 2):
    print("fd", fd, os.readlink("/proc/self/fd/%d" % fd).split(":")[0])
for name in sorted(os.environ):
    if name.startswith(("SUPERVISOR_", "SV_", "HOME", "USER", "LOGNAME", "PATH", "SHELL")):
        print("env", name, os.environ[name])
print("end")
"""


def note_output(s, name, end="^end"):
    """What a program has written up to the end of the line that begins with `end`."""
    s.note(name, s.wait_file(name + ".log", end + r"[^\n]*\n").split("\n"))


@scenario("a program finds the same directory, umask, session, descriptors and environment", HEAD + """
environment=SV_GLOBAL="g",SV_BOTH="from the daemon"
umask=027
[program:plain]
command=@PYTHON@ @DIR@/look
stdout_logfile=@DIR@/plain.log
startsecs=0
autorestart=false
[program:set]
command=@PYTHON@ @DIR@/look
directory=/usr
umask=077
environment=SV_BOTH="from the program",SV_QUOTE='it,is "x"',SV_HOME="%(ENV_HOME)s",SV_NUM="%(process_num)d",PATH="/bin:/usr/bin"
stdout_logfile=@DIR@/set.log
redirect_stderr=true
startsecs=0
autorestart=false
[group:team]
programs=set
""", environment=dict(os.environ, HOME="/home/of", USER="me", SHELL="/bin/sh"),
          start=False)
def _(s):
    s.server.write("look", LOOK)
    s.server.start()
    note_output(s, "plain")
    note_output(s, "set")


@scenario("a program runs as its user, with that user's groups", HEAD + """
[program:other]
command=@PYTHON@ @DIR@/look
user=daemon
stdout_logfile=@DIR@/other.log
startsecs=0
autorestart=false
[program:number]
command=@PYTHON@ @DIR@/look
user=1
stdout_logfile=@DIR@/number.log
startsecs=0
autorestart=false
""", start=False)
def _(s):
    s.server.write("look", LOOK)
    s.server.start()
    if os.geteuid() != 0:
        s.wait_state("number", "FATAL", "EXITED")
        s.note("refused", s.rpc("supervisor.getProcessInfo", "other")["spawnerr"])
        return
    note_output(s, "other")
    note_output(s, "number")


@scenario("a program starts with default signal actions and nothing blocked, as under Supervisor", HEAD + """
[program:signals]
command=/bin/sh -c 'grep -E "Sig(Blk|Ign|Cgt)" /proc/self/status; ulimit -n; echo end'
stdout_logfile=@DIR@/signals.log
startsecs=0
autorestart=false
[program:descriptors]
command=/bin/sh -c 'ls /proc/self/fd | wc -l; echo end'
stdout_logfile=@DIR@/descriptors.log
startsecs=0
autorestart=false
""")
def _(s):
    lines = s.wait_file("signals.log", "^end$").split("\n")
    s.note("blocked and caught", [line for line in lines if not line.startswith("SigIgn")])
    s.note("open descriptors", s.wait_file("descriptors.log", "^end$"))


@scenario("commands are split as a shell would, without one", HEAD + r"""
[program:quotes]
command=@PYTHON@ -c "import sys; print(sys.argv[1:]); print('end')" one 'two  three' "four\"five" six\ seven '' $HOME *.x 'a'"b"c ~ %%d
stdout_logfile=@DIR@/quotes.log
startsecs=0
autorestart=false
[program:comment]
command=/bin/echo before ; after
stdout_logfile=@DIR@/comment.log
startsecs=0
autorestart=false
[program:lines]
command=/bin/echo
    first
    second
stdout_logfile=@DIR@/lines.log
startsecs=0
autorestart=false
[program:path]
command=echo found through PATH
stdout_logfile=@DIR@/path.log
startsecs=0
autorestart=false
""")
def _(s):
    note_output(s, "quotes")
    note_output(s, "comment", "before")
    note_output(s, "lines", "second")
    note_output(s, "path", "found")
    s.call("supervisor.getAllConfigInfo")


@scenario("an fcgi-program gets the shared socket as descriptor 0", HEAD + """
[fcgi-program:tcp]
command=@PYTHON@ @DIR@/serve %(process_num)d
socket=tcp://127.0.0.1:@PORT@
process_name=%(program_name)s_%(process_num)d
numprocs=2
startsecs=0
[fcgi-program:local]
command=@PYTHON@ @DIR@/serve 9
socket=unix://@DIR@/fcgi.sock
socket_mode=0640
socket_backlog=7
startsecs=0
""", start=False)
def _(s):
    import socket
    import stat
    s.server.write("serve", """
import socket, sys
listener = socket.socket(fileno=0)
print("listens", listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN), listener.family.name, flush=True)
while True:
    connection, _ = listener.accept()
    connection.sendall(b"hello from fcgi")
    connection.close()
""")
    s.server.start()
    for name in ("local:local", "tcp:tcp_0", "tcp:tcp_1"):
        s.wait_state(name, "RUNNING")
    for family, address in ((socket.AF_INET, ("127.0.0.1", s.server.port)),
                            (socket.AF_UNIX, s.server.path("fcgi.sock"))):
        with socket.socket(family) as client:
            client.settimeout(20)
            client.connect(address)
            s.note("answer", client.recv(100))
    s.note("mode", oct(stat.S_IMODE(os.stat(s.server.path("fcgi.sock")).st_mode)))
    s.call("supervisor.getAllProcessInfo")
    s.call("supervisor.stopProcessGroup", "tcp", sort=True)
    s.call("supervisor.startProcess", "tcp:tcp_1")
    with socket.create_connection(("127.0.0.1", s.server.port), 20) as client:
        s.note("answer", client.recv(100))


if __name__ == "__main__":
    main()
