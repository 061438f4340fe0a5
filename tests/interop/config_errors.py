# Configurations and command lines that are wrong: the same exit status, and words on the standard error.
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import compare
import tap
from daemon import binary

HEAD = """[supervisord]
logfile=%(here)s/main.log
pidfile=%(here)s/main.pid
nodaemon=true
"""

# Name, what follows HEAD.
BROKEN = [
    ("a number that is none", "[program:x]\ncommand=/bin/cat\nnumprocs=two\n"),
    ("no command", "[program:x]\nautostart=true\n"),
    ("an unknown signal", "[program:x]\ncommand=/bin/cat\nstopsignal=NOPE\n"),
    ("an unknown expansion", "[program:x]\ncommand=/bin/cat %(nope)s\n"),
    ("numprocs without process_num", "[program:x]\ncommand=/bin/cat\nnumprocs=2\n"),
    ("a group of unknown programs", "[program:x]\ncommand=/bin/cat\n[group:g]\nprograms=x,y\n"),
    ("a bad boolean", "[program:x]\ncommand=/bin/cat\nautostart=perhaps\n"),
    ("a boolean of one letter", "[program:x]\ncommand=/bin/cat\nautostart=t\n"),
    ("a name with a space", "[program:x]\ncommand=/bin/cat\nprocess_name=a b\n"),
    ("a comment without a space before it", "[program:x]\ncommand=/bin/cat\nstartsecs=1;comment\n"),
    ("a bad autorestart", "[program:x]\ncommand=/bin/cat\nautorestart=perhaps\n"),
    ("a bad size", "[program:x]\ncommand=/bin/cat\nstdout_logfile_maxbytes=50MM\n"),
    ("a bad umask", "[program:x]\ncommand=/bin/cat\numask=9\n"),
    ("an unknown user", "[program:x]\ncommand=/bin/cat\nuser=no-such-user-here\n"),
    ("a bad environment", "[program:x]\ncommand=/bin/cat\nenvironment=A\n"),
    ("stopasgroup without killasgroup", "[program:x]\ncommand=/bin/cat\nstopasgroup=true\nkillasgroup=false\n"),
    ("a listener without events", "[eventlistener:x]\ncommand=/bin/cat\n"),
    ("a listener of unknown events", "[eventlistener:x]\ncommand=/bin/cat\nevents=NOPE\n"),
    ("a listener that redirects", "[eventlistener:x]\ncommand=/bin/cat\nevents=TICK\nredirect_stderr=true\n"),
    ("a listener with no buffer", "[eventlistener:x]\ncommand=/bin/cat\nevents=TICK\nbuffer_size=0\n"),
    ("an fcgi-program without a socket", "[fcgi-program:x]\ncommand=/bin/cat\n"),
    ("an fcgi-program with a bad socket", "[fcgi-program:x]\ncommand=/bin/cat\nsocket=http://x\n"),
    ("a bad program name", "[program:x:y]\ncommand=/bin/cat\n"),
    ("a log level that is none", "loglevel=loud\n"),
    ("a line that is none", "what is this\n"),
    ("a directory that does not exist", "directory=/no/such/directory\n"),
    ("a log in no directory", "childlogdir=/no/such/directory\n"),
    ("an inet server without a port", "[inet_http_server]\n"),
    ("an inet server with a bad port", "[inet_http_server]\nport=a:b:c\n"),
    ("a unix server without a file", "[unix_http_server]\n"),
    ("a password without a user", "[unix_http_server]\nfile=%(here)s/s.sock\npassword=x\n"),
    ("an include without files", "[include]\n"),
    ("an environment expansion of nothing", "[program:x]\ncommand=/bin/cat %(ENV_NO_SUCH_VARIABLE)s\n"),
    ("exit codes that are none", "[program:x]\ncommand=/bin/cat\nexitcodes=zero\n"),
    ("a priority that is none", "[program:x]\ncommand=/bin/cat\npriority=high\n"),
    ("an rpcinterface without a factory", "[rpcinterface:x]\n"),
]

# Command lines: the arguments, with FILE for a good configuration that is never started.
COMMAND_LINES = [
    ["-h"], ["--help"], ["-v"], ["--version"], ["--nope"], ["-c"], ["-c", "/no/such/file"], ["-c", "/"], ["FILE"],
    ["-c", "FILE", "extra"], ["-e", "loud", "-c", "FILE"], ["-u", "no-such-user-here", "-c", "FILE"],
    ["-m", "9", "-c", "FILE"], ["-d", "/no/such/directory", "-c", "FILE"], ["-z", "x", "-c", "FILE"],
    ["-y", "x", "-c", "FILE"], ["-a", "x", "-c", "FILE"], ["-l", "/no/such/directory/log", "-c", "FILE"],
]


def run(program, arguments, directory):
    try:
        return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=20, cwd=directory,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as expired:  # it started after all
        return subprocess.CompletedProcess(program, "runs", (expired.stdout or b"").decode(), (expired.stderr or b"").decode())


def both(arguments, text=None):
    """Runs both servers on the same file. The finished reference and the other, or None without it."""
    options = compare.options()
    results = []
    for kind in ("supervisord", options.under_test):
        program = binary(kind, options.build)
        if program is None and kind == "supervisord":
            tap.skip("the real supervisord is not installed: make deps")
        with tempfile.TemporaryDirectory(prefix="svt-") as directory:
            path = os.path.join(directory, "server.conf")
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(HEAD + ("identifier=ok\n" if text is None else text))
            filled = [path if word == "FILE" else word for word in arguments]
            results.append(run(program, filled, directory) if program else None)
    return results


def compare_outcome(reference, ours):
    if ours is None:
        tap.skip(f"svisord is not built; supervisord leaves with {reference.returncode}")
    tap.check(ours.returncode, reference.returncode, f"exit status, after {(ours.stderr + ours.stdout)[-500:]!r}")
    if reference.returncode == 0:
        tap.check_true(ours.stdout, "nothing on the standard output")
    else:
        tap.check_true(ours.stderr.strip(), f"nothing on the standard error, only {ours.stdout[-300:]!r}")


def register():
    for name, text in BROKEN:
        @tap.test(f"refused alike: {name}")
        def _(text=text):
            reference, ours = both(["-n", "-c", "FILE"], text)
            tap.check_true(reference.returncode != "runs", "supervisord takes this configuration; it is no error")
            compare_outcome(reference, ours)
    for arguments in COMMAND_LINES:
        @tap.test("command line: " + " ".join(arguments))
        def _(arguments=arguments):
            compare_outcome(*both(arguments))


@tap.test("without -c root is warned alike, and the file in the current directory is found")
def _():
    results = []
    for kind in ("supervisord", compare.options().under_test):
        program = binary(kind, compare.options().build)
        if program is None:
            tap.skip(f"{kind} is not there")
        with tempfile.TemporaryDirectory(prefix="svt-") as directory:
            with open(os.path.join(directory, "supervisord.conf"), "w", encoding="utf-8") as stream:
                stream.write("[supervisord]\nloglevel=found\n")
            results.append(run(program, ["-n"], directory))
    warning = "is running as root and it is searching for its configuration file in default locations"
    compare_outcome(*results)
    for kind, result in zip(("supervisord", "svisord"), results):
        tap.check("found" in result.stderr, True, f"{kind} read the file")
        tap.check(warning in result.stderr, os.getuid() == 0, f"{kind} warns")


if __name__ == "__main__":
    register()
    compare.main()
