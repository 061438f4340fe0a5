"""A client of /live, as the dashboard is one: it keeps the rows that it was told."""

import os
import signal
import time

import tap
from daemon import wait_until
from subscribers import WsSubscriber

PAGE_SECONDS = 0.1  # a change is on the page within it
NAMES = {"instance": ("identifier",), "application": ("application_name",), "process": ("application_name", "process_name"),
         "copy": ("identifier", "group", "name")}


def messages_of(told):
    """A snapshot has several messages in one."""
    return told if isinstance(told[0], list) else [told]


def end(pid):
    """Of a program that svisord has just started. The moment before."""
    tap.check_true(pid > 1, f"a program with pid {pid}")
    now = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    return now


class LiveModel(WsSubscriber):
    def __init__(self, port, **more):
        try:
            __import__("websockets")
        except ImportError:
            tap.skip("python3-websockets is not installed: make deps")
        self.beats = 0
        super().__init__(port, "/live", **more)

    def hear(self, message):
        for one in messages_of(message):
            if one[0] == "beat":  # no news
                self.beats += 1
            else:
                super().hear(one)

    def rows(self):
        """What the messages amount to: {kind: {names: body}}, or None before the snapshot is complete."""
        rows, is_ready = {}, False
        for kind, body, _ in list(self.messages):
            if kind == "hello":
                rows, is_ready = {name: {} for name in NAMES}, False
            elif kind == "ready":
                is_ready = True
            elif kind in NAMES:
                rows[kind][tuple(body[name] for name in NAMES[kind])] = body
            elif kind == "gone":
                names = [body.get(name) for name in ("identifier", "application_name", "process_name")]
                rows[body["kind"]].pop(tuple(name for name in names if name is not None), None)
            else:
                rows[kind] = body
        return rows if is_ready else None

    def ready(self, timeout=20):
        return wait_until(self.rows, timeout, "a whole snapshot")

    def copy(self, identifier, namespec):
        group, name = namespec.split(":")
        return self.ready()["copy"].get((identifier, group, name))

    def arrival(self, header, since, **wanted):
        """The seconds from `since` to the first message of that header with these values."""
        def first():
            return [when for kind, body, when in list(self.messages)
                    if when >= since and kind == header and all(body.get(key) == value for key, value in wanted.items())]
        return wait_until(first, 10, f"{header} with {wanted}")[0] - since
