# suite: quick
# count_network: bytes and packets of programs and groups, over loopback, in datagrams of known sizes.
import os
import signal
import socket
import sys

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
identifier=network-{pid}
""".replace("{pid}", str(os.getpid()))
# Says its name, and then sends as many datagrams of as many bytes as it is asked for: "3 1000"; "end" ends it.
TALKER = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.0.0.1", int(sys.argv[1])))
s.send(sys.argv[2].encode())
while True:
    words = s.recv(100).decode().split()
    if words == ["end"]:
        break
    for _ in range(int(words[0])):
        s.send(bytes(int(words[1])))
"""
HEADERS = 20 + 8  # of IPv4 and of UDP: they count
options = tap.arguments()


class Mortal(Server):
    """A server whose programs outlive it: what a failed test leaves is stopped by one more daemon."""

    def close(self):
        if self.process is not None and self.process.returncode == -signal.SIGKILL:
            self.start(ready=False)
        super().close()


class Peer:
    """The other end, outside of every cgroup of svisord; what it has sent and heard is what has to be counted."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(20)
        self.port = self.socket.getsockname()[1]
        self.addresses, self.sums = {}, {}

    def add(self, name, key, size):
        sums = self.sums.setdefault(name, dict.fromkeys(("rx_bytes", "rx_packets", "tx_bytes", "tx_packets"), 0))
        sums[f"{key}_bytes"] += size + HEADERS
        sums[f"{key}_packets"] += 1

    def meet(self, count=1):
        for _ in range(count):
            data, address = self.socket.recvfrom(70000)
            self.addresses[data.decode()] = address
            self.add(data.decode(), "tx", len(data))

    def talk(self, name, count, size):
        command = f"{count} {size}".encode()
        self.socket.sendto(command, self.addresses[name])
        self.add(name, "rx", len(command))
        for _ in range(count):
            self.add(name, "tx", len(self.socket.recv(70000)))

    def end(self, name):
        self.socket.sendto(b"end", self.addresses[name])
        self.add(name, "rx", 3)


def serve(peer, config, **more):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    server = Mortal("svisord", options.build, HEAD + config.replace("@PORT@", str(peer.port)), start=False, **more)
    server.write("talker.py", TALKER)
    try:
        server.start()
    except BaseException:
        server.close()
        raise
    return server


def need_counters(server):
    for row in server.rpc().svisor.getKernelReport():
        if row["name"] == "limit count_network" and not row["active"]:
            tap.skip(row["missing"])


def counters(server, name):
    return server.rpc().svisor.getNetworkCounters(name)


def of_group(*sums):
    return {f"group_{key}": sum(one[key] for one in sums) for key in sums[0]}


PAIR = """
[group:pair]
programs=one,two
count_network=true
[program:one]
command=@PYTHON@ @DIR@/talker.py @PORT@ one
count_network=true
autorestart=false
startsecs=0
[program:two]
command=@PYTHON@ @DIR@/talker.py @PORT@ two
"""


@tap.test("what a run and its group send and receive is counted to the byte, and is in the certificate")
def _():
    peer = Peer()
    with serve(peer, PAIR) as server:
        need_counters(server)
        peer.meet(2)
        peer.talk("one", 10, 1000)
        peer.talk("two", 3, 1400)
        tap.check(counters(server, "pair:one"), {**peer.sums["one"], **of_group(*peer.sums.values())}, "of one")
        tap.check(counters(server, "pair:two"), of_group(*peer.sums.values()), "of two, which did not ask")
        text = server.rpc().svisor.why("pair:one")["text"]
        tap.check_true("It has received 35 bytes in 1 packet and sent 10.1 KiB in 11. Its group has received" in text, text)
        peer.end("one")
        wait_until(lambda: server.rpc().supervisor.getProcessInfo("pair:one")["statename"] == "EXITED", 20, "its end")
        death = server.rpc().svisor.getDeathCertificate("pair:one")
        tap.check({key: death.get(key) for key in peer.sums["one"]}, peer.sums["one"], "certificate")
        tap.check_true("It received 66 bytes from the network and sent 10.1 KiB." in death["summary"], death["summary"])
        tap.check(counters(server, "pair:one"), of_group(*peer.sums.values()), "of its group, when it is over")
        server.rpc().supervisor.startProcess("pair:one", False)
        peer.sums["former"] = peer.sums.pop("one")
        peer.meet()
        tap.check(counters(server, "pair:one"), {**peer.sums["one"], **of_group(*peer.sums.values())}, "of the next run")


@tap.test("counting goes on while no svisord runs, for those that live and for those that end meanwhile")
def _():
    peer = Peer()
    with serve(peer, PAIR) as server:
        need_counters(server)
        peer.meet(2)
        peer.talk("one", 5, 100)
        for _ in range(2):
            server.disconnect()
            server.process.kill()
            server.process.wait()
            peer.talk("one", 2, 500)
            peer.talk("two", 2, 50)
            server.start()
            tap.check(counters(server, "pair:one"), {**peer.sums["one"], **of_group(*peer.sums.values())}, "of one")
        server.rpc().svisor.reexec()
        peer.talk("one", 2, 300)
        tap.check(counters(server, "pair:one"), {**peer.sums["one"], **of_group(*peer.sums.values())}, "after reexec")
        pid = server.rpc().supervisor.getProcessInfo("pair:one")["pid"]
        server.disconnect()
        server.process.kill()
        server.process.wait()
        peer.end("one")
        wait_until(lambda: not os.path.exists(f"/proc/{pid}") or open(f"/proc/{pid}/stat").read().split()[2] == "Z", 20,
                   "its end")
        server.start()
        wait_until(lambda: server.rpc().supervisor.getProcessInfo("pair:one")["statename"] == "EXITED", 20, "its end")
        death = server.rpc().svisor.getDeathCertificate("pair:one")
        tap.check({key: death.get(key) for key in peer.sums["one"]}, peer.sums["one"], "certificate")


@tap.test("counting begins and ends with reread, in a living program")
def _():
    peer = Peer()
    with serve(peer, "[program:one]\ncommand=@PYTHON@ @DIR@/talker.py @PORT@ one\n") as server:
        peer.meet()
        pid = server.rpc().supervisor.getProcessInfo("one")["pid"]
        tap.check(counters(server, "one"), {}, "counted unasked")
        without = server.config
        server.write_config(server.config + "count_network=true\n")
        server.rpc().supervisor.reloadConfig()
        need_counters(server)
        peer.sums.clear()
        peer.talk("one", 1, 10)
        server.rpc().supervisor.reloadConfig()  # nothing new: goes on
        tap.check(counters(server, "one"), peer.sums["one"], "since reread")
        server.write_config(without)
        server.rpc().supervisor.reloadConfig()
        tap.check(counters(server, "one"), {}, "when it is not asked for any more")
        tap.check(server.rpc().supervisor.getProcessInfo("one")["pid"], pid, "pid")


@tap.test("without eBPF it is said once, by name, and everything else goes on")
def _():
    peer = Peer()
    with serve(peer, PAIR, environment=dict(os.environ, SVISOR_NO_BPF="1")) as server:
        peer.meet(2)
        tap.check(counters(server, "pair:one"), {}, "counters")
        log = server.read("main.log")
        tap.check(log.count("count_network of "), 1, "lines in the log")
        row = next(row for row in server.rpc().svisor.getKernelReport() if row["name"] == "limit count_network")
        tap.check((row["active"], row["missing"]), (False, "switched off when svisord was started"), "row")


if __name__ == "__main__":
    tap.run_all()
