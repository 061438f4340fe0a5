"""Starts and stops a server under test: svisord, or the real supervisord on the same configuration.

A Server owns a temporary directory and one process. The configuration text has these placeholders:

    @DIR@     the temporary directory          @SOCK@   a unix socket in it
    @PORT@    a free TCP port of 127.0.0.1     @PYTHON@ the Python that runs the tests
    @HERE@    tests/support                    @USER@   the user who runs the tests

Readiness is a connection that is accepted, not a time that has passed. What the server printed and logged is
kept until the Server is closed, and is what a failing test shows.
"""

import getpass
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import xmlrpc.client

HERE = os.path.dirname(os.path.abspath(__file__))
SUPERVISORD = "/usr/bin/supervisord"
SUPERVISORCTL = "/usr/bin/supervisorctl"
READY_SECONDS = 20
POLL_SECONDS = 0.005

# Where scripts find supervisor.xmlrpc and supervisor.childutils: the system's Python has the package.
PYTHON = "/usr/bin/python3"


class NotReady(Exception):
    """The server ended or did not answer in time; the text has its last words."""


def wait_until(predicate, timeout=10, what="the condition"):
    """The first true value of predicate(), asked every 5 ms; an AssertionError after `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout} s in vain for {what}")
        time.sleep(POLL_SECONDS)


def binary(kind, build):
    """The path of the server's program, or None when it has not been built or installed."""
    path = SUPERVISORD if kind == "supervisord" else os.path.join(build, "svisord")
    return path if os.access(path, os.X_OK) else None


MESH_PORT_OFFSET = 20000  # docs/mesh-security.md
FIRST_PORT, REFUSED_PORT = 10000, 10080  # of five digits, for who compares tables with ports in them; browsers refuse the other
_given_ports = set()


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port():
    """One that this program has not had yet, with its mesh port; not of those that the kernel gives to who connects."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as stream:
        first_of_kernel = int(stream.read().split()[0])
    while True:
        port = random.randrange(FIRST_PORT, max(first_of_kernel - MESH_PORT_OFFSET, FIRST_PORT + 1000))
        if port != REFUSED_PORT and port not in _given_ports and _is_free(port) and _is_free(port + MESH_PORT_OFFSET):
            _given_ports.add(port)
            return port


def tail(path, bytes_max=1500):
    try:
        with open(path, "rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - bytes_max))
            return stream.read().decode("utf-8", "replace")
    except OSError:
        return ""


def is_zombie(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stream:
            return stream.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


class Server:
    """One server in a directory of its own. Use it with `with`, or call close()."""

    def __init__(self, kind, build, config, arguments=("-n",), environment=None, start=True, wrapper=()):
        self.kind = kind
        self.wrapper = list(wrapper)  # a command that becomes the server, such as setpriv or unshare
        self.program = binary(kind, build)
        self.directory = tempfile.mkdtemp(prefix="svt-")
        os.chmod(self.directory, 0o755)
        self.socket_path = os.path.join(self.directory, "s.sock")
        self.port = free_port()
        self.config_path = os.path.join(self.directory, "server.conf")
        self.log_path = os.path.join(self.directory, "main.log")
        self.output_path = os.path.join(self.directory, "output")
        self.arguments = list(arguments)
        self.environment = environment
        self.process = None
        self._transports = []
        self.write_config(config)
        if start:
            try:
                self.start()
            except BaseException:
                self.close()
                raise

    def fill(self, text):
        for name, value in (("@DIR@", self.directory), ("@SOCK@", self.socket_path),
                            ("@PORT@", str(self.port)), ("@PYTHON@", PYTHON), ("@HERE@", HERE),
                            ("@USER@", getpass.getuser())):
            text = text.replace(name, value)
        return text

    def write_config(self, text):
        # Supervisor clears a log by removing its file and making a new one. As root it does so with a device:
        # a program that logs to /dev/null and a clearProcessLogs leave the machine without one.
        stray = re.search(r"^\w*logfile\s*=\s*(/.*)", text, re.M)
        if stray:
            raise ValueError(f"{stray.group(1)}: a test keeps its logs below @DIR@")
        self.config = text
        self.write("server.conf", text)

    def write(self, name, text, mode=0o644):
        """A file in the server's directory, placeholders filled in. Its path."""
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(self.fill(text))
        os.chmod(path, mode)
        return path

    def read(self, name):
        with open(os.path.join(self.directory, name), "rb") as stream:
            return stream.read().decode("utf-8", "replace")

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self, ready=True):
        environment = dict(os.environ if self.environment is None else self.environment)
        with open(self.output_path, "ab") as output:
            self.process = subprocess.Popen(
                [*self.wrapper, self.program, *self.arguments, "-c", self.config_path], stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, cwd=self.directory, env=environment, start_new_session=True)
        if ready:
            self.wait_ready()

    def connects(self):
        """True when every listening socket that the configuration names takes a connection."""
        for name, family, address in (("@SOCK@", socket.AF_UNIX, self.socket_path),
                                      ("@PORT@", socket.AF_INET, ("127.0.0.1", self.port))):
            if name not in self.config:
                continue
            with socket.socket(family) as probe:
                try:
                    probe.connect(address)
                except OSError:
                    return False
        return True

    def wait_ready(self):
        def ready():
            if self.connects():
                return True
            if self.process is not None and self.process.poll() is not None and "-n" in self.arguments:
                raise NotReady(f"{self.kind} ended with {self.process.returncode}\n{self.last_words()}")
            return False

        try:
            wait_until(ready, READY_SECONDS, f"{self.kind} to listen")
        except AssertionError as error:
            raise NotReady(f"{error}\n{self.last_words()}") from None

    def last_words(self):
        return f"--- output\n{tail(self.output_path)}\n--- log\n{tail(self.log_path)}"

    def rpc(self, username=None, password=None, over="unix"):
        """A proxy through Supervisor's own transport. It keeps one connection."""
        from supervisor.xmlrpc import SupervisorTransport

        url = "unix://" + self.socket_path if over == "unix" else f"http://127.0.0.1:{self.port}"
        transport = SupervisorTransport(username, password, url)
        self._transports.append(transport)
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport)

    def send(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=30):
        return self.process.wait(timeout)

    def stop(self, number=signal.SIGTERM, timeout=30):
        """Asks the server to end and waits for it. Its exit status, or None when it had to be killed."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None

    def disconnect(self):
        """Closes the connections of every proxy that rpc() has given."""
        for transport in self._transports:
            transport.close()

    def close(self):
        self.disconnect()
        self.stop(timeout=15)
        self._stop_daemon()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _stop_daemon(self):
        """Ends a server that went into the background, found by its pid file and known by its command line."""
        try:
            pid = int(self.read("main.pid"))
            with open(f"/proc/{pid}/cmdline", "rb") as stream:
                is_ours = self.config_path.encode() in stream.read().split(b"\0")
        except (OSError, ValueError):
            return
        if is_ours and pid > 1:
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not os.path.exists(f"/proc/{pid}") or is_zombie(pid), 15, f"daemon {pid} to end")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


if sys.version_info < (3, 9):
    raise SystemExit("the tests need Python 3.9 or later")
