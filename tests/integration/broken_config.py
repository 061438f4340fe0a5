# suite: quick
# Configuration files that are broken: every problem is told at once, and the daemon keeps the last good one.
import os
import signal
import subprocess
import sys
import time
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import Server, binary, wait_until

HEAD = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=config-test
"""
GOOD = HEAD + """
[program:a]
command=/bin/sleep 1000
startsecs=0
"""
BROKEN = GOOD + """
startsecs=soon
[program:b]
comand=/bin/cat
autorestart=perhaps
[program:c]
command=/bin/cat
stopsignal=NOSUCH
[group:g]
programs=a,nobody
"""
options = tap.arguments()


def serve(config=GOOD, **more):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    return Server("svisord", options.build, config, **more)


def check_file(server, path, seconds_max=10, prefix=()):
    begin = time.monotonic()
    done = subprocess.run([*prefix, server.program, "--check", "-c", path], capture_output=True, timeout=60)
    took = time.monotonic() - begin
    tap.check_true(took < seconds_max, f"--check {path} took {took:.1f} s")
    text = (done.stdout + done.stderr).decode("utf-8", "replace")
    tap.check_true(done.returncode in (0, 2), f"--check {path}: exit status {done.returncode}\n{text[-2000:]}")
    return done.returncode, text


def refused(server, path, *words, prefix=()):
    status, text = check_file(server, path, prefix=prefix)
    tap.check(status, 2, f"--check {path}, which said {text[-500:]!r}")
    for word in words:
        tap.check_true(word in text, f"--check {path} does not say {word!r}, but {text[-1000:]!r}")
    tap.check_true(len(text) < 100000, f"{len(text)} bytes of text about {path}")
    return text


@tap.test("--check tells what is wrong with what is no configuration at all")
def _():
    with serve(start=False) as server:
        refused(server, server.path("nowhere.conf"), "nowhere.conf")
        refused(server, server.directory, server.directory, "directory")
        refused(server, "/dev/null", "regular file")
        server.write("empty.conf", "")
        refused(server, server.path("empty.conf"), "supervisord")
        with open(server.path("rubbish.conf"), "wb") as stream:
            stream.write(os.urandom(100000))
        refused(server, server.path("rubbish.conf"), "rubbish.conf")
        with open(server.path("huge.conf"), "wb") as stream:
            stream.truncate(1 << 34)
        refused(server, server.path("huge.conf"), "huge.conf")
        os.mkfifo(server.path("fifo.conf"))
        refused(server, server.path("fifo.conf"), "fifo.conf", "regular file")
        os.symlink("loop.conf", server.path("loop.conf"))
        refused(server, server.path("loop.conf"), "loop.conf")


@tap.test("--check says that it may not read a file")
def _():
    if os.geteuid() != 0:
        tap.skip("only root can become another user")
    with serve(start=False) as server:
        server.write("secret.conf", server.fill(GOOD), 0o600)
        other = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        refused(server, server.path("secret.conf"), "secret.conf", "ermission", prefix=other)


@tap.test("--check follows [include], and names the file and line of what is broken in it")
def _():
    with serve(start=False) as server:
        server.write("one.conf", GOOD + "[include]\nfiles=broken.conf nowhere*.conf gone.conf sub\n")
        server.write("broken.conf", "[program:b]\ncommand=/bin/cat\n\nstartsecs=never\n")
        os.mkdir(server.path("sub"))
        refused(server, server.path("one.conf"), "broken.conf:4", "never")
        server.write("broken.conf", "this is not a section\n")
        refused(server, server.path("one.conf"), "broken.conf:1")
        server.write("one.conf", GOOD + "[include]\nfiles=one.conf\n")
        check_file(server, server.path("one.conf"))


@tap.test("--check tells every problem of a file, with its line")
def _():
    with serve(start=False) as server:
        server.write("broken.conf", server.fill(BROKEN))
        refused(server, server.path("broken.conf"), "soon", "comand", "perhaps", "NOSUCH", "nobody")


@tap.test("--check reads a hundred thousand lines, and bounds what it says of them")
def _():
    with serve(start=False) as server:
        server.write("long.conf", server.fill(GOOD) + "; comment\n" * 100000)
        tap.check(check_file(server, server.path("long.conf"))[0], 0, "100,000 comments")
        server.write("many.conf", server.fill(HEAD) + "".join(f"[program:p{i}]\ncommand=/bin/cat\n" for i in range(33333)))
        tap.check(check_file(server, server.path("many.conf"))[0], 0, "33,333 programs")
        server.write("wrong.conf", server.fill(GOOD) + "no section, no key\n" * 100000)
        refused(server, server.path("wrong.conf"), "wrong.conf")
        server.write("keys.conf", server.fill(GOOD) + "".join(f"x{i}=1\n" for i in range(100000)))
        check_file(server, server.path("keys.conf"))
        server.write("value.conf", server.fill(GOOD) + "environment=" + ",".join(f'A{i}="{i}"' for i in range(50000)) + "\n")
        check_file(server, server.path("value.conf"))
        server.write("bomb.conf", server.fill(HEAD) + "[program:x]\nnumprocs=999999999\ncommand=/bin/cat\nprocess_name=%(process_num)d\n")
        refused(server, server.path("bomb.conf"), "numprocs")


@tap.test("reread of a broken file is a fault that lists the problems, and the old configuration stays")
def _():
    with serve() as server:
        proxy = server.rpc()
        pid = proxy.supervisor.getProcessInfo("a")["pid"]
        server.write_config(BROKEN)
        try:
            proxy.supervisor.reloadConfig()
            tap.fail("the broken file was accepted")
        except xmlrpc.client.Fault as fault:
            for word in ("CANT_REREAD", "soon", "perhaps", "NOSUCH", "nobody"):
                tap.check_true(word in fault.faultString, f"the fault does not say {word}: {fault.faultString}")
        os.unlink(server.config_path)
        for _ in range(3):
            try:
                proxy.supervisor.reloadConfig()
                tap.fail("the missing file was accepted")
            except xmlrpc.client.Fault as fault:
                tap.check_true("CANT_REREAD" in fault.faultString, f"the fault is {fault.faultString}")
        tap.check(proxy.supervisor.getProcessInfo("a")["pid"], pid, "pid of a")
        server.write_config(GOOD)
        tap.check(proxy.supervisor.reloadConfig(), [[[], [], []]], "nothing has changed")


@tap.test("svctl update after changes adds, replaces and removes, and leaves the rest running")
def _():
    with serve(GOOD + "[program:goes]\ncommand=/bin/sleep 1000\nstartsecs=0\n[program:changes]\ncommand=/bin/sleep 1000\n"
               "startsecs=0\n[supervisorctl]\nserverurl=unix://@SOCK@\n") as server:
        proxy = server.rpc()
        wait_until(lambda: all(row["statename"] == "RUNNING" for row in proxy.supervisor.getAllProcessInfo()), 10, "all")
        pids = {row["name"]: row["pid"] for row in proxy.supervisor.getAllProcessInfo()}
        server.write_config(server.config.replace("program:goes", "program:comes").replace(
            "[program:changes]\ncommand=/bin/sleep 1000", "[program:changes]\ncommand=/bin/sleep 1001"))
        done = subprocess.run([os.path.join(options.build, "svctl"), "-c", server.config_path, "update"], capture_output=True, text=True)
        tap.check(done.returncode, 0, f"exit status of update, {done.stdout} {done.stderr}")
        after = {row["name"]: row["pid"] for row in proxy.supervisor.getAllProcessInfo()}
        tap.check(sorted(after), ["a", "changes", "comes"], "processes")
        tap.check(after["a"], pids["a"], "pid of a")
        tap.check_true(after["changes"] != pids["changes"], "changes was not replaced")


@tap.test("SIGHUP with a broken file restarts with the old configuration, and says why")
def _():
    with serve() as server:
        pid = server.process.pid
        first = server.rpc().supervisor.getProcessInfo("a")["pid"]
        server.write_config(BROKEN)
        server.send(signal.SIGHUP)
        wait_until(lambda: "going on with the old one" in server.read("main.log"), 10, "the line about the old one")
        server.wait_ready()
        proxy = server.rpc()
        tap.check(proxy.supervisor.getPID(), pid, "pid of svisord")
        second = wait_until(lambda: proxy.supervisor.getProcessInfo("a")["pid"], 10, "a to run again")
        tap.check_true(second != first, "a was not restarted")
        tap.check_true("soon" in server.read("main.log"), "the log does not say what is wrong")
        server.write_config(GOOD.replace("program:a", "program:b"))
        server.send(signal.SIGHUP)
        wait_until(lambda: server.read("main.log").count("supervisord started") == 3, 10, "the third life")
        server.wait_ready()
        tap.check([row["name"] for row in server.rpc().supervisor.getAllProcessInfo()], ["b"], "processes of the new file")


if __name__ == "__main__":
    tap.run_all(options)
