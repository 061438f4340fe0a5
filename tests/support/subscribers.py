"""Subscribers to published events, each in a thread of its own, as users have them: PyZMQ and websockets."""

import asyncio
import json
import threading
import time

import tap
from daemon import wait_until

CLASSIC = ("supvisors", "instance", "application", "process", "event", "hstats", "pstats")


class Heard:
    """What a subscriber has received: (header, body, time.monotonic() of its arrival), in their order."""

    def __init__(self):
        self.messages = []

    def of(self, header, **wanted):
        return [body for kind, body, _ in list(self.messages)
                if kind == header and all(body.get(key) == value for key, value in wanted.items())]

    def wait(self, header, timeout=10, **wanted):
        """The first body of that header with these values."""
        return wait_until(lambda: self.of(header, **wanted), timeout, f"{header} with {wanted}")[0]

    def clear(self):
        self.messages = []


class ZmqSubscriber(Heard):
    """A SUB socket. `topics` may change with subscribe()."""

    def __init__(self, port, topics=("",), host="127.0.0.1"):
        import zmq

        super().__init__()
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.SUB)
        self.socket.setsockopt(zmq.LINGER, 0)
        for topic in topics:
            self.socket.setsockopt_string(zmq.SUBSCRIBE, topic)
        self.socket.connect(f"tcp://{host}:{port}")
        self.is_over = False
        self.parts = []
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        import zmq

        while not self.is_over:
            if not self.socket.poll(50):
                continue
            parts = self.socket.recv_multipart(zmq.NOBLOCK)
            now = time.monotonic()
            self.parts.append(len(parts))
            self.messages.append((parts[0].decode("utf-8"), json.loads(parts[1]), now))

    def close(self):
        self.is_over = True
        self.thread.join()
        self.socket.close()
        self.context.term()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class WsSubscriber(Heard):
    """A client of the websockets library, which answers pings and checks frames. `path` is the filter."""

    def __init__(self, port, path="/all", host="127.0.0.1", **more):
        super().__init__()
        self.uri = f"ws://{host}:{port}{path}"
        self.more = more
        self.error = None
        self.is_open = False
        self.loop = asyncio.new_event_loop()
        self.over = asyncio.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        wait_until(lambda: self.is_open or self.error, 10, f"{self.uri} to open")
        if self.error:
            self.close()
            tap.fail(f"{self.uri}: {self.error!r}")

    def _run(self):
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._listen())
        except Exception as error:  # the test says what it thinks of that
            self.error = error

    async def _listen(self):
        import websockets

        async with websockets.connect(self.uri, open_timeout=5, **self.more) as connection:
            self.is_open = True
            over = asyncio.ensure_future(self.over.wait())
            while not self.over.is_set():
                text = asyncio.ensure_future(connection.recv())
                done, _ = await asyncio.wait({over, text}, return_when=asyncio.FIRST_COMPLETED)
                if text not in done:
                    text.cancel()
                    break
                if text.exception():
                    over.cancel()
                self.hear(json.loads(text.result()))

    def hear(self, message):
        header, body = message
        self.messages.append((header, body, time.monotonic()))

    def close(self):
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.over.set)
        self.thread.join()
        self.loop.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class StreamSubscriber(Heard):
    """A client of text/event-stream, as the WHATWG's text says that one reads it. `last_id` is where it is, also after close()."""

    def __init__(self, port, path="/events/all", last_id=None, headers=None):
        import http.client

        super().__init__()
        self.last_id = last_id
        self.comments = 0
        self.retry = None
        self.error = None
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        more = {} if last_id is None else {"Last-Event-ID": last_id}
        connection.request("GET", path, headers={"Accept": "text/event-stream", **more, **(headers or {})})
        self.response = connection.getresponse()
        self.connection = connection
        if self.response.status != 200:
            tap.fail(f"{path}: {self.response.status} {self.response.read()}")
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        wait_until(lambda: self.retry or self.error, 10, f"{path} to say something")

    def _run(self):
        fields = {}
        try:
            for raw in iter(self.response.readline, b""):
                line = raw.decode("utf-8").rstrip("\n")
                name, _, value = line.partition(": ")
                if line:
                    self.comments += line.startswith(":")
                    fields[name] = value
                    continue
                self.last_id = fields.get("id", self.last_id)
                if "data" in fields:
                    self.messages.append((fields["event"], json.loads(fields["data"]), time.monotonic()))
                self.retry = fields.get("retry", self.retry)
                fields = {}
            self.error = "end of the stream"
        except Exception as error:  # the test says what it thinks of that
            self.error = error

    def close(self):
        import socket

        try:
            self.response.fp.raw._sock.shutdown(socket.SHUT_RDWR)
        except (OSError, AttributeError):  # it has ended already
            pass
        self.thread.join()
        self.response.close()
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
