# Every form of a value that Supervisor takes is read as the same value: getAllConfigInfo tells both sides' reading.
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from compare import HEAD, main, scenario

VALUES = [
    "autostart=%s" % word for word in ("true", "FALSE", "Yes", "no", "on", "off", "1", "0")
] + [
    "startsecs=%s" % word for word in ("0", "7", "+3", " 5 ")
] + [
    "stdout_logfile_maxbytes=%s" % word for word in ("0", "1", "1KB", "2kb", "3MB", "4mb", "1024", " 6KB ")
] + [
    "stopsignal=%s" % word for word in ("TERM", "HUP", "int", "SIGUSR1", "9", "15", "WINCH", "KILL")
] + [
    "exitcodes=%s" % word for word in ("0", "0,2", "1, 2 ,3", "255", "")
] + [
    "priority=%s" % word for word in ("-1", "0", "999", "12345")
] + [
    "autorestart=%s" % word for word in ("true", "false", "unexpected", "Unexpected")
] + [
    "umask=%s" % word for word in ("022", "0", "777")
] + [
    "stdout_logfile=%s" % word for word in ("AUTO", "auto", "NONE", "none", "syslog", "@DIR@/%(program_name)s.x",
                                            "%(here)s/h.log", "relative.log")
] + [
    "stopasgroup=true", "killasgroup=true", "redirect_stderr=yes", "stdout_syslog=true", "stderr_syslog=on",
    "stdout_capture_maxbytes=1MB", "stdout_events_enabled=1", "stderr_logfile=@DIR@/e", "serverurl=http://127.0.0.1:1",
    "serverurl=AUTO", "directory=/tmp", "directory=%(here)s", "user=@USER@", "stderr_logfile_backups=0", "stopwaitsecs=99",
    "startretries=0", "unknown_option=1", "environment=A=1", "environment=A='1,2',B=\"x y\",", "environment=",
    "process_name=other", "process_name=%(program_name)s-%(process_num)05d", "numprocs=2\nprocess_name=p%(process_num)d",
    "numprocs=2\nnumprocs_start=5\nprocess_name=%(program_name)s%(process_num)d",
    "startsecs=1 ; a comment", "directory=/tmp ; comment", "Startsecs=5", "startsecs : 6",
    "startsecs=1\nstartsecs=2", "# a line\n; another\nstartsecs=4", "environment=A=\"%(ENV_HOME)s\",B=\"%%x\"",
]

PROGRAMS = "".join(f"[program:value_{number:03d}]\ncommand=/bin/sleep 1000\n"
                   + ("" if value.startswith("autostart") else "autostart=false\n") + value + "\n"
                   for number, value in enumerate(VALUES))


def note_each(s):
    for row in s.rpc("supervisor.getAllConfigInfo"):
        number = row["group"].rpartition("_")[2]
        s.note(VALUES[int(number)] if number.isdigit() else row["group"], row)


@scenario("every form of a value is read alike", HEAD + PROGRAMS.replace("/bin/sleep 1000", "/bin/true"))
def _(s):
    note_each(s)


@scenario("sections that Supervisor takes although they are odd are taken alike", HEAD + """
[group:empty]
[program:twice]
command=/bin/true
autostart=false
[program:twice]
priority=5
command=/bin/false
[program:not closed
command=/bin/cat
[other:section]
key=value
[eventlistener:one]
command=/bin/cat
events=TICK_5, PROCESS_STATE,TICK_5
autostart=false
[program:solo]
command=/bin/true
autostart=false
[program:pair]
command=/bin/true
autostart=false
numprocs=2
process_name=%(program_name)s_%(process_num)d
[group:first]
programs=solo,pair
[group:second]
programs= solo , pair
priority=3
[program: spaced ]
command=  /bin/true   a   b
autostart=false
""")
def _(s):
    s.call("supervisor.getAllConfigInfo")
    s.call("supervisor.getAllProcessInfo")


@scenario("a value that goes on in further lines, and comments between, are read alike", HEAD + """
[program:lines]
command=/bin/echo one
  two   ; not this
; nor this
\tthree
# nor that
  four
autostart=false
environment=
    A="1",
    B="2"
[program:empty]
command=/bin/true
autostart=false
directory=
stdout_logfile=
""")
def _(s):
    s.call("supervisor.getAllConfigInfo")


if __name__ == "__main__":
    main()
