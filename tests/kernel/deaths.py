# seconds: 600
# Thirty ways to die and more: each is produced for real, and every field of its certificate is compared.
import atexit
import errno
import json
import os
import pwd
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from deaths import *
from probe import cgroup_root, facility

options = tap.arguments()
NOBODY_NAME = next((entry.pw_name for entry in pwd.getpwall() if entry.pw_uid == NOBODY), None)
DEAF = "#!/bin/sh\ntrap '' TERM\necho ready\nwhile :; do sleep 1; done\n"

# name -> (command, further options)
PROGRAMS = {
    "sleeper": ("/bin/sleep 1000", "process_name=%(program_name)s_%(process_num)02d\nnumprocs=40\nuser=65534"),
    "abort": ("@PYTHON@ -c 'import os; os.abort()'", ""),
    "raise": ("@PYTHON@ -c 'import signal; signal.raise_signal(signal.SIGTERM)'", ""),
    "suicide": ("/bin/sh -c 'kill -KILL $$'", ""),
    "sibling": ("/bin/sh -c '(sleep 0.2; kill -KILL $$; sleep 0.5) & exec sleep 1000'", ""),
    "core": ("/bin/sh -c 'ulimit -c unlimited; exec @DIR@/ways segv'", "directory=@DIR@/cores"),
    "thread": ("@DIR@/ways thread", ""),
    "posixtimer": ("@DIR@/ways timer", ""),
    "queue": ("@DIR@/ways queue", ""),
    "alarm": ("@PYTHON@ -c 'import signal; signal.alarm(1); signal.pause()'", ""),
    "vtalrm": ("@PYTHON@ @DIR@/vtalrm.py", ""),
    "prof": ("@PYTHON@ @DIR@/prof.py", ""),
    "cputime": ("/bin/sh -c 'ulimit -S -t 1; while :; do :; done'", ""),
    "cputimehard": ("/bin/sh -c 'ulimit -t 1; while :; do :; done'", ""),
    "filesize": ("/bin/sh -c 'ulimit -f 1; exec head -c 100000 /dev/zero > @DIR@/toolarge'", ""),
    "pipe": ("/bin/sh -c 'mkfifo @DIR@/fifo; (head -c 1 < @DIR@/fifo > /dev/null) & exec yes > @DIR@/fifo'", ""),
    "timeout": ("/bin/sh -c 'timeout -s KILL 0.2 sleep 1000; exit $?'", ""),
    "shell": ("/bin/sh -c 'sleep 1000; exit $?'", ""),
    "graceful": ("/bin/sh -c 'trap \"exit 3\" TERM; echo ready; while :; do sleep 0.05; done'", ""),
    "plain": ("/bin/sleep 1000", ""),
    "killed": ("/bin/sleep 1000", ""),
    "deaf": ("@DIR@/deaf", "stopwaitsecs=1"),
    "group": ("/bin/sleep 1000", "stopsignal=KILL"),
    "killer": ("/bin/sh -c '/bin/kill -KILL `cat @DIR@/target`'", ""),
    "family": ("/bin/sh -c 'sleep 1000 & sleep 1000 & echo bye >&2; exit 4'", ""),
    "leaver": ("/bin/sh -c 'sleep 1000 & echo $! > @DIR@/stray; exit 0'", "kill_mode=process"),
    "daemon": ("/bin/sh -c 'setsid sh -c \"setsid sleep 1000 < /dev/null > /dev/null 2>&1 &\"; exit 0'", ""),
    "talker": ("/bin/sh -c 'seq 1 30; for i in `seq 1 30`; do echo error $i >&2; done; exit 6'", ""),
    "spinner": ("@PYTHON@ @DIR@/spinner.py", ""),
    "tooquick": ("/bin/sh -c 'exit 3'", "startsecs=10\nstartretries=0"),
    "nofile": ("@DIR@/does-not-exist", "startretries=0"),
    "noexec": ("@DIR@/not-executable", "startretries=0"),
    "directory": ("@DIR@/cores", "startretries=0"),
    "nointerpreter": ("@DIR@/no-interpreter", "startretries=0"),
    "badinterpreter": ("@DIR@/bad-interpreter", "startretries=0"),
    "noformat": ("@DIR@/no-format", "startretries=0"),
    "empty": ("@DIR@/empty", "startretries=0"),
    "busy": ("@DIR@/busy", "startretries=0"),
    "chdir": ("/bin/true", "directory=/does/not/exist\nstartretries=0"),
    "unborn": ("/bin/sleep 1000", "startretries=0"),
}
PROGRAMS.update({f"fault_{way}": (f"@DIR@/ways {way}", "") for way in
                 ("fpe", "ill", "trap", "segv", "readonly", "bus", "sys")})
PROGRAMS.update({f"code_{code}": (f"/bin/sh -c 'exit {code}'", "") for code in
                 (0, 1, 2, 77, 126, 127, 128, 130, 137, 143, 200, 255)})
AT_ONCE = ("nofile", "noexec", "directory")  # a request to start them is refused before there is a run
CONFIG = "".join(f"[program:{name}]\ncommand={command}\n{DEFAULTS}{more}\n".replace(
    "autostart=false", f"autostart={str(name in AT_ONCE).lower()}") for name, (command, more) in PROGRAMS.items())
# svisord makes the directory of `unborn` and somebody kills it before the program is born: here, in mkdirat() itself.
SHIM = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int mkdirat(int fd, const char *name, mode_t mode)
{
    int r = (int)syscall(SYS_mkdirat, fd, name, mode);
    if (r == 0 && strncmp(name, "unborn.", 7) == 0) {
        char path[256];
        snprintf(path, sizeof(path), "%s/cgroup.kill", name);
        int file = openat(fd, path, O_WRONLY);
        (void)!write(file, "1", 1);
        close(file);
    }
    return r;
}
"""
_server = None
_next_sleeper = iter(range(40))


def prepare(server):
    compile_ways(server)
    server.write("deaf", DEAF, 0o755)
    for way, timer in (("vtalrm", "VIRTUAL"), ("prof", "PROF")):
        server.write(f"{way}.py", f"import signal\nsignal.setitimer(signal.ITIMER_{timer}, 0.05)\nwhile True: pass\n")
    server.write("spinner.py", "import os\nx = bytearray(200 << 20)\nwhile os.times()[0] < 0.2: pass\n")
    os.mkdir(server.path("cores"))
    os.chmod(server.path("cores"), 0o777)
    server.write("not-executable", "#!/bin/sh\n", 0o644)
    server.write("no-interpreter", "#!/does/not/exist -x\n", 0o755)
    server.write("bad-interpreter", "#! @DIR@/not-executable\n", 0o755)
    server.write("no-format", "echo no first line\n", 0o755)
    server.write("empty", "", 0o755)
    server.write("busy", "#!/bin/sh\n", 0o755)
    source = server.write("shim.c", SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", server.path("shim.so"), source], check=True)
    # A sanitized daemon wants its runtime to be first, and can do without.
    server.environment = dict(server.environment, LD_PRELOAD=server.path("shim.so"), ASAN_OPTIONS="verify_asan_link_order=0")


def the_server():
    """One daemon for all tests: every program of it dies in its own way."""
    global _server
    if os.geteuid() != 0:
        tap.skip("only root has eBPF here")
    if _server is None:
        _server = serve(options, CONFIG, "deaths-test", before=prepare)
        atexit.register(_server.close)
    if not facility(_server.rpc(), "eBPF signal")["active"]:
        tap.skip(f"no eBPF: {facility(_server.rpc(), 'eBPF signal')['missing']}")
    return _server


def case(name, **expected):
    """A program that dies without help."""
    server = the_server()
    server.rpc().supervisor.startProcess(name, False)
    ended(server, name)
    death = death_of(server, name)
    return verdict(server, name, death["pid"], **expected)


def dying(name):
    server = the_server()
    return server, start(server, name)


def fails(name, **expected):
    """A program that cannot be started."""
    server = the_server()
    try:
        server.rpc().supervisor.startProcess(name)
    except Exception:  # the fault is Supervisor's, and interop holds it against the real one
        pass
    wait_until(lambda: server.rpc().svisor.getDeathCertificates(name), 10, "the certificate")
    death = death_of(server, name, 1)
    tap.check((death["name"], death["run"]), (name, 1), "whose it is")
    compare(death, expected)
    tap.check([key for key in ("pid", "lived_ms", "user_us") if key in death], [], "facts of a life that was none")
    return death


SIGNALS = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS,
           signal.SIGFPE, signal.SIGKILL, signal.SIGUSR1, signal.SIGSEGV, signal.SIGUSR2, signal.SIGPIPE,
           signal.SIGALRM, signal.SIGTERM, signal.SIGXCPU, signal.SIGXFSZ, signal.SIGVTALRM, signal.SIGPROF,
           signal.SIGIO, signal.SIGPWR, signal.SIGSYS, signal.SIGRTMIN + 2]


def from_another_user(number):
    name = f"sleeper:sleeper_{next(_next_sleeper):02d}"
    server, pid = dying(name)
    killer = kill_as(pid, number, NOBODY)
    ended(server, name)
    verdict(server, name, pid, cause="OUTSIDE", signal=number,
            **sender(killer, number, uid=NOBODY, user=NOBODY_NAME))


for _number in SIGNALS:
    tap.test(f"signal {int(_number)} from a process of another user names that process")(
        lambda number=_number: from_another_user(number))


@tap.test("a program that aborts has sent itself the signal")
def _():
    me = case("abort", cause="SELF", signal=signal.SIGABRT, sender_signal=6, sender_signal_name="SIGABRT",
              sender_code=SI_TKILL, sender_pid=ANY, sender_uid=0, sender_user="root", sender_command="python3",
              sender_cgroup=lambda path: path.endswith("/abort/abort.1"), sender_program="abort:abort")
    tap.check(me["sender_pid"], me["pid"], "the sender")


@tap.test("raise() and a shell that kills itself are suicides as well")
def _():
    for name, number, code, command in (("raise", signal.SIGTERM, SI_TKILL, "python3"),
                                        ("suicide", signal.SIGKILL, SI_USER, "sh")):
        me = case(name, cause="SELF", signal=number, sender_signal=int(number), sender_signal_name=number.name,
                  sender_code=code, sender_pid=ANY, sender_uid=0, sender_user="root", sender_command=command,
                  sender_cgroup=ANY, sender_program=f"{name}:{name}")
        tap.check(me["sender_pid"], me["pid"], "the sender")


@tap.test("a signal from a sibling is told from one of its own")
def _():
    me = case("sibling", cause="SIBLING", signal=signal.SIGKILL, sender_signal=9, sender_signal_name="SIGKILL",
              sender_code=SI_USER, sender_pid=ANY, sender_uid=0, sender_user="root", sender_command="sh",
              sender_cgroup=lambda path: path.endswith("/sibling/sibling.1"), sender_program="sibling:sibling",
              strays=lambda count: count in (1, 2), strays_end=ANY)
    tap.check_true(me["sender_pid"] != me["pid"], "the sender is the victim")


def fault(way, number, code):
    case(f"fault_{way}", cause="CRASHED", signal=number, sender_signal=int(number), sender_signal_name=number.name,
         sender_code=code)


for _way, _signal, _code in (("segv", signal.SIGSEGV, 1), ("readonly", signal.SIGSEGV, 2), ("bus", signal.SIGBUS, 2),
                             ("fpe", signal.SIGFPE, 1), ("ill", signal.SIGILL, 2), ("trap", signal.SIGTRAP, SI_KERNEL),
                             ("sys", signal.SIGSYS, 1)):
    tap.test(f"a fault of its own ({_way}) is a crash, with its code and without a sender")(
        lambda way=_way, number=_signal, code=_code: fault(way, number, code))


@tap.test("a crash that leaves a core says where it is")
def _():
    with open("/proc/sys/kernel/core_pattern", encoding="ascii") as stream:
        pattern = stream.read()
    if pattern[0] in "|/":
        tap.skip(f"cores go elsewhere here: {pattern}")
    case("core", cause="CRASHED", signal=signal.SIGSEGV, sender_signal=11, sender_signal_name="SIGSEGV", sender_code=1,
         core_dumped=True, core_text=lambda text: the_server().path("cores") in text)
    tap.check(len(os.listdir(the_server().path("cores"))), 1, "cores")


def exits(code):
    case(f"code_{code}", cause="EXITED", exit_code=code)


for _code in (0, 1, 2, 77, 126, 127, 128, 130, 137, 143, 200, 255):
    tap.test(f"exit code {_code} is told as it is")(lambda code=_code: exits(code))


@tap.test("when the main thread has ended first, the last one gives the exit code")
def _():
    case("thread", cause="EXITED", exit_code=5)


def of_kernel(name, number, code, **more):
    case(name, cause="KERNEL", signal=number, sender_signal=int(number), sender_signal_name=number.name,
         sender_code=code, **more)


for _name, _signal, _code in (("alarm", signal.SIGALRM, SI_KERNEL), ("vtalrm", signal.SIGVTALRM, SI_KERNEL),
                              ("prof", signal.SIGPROF, SI_KERNEL), ("posixtimer", signal.SIGUSR2, SI_TIMER),
                              ("cputime", signal.SIGXCPU, SI_KERNEL), ("cputimehard", signal.SIGKILL, SI_KERNEL),
                              ("filesize", signal.SIGXFSZ, NO_INFO)):
    tap.test(f"what the kernel sends ({_name}: {_signal.name}) has no sender")(
        lambda name=_name, number=_signal, code=_code: of_kernel(name, number, code))


@tap.test("a pipe that nobody reads is a signal of the kernel, not of the victim")
def _():
    of_kernel("pipe", signal.SIGPIPE, NO_INFO, strays=MAYBE, strays_end=MAYBE)


@tap.test("sigqueue() to itself is a suicide")
def _():
    case("queue", cause="SELF", signal=signal.SIGRTMIN + 2, sender_signal=int(signal.SIGRTMIN) + 2,
         sender_signal_name="SIGRTMIN+2", sender_code=SI_QUEUE, sender_pid=ANY, sender_uid=0, sender_user="root",
         sender_command="ways", sender_cgroup=ANY, sender_program="queue:queue")


@tap.test("a command that timeout(1) has killed inside a shell: the code, and who killed the child")
def _():
    me = case("timeout", cause="EXITED", exit_code=137, sender_signal=9, sender_signal_name="SIGKILL", sender_code=ANY,
              sender_pid=ANY, sender_uid=0, sender_user="root", sender_command="timeout", sender_cgroup=ANY,
              sender_program="timeout:timeout", sender_target=ANY, tail=["Killed"], tail_channel="stderr",
              strays=MAYBE, strays_end=MAYBE)
    tap.check_true(me["sender_target"] != me["pid"], "the target is the shell")


@tap.test("exit code 143 of a shell names who has sent SIGTERM to its child")
def _():
    server, pid = dying("shell")
    child = int(wait_until(lambda: open(f"/proc/{pid}/task/{pid}/children", encoding="ascii").read(), 5, "the child"))
    killer = kill_as(child, signal.SIGTERM)
    ended(server, "shell")
    verdict(server, "shell", pid, cause="EXITED", exit_code=143, sender_target=child, tail=["Terminated"],
            tail_channel="stderr", **sender(killer, signal.SIGTERM))


@tap.test("a program that catches a stranger's SIGTERM and exits tells who sent it")
def _():
    server, pid = dying("graceful")
    wait_until(lambda: server.rpc().supervisor.readProcessStdoutLog("graceful", 0, 0), 5, "the trap")
    killer = kill_as(pid, signal.SIGTERM)
    ended(server, "graceful")
    me = verdict(server, "graceful", pid, cause="EXITED", exit_code=3, tail=["ready"], tail_channel="stdout",
                 strays=MAYBE, strays_end=MAYBE, **sender(killer, signal.SIGTERM))
    tap.check_true(0 <= me["sender_before_ms"] < 5000, f"sent {me['sender_before_ms']} ms before")


@tap.test("cgroup.kill from outside names the one who wrote")
def _():
    server, pid = dying("killed")
    with open(os.path.join(cgroup_root(server.rpc()), "killed", "killed.1", "cgroup.kill"), "w",
              encoding="ascii") as stream:
        stream.write("1")
    ended(server, "killed")
    with open("/proc/self/comm", encoding="ascii") as stream:
        name = stream.read().rstrip("\n")
    me = verdict(server, "killed", pid, cause="OUTSIDE", signal=signal.SIGKILL,
                 **sender(os.getpid(), signal.SIGKILL, code=NO_INFO, command=name))
    tap.check_true("cgroup.kill" in me["text"], me["text"])


@tap.test("who is killed while it is stopped was killed by the one who killed, not by the one who stopped")
def _():
    name = f"sleeper:sleeper_{next(_next_sleeper):02d}"
    server, pid = dying(name)
    kill_as(pid, signal.SIGSTOP)
    wait_until(lambda: open(f"/proc/{pid}/stat", encoding="ascii").read().split()[2] == "T", 5, "the stop")
    killer = kill_as(pid, signal.SIGKILL, NOBODY)
    ended(server, name)
    verdict(server, name, pid, cause="OUTSIDE", signal=signal.SIGKILL,
            **sender(killer, signal.SIGKILL, uid=NOBODY, user=NOBODY_NAME))


@tap.test("another program of svisord is named as such")
def _():
    server, pid = dying("plain")
    server.write("target", str(pid))
    case("killer", cause="EXITED", exit_code=0)
    ended(server, "plain")
    me = verdict(server, "plain", pid, cause="PROGRAM", signal=signal.SIGKILL, sender_signal=9,
                 sender_signal_name="SIGKILL", sender_code=SI_USER, sender_pid=ANY, sender_uid=0, sender_user="root",
                 sender_command="kill", sender_program="killer:killer",
                 sender_cgroup=MAYBE)
    tap.check_true(me.get("sender_cgroup", "/killer/killer.1").endswith("/killer/killer.1"), me)


STOP = {"cause": "SVISORD", "reason": "REQUEST_STOP"}


@tap.test("a stop by request is svisord's own, whether the program dies of it or exits")
def _():
    server, pid = dying("sleeper:sleeper_38")
    server.rpc().supervisor.stopProcess("sleeper:sleeper_38")
    verdict(server, "sleeper:sleeper_38", pid, signal=signal.SIGTERM, stop_signal=15, stop_signal_name="SIGTERM", **STOP)
    pid = start(server, "graceful")
    wait_until(lambda: server.rpc().supervisor.readProcessStdoutLog("graceful", 0, 0).count("ready") == 2, 5, "the trap")
    server.rpc().supervisor.stopProcess("graceful")
    verdict(server, "graceful", pid, run=2, exit_code=3, stop_signal=15, stop_signal_name="SIGTERM", tail=["ready"],
            tail_channel="stdout", strays=MAYBE, strays_end=MAYBE, **STOP)


@tap.test("stopsignal=KILL is a stop, not an escalation")
def _():
    server, pid = dying("group")
    server.rpc().supervisor.stopProcess("group")
    verdict(server, "group", pid, signal=signal.SIGKILL, stop_signal=9, stop_signal_name="SIGKILL", **STOP)


@tap.test("who ignores the stop signal is killed after stopwaitsecs, and the certificate says so")
def _():
    server, pid = dying("deaf")
    wait_until(lambda: server.rpc().supervisor.readProcessStdoutLog("deaf", 0, 0), 5, "the trap")
    server.rpc().supervisor.stopProcess("deaf")
    me = verdict(server, "deaf", pid, signal=signal.SIGKILL, stop_signal=9, stop_signal_name="SIGKILL", escalated=True,
                 tail=["ready"], tail_channel="stdout", strays=MAYBE, strays_end=MAYBE, **STOP)
    tap.check_true("stopwaitsecs" in me["text"] and 1000 <= me["lived_ms"] < 5000, me["summary"])


@tap.test("a signal that a client has asked for is svisord's, by request")
def _():
    server, pid = dying("sleeper:sleeper_39")
    server.rpc().supervisor.signalProcess("sleeper:sleeper_39", "KILL")
    ended(server, "sleeper:sleeper_39")
    verdict(server, "sleeper:sleeper_39", pid, cause="SVISORD", signal=signal.SIGKILL, stop_signal=9,
            stop_signal_name="SIGKILL", reason="REQUEST_SIGNAL")


@tap.test("a parent that dies before its children tells how many they were, and that they were stopped")
def _():
    case("family", cause="EXITED", exit_code=4, strays=2, strays_end=MAYBE, tail=["bye"], tail_channel="stderr")
    wait_until(lambda: death_of(the_server(), "family")["strays_end"] != "ALIVE", 10, "the strays to end")
    tap.check(death_of(the_server(), "family")["strays_end"], "STOPPED", "their end")


@tap.test("with kill_mode=process they are left alone, and may end by themselves")
def _():
    case("leaver", cause="EXITED", exit_code=0, strays=1, strays_end="LEFT")
    os.kill(int(the_server().read("stray")), signal.SIGTERM)
    wait_until(lambda: death_of(the_server(), "leaver")["strays_end"] == "ENDED", 10, "the stray to end")


@tap.test("a daemon of two forks is the stray of a parent that has exited well")
def _():
    case("daemon", cause="EXITED", exit_code=0, strays=lambda count: count in (1, 2), strays_end=MAYBE)
    wait_until(lambda: death_of(the_server(), "daemon")["strays_end"] == "STOPPED", 10, "the daemon to end")


@tap.test("the last twenty lines of stderr are kept, or of stdout when there are none")
def _():
    case("talker", cause="EXITED", exit_code=6, tail=[f"error {number}" for number in range(11, 31)],
         tail_channel="stderr", strays=MAYBE, strays_end=MAYBE)


@tap.test("what it has used: CPU, memory, page faults, forks, pressure")
def _():
    me = case("spinner", cause="EXITED", exit_code=0)
    tap.check_true(200000 <= me["user_us"] + me["system_us"] < 5e6, f"CPU {me}")
    tap.check_true(me["cpu_us"] >= 200000, f"CPU of the cgroup {me}")
    tap.check_true(me["max_rss_bytes"] >= 200 << 20, f"memory {me}")
    tap.check_true(me["minor_faults"] > 1000 and me["forks"] == 0, f"faults and forks {me}")
    if os.path.exists("/proc/pressure/cpu"):
        tap.check_true(0 <= me["cpu_pressure"] <= 10000, f"pressure {me}")
    tap.check(death_of(the_server(), "family")["forks"], 2, "forks of the family")


@tap.test("an end before startsecs has a certificate like any other")
def _():
    server = the_server()
    try:
        server.rpc().supervisor.startProcess("tooquick")
    except Exception:
        pass
    ended(server, "tooquick")
    verdict(server, "tooquick", death_of(server, "tooquick")["pid"], cause="EXITED", exit_code=3)


def failed(stage, number, words):
    return {"cause": "NOT_STARTED", "stage": stage, "error": number, "error_name": errno.errorcode[number],
            "error_text": lambda text: all(word in text for word in words)}


@tap.test("a file that is not there, may not be executed, or is a directory is found before the spawn")
def _():
    for name in ("nofile", "noexec", "directory"):
        fails(name, cause="NOT_STARTED", stage="COMMAND", error_text=lambda text: "command at" in text or "find" in text)


@tap.test("a script without its interpreter names the interpreter")
def _():
    fails("nointerpreter", **failed("EXEC", errno.ENOENT, ["interpreter /does/not/exist", "does not exist"]))


@tap.test("an interpreter that may not be executed is named")
def _():
    fails("badinterpreter", **failed("EXEC", errno.EACCES, ["interpreter", "not-executable", "may not be executed"]))


@tap.test("a file of no known format is told so, and an empty one as well")
def _():
    fails("noformat", **failed("EXEC", errno.ENOEXEC, ["#!/bin/sh"]))
    fails("empty", **failed("EXEC", errno.ENOEXEC, ["is empty"]))


@tap.test("a file that somebody writes cannot be executed")
def _():
    with open(the_server().path("busy"), "a", encoding="ascii"):
        fails("busy", **failed("EXEC", errno.ETXTBSY, ["open for writing"]))


@tap.test("a directory that is missing is told by name")
def _():
    fails("chdir", **failed("DIRECTORY", errno.ENOENT, ["/does/not/exist"]))


@tap.test("a spawn into a cgroup that was killed is a death at birth")
def _():
    server = the_server()
    root = cgroup_root(server.rpc())
    try:
        server.rpc().supervisor.startProcess("unborn")
    except Exception:
        pass
    if server.rpc().supervisor.getProcessInfo("unborn")["statename"] == "RUNNING":
        tap.skip(f"this kernel lets programs into killed cgroups ({root})")
    compare(death_of(server, "unborn", 1),
            {"cause": "KILLED_AT_BIRTH", "stage": "CGROUP", "error": errno.ECANCELED, "error_name": "ECANCELED",
             "error_text": lambda text: "cgroup" in text})


@tap.test("certificates are kept by run, the newest first, as many as death_history says")
def _():
    server = the_server()
    for _ in range(12):
        server.rpc().supervisor.startProcess("code_200", False)
        ended(server, "code_200")
    rows = server.rpc().svisor.getDeathCertificates("code_200")
    runs = [row["run"] for row in rows]
    tap.check(runs, list(range(runs[0], runs[0] - 10, -1)), "runs")
    tap.check(death_of(server, "code_200", runs[3])["run"], runs[3], "one of them")
    try:
        death_of(server, "code_200", 1)
        tap.fail("run 1 is still there")
    except Exception as fault_of_it:
        tap.check(getattr(fault_of_it, "faultCode", None), 30, "fault")


@tap.test("the daemon's log tells an unexpected death in one line, and is silent about a stop")
def _():
    log = the_server().read("main.log")
    tap.check_true("why: suicide run 1 sent itself the signal that ended it: SIGKILL" in log, log[-3000:])
    tap.check_true("why: deaf" not in log and "why: code_0 " not in log, "a line about an expected end")


# For daemons of their own.
BARE = f"""
[program:outside]
command=/bin/sleep 1000
{DEFAULTS}
[program:stopped]
command=/bin/sleep 1000
{DEFAULTS}
[program:code]
command=/bin/sh -c 'exit 7'
{DEFAULTS}
[program:crash]
command=/bin/sh -c 'kill -SEGV $$'
{DEFAULTS}
"""


LISTENER = """#!@PYTHON@
import sys
while True:
    print("READY", flush=True)
    header = dict(word.split(":") for word in sys.stdin.readline().split())
    body = sys.stdin.read(int(header["len"]))
    with open("@DIR@/@NAME@", "a", encoding="utf-8") as stream:
        stream.write(header["eventname"] + " " + body + "\\n")
    print("RESULT 2\\nOK", end="", flush=True)
"""


@tap.test("listeners that ask for PROCESS_DEATH by name receive certificates, those of EVENT do not")
def _():
    config = "".join(f"[eventlistener:{name}]\ncommand=@DIR@/{name}.py\nevents={events}\n"
                     for name, events in (("deaths", "PROCESS_DEATH"), ("all", "EVENT")))

    def listen(server):
        for name in ("deaths", "all"):
            server.write(f"{name}.py", LISTENER.replace("@NAME@", name), 0o755)

    with serve(options, config + BARE, "deaths-events", before=listen) as server:
        server.rpc().supervisor.startProcess("code", False)
        wait_until(lambda: os.path.exists(server.path("deaths")) and server.read("deaths").endswith("\n"), 10, "the event")
        head, body = server.read("deaths").rstrip("\n").split("\n")
        death = death_of(server, "code")
        tap.check(head, f"PROCESS_DEATH processname:code groupname:code run:1 pid:{death['pid']} cause:EXITED exitcode:7",
                  "the line")
        tap.check(json.loads(body), death, "the certificate")
        wait_until(lambda: os.path.exists(server.path("all")) and "PROCESS_STATE_EXITED" in server.read("all"), 10,
                   "what Supervisor sends")
        tap.check_true("PROCESS_DEATH" not in server.read("all"), server.read("all"))


@tap.test("svctl tells the paragraph, the table, a run of the past, and JSON")
def _():
    server = the_server()

    def why(*words):
        done = subprocess.run([os.path.join(options.build, "svctl"), "-s", f"unix://{server.socket_path}", "why", *words],
                              stdout=subprocess.PIPE, text=True, check=False)
        return done.returncode, done.stdout

    status, text = why("family")
    flat = " ".join(text.split())
    tap.check(status, 0, "exit status")
    for words in ("family is EXITED:", "Run 1 of family", "with exit code 4", "It left 2 processes behind",
                  "exit code 4", "cause EXITED", "Its last lines on stderr: | bye"):
        tap.check_true(words in flat, f"{words!r} is not in {text}")
    runs = [row["run"] for row in server.rpc().svisor.getDeathCertificates("code_200")]
    status, text = why("--run", str(runs[-1]), "code_200")
    tap.check((status, text.split(" was")[0].split(" ended")[0].split(" (pid")[0]), (0, f"Run {runs[-1]} of code_200"), "--run")
    status, text = why(f"--run={runs[0]}", "--json", "code_200")
    tap.check((status, json.loads(text)), (0, [death_of(server, "code_200", runs[0])]), "--json")
    tap.check(why("--run", "999", "code_200"), (1, "code_200: ERROR (no death certificate of run 999)\n"), "a missing run")
    tap.check(why("--run", "x", "code_200")[0], 2, "no number")


def without_ebpf(wrapper=(), environment=None, uid=0, words="eBPF"):
    def share(server):
        os.chmod(server.directory, 0o777)

    with serve(options, BARE, "deaths-bare", wrapper=wrapper, environment=environment, before=share) as server:
        pid = start(server, "outside")
        kill_as(pid, signal.SIGKILL, uid)
        ended(server, "outside")
        verdict(server, "outside", pid, cause="SIGNAL", signal=signal.SIGKILL, unknown=lambda text: words in text)
        pid = start(server, "stopped")
        server.rpc().supervisor.stopProcess("stopped")
        verdict(server, "stopped", pid, signal=signal.SIGTERM, stop_signal=15, stop_signal_name="SIGTERM", **STOP)
        start_quick(server, "code", cause="EXITED", exit_code=7)
        start_quick(server, "crash", cause="SIGNAL", signal=signal.SIGSEGV, unknown=ANY)


def start_quick(server, name, **expected):
    server.rpc().supervisor.startProcess(name, False)
    ended(server, name)
    verdict(server, name, death_of(server, name)["pid"], **expected)


@tap.test("certificates outlive the daemon, that of its own shutdown too, and a torn file")
def _():
    with serve(options, BARE, "deaths-file") as server:
        for _ in range(3):
            server.rpc().supervisor.startProcess("code", False)
            ended(server, "code")
        before = server.rpc().svisor.getDeathCertificates("code")
        pid = start(server, "stopped")
        server.disconnect()
        tap.check(server.stop(), 0, "exit status")
        name = server.path("deaths-test.deaths".replace("test", "file"))
        tap.check(os.stat(name).st_mode & 0o777, 0o600, "mode of the file")
        with open(name, "ab") as stream:
            stream.write(open(name, "rb").read()[:40])  # a write that was torn by a crash
        server.start()
        tap.check(server.rpc().svisor.getDeathCertificates("code"), before, "what the next daemon knows")
        verdict(server, "stopped", pid, cause="SVISORD", reason="SHUTDOWN", signal=signal.SIGTERM, stop_signal=15,
                stop_signal_name="SIGTERM")
        server.rpc().supervisor.startProcess("code", False)
        ended(server, "code")
        wait_until(lambda: len(server.rpc().svisor.getDeathCertificates("code")) == 4, 5, "the fourth")
        server.disconnect()
        server.stop()
        server.start()
        tap.check(len(server.rpc().svisor.getDeathCertificates("code")), 4, "after the torn one")


@tap.test("a directory that cannot be written is complained of once, and memory goes on")
def _():
    with serve(options, "[svisor]\nstate_directory=/proc\n" + BARE, "deaths-nowhere") as server:
        for _ in range(3):
            server.rpc().supervisor.startProcess("code", False)
            ended(server, "code")
        tap.check(len(server.rpc().svisor.getDeathCertificates("code")), 3, "certificates")
        tap.check(server.read("main.log").count("will not outlive this daemon: /proc/deaths-nowhere.deaths"), 1, "complaints")


@tap.test("the file is written anew before it grows without end")
def _():
    quick = f"[program:many]\ncommand=/bin/sh -c 'yes {'x' * 190} | head -n 30; exit 1'\n{DEFAULTS}"
    with serve(options, "[svisor]\ndeath_history=2\nstate_directory=@DIR@/state\n" + quick, "deaths-many",
               before=lambda server: os.mkdir(server.path("state"))) as server:
        proxy = server.rpc()
        sizes = []
        for _ in range(150):
            proxy.supervisor.startProcess("many", False)
            ended(server, "many")
            proxy.svisor.getDeathCertificates("many")
            sizes.append(os.stat(server.path("state/deaths-many.deaths")).st_size)
        tap.check_true(any(after < before for before, after in zip(sizes, sizes[1:])), f"it only grows: {sizes[-1]}")
        tap.check_true(max(sizes) < 300 << 10, f"at most {max(sizes)} bytes")
        kept = proxy.svisor.getDeathCertificates("many")
        server.disconnect()
        server.stop()
        server.start()
        tap.check(server.rpc().svisor.getDeathCertificates("many"), kept, "what the next daemon knows")


@tap.test("without eBPF the certificate says that nobody saw who sent the signal, and why")
def _():
    without_ebpf(environment={"SVISOR_NO_BPF": "1"}, words="switched off")


@tap.test("as an ordinary user, without cgroups, it says as much")
def _():
    if os.geteuid() != 0:
        tap.skip("needs root to become somebody else")
    without_ebpf(wrapper=("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"), uid=NOBODY)


if __name__ == "__main__":
    tap.run_all(options)
