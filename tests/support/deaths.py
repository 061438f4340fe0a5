"""What the tests of death certificates share: a daemon with many ways to die, and the comparison of verdicts."""

import os
import signal
import subprocess

import tap
from daemon import Server, binary, wait_until

NOBODY = 65534
HEAD = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=@ID@
"""
DEFAULTS = "autostart=false\nautorestart=false\nstartsecs=0\nstopwaitsecs=10\n"

# A verdict is all of these: what a test does not expect may not be there. Without a signal, no sender, and so on.
VERDICT = ("cause exit_code signal signal_name core_dumped core_text reason stop_signal stop_signal_name escalated "
           "sender_signal sender_signal_name sender_code sender_pid sender_uid sender_user sender_command sender_cgroup "
           "sender_unit sender_program sender_target oom_victim oom_command oom_scope oom_cgroup oom_limit_bytes "
           "oom_usage_bytes stage error error_name error_text strays strays_end unknown tail tail_channel").split()
ANY = object()  # the key must be there, with any value
MAYBE = object()  # or it may be missing
NO_INFO = 0x10000  # SV_BPF_CODE_NO_INFO
SI_USER, SI_KERNEL, SI_QUEUE, SI_TIMER, SI_TKILL = 0, 0x80, -1, -2, -6

# Ways to die that a shell does not know. $ cc -pthread
WAYS = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void *last(void *main_thread)
{
    pthread_join(*(pthread_t *)main_thread, NULL);
    exit(5);
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "";
    static pthread_t self, other;
    if (!strcmp(way, "fpe")) {
        volatile int one = 1, zero = 0;
        return one / zero;
    } else if (!strcmp(way, "ill")) {
        __builtin_trap();
    } else if (!strcmp(way, "trap")) {
        __asm__ volatile("int3");
    } else if (!strcmp(way, "segv")) {
        *(volatile char *)8 = 1;
    } else if (!strcmp(way, "readonly")) {
        char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        *(volatile char *)page = 1;
    } else if (!strcmp(way, "bus")) {
        FILE *file = tmpfile();
        char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(file), 0);
        return *(volatile char *)page;
    } else if (!strcmp(way, "sys")) {
        struct sock_filter steps[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
                                      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
                                      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
                                      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
        struct sock_fprog filter = {4, steps};
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
        syscall(SYS_getppid);
    } else if (!strcmp(way, "thread")) {
        self = pthread_self();
        pthread_create(&other, NULL, last, &self);
        pthread_exit(NULL);
    } else if (!strcmp(way, "timer")) {
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
        struct itimerspec when = {.it_value = {0, 10000000}};
        timer_t timer;
        timer_create(CLOCK_MONOTONIC, &event, &timer);
        timer_settime(timer, 0, &when, NULL);
        for (;;)
            pause();
    } else if (!strcmp(way, "queue")) {
        sigqueue(getpid(), SIGRTMIN + 2, (union sigval){0});
        pause();
    }
    return 1;
}
"""


def compile_ways(server):
    source = server.write("ways.c", WAYS)
    subprocess.run(["cc", "-pthread", "-o", server.path("ways"), source], check=True)


def serve(options, config, identifier, environment=None, wrapper=(), before=None):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    server = Server("svisord", options.build, (HEAD + config).replace("@ID@", identifier), start=False, wrapper=wrapper,
                    environment=dict(os.environ, **(environment or {})))
    try:
        if before:
            before(server)
        server.start()
    except BaseException:
        server.close()
        raise
    return server


def own_cgroup():
    with open("/proc/self/cgroup", encoding="ascii") as stream:
        return next(line.rstrip("\n")[3:] for line in stream if line.startswith("0::"))


def unit_of(path):
    words = [word for word in path.split("/") if word.endswith((".service", ".scope", ".socket", ".mount"))]
    return words[-1] if words else None


def start(server, name):
    proxy = server.rpc()
    proxy.supervisor.startProcess(name)
    return proxy.supervisor.getProcessInfo(name)["pid"]


def ended(server, name):
    proxy = server.rpc()
    wait_until(lambda: proxy.supervisor.getProcessInfo(name)["statename"] in ("EXITED", "STOPPED", "FATAL", "BACKOFF"),
               20, f"{name} to end")


def death_of(server, name, run=0):
    return server.rpc().svisor.getDeathCertificate(name, run)


def compare(death, expected):
    wrong = []
    for key in VERDICT:
        want, have = expected.get(key), death.get(key)
        if want is MAYBE or (want is ANY and have is not None):
            continue
        if callable(want):
            is_right = have is not None and want(have)
        else:
            is_right = have == want
        if not is_right:
            wrong.append(f"{key}: expected {'some value' if want is ANY else want!r}, got {have!r}")
    if wrong:
        tap.fail("\n".join(wrong) + f"\n{death['summary']}\n{death}")


def check_facts(death, name, run, pid):
    """What every certificate of a run that was born has."""
    group, _, process = name.rpartition(":")
    tap.check((death["group"], death["name"], death["run"]), (group or process, process, run), "whose it is")
    tap.check(death["pid"], pid, "pid")
    lived = death["ended_ms"] - death["started_ms"]
    tap.check_true(0 <= lived and abs(lived - death["lived_ms"]) <= 20, f"times {death}")
    for key in ("user_us", "system_us", "minor_faults", "major_faults"):
        tap.check_true(0 <= death[key] < 1e9, f"{key}: {death}")
    tap.check_true(death["summary"].startswith(f"Run {run} of {process} (pid {pid}) {death['text']}."), death["summary"])
    tap.check_true("cause" in death, "no cause")


def verdict(server, name, pid, run=1, **expected):
    """The certificate of that run, every field of its verdict compared."""
    death = death_of(server, name, run)
    check_facts(death, name, run, pid)
    if "signal" in expected:
        number = int(expected["signal"])
        expected = dict({"core_dumped": False, "signal_name": signal_name(number)}, **expected)
        expected["signal"] = number
    expected = dict({"strays": 0}, **expected)
    compare(death, expected)
    return death


def signal_name(number):
    if number >= signal.SIGRTMIN:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"
    return "SIGPOLL" if number == signal.SIGIO else signal.Signals(number).name  # the C library's word of the two


def sender(process, number, code=SI_USER, command="kill", uid=0, user="root"):
    """What the certificate says of a process of the test that has sent a signal."""
    path = own_cgroup()
    return {"sender_signal": int(number), "sender_signal_name": signal_name(number), "sender_code": code, "sender_pid": process,
            "sender_uid": uid, "sender_user": user, "sender_command": command, "sender_cgroup": path,
            "sender_unit": unit_of(path)}


def kill_as(pid, number, uid=0):
    """Signals `pid` from a process of its own, of another user: its pid."""
    command = ["/bin/kill", f"-{int(number)}", str(pid)]
    if uid:
        command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *command]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    _, words = process.communicate()
    tap.check(process.returncode, 0, f"kill: {words}")
    return process.pid
