"""WebSockets by hand: clients that say only what they must, or what nobody should."""

import base64
import json
import socket

import tap

# A kernel whose segment met a closed window tries again after up to TCP_RTO_MAX, 120 s (net/tcp.h): so long may a
# client wait that reads on after a long time.
STALL_SECONDS = 130
KEY = base64.b64encode(bytes(16)).decode()


def request(path, port):
    """The lines that open one, without the empty one at the end."""
    return f"GET {path} HTTP/1.1\nHost: 127.0.0.1:{port}\nUpgrade: websocket\nConnection: Upgrade\n" \
           f"Sec-WebSocket-Version: 13\nSec-WebSocket-Key: {KEY}\n"


def answer_to(port, text):
    """The first line of what the server says to these lines."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(text.replace("\n", "\r\n").encode() + b"\r\n")
        return connection.recv(4096).decode("utf-8", "replace").split("\r\n")[0]


def opened_by_hand(port, path):
    """A client that reads nothing more than the answer."""
    connection = socket.socket()
    # Less than a segment, and the kernel's probes of a closed window would decide when it reads on.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)
    connection.settimeout(STALL_SECONDS)
    connection.connect(("127.0.0.1", port))
    connection.sendall((request(path, port) + "\n").replace("\n", "\r\n").encode())
    seen = b""
    while not seen.endswith(b"\r\n\r\n"):
        seen += connection.recv(1)
    tap.check_true(b"101" in seen, seen.decode())
    return connection


class Frames:
    """The text messages of a server's frames, one by one."""

    def __init__(self, connection):
        self.stream = connection.makefile("rb")

    def next(self):
        first, length = self.stream.read(2)
        if length == 126:
            length = int.from_bytes(self.stream.read(2), "big")
        tap.check(first, 0x81, "a whole text frame")
        return json.loads(self.stream.read(length))
