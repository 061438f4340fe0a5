"""A small network of hosts that are network namespaces: each with one address, one cable (a veth pair), and all on one bridge.

    with Network(3) as network:
        subprocess.run([*network.command(0), "ping", "-c1", network.address(1)])
        network.cut(2)             # the cable is pulled; network.join(2) puts it back
        network.mute(0, 1)         # what host 0 sends to host 1 gets lost, what 1 sends to 0 does not; network.unmute(0, 1)

    with Network(3, is_slow=True) as network:
        network.disturb(delay=(0.05, 0.2), loss=0.1)      # every frame of every host, to and fro
        network.disturb(2, delay=(1, 1))                  # of host 2
        network.disturb()                                 # that is over

One way is cut by a lie about the receiver: its neighbour entry names a hardware address that nobody has, and the bridge brings the
frames to everybody, who all refuse them. That needs no packet filter. Delays would need netem, which many kernels lack: with
`is_slow` a host's cable is a pair of TAP devices, and a process of ours carries the frames between them.

A namespace lives as long as its first process, and that as long as a pipe of ours.
"""

import collections
import fcntl
import os
import random
import select
import shutil
import struct
import subprocess
import sys
import time

import tap

NAMESPACES = ("--net", "--uts")
NOBODY = "02:00:00:00:00:fe"
FRAME_BYTES_MAX = 65536
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000


def missing():
    """Why there can be no such network here; None when there can."""
    if os.geteuid() != 0:
        return "only root can make network namespaces"
    if any(shutil.which(word) is None for word in ("ip", "unshare", "nsenter")):
        return "ip, unshare and nsenter are needed: make deps"
    probe = subprocess.run(["unshare", *NAMESPACES, "sh", "-c", "ip link add name sw type bridge && ip link add name one type veth peer name other"],
                           capture_output=True, text=True, check=False)
    return f"no bridge in a network namespace: {probe.stderr.strip()}" if probe.returncode else None


class Namespace:
    def __init__(self, name):
        # The ports of the daemons are nobody's who connects to somewhere.
        script = 'hostname "$0" && ip link set lo up && echo 32768 59999 >/proc/sys/net/ipv4/ip_local_port_range && echo ready && exec cat >/dev/null'
        self.holder = subprocess.Popen(["unshare", *NAMESPACES, "sh", "-c", script, name], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
        tap.check(self.holder.stdout.readline(), b"ready\n", f"what {name} says")
        self.path = f"/proc/{self.holder.pid}/ns/net"
        self.inode = os.stat(self.path).st_ino

    def command(self):
        """What becomes the words behind it, in here."""
        return ["nsenter", f"--net={self.path}", f"--uts=/proc/{self.holder.pid}/ns/uts", "--"]

    def ip(self, *lines):
        """Lines of `ip -batch`."""
        subprocess.run([*self.command(), "ip", "-batch", "-"], input="".join(line + "\n" for line in lines), text=True, check=True)

    def close(self):
        self.holder.stdin.close()
        self.holder.stdout.close()
        self.holder.wait()


class Network:
    def __init__(self, count, is_slow=False):
        reason = missing()
        if reason:
            tap.skip(reason)
        if is_slow and not os.access("/dev/net/tun", os.R_OK | os.W_OK):
            tap.skip("a slow cable needs /dev/net/tun")
        self.hosts, self.switch, self.wires = [], None, None
        try:
            self.switch = Namespace("switch")
            self.hosts = [Namespace(f"host-{index + 1}") for index in range(count)]
            self.switch.ip("link add name sw type bridge forward_delay 0", "link set sw up")
            if is_slow:
                self.wires = Wires(self.switch, count)
            for index in range(count):
                self._lay_cable(index, is_slow)
        except BaseException:
            self.close()
            raise

    def address(self, index):
        return f"10.77.0.{index + 1}"

    def _hardware(self, index):
        return f"02:00:00:00:00:{index + 1:02x}"

    def _lay_cable(self, index, is_slow):
        host, port = self.hosts[index], f"port-{index}"
        made = f"link set cable-{index} netns {host.holder.pid} name cable" if is_slow else \
            f"link add name {port} type veth peer name cable netns {host.holder.pid}"
        self.switch.ip(made, f"link set {port} master sw", f"link set {port} up")
        host.ip(f"link set cable address {self._hardware(index)}", f"address add {self.address(index)}/24 dev cable",
                "link set cable up",
                *(f"neigh replace {self.address(other)} lladdr {self._hardware(other)} dev cable nud permanent"
                  for other in range(len(self.hosts)) if other != index))

    def command(self, index):
        return self.hosts[index].command()

    def cut(self, *indexes):
        self.switch.ip(*(f"link set port-{index} down" for index in indexes))

    def join(self, *indexes):
        self.switch.ip(*(f"link set port-{index} up" for index in indexes))

    def _reach(self, sender, receiver, hardware):
        self.hosts[sender].ip(f"neigh replace {self.address(receiver)} lladdr {hardware} dev cable nud permanent")

    def mute(self, sender, receiver):
        self._reach(sender, receiver, NOBODY)

    def unmute(self, sender, receiver):
        self._reach(sender, receiver, self._hardware(receiver))

    def disturb(self, *indexes, delay=(0, 0), loss=0.0):
        """From now on, on the cables of these hosts, or of all: seconds, at least and at most, and a share of 1."""
        self.wires.say(" ".join(str(number) for number in (*delay, loss, *(indexes or range(len(self.hosts))))))

    def close(self):
        if self.wires:
            self.wires.close()
        for namespace in [*self.hosts, self.switch]:
            if namespace:
                namespace.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Wires:
    """A carrier process, and in the switch for each host the TAP devices cable-N, to be moved into the host, and port-N."""

    def __init__(self, switch, count):
        self.carrier = subprocess.Popen([*switch.command(), sys.executable, os.path.abspath(__file__), str(count)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        tap.check(self.carrier.stdout.readline(), "ready\n", "what the carrier says")

    def say(self, line):
        print(line, file=self.carrier.stdin, flush=True)
        tap.check(self.carrier.stdout.readline(), "ready\n", "what the carrier says")

    def close(self):
        self.carrier.stdin.close()
        self.carrier.stdout.close()
        self.carrier.wait()


# What follows is run by the carrier.

def tap_device(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return fd


class Wire:
    """One way from one device to another. Frames stay in their order, as in a cable."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.delay, self.loss = (0, 0), 0.0
        self.frames = collections.deque()  # (when it arrives, frame)

    def take(self, now):
        frame = os.read(self.source, FRAME_BYTES_MAX)
        if random.random() >= self.loss:
            earliest = self.frames[-1][0] if self.frames else now
            self.frames.append((max(earliest, now + random.uniform(*self.delay)), frame))

    def give(self, now):
        while self.frames and self.frames[0][0] <= now:
            try:
                os.write(self.sink, self.frames.popleft()[1])
            except OSError:  # the device is down: the frame is lost
                pass


def carry(count):
    wires, cables = {}, []
    for index in range(count):
        near, far = tap_device(f"cable-{index}"), tap_device(f"port-{index}")
        wires[near], wires[far] = Wire(near, far), Wire(far, near)
        cables.append((wires[near], wires[far]))
    poll = select.poll()
    for fd in (sys.stdin.fileno(), *wires):
        poll.register(fd, select.POLLIN)
    print("ready", flush=True)
    while True:
        next_give = min((wire.frames[0][0] for wire in wires.values() if wire.frames), default=None)
        wait = None if next_give is None else max(0, (next_give - time.monotonic()) * 1000)
        for fd, events in poll.poll(wait):
            if fd in wires:
                if events & select.POLLIN:
                    wires[fd].take(time.monotonic())
                continue
            words = os.read(fd, 4096).split()
            if not words:
                return
            least, most, loss = (float(word) for word in words[:3])
            for index in words[3:]:
                for wire in cables[int(index)]:
                    wire.delay, wire.loss = (least, most), loss
            print("ready", flush=True)
        now = time.monotonic()
        for wire in wires.values():
            wire.give(now)


if __name__ == "__main__":
    carry(int(sys.argv[1]))
