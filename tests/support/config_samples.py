"""Configurations to read: SAMPLES from real life, each a main file and the files around it, and generate()."""

MAIN = """[unix_http_server]
file=@DIR@/supervisor.sock
chmod=0700

[supervisord]
logfile=@DIR@/supervisord.log
pidfile=@DIR@/supervisord.pid
childlogdir=@DIR@

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://@DIR@/supervisor.sock
"""

SAMPLES = {
    "Debian's layout, with an include": {
        "supervisord.conf": "; supervisor config file\n\n" + MAIN + """
; The [include] section can just contain the "files" setting.
[include]
files = @DIR@/conf.d/*.conf
""",
        "conf.d/b.conf": "[program:b]\ncommand=/bin/b --home %(here)s\n",
        "conf.d/a.conf": "[program:a]\ncommand=/bin/a\npriority=1\nstdout_logfile=@DIR@/%(program_name)s.log\n",
        "conf.d/not.txt": "[program:no]\ncommand=/bin/no\n",
    },
    "the file that echo_supervisord_conf prints": {"supervisord.conf": """
[unix_http_server]
file=/tmp/supervisor.sock   ; the path to the socket file
;chmod=0700                 ; socket file mode (default 0700)
;username=user              ; default is no username (open server)

[supervisord]
logfile=/tmp/supervisord.log ; main log file; default $CWD/supervisord.log
logfile_maxbytes=50MB        ; max main logfile bytes b4 rotation; default 50MB
logfile_backups=10           ; # of main logfile backups; 0 means none, default 10
loglevel=info                ; log level; default info; others: debug,warn,trace
pidfile=/tmp/supervisord.pid ; supervisord pidfile; default supervisord.pid
nodaemon=false               ; start in foreground if true; default false
silent=false                 ; no logs to stdout if true; default false
minfds=1024                  ; min. avail startup file descriptors; default 1024
minprocs=200                 ; min. avail process descriptors;default 200
;umask=022                   ; process file creation umask; default 022
;identifier=supervisor       ; supervisord identifier, default is 'supervisor'

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix:///tmp/supervisor.sock ; use a unix:// URL  for a unix socket

;[program:theprogramname]
;command=/bin/cat              ; the program (relative uses PATH, can take args)
"""},
    "Django under gunicorn": {"supervisord.conf": MAIN + """
[program:shop]
command = %(ENV_SHOP_HOME)s/venv/bin/gunicorn shop.wsgi:application
    --bind 0.0.0.0:%(ENV_SHOP_PORT)s
    --workers 3  ; as many as cores, and one
    --access-logformat '%%(h)s %%(l)s "%%(r)s" %%(s)s'
directory = %(here)s
environment =
    DJANGO_SETTINGS_MODULE="shop.settings.production",
    DATABASE_URL="postgres://shop:pa%%20ss@localhost:5432/shop",
    PYTHONUNBUFFERED=1,
    LANG='en_US.UTF-8', LC_ALL='en_US.UTF-8'
autostart = true
autorestart = true
startsecs = 10
stopwaitsecs = 600
killasgroup = true
redirect_stderr = true
stdout_logfile = @DIR@/gunicorn.log
stdout_logfile_maxbytes = 1MB
"""},
    "Celery's own example": {"supervisord.conf": MAIN + """
; ==================================
;  celery worker supervisor example
; ==================================
[program:celery]
; Set full path to celery program if using virtualenv
command=celery -A proj worker --loglevel=INFO -n worker%(process_num)s@%%h
process_name=%(program_name)s%(process_num)02d
numprocs=4
numprocs_start=1
directory=/tmp
stdout_logfile=@DIR@/celery-%(process_num)d.log
stderr_logfile=@DIR@/celery-%(process_num)d.err
; Need to wait for currently executing tasks to finish at shutdown.
stopwaitsecs = 600
; When resorting to send SIGKILL to the program to terminate it, kill its whole process group
stopasgroup=true
; if rabbitmq is supervised, set its priority higher, so it starts first
priority=1000
[program:celerybeat]
command=celery beat -A proj --schedule /tmp/celerybeat-schedule --loglevel=INFO
directory=/tmp
stdout_logfile=@DIR@/beat.log
stderr_logfile=@DIR@/beat.log
autorestart=unexpected
exitcodes=0,2
[group:workers]
programs=celery,celerybeat
priority=5
"""},
    "a container: in the foreground, logs to standard output": {"supervisord.conf": """
[supervisord]
nodaemon=true
user=root
logfile=/dev/null
logfile_maxbytes=0
pidfile=/run/supervisord.pid
[program:nginx]
command=nginx -g 'daemon off;'
stdout_logfile=/dev/stdout
stdout_logfile_maxbytes=0
stderr_logfile=/dev/stderr
stderr_logfile_maxbytes=0
[program:php-fpm]
command=php-fpm -F
stdout_logfile=/dev/fd/1
stdout_logfile_maxbytes=0
redirect_stderr=true
stopsignal=QUIT
"""},
    "an inet server with a password": {"supervisord.conf": MAIN + """
[inet_http_server]
port = *:9001
username = admin
password = {SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d
[inet_http_server:second]
port=127.0.0.1:9002
[inet_http_server:third]
port=9003
[program:a]
command=/bin/cat
serverurl=http://localhost:9002
"""},
    "FastCGI programs": {"supervisord.conf": MAIN + """
[fcgi-program:php]
command=/usr/bin/php-cgi
socket=unix://@DIR@/%(program_name)s.sock
socket_mode=0660
socket_backlog=64
process_name=%(program_name)s_%(process_num)02d
numprocs=5
stopsignal=USR1
[fcgi-program:tcp]
command=/usr/bin/app
socket=tcp://LocalHost:9876
priority=-5
"""},
    "listeners": {"supervisord.conf": MAIN + """
[eventlistener:crashmail]
command=/usr/bin/crashmail -a -m "admin@example.com"
events=PROCESS_STATE_EXITED
[eventlistener:memmon]
command=/usr/bin/memmon -g group_name=200MB -m bob@example.com
events=tick_60, PROCESS_STATE , process_log_stderr
buffer_size=100
numprocs=2
process_name=%(program_name)s_%(process_num)d
stderr_logfile=@DIR@/memmon.err
[eventlistener:all]
command=/bin/cat
events=EVENT
priority=7
"""},
    "comments, quotes and lines in odd places": {"supervisord.conf": MAIN + """
[program:odd]
command=/bin/sh -c "echo 'a;b' #no ; and so on"
# a comment
   ; another, indented
startsecs: 3
stopsignal : sigHUP
AutoRestart=TRUE
directory=/tmp	; a tab before
environment=A="x;y",B='p"q',C=plain,D="",E="a#b",F="it's, fine"
stdout_logfile=NONE
stderr_logfile=OFF
[program:lines]
command=/bin/echo one

  two

  three
priority = 1_000
stdout_logfile_maxbytes=  5 kb
umask=0o22
[program:lines]
startretries=+7
"""},
    "expansions of every kind": {"supervisord.conf": MAIN.replace("[supervisord]", """[supervisord]
environment=ROOT="/srv",MODE="%(ENV_SHOP_PORT)s",SHARE="50%%%%"
identifier=node_%(ENV_SHOP_PORT)s""") + """
[program:all]
command=/bin/x %(program_name)s %(group_name)s %(process_num)03d %(numprocs)x %(here)s %(ENV_ROOT)s %(ENV_OWN)s %%s
process_name=%(group_name)s-%(program_name)s-%(process_num)c
environment=OWN="%(process_num)02d%%",MODE="%(ENV_MODE)s1"
numprocs=3
numprocs_start=65
stdout_logfile=@DIR@/%(program_name)s-%(process_num)05d.%(ENV_SHOP_PORT)s.log
stdout_logfile_backups=%(numprocs)d
directory=/tmp
[program:home]
command=/bin/x
user=root
stdout_logfile=@DIR@/100%%%%.log
"""},
    "groups that share and shadow names": {"supervisord.conf": MAIN + """
[program:a]
command=/bin/a
priority=3
[program:b]
command=/bin/b
priority=2
[program:c]
command=/bin/c
[group:both]
programs=a, b
priority=9
[group:again]
programs=b
[fcgi-program:d]
command=/bin/d
socket=tcp://localhost:9999
[group:mixed]
programs=d,c
"""},
    "AUTO, NONE and syslog": {"supervisord.conf": MAIN + """
[program:a]
command=/bin/a
stdout_logfile=syslog
stderr_logfile=auto
[program:b]
command=/bin/b
stdout_syslog=true
stdout_logfile=none
stderr_syslog=yes
[program:c]
command=/bin/c
redirect_stderr=1
stderr_logfile=@DIR@/ignored.log
"""},
    "nothing but a section": {"supervisord.conf": "[supervisord]\n"},
}

# Values to draw from: mostly good ones; those behind None are drawn seldom, and some are mistakes.
WORDS = ("true", "false", "1", "0", "yes", "NO", "On", "off")
TIMES = ("0", "1", "30", "+5", " 7 ", None, "-1", "1.5", "ten", "")
SIZES = ("0", "1", "1024", "10KB", "3mb", "1Gb", "5 MB", None, "50MM", "-1", "KB", "1.5MB")
COUNTS = ("0", "1", "10", "0_5", None, "-2", "few")
LOGS = ("AUTO", "NONE", "off", "@DIR@/x.log", "@DIR@/%(program_name)s-%(process_num)d.log", "%(here)s/y.log",
        "@DIR@/%%%%.log", None, "syslog", "/no/such/dir/x.log", "@DIR@/%(nope)s", "@DIR@/%(process_num")
TEXTS = ("/tmp", "%(here)s", "/srv/%(ENV_SHOP_PORT)s", "/tmp ; comment", "/tmp;none", "~/x", None, "", "%(nope)s", "100%")
COMMANDS = ("/bin/cat", "cat -n 'a b' \"c d\"", "x %(process_num)02d %(program_name)s %%d", "x\n  y\n\tz",
            "sh -c 'a ; b'", "x --a=%(ENV_SHOP_HOME)s", "x \\\"q\\\"", "x %(numprocs)s/%(group_name)s",
            "x %(host_node_name)s", None, "x 'open", "", "x %(process_num)", "x %(ENV_NONE)s", "x %s", "é 'ü ö'")
ENVIRONMENTS = ("A=1", 'A="1",B="x y"', "A='it is',", 'A="a,b=c",B=/p:q-(r)+s', 'A="%(process_num)d%%"', "",
                "A=1,A=2", 'A="1" , B="2"', 'A=""', None, "A", "A=1,B", "A=", "A==1", "=1", "A=1 B=2", 'A="open',
                "A=1#c", "é=1", "A=%(nope)s")

OPTIONS = {
    "priority": ("1", "999", "-1", "0", "+3", None, "high", "1.0"),
    "autostart": WORDS + (None, "perhaps", "t"), "autorestart": WORDS + ("unexpected", "UNEXPECTED", None, "always"),
    "startsecs": TIMES, "startretries": COUNTS, "stopwaitsecs": TIMES,
    "exitcodes": ("0", "0,2", " 1 , 2", "255", "", None, "256", "-1", "0,,1", "a", "1 2"),
    "stopsignal": ("TERM", "hup", "SIGINT", "9", "USR2", "sigquit", " KILL ", None, "NOPE", "0", "99", "-1", "RTMIN"),
    "stopasgroup": WORDS[:2], "redirect_stderr": WORDS,
    "stdout_logfile": LOGS, "stderr_logfile": LOGS,
    "stdout_logfile_maxbytes": SIZES, "stderr_logfile_maxbytes": SIZES,
    "stdout_logfile_backups": COUNTS[:4], "stderr_capture_maxbytes": SIZES[:7], "stdout_capture_maxbytes": SIZES,
    "stdout_events_enabled": WORDS, "stderr_events_enabled": WORDS + (None, "2"),
    "stdout_syslog": WORDS, "stderr_syslog": WORDS,
    "environment": ENVIRONMENTS, "directory": TEXTS, "umask": ("022", "0", "0o17", "777", None, "8", "x"),
    "serverurl": ("AUTO", "auto", "http://localhost:1", "unix:///s", ""),
    "user": ("root", "0", None, "no-such-user"), "unknown_option": ("1",),
}
DAEMON = {
    "loglevel": ("info", "DEBUG", "warn", "blather", "critical", None, "loud", "20"),
    "logfile_maxbytes": SIZES, "logfile_backups": COUNTS[:4], "umask": ("022", "0", None, "9"),
    "nodaemon": WORDS, "silent": WORDS, "minfds": ("1024", "10", None, "-1", "x"), "minprocs": ("200", "1"),
    "nocleanup": WORDS, "strip_ansi": WORDS, "identifier": ("x", "my node", "%(ENV_SHOP_PORT)s"),
    "environment": ENVIRONMENTS[:4] + ENVIRONMENTS[5:10] + (None,), "directory": ("/tmp", "@DIR@", None, "/no/such"),
}


def draw(rng, values):
    good, odd = values, ()
    if None in values:
        middle = values.index(None)
        good, odd = values[:middle], values[middle + 1:]
    return rng.choice(odd) if odd and rng.random() < 0.02 else rng.choice(good)


def some(rng, table, count_max):
    names = rng.sample(sorted(table), rng.randint(0, count_max))
    separator = rng.choice(("=", " = ", ": ", "="))
    comment = "\n; a comment\n" if rng.random() < 0.2 else "\n"
    return "".join(f"{name}{separator}{draw(rng, table[name])}{comment}" for name in names)


def program(rng, name):
    kind = rng.choices(("program", "eventlistener", "fcgi-program"), (8, 1, 1))[0]
    table = dict(OPTIONS)
    text = f"[{kind}:{name}]\ncommand={draw(rng, COMMANDS)}\n"
    if kind == "eventlistener":
        text += "events=" + rng.choice(("EVENT", "PROCESS_STATE", "TICK_5,tick_60", "PROCESS_LOG, REMOTE_COMMUNICATION")) + "\n"
        del table["redirect_stderr"]
    if kind == "fcgi-program":
        text += "socket=" + rng.choice(("tcp://localhost:9000", "unix:///tmp/%(program_name)s.s", "unix://@DIR@/s")) + "\n"
    if rng.random() < 0.3:
        text += f"numprocs={rng.choice((1, 2, 3))}\nprocess_name=%(program_name)s{rng.choice('_-.')}%(process_num)02d\n"
        text += rng.choice(("", "numprocs_start=8\n", "numprocs_start=-1\n"))
    return kind, text + some(rng, table, 9)


def generate(rng):
    """The text of one file."""
    text = "[supervisord]\nlogfile=@DIR@/m.log\npidfile=@DIR@/m.pid\nchildlogdir=@DIR@\n" + some(rng, DAEMON, 4)
    names = []
    for number in range(rng.randint(1, 4)):
        name = rng.choice(("web", "worker", "a-b", "x.y", "é")) + str(number)
        kind, section = program(rng, name)
        text += "\n" * rng.randint(0, 2) + section
        names += [name] if kind != "eventlistener" else []
    if names and rng.random() < 0.4:
        members = rng.sample(names, rng.randint(1, len(names)))
        text += "[group:together]\nprograms=" + rng.choice((",", ", ", " , ")).join(members) + "\n"
        text += rng.choice(("", "priority=5\n", "priority=-1\n"))
    if rng.random() < 0.3:
        text += "[unix_http_server]\nfile=%(here)s/s.sock\n" + rng.choice(("", "chmod=0777\n", "chown=root:root\n", "chown=root\n"))
    if rng.random() < 0.3:
        text += "[inet_http_server]\nport=" + rng.choice(("9001", ":9001", "*:9001", "127.0.0.1:9001", "localhost:1", "0", "x")) + "\n"
    if rng.random() < 0.2:
        text += "[include]\nfiles=@DIR@/none/*.conf"
    return text
