"""What a running svisord costs and holds, read from the kernel, and raw HTTP for the rude tests."""

import os
import re
import socket

XML = '<?xml version="1.0"?><methodCall><methodName>%s</methodName><params>%s</params></methodCall>'


def status_field(pid, name):
    """A number of /proc/PID/status: VmRSS in KB, voluntary_ctxt_switches, Threads …"""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as stream:
        return int(re.search(rf"^{name}:\s+(\d+)", stream.read(), re.M).group(1))


def memory_kb(pid):
    """Resident memory; 0 under AddressSanitizer, whose quarantine keeps what was freed."""
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as stream:
        return 0 if "libasan" in stream.read() else status_field(pid, "VmRSS")


def descriptor_count(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def processes_with(text):
    """Living processes whose command line or environment contains `text`, zombies left out; never this one."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as stream:
                words = stream.read()
            with open(f"/proc/{name}/environ", "rb") as stream:
                words += stream.read()
        except OSError:
            continue
        if text.encode() in words:
            found.append(int(name))
    return sorted(found)


def zombies_of(pid):
    """Children of `pid` that have ended and were not waited for."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as stream:
                    fields = stream.read().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] == "Z" and int(fields[1]) == pid:
                found.append(int(name))
    return found


def facility(proxy, name):
    """One row of the kernel report: active, missing, remedy, detail."""
    report = proxy.svisor.getKernelReport()
    return next(row for row in report if row["name"] == name)


def cgroup_root(proxy):
    """The directory that svisord has made for itself, or None where it has none."""
    row = facility(proxy, "cgroup2")
    return row["detail"] if row["active"] else None


def leaves(root):
    """The cgroup directories below `root`, as paths relative to it."""
    return sorted(os.path.relpath(os.path.join(path, name), root)
                  for path, names, _ in os.walk(root) for name in names)


def members(directory):
    """Process ids in a cgroup."""
    with open(os.path.join(directory, "cgroup.procs"), encoding="ascii") as stream:
        return [int(word) for word in stream.read().split()]


def connect(server):
    """A raw connection to the unix socket of a Server."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(server.socket_path)  # without a timeout it waits for a place in the queue
    client.settimeout(30)
    return client


def call_bytes(method, params="", head=""):
    """The bytes of one XML-RPC request."""
    body = (XML % (method, params)).encode()
    return (f"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n{head}"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def body_bytes(body):
    """The bytes of a POST with any body."""
    return (f"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
            ).encode() + body


def read_answer(client, buffered=b""):
    """One HTTP answer with a Content-Length: (status, body, what came after it). Status 0: closed without one."""
    data = buffered
    while b"\r\n\r\n" not in data:
        more = client.recv(65536)
        if not more:
            return 0, data, b""
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.I)
    wanted = int(length.group(1)) if length else 0
    while len(rest) < wanted:
        more = client.recv(65536)
        if not more:
            break
        rest += more
    return int(head.split()[1]), rest[:wanted], rest[wanted:]


def post(server, body):
    """(status, body) of one POST to /RPC2 on a connection of its own."""
    with connect(server) as client:
        client.sendall(body_bytes(body))
        status, text, _ = read_answer(client)
        return status, text
