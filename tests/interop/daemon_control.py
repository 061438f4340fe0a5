# The daemon itself: reread and update, signals, restart, pid file, daemonizing, the command line.
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from compare import HEAD, any_fault_text, main, own_words_for_bad_config, scenario
from daemon import wait_until

BEFORE = HEAD + """
[program:same]
command=/bin/sleep 1000
startsecs=0
[program:changes]
command=/bin/sleep 1000
startsecs=0
[program:goes]
command=/bin/sleep 1000
startsecs=0
[program:renumbered]
command=/bin/sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=2
startsecs=0
[group:team]
programs=renumbered
"""
AFTER = BEFORE.replace("[program:goes]", "[program:comes]").replace(
    "[program:changes]\ncommand=/bin/sleep 1000", "[program:changes]\ncommand=/bin/sleep 1001").replace(
    "numprocs=2", "numprocs=3")


def wait_running(s):
    wait_until(lambda: all(row["statename"] == "RUNNING" for row in s.rpc("supervisor.getAllProcessInfo")), 20, "all")


@scenario("reread, add and remove see and do the same", BEFORE)
def _(s):
    wait_running(s)
    s.call("supervisor.reloadConfig")
    s.server.write_config(AFTER)
    s.call("supervisor.reloadConfig")
    s.call("supervisor.reloadConfig")
    s.call("supervisor.addProcessGroup", "same")
    s.call("supervisor.addProcessGroup", "nope")
    s.call("supervisor.addProcessGroup", "comes")
    wait_running(s)
    s.call("supervisor.removeProcessGroup", "nope")
    s.call("supervisor.removeProcessGroup", "goes")
    s.call("supervisor.stopProcess", "goes")
    s.call("supervisor.removeProcessGroup", "goes")
    s.call("supervisor.getProcessInfo", "goes")
    s.call("supervisor.reloadConfig")
    s.call("supervisor.stopProcessGroup", "team", sort=True)
    s.call("supervisor.removeProcessGroup", "team")
    s.call("supervisor.addProcessGroup", "team")
    wait_running(s)
    s.call("supervisor.getAllProcessInfo")
    s.call("supervisor.getAllConfigInfo")
    s.server.write_config("[supervisord\n")
    s.note("broken", s.outcome("supervisor.reloadConfig")[:2])
    s.server.write_config(BEFORE.replace("numprocs=2", "numprocs=two"))
    s.call("supervisor.reloadConfig", accept=any_fault_text)
    s.call("supervisor.getState")
    s.server.write_config(AFTER)
    s.call("supervisor.reloadConfig")


@scenario("supervisorctl reread and update print the same", BEFORE)
def _(s):
    wait_running(s)
    s.ctl("reread")
    s.ctl("update")
    s.server.write_config(AFTER)
    s.ctl("reread")
    s.ctl("update", "comes")
    s.ctl("update")
    s.ctl("update")
    s.ctl("avail")
    s.server.write_config(AFTER.replace("startsecs=0", "startsecs=none"))
    s.ctl("reread", accept=own_words_for_bad_config)
    s.ctl("update", accept=own_words_for_bad_config)


@scenario("an include brings programs, and reread finds new files", HEAD + """
[include]
files=conf.d/*.conf extra/*.ini
[program:main]
command=/bin/sleep 1000
startsecs=0
""", start=False)
def _(s):
    os.mkdir(s.server.path("conf.d"))
    s.server.write("conf.d/one.conf", "[program:one]\ncommand=/bin/sleep 1000\nstartsecs=0\ndirectory=%(here)s\n")
    s.server.start()
    wait_running(s)
    s.call("supervisor.getAllConfigInfo")
    s.server.write("conf.d/two.conf", "[program:two]\ncommand=/bin/sleep 1000\nstartsecs=0\n[group:both]\nprograms=one,two\n")
    s.call("supervisor.reloadConfig")


@scenario("SIGHUP and restart() read everything again and start afresh", BEFORE)
def _(s):
    wait_running(s)
    s.server.write_config(AFTER)
    for restart in ("HUP", "restart"):
        pids = [row["pid"] for row in s.rpc("supervisor.getAllProcessInfo")]
        if restart == "HUP":
            s.server.send(signal.SIGHUP)
        else:
            s.call("supervisor.restart")
        for pid in pids:
            s.wait_gone(pid)

        def is_back():
            try:
                return all(row["statename"] == "RUNNING" for row in s.rpc("supervisor.getAllProcessInfo"))
            except Exception:  # between two lives nobody listens
                s.proxy = s.server.rpc()
                return False

        wait_until(is_back, 20, "the next life")
        s.note("same daemon", s.rpc("supervisor.getPID") == s.server.process.pid)
        s.note("programs", [row["name"] for row in s.rpc("supervisor.getAllProcessInfo")])
        s.call("supervisor.getState")
    s.note("pid file", s.server.read("main.pid").strip() == str(s.server.process.pid))


for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
    @scenario(f"{number.name} ends the daemon and its programs, status and pid file alike", BEFORE)
    def _(s, number=number):
        wait_running(s)
        s.note("pid file", s.server.read("main.pid").endswith("\n"))
        pids = [row["pid"] for row in s.rpc("supervisor.getAllProcessInfo")]
        s.note("status", s.server.stop(number))
        s.note("left", [os.path.exists(f"/proc/{pid}") for pid in pids])
        s.note("files", [os.path.exists(s.server.path(name)) for name in ("main.pid", "s.sock", "main.log")])
        words = f"received {number.name} indicating exit request"
        s.note("log", words in s.server.read("main.log"))


@scenario("it becomes a daemon: the pid file names it, it has its own session, and shutdown removes both",
          BEFORE.replace("identifier=test", "identifier=test\numask=027"), arguments=())
def _(s):
    s.note("first process", s.server.wait())
    wait_running(s)
    pid = s.rpc("supervisor.getPID")
    s.note("pid file", s.server.read("main.pid").strip() == str(pid))
    with open(f"/proc/{pid}/stat", encoding="ascii") as stream:
        words = stream.read().rpartition(")")[2].split()
    s.note("leads its session", int(words[3]) == int(words[2]))
    with open(f"/proc/{pid}/status", encoding="ascii") as stream:
        s.note("umask", [line for line in stream if line.startswith("Umask")])
    s.note("where", os.readlink(f"/proc/{pid}/cwd"))
    s.note("descriptors", [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)])
    s.call("supervisor.shutdown")
    s.wait_gone(pid)
    s.note("files", [os.path.exists(s.server.path(name)) for name in ("main.pid", "s.sock")])


@scenario("options of the command line win over the file", BEFORE, arguments=(
    "-n", "-s", "-i", "named", "-e", "warn", "-l", "other.log", "-j", "other.pid", "-y", "1MB", "-z", "2", "-m", "022",
    "-a", "500", "--minprocs", "50", "-t", "-k"))
def _(s):
    wait_running(s)
    s.call("supervisor.getIdentification")
    s.note("files", [os.path.exists(s.server.path(name)) for name in ("other.log", "other.pid", "main.log", "main.pid")])
    s.note("pid", s.server.read("other.pid").strip() == str(s.server.process.pid))
    s.note("log has no INFO", "INFO" not in s.server.read("other.log"))
    s.note("silent", s.server.read("output"))


@scenario("a second daemon on the same sockets refuses to start, and leaves the first alone", BEFORE)
def _(s):
    wait_running(s)
    done = subprocess.run([s.server.program, "-n", "-c", s.server.config_path], capture_output=True, text=True,
                          timeout=30, cwd=s.server.directory)
    s.note("status", done.returncode)
    s.note("says something", bool(done.stderr + done.stdout))
    s.call("supervisor.getState")
    s.note("pid file", s.server.read("main.pid").strip() == str(s.server.process.pid))


if __name__ == "__main__":
    main()
