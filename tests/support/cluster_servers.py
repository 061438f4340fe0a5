"""Several svisord on this machine that form a cluster: one on each of 127.0.0.1, 127.0.0.1:port2, ...

An independent observer counts programs: copies() looks into /proc, and asks no svisord. Programs have in their command line
a word @MARK@-NAME by which they are known.
"""

import os
import random
import time
import xmlrpc.client

import tap
from daemon import NotReady, Server, binary, free_port, wait_until

CONFIG = """
{http}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[rpcinterface:supvisors]
supervisor.rpcinterface_factory=supvisors.plugin:make_supvisors_rpcinterface
{members}
{rules}
{options}
[supervisord]
logfile=@DIR@/main.log
logfile_maxbytes=0
loglevel=debug
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier={identifier}
{svisor}
{programs}
"""
UP_SECONDS = 20
BAD_STATE = 101


def free_ports(count):
    """Different ones, in their order."""
    return sorted(free_port() for _ in range(count))


class Cluster:
    """`programs` and `rules` (what is inside of <root>) are the same on all; nicknames are s1, s2, ... `members`: how they
    know each other, instead of a supvisors_list; then they are called `host`:port."""

    HTTP = "[inet_http_server]\nport=127.0.0.1:@PORT@"
    OVER = "tcp"  # how we speak to them

    def __init__(self, build, count, programs, rules="", options="", svisor="", members=None, host="127.0.0.1",
                 synchro="STRICT"):
        if binary("svisord", build) is None:
            tap.skip(f"{build}/svisord is not built")
        self.mark = f"cluster-{os.getpid()}-{random.randrange(10**6)}"
        programs = programs.replace("@MARK@", self.mark)
        self.nicks = self.nicknames(count)
        self.ports = free_ports(count)
        self.identifiers = self.names(host)
        # Cgroups are called by it: where a daemon is dead, that of another cluster with the same one would move in.
        identifiers = self.nicks[:] if members else [f"{nick}-{self.mark}" for nick in self.nicks]
        names = ",".join(f"<{nick}>{name}" for nick, name in zip(self.nicks, self.identifiers))
        members = members or f"supvisors_list={names}\nsynchro_options={synchro}"
        self.servers = []
        for index, nick in enumerate(self.nicks):
            server = Server("svisord", build, "", start=False, wrapper=self.wrapper(index))
            server.port = self.ports[index]
            if rules:
                server.write("rules.xml", f'<?xml version="1.0" encoding="UTF-8"?>\n<root>{rules}</root>\n')
            server.write_config(CONFIG.format(
                http=self.HTTP, members=members, identifier=identifiers.pop(0), options=options, programs=programs,
                rules=f"rules_files={server.path('rules.xml')}" if rules else "",
                svisor=f"[svisor]\n{svisor}" if svisor else ""))
            self.servers.append(server)

    def nicknames(self, count):
        return [f"s{i + 1}" for i in range(count)]

    def names(self, host):
        """What each one is called in supvisors_list."""
        return [f"{host}:{port}" for port in self.ports]

    def wrapper(self, _index):
        """The command that becomes the daemon."""
        return ()

    def copies(self, name):
        """The pids of all processes of this program, wherever they run."""
        return observed(f"{self.mark}-{name}")

    def start(self):
        for server in self.servers:
            server.start(ready=False)

    def call(self, index, method, *arguments):
        """supvisors.<method> of one instance, over a connection of its own."""
        proxy = self.servers[index].rpc(over=self.OVER)
        return getattr(proxy.supvisors, method)(*arguments)

    def state(self, index):
        try:
            return self.call(index, "get_supvisors_state")["fsm_statename"]
        except OSError:
            return None

    def wait_state(self, wanted, indexes=None, timeout=UP_SECONDS):
        """Seconds until all of them say so."""
        begin = time.monotonic()
        for index in indexes if indexes is not None else range(len(self.servers)):
            wait_until(lambda: self.state(index) == wanted, timeout, f"{self.nicks[index]} to reach {wanted}")
        return time.monotonic() - begin

    def instance_state(self, seen_by, index):
        return self.call(seen_by, "get_instance_info", self.nicks[index])[0]["statename"]

    def running_on(self, seen_by, namespec):
        """The nicknames of the instances where it runs; None while no application is looked after (an election)."""
        try:
            identifiers = self.call(seen_by, "get_process_info", namespec)[0]["identifiers"]
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != BAD_STATE:
                raise
            return None
        return [self.nicks[self.identifiers.index(identifier)] for identifier in identifiers]

    def kill(self, index):
        """The daemon dies as in a crash."""
        server = self.servers[index]
        server.disconnect()
        server.process.kill()
        server.process.wait()

    def close(self):
        for server in self.servers:
            server.disconnect()
        for server in self.servers:
            if server.process is not None and server.process.poll() is not None:
                server.process = None
                server.start(ready=False)  # its programs are the next one's to stop
                try:
                    server.wait_ready()
                except NotReady as error:  # the others are ended all the same
                    print("# " + str(error).replace("\n", "\n# "))
        for server in self.servers:
            server.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def observed(mark):
    """The pids of all processes with this word in their command line, but for what such a one is about to execute."""
    parents = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as stream:
                if mark.encode() not in stream.read().split(b"\0"):
                    continue
            with open(f"/proc/{name}/stat", "rb") as stream:
                parents[int(name)] = int(stream.read().rpartition(b")")[2].split()[1])
        except OSError:
            continue
    return [pid for pid, parent in parents.items() if parent not in parents]
