"""A cluster of svisord, each on a host of its own in a small network (network.py), and who watches its programs without a break.

    with NetworkCluster(build, 3, PROGRAMS, RULES) as cluster, cluster.watch() as watch:
        cluster.network.cut(2)
        ...
        check(watch.most("db"), 1, "the most copies of db at one moment")

A program has SVT_MARK=@MARK@-NAME in its environment, for then what it is about to execute counts, too, and nothing else; its
network namespace tells on whose host it lives.
"""

import os
import signal
import threading
import time
import xmlrpc.client

import tap
from cluster_servers import Cluster
from daemon import tail, wait_until
from network import Network

PORT = 60001
SAMPLE_SECONDS = 0.01


class NetworkCluster(Cluster):
    HTTP = f"[unix_http_server]\nfile=@SOCK@\n[inet_http_server]\nport=*:{PORT}"
    OVER = "unix"

    def __init__(self, build, count, programs, rules, options="", svisor="", is_slow=False):
        self.servers = []
        self.network = Network(count, is_slow)
        try:
            super().__init__(build, count, programs, rules, options, "mesh_plain=true\n" + svisor)
        except BaseException:
            self.close()
            raise

    def names(self, host):
        return [f"{self.network.address(index)}:{PORT}" for index in range(len(self.nicks))]

    def wrapper(self, index):
        return self.network.command(index)

    def instances(self, seen_by):
        """{nickname: state}, as one of them sees it; nothing while it does not answer."""
        try:
            return {info["nick_identifier"]: info["statename"] for info in self.call(seen_by, "get_all_instances_info")}
        except (OSError, xmlrpc.client.Error):
            return {}

    def masters(self):
        """What each of those that live calls its Master."""
        return [self.call(index, "get_master_identifier").get("nick_identifier") for index in range(len(self.servers))]

    def wait_lost(self, pairs, timeout=5):
        """Until in each pair the second one is lost for the first one. Seconds."""
        begin = time.monotonic()
        for seen_by, index in pairs:
            wait_until(lambda: self.instances(seen_by).get(self.nicks[index]) in ("FAILED", "STOPPED"), timeout,
                       f"{self.nicks[seen_by]} to lose {self.nicks[index]}")
        return time.monotonic() - begin

    def wait_one(self, timeout=10):
        """Until all are in OPERATION, see each other and agree on a Master. Seconds."""
        begin = time.monotonic()
        everybody = dict.fromkeys(self.nicks, "RUNNING")

        def is_one():
            return all(self.instances(index) == everybody and self.state(index) == "OPERATION" for index in range(len(self.servers))) \
                and len(set(self.masters())) == 1

        try:
            wait_until(is_one, timeout, "one cluster")
        except AssertionError as error:
            seen = "\n".join(f"{nick}: {self.state(index)} {self.instances(index)}" for index, nick in enumerate(self.nicks))
            raise AssertionError(f"{error}\n{seen}") from None
        return time.monotonic() - begin

    def last_words(self, bytes_max=1500):
        return "\n".join(f"{nick}: {tail(server.log_path, bytes_max)}"
                         for nick, server in zip(self.nicks, self.servers))

    def keeper(self, index):
        """The pid of the keeper on that host; None: there is none."""
        inode = self.network.hosts[index].inode
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/comm", encoding="utf-8") as stream:
                    if stream.read() == "svisor-keeper\n" and os.stat(f"/proc/{pid}/ns/net").st_ino == inode:
                        return int(pid)
            except OSError:
                pass
        return None

    def kill_keeper(self, index):
        pid = self.keeper(index)
        tap.check_true(pid, f"{self.nicks[index]} has no keeper")
        os.kill(pid, signal.SIGKILL)

    def wait_keeper(self, index):
        """Until the daemon has given everything to another one."""
        wait_until(lambda: "another one holds" in self.servers[index].read("main.log"), 10, "another keeper")

    def watch(self):
        return Watch(self.mark, {host.inode: nick for host, nick in zip(self.network.hosts, self.nicks)})

    def close(self):
        for server in self.servers:
            if server.process is not None and server.process.poll() is None:
                server.send(signal.SIGCONT)
                server.send(signal.SIGTERM)
        super().close()
        self.network.close()


def marked(mark):
    """(program, pid, network namespace) of all that live and have the mark."""
    found = []
    begin = f"SVT_MARK={mark}-".encode()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as stream:
                words = stream.read()
            at = words.find(begin)
            if at >= 0:
                name = words[at + len(begin):].split(b"\0", 1)[0].decode()
                found.append((name, int(pid), os.stat(f"/proc/{pid}/ns/net").st_ino))
        except OSError:
            pass
    return found


class Watch:
    """Looks every few milliseconds, and remembers when what ran had changed: {program: {pid: nickname}}."""

    def __init__(self, mark, nicks):
        self.mark, self.nicks = mark, nicks
        self.history = []  # (when, what), only when it is other than before
        self.looks = 0
        self.longest_gap = 0.0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._look_on, daemon=True)

    def _look(self):
        now = {}
        for name, pid, inode in marked(self.mark):
            now.setdefault(name, {})[pid] = self.nicks.get(inode, "nowhere")
        return now

    def _look_on(self):
        last = time.monotonic()
        while not self.is_over.wait(SAMPLE_SECONDS):
            seen = self._look()
            now = time.monotonic()
            self.looks, self.longest_gap, last = self.looks + 1, max(self.longest_gap, now - last), now
            if not self.history or self.history[-1][1] != seen:
                self.history.append((now, seen))

    def now(self):
        """{program: the sorted nicknames of where it runs}, by a look of our own."""
        return {name: sorted(copies.values()) for name, copies in self._look().items()}

    def pids(self):
        return {name: sorted(copies) for name, copies in self._look().items()}

    def most(self, name):
        """The most copies at one moment."""
        return max((len(seen.get(name, {})) for _, seen in self.history), default=0)

    def story(self):
        """For people."""
        begin = self.history[0][0] if self.history else 0.0
        lines = [f"{when - begin:7.3f} " + "  ".join(f"{name}:{','.join(sorted(copies.values()))}" for name, copies in sorted(seen.items()))
                 for when, seen in self.history]
        return "\n".join([f"{self.looks} looks, at most {self.longest_gap * 1000:.0f} ms apart", *lines])

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()
