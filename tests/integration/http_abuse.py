# suite: quick
# The HTTP port and its enemies: no request takes the daemon down, keeps it busy, or gets an HTTP 500.
import base64
import os
import random
import resource
import socket
import sys
import time
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import lone
import tap
from daemon import wait_until
from probe import call_bytes, connect, descriptor_count, memory_kb, post, read_answer

CAT = """
[program:cat]
command=/bin/cat
startsecs=0
stdout_logfile=@DIR@/cat.log
"""
BODY_BYTES_MAX = 4 << 20  # SV_HTTP_BODY_BYTES_MAX
MULTICALL_MAX = 10000  # SV_MULTICALL_MAX
NEVER_CALLED = ("supervisor.shutdown", "supervisor.restart")
options = tap.arguments()


def serve(more="", **arguments):
    return lone.serve(options.build, lone.SOCKET + CAT + more, **arguments)


def answers(server, seconds_max=1):
    """svisord is there, and answers a new client in time."""
    begin = time.monotonic()
    status, body = post(server, call_body("supervisor.getState"))
    took = time.monotonic() - begin
    tap.check_true(status == 200 and b"RUNNING" in body, f"getState: {status} {body[:200]}")
    tap.check_true(took < seconds_max, f"getState took {took:.2f} s")


def call_body(method, *params):
    return xmlrpc.client.dumps(params, method, allow_none=True).encode()


def value_of(status, body, what):
    """The result, or the Fault, of an answer that must be XML-RPC."""
    tap.check(status, 200, f"{what}: HTTP status, body {body[:200]}")
    try:
        return xmlrpc.client.loads(body)[0][0]
    except xmlrpc.client.Fault as fault:
        return fault


@tap.test("no value of a wrong type gets anything but a result or a fault, whatever the method")
def _():
    values = (-1, 2**31 - 1, True, 1.5, "", "x", "cat", "\x00"[:0] + "ÿ" * 1000, [], [[], {}], {}, {"methodName": 5}, None,
              xmlrpc.client.Binary(b"\0\xff"), xmlrpc.client.DateTime(0))
    with serve() as server:
        names = server.rpc().system.listMethods()
        tap.check_true(len(names) > 40, f"methods: {names}")
        count = 0
        for name in names:
            counts = (1, 2, 3) if name in NEVER_CALLED else (0, 1, 2, 3)
            for number in counts:
                for value in values if number else (None,):
                    status, body = post(server, call_body(name, *[value] * number))
                    value_of(status, body, f"{name}{(value,) * number}")
                    count += 1
        print(f"# {count} calls of {len(names)} methods")
        answers(server)


@tap.test("malformed XML, an entity bomb, deep nesting and too much get a 4xx, quickly")
def _():
    bomb = ('<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY a{i} "' + f"&a{i - 1 if i else ''};" * 10 + '">' for i in range(12)) +
        "]><methodCall><methodName>supervisor.getState</methodName><params><param><value>&a11;</value></param></params></methodCall>")
    external = ('<?xml version="1.0"?><!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]><methodCall><methodName>'
                "supervisor.getProcessInfo</methodName><params><param><value>&x;</value></param></params></methodCall>")
    deep = "<methodCall><methodName>a</methodName><params><param>" + "<value><array><data>" * 100000
    bodies = {
        "nothing": b"", "text": b"hello", "bytes": bytes(range(256)) * 10, "half a tag": b"<methodCall", "an entity bomb": bomb.encode(),
        "an external entity": external.encode(), "deep nesting": deep.encode(), "no method": b"<methodCall/>",
        "another root": b"<a/>", "NUL": b"<methodCall><methodName>a\0b</methodName></methodCall>",
        "bad UTF-8": b"<methodCall><methodName>\xff\xfe</methodName></methodCall>",
        "UTF-16 that is not": b"\xff\xfe<\0m\0",
        "a response": b"<methodResponse><params/></methodResponse>",
        "a million values": b"<methodCall><methodName>a</methodName><params><param><value><array><data>" + b"<value/>" * 400000 +
                            b"</data></array></value></param></params></methodCall>",
        "one byte too many": b"x" * (BODY_BYTES_MAX + 1),
    }
    with serve() as server:
        before = memory_kb(server.process.pid)
        for name, body in bodies.items():
            begin = time.monotonic()
            status, text = post(server, body)
            took = time.monotonic() - begin
            tap.check_true(400 <= status < 500, f"{name}: {status} {text[:200]}")
            tap.check_true(took < 2, f"{name} took {took:.1f} s")
            tap.check_true(b"root:" not in text, f"{name} tells the passwd file")
        answers(server)
        after = memory_kb(server.process.pid)
        tap.check_true(after - before < 64 << 10, f"memory grew from {before} to {after} KB")


@tap.test("a body that is announced and never sent, too long, negative or chunked without end is bounded")
def _():
    heads = ("Content-Length: 99999999999999999999", "Content-Length: -1", "Content-Length: 5\r\nContent-Length: 6",
             "Content-Length: x", "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff", "Transfer-Encoding: nonsense",
             "Content-Length: 4294967297", "X: " + "y" * 100000)
    with serve() as server:
        for head in heads:
            with connect(server) as client:
                client.settimeout(2)
                try:
                    client.sendall(f"POST /RPC2 HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode() + b"z" * 100)
                    status = read_answer(client)[0]
                except (socket.timeout, OSError):
                    status = 0  # it waits for the rest, or has closed
                tap.check_true(status == 0 or 400 <= status <= 505 and status != 500, f"{head[:60]}: {status}")
        with connect(server) as client:
            client.settimeout(20)
            client.sendall(b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            sent = 0
            try:
                while sent < 64 << 20:
                    client.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                    sent += 65536
            except OSError:
                pass
            tap.check_true(sent < 40 << 20, f"{sent} bytes of one body were taken")
        answers(server)
        tap.check_true(memory_kb(server.process.pid) < 64 << 10, "memory")


@tap.test("garbage on the socket, and slow clients by the hundred, keep nobody waiting")
def _():
    random.seed(1)
    with serve() as server:
        slow = []
        for _ in range(300):
            client = connect(server)
            client.sendall(b"POST /RPC2 HTTP/1.1\r\nHost")
            slow.append(client)
        for round_number in range(20):
            for client in slow:
                client.sendall(b"x")
            with connect(server) as client:
                client.settimeout(1)
                try:
                    client.sendall(random.randbytes(200000))
                    client.recv(1000)
                except OSError:
                    pass
            answers(server)
        for client in slow:
            client.close()
        wait_until(lambda: descriptor_count(server.process.pid) < 60, 10, "the descriptors of the slow clients")


@tap.test("pipelined requests are answered in their order, also behind one that waits")
def _():
    with serve("""
[program:deaf]
command=/bin/sh -c 'trap "" TERM; while :; do sleep 0.1; done'
startsecs=0
stopwaitsecs=1
""") as server:
        with connect(server) as client:
            client.sendall(call_bytes("supervisor.getPID") * 50 + call_bytes(
                "supervisor.stopProcess", "<param><value>deaf</value></param>") + call_bytes("supervisor.getIdentification") * 50)
            rest = b""
            for number in range(101):
                status, body, rest = read_answer(client, rest)
                word = b"lone" if number > 50 else b"boolean" if number == 50 else str(server.process.pid).encode()
                tap.check_true(status == 200 and word in body, f"answer {number}: {status} {body}")


@tap.test("a client that leaves while it waits is forgotten, and what it began goes on")
def _():
    with serve("""
[program:slow]
command=/bin/sleep 1000
startsecs=1
autostart=false
""") as server:
        proxy = server.rpc()
        proxy.supervisor.startProcess("slow", False)  # opens its log files, for good
        proxy.supervisor.stopProcess("slow")
        before = descriptor_count(server.process.pid)
        for _ in range(3):
            with connect(server) as client:
                client.sendall(call_bytes("supervisor.startProcess", "<param><value>slow</value></param>"))
                wait_until(lambda: proxy.supervisor.getProcessInfo("slow")["statename"] == "STARTING", 10, "the start")
            wait_until(lambda: proxy.supervisor.getProcessInfo("slow")["statename"] == "RUNNING", 10, "slow to run")
            proxy.supervisor.stopProcess("slow")
        wait_until(lambda: descriptor_count(server.process.pid) <= before, 10, "the descriptors of those who left")


@tap.test("a thousand calls wait at once and are all answered")
def _():
    with serve("""
[program:many]
command=/bin/sleep 1000
process_name=%(process_num)d
numprocs=1000
startsecs=2
autostart=false
stdout_logfile=NONE
stderr_logfile=NONE
""") as server:
        clients = []
        for number in range(1000):
            client = connect(server)
            client.sendall(call_bytes("supervisor.startProcess", f"<param><value>many:{number}</value></param>"))
            clients.append(client)
        answers(server, 5)  # a turn with spawns takes 50 ms, and ten times that on a machine that is busy
        for number, client in enumerate(clients):
            status, body, _ = read_answer(client)
            tap.check(value_of(status, body, f"startProcess {number}"), True, f"start of {number}")
            client.close()
        tap.check(len(server.rpc().supervisor.stopProcessGroup("many")), 1000, "stopped")


@tap.test("a multicall of ten thousand is answered, one of more is refused, and one that calls itself is a fault")
def _():
    with serve() as server:
        call = {"methodName": "supervisor.getPID", "params": []}
        begin = time.monotonic()
        status, body = post(server, call_body("system.multicall", [call] * MULTICALL_MAX))
        tap.check(value_of(status, body, "multicall"), [server.process.pid] * MULTICALL_MAX, "results")
        tap.check_true(time.monotonic() - begin < 5, "the multicall took too long")
        status, body = post(server, call_body("system.multicall", [call] * (MULTICALL_MAX + 1)))
        tap.check_true(status == 413 or isinstance(value_of(status, body, "more"), xmlrpc.client.Fault), f"more: {status}")
        inner = {"methodName": "system.multicall", "params": [[call]]}
        status, body = post(server, call_body("system.multicall", [inner, call]))
        results = value_of(status, body, "itself")
        tap.check_true("faultCode" in results[0] and results[1] == server.process.pid, f"itself: {results}")
        answers(server)


@tap.test("only the right password opens the door, and a wrong one of any form is a 401")
def _():
    with serve("""
[inet_http_server]
port=127.0.0.1:@PORT@
username=user
password=pass
""") as server:
        good = "Basic " + base64.b64encode(b"user:pass").decode()
        wrong = ["Basic " + base64.b64encode(text).decode() for text in (
            b"user:", b"user", b":pass", b"", b"user:passs", b"user:pas", b"x" * 5000)]
        for word, status in [(good, 200), (None, 401), ("Basic", 401), ("Basic ====", 401), ("Bearer x", 401)] + [(w, 401) for w in wrong]:
            with socket.create_connection(("127.0.0.1", server.port), 10) as client:
                head = f"Authorization: {word}\r\n" if word else ""
                client.sendall(call_bytes("supervisor.getPID", head=head))
                tap.check(read_answer(client)[0], status, f"status for {str(word)[:40]}")


@tap.test("ten thousand idle connections cost a bounded amount of memory and no answer")
def _():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(10000, hard // 2 - 100)  # svisord keeps half of its descriptors for the programs
    if wanted < 1000:
        tap.skip(f"the hard limit of RLIMIT_NOFILE is {hard}: too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    clients = []
    try:
        with serve() as server:
            before = memory_kb(server.process.pid)
            for number in range(wanted):
                client = connect(server)
                if number % 2:
                    client.sendall(b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
                clients.append(client)
            answers(server, 10)
            after = memory_kb(server.process.pid)
            print(f"# {wanted} idle connections: {before} KB before, {after} KB with them")
            tap.check_true(after - before < 32 * wanted, f"memory grew from {before} to {after} KB")
            for client in clients:
                client.close()
            clients.clear()
            wait_until(lambda: descriptor_count(server.process.pid) < 60, 30, "the descriptors to be closed")
            answers(server)
    finally:
        for client in clients:
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


if __name__ == "__main__":
    tap.run_all(options)
