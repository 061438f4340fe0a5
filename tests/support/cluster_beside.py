"""A cluster of svisord, or of supervisord with Supvisors 0.19 (a checkout of which SUPVISORS_SRC names), in a small network of
its own: the same files, names and addresses for both, so that what they answer can be compared word by word.

    with Beside("supvisors", build, PROGRAMS, RULES, hosts=(1, 1, 2)) as cluster:     # supv-01 and -02 on host-1, supv-03 on host-2

A host is a network, UTS and PID namespace with an address that is not loopback (Supvisors does not find itself in supvisors_list
otherwise). Its first process reads a pipe of ours: when we end, it ends, and the kernel kills whatever is left in there.

What runs is counted in /proc, by an observer who asks no daemon: every program's directory is that of its instance.
"""

import functools
import os
import shutil
import signal
import subprocess
import tempfile
import xmlrpc.client

import tap
from daemon import binary, is_zombie, tail, wait_until

CONFIG = """
[unix_http_server]
file={dir}/s.sock
[inet_http_server]
port=*:{port}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[rpcinterface:supvisors]
supervisor.rpcinterface_factory=supvisors.plugin:make_supvisors_rpcinterface
supvisors_list={names}
rules_files={rules}
stats_enabled={statistics}
logfile={dir}/supvisors.log
{options}
[supervisord]
logfile={dir}/main.log
pidfile={dir}/main.pid
childlogdir={dir}
identifier={nick}
nodaemon=true
[svisor]
mesh_plain=true
{programs}
"""
NAMESPACES = ("--mount", "--uts", "--net", "--pid")
UP_SECONDS = 90
EMPTY_RULES = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<root>{}</root>\n'


@functools.lru_cache
def can_make_hosts():
    words = ["unshare", *NAMESPACES, "--fork", "--mount-proc", "ip", "link", "add", "one", "type", "veth", "peer", "name", "other"]
    return subprocess.run(words, stderr=subprocess.DEVNULL, check=False).returncode == 0


def missing(kind, build):
    """Why there can be no such cluster here; None when there can."""
    if os.geteuid() != 0:
        return "only root can make network namespaces"
    if any(shutil.which(word) is None for word in ("ip", "unshare", "nsenter")):
        return "ip, unshare and nsenter are needed: make deps"
    if not can_make_hosts():
        return "namespaces cannot be made here"
    if kind == "svisord":
        return None if binary(kind, build) else f"{build}/svisord is not built"
    if not os.environ.get("SUPVISORS_SRC"):
        return "SUPVISORS_SRC is not set"
    return None if binary("supervisord", build) else "supervisord is not installed: make deps"


class Host:
    """Namespaces that live as long as we do."""

    def __init__(self, name, directory):
        # The ports of the daemons are nobody's who connects to somewhere.
        script = ("mount --bind hosts /etc/hosts && hostname \"$0\" && ip link set lo up && "
                  "echo 32768 59999 >/proc/sys/net/ipv4/ip_local_port_range && trap '' CHLD && echo ready && exec cat >/dev/null")
        self.holder = subprocess.Popen(["unshare", *NAMESPACES, "--fork", "--kill-child", "--mount-proc", "sh", "-c", script, name],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=directory)
        tap.check(self.holder.stdout.readline(), b"ready\n", f"what {name} says")
        self.pid = only_child(self.holder.pid)

    def command(self, words):
        return ["nsenter", "--target", str(self.pid), *NAMESPACES, "--", *words]

    def close(self):
        self.holder.stdin.close()
        self.holder.stdout.close()
        self.holder.wait()


def only_child(pid):
    def child():
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as stream:
            words = stream.read().split()
        return int(words[0]) if words else None

    return wait_until(child, 10, f"process {pid} to have a child")


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            return stream.read().decode("utf-8", "replace")
    except OSError:
        return ""


class Instance:
    """One daemon, its directory, and the way to it."""

    def __init__(self, nick, host, number, directory):
        self.nick, self.host = nick, host
        self.identifier = f"host-{number}:{60000 + int(nick[-2:])}"
        self.directory = directory
        self.config_path = os.path.join(directory, "supervisord.conf")
        self.process = None
        self.pid = None
        self.command = ""  # its own and that of what it forks
        os.mkdir(directory)

    def start(self, program, environment):
        with open(os.path.join(self.directory, "output"), "ab") as output:
            self.process = subprocess.Popen(self.host.command([*program, "-n", "-c", self.config_path]), stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=output, cwd=self.directory, env=environment,
                                            start_new_session=True)
        self.pid = only_child(self.process.pid)
        wait_until(lambda: self.config_path in command_of(self.pid), 10, f"{self.nick} to be executed")
        self.command = command_of(self.pid)

    def proxy(self):
        from supervisor.xmlrpc import SupervisorTransport

        transport = SupervisorTransport(None, None, f"unix://{self.directory}/s.sock")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport, allow_none=True), transport

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def send(self, number):
        """To the daemon: it is a child of nsenter, which waits for it, and stops when it stops."""
        if self.is_running():
            os.kill(self.pid, number)
            if number == signal.SIGCONT:
                self.process.send_signal(number)

    def last_words(self):
        return f"--- {self.nick}\n" + "".join(tail(os.path.join(self.directory, name))
                                                for name in ("output", "main.log", "supvisors.log"))


class Beside:
    """`programs` and `rules` (what is inside of <root>) are the same on all; @DIR@ is the directory of the instance."""

    def __init__(self, kind, build, programs, rules="", hosts=(1, 1, 1), options="", statistics="off"):
        reason = missing(kind, build)
        if reason:
            tap.skip(reason)
        self.kind = kind
        self.program = [binary("supervisord" if kind == "supvisors" else "svisord", build)]
        self.environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
        if kind == "supvisors":
            self.program = ["/usr/bin/python3", *self.program]
            self.environment["PYTHONPATH"] = os.environ["SUPVISORS_SRC"]
        self.directory = os.path.realpath(tempfile.mkdtemp(prefix="svt-"))
        os.chmod(self.directory, 0o755)
        self.hosts, self.instances = [], []
        try:
            self._make_network(max(hosts))
            self._make_instances(hosts, programs, rules, options, statistics)
        except BaseException:
            self.close()
            raise

    def _write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        return path

    def _make_network(self, count):
        """Hosts, and a cable between each two of them."""
        self._write("hosts", "127.0.0.1 localhost\n" + "".join(f"10.98.0.{n} host-{n}\n" for n in range(1, count + 1)))
        self.hosts = [Host(f"host-{number + 1}", self.directory) for number in range(count)]
        for one in range(count):
            for other in range(one + 1, max(count, 2)):
                self._lay_cable(one, other if other < count else one)

    def _lay_cable(self, one, other):
        names = [f"to-{other + 1}", f"to-{one + 1}" if one != other else "end"]
        subprocess.run(["ip", "link", "add", names[0], "netns", str(self.hosts[one].pid), "type", "veth", "peer", "name", names[1],
                        "netns", str(self.hosts[other].pid)], check=True)
        for name, here, there in zip(names, (one, other), (other, one)):
            words = [["link", "set", name, "address", f"00:16:3e:00:{there:02x}:{here + 1:02x}"], ["link", "set", name, "up"]]
            if name != "end":
                words.append(["address", "add", f"10.98.0.{here + 1}/32", "dev", name])
            if here != there:
                words.append(["route", "add", f"10.98.0.{there + 1}/32", "dev", name, "src", f"10.98.0.{here + 1}"])
            for each in words:
                subprocess.run(self.hosts[here].command(["ip", *each]), check=True)

    def _make_instances(self, hosts, programs, rules, options, statistics):
        path = self._write("rules.xml", EMPTY_RULES.format(rules))
        for index, number in enumerate(hosts, 1):
            nick = f"supv-{index:02}"
            self.instances.append(Instance(nick, self.hosts[number - 1], number, os.path.join(self.directory, nick)))
        names = ",".join(f"<{one.nick}>{one.identifier}" for one in self.instances)
        for one in self.instances:
            text = CONFIG.format(dir=one.directory, port=one.identifier.split(":")[1], nick=one.nick, names=names, rules=path,
                                 options=options, statistics=statistics, programs=programs.replace("@DIR@", one.directory))
            self._write(f"{one.nick}/supervisord.conf", text)
        self.nick_of = {one.identifier: one.nick for one in self.instances}

    # Daemons.

    def start(self, indexes=None):
        for index in range(len(self.instances)) if indexes is None else indexes:
            self.instances[index].start(self.program, self.environment)

    def call(self, index, method, *arguments):
        """One method over a connection of its own; `supvisors.` may be left out."""
        proxy, transport = self.instances[index].proxy()
        try:
            for part in (method if "." in method else "supvisors." + method).split("."):
                proxy = getattr(proxy, part)
            return proxy(*arguments)
        finally:
            transport.close()

    def state(self, index):
        try:
            return self.call(index, "get_supvisors_state")["fsm_statename"]
        except (OSError, xmlrpc.client.Error):
            return None

    def wait_state(self, wanted, indexes=None, timeout=UP_SECONDS):
        """Until all of them say so at once."""
        chosen = range(len(self.instances)) if indexes is None else indexes
        self.wait(lambda: all(self.state(index) == wanted for index in chosen), timeout, f"all to reach {wanted}")

    def instance_state(self, seen_by, index):
        return self.call(seen_by, "get_instance_info", self.instances[index].nick)[0]["statename"]

    def wait(self, predicate, timeout, what):
        try:
            return wait_until(predicate, timeout, f"{self.kind}: {what}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.last_words()}") from None

    def kill(self, index):
        """The daemon dies as in a crash."""
        self.instances[index].send(signal.SIGKILL)
        self.instances[index].process.wait()

    def last_words(self):
        return "\n".join(one.last_words() for one in self.instances)

    # What an observer sees.

    def observed(self, alive_only=True):
        """{application:process: {nickname: pid}}, from /proc, of the instances whose daemon lives."""
        found = {}
        by_directory = {one.directory: one.nick for one in self.instances if one.is_running() or not alive_only}
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                nick = by_directory.get(os.readlink(f"/proc/{name}/cwd"))
                if nick is None:
                    continue
                with open(f"/proc/{name}/environ", "rb") as stream:
                    words = dict(word.split(b"=", 1) for word in stream.read().split(b"\0") if b"=" in word)
            except OSError:
                continue
            if b"SUPERVISOR_PROCESS_NAME" in words and not is_zombie(int(name)):
                group, process = (words[b"SUPERVISOR_" + key].decode() for key in (b"GROUP_NAME", b"PROCESS_NAME"))
                found.setdefault(f"{group}:{process}", {})[nick] = int(name)
        return found

    def end_orphans(self, index):
        """What outlived a daemon of Supervisor is an administrator's to end. True when a program did.

        Supvisors forks a process for its statistics, which holds the port of a killed daemon.
        """
        nick = self.instances[index].nick
        programs = [where[nick] for where in self.observed(alive_only=False).values() if nick in where]
        forked = [pid for pid in self.hosts_processes()
                  if self.kind == "supvisors" and command_of(pid) == self.instances[index].command]
        for pid in programs + forked:
            os.kill(pid, signal.SIGKILL)
        for pid in programs + forked:
            wait_until(lambda: not os.path.exists(f"/proc/{pid}") or is_zombie(pid), 10, f"process {pid} to end")
        return bool(programs)

    def hosts_processes(self):
        """All that live in our namespaces."""
        ours = {os.stat(f"/proc/{host.pid}/ns/net").st_ino for host in self.hosts}
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.stat(f"/proc/{name}/ns/net").st_ino in ours:
                    found.append(int(name))
            except OSError:
                pass
        return found

    # The end.

    def close(self):
        lost = [index for index, one in enumerate(self.instances)
                if self.kind == "svisord" and one.process is not None and one.process.poll() not in (None, 0)]
        self.start(lost)  # what outlived a daemon is its successor's to stop
        for index in lost:
            wait_until(lambda: self.state(index) is not None, 20, f"{self.instances[index].nick} to come back")
        for one in self.instances:
            one.send(signal.SIGCONT)
            one.send(signal.SIGTERM)
        for one in self.instances:
            self._end(one)
        for host in self.hosts:
            host.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    @staticmethod
    def _end(one):
        if one.process is None:
            return
        try:
            one.process.wait(20)
        except subprocess.TimeoutExpired:
            one.send(signal.SIGKILL)
            one.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
