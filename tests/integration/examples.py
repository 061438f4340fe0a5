# seconds: 240
# The examples that run several nodes do what their READMEs say: each is started as a reader would, by its own `run`, in a
# network namespace of the test's, for their addresses are fixed.
import os
import re
import signal
import subprocess
import sys
import urllib.request
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import wait_until

INSIDE = "SVISOR_TEST_OWN_NETWORK"
EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "examples")
SECONDS = 40
options = tap.arguments()


def enter():
    """The same test, inside; or the reason why that cannot be."""
    if INSIDE in os.environ:
        return None
    probe = subprocess.run(["unshare", "--net", "ip", "link", "set", "lo", "up"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        return f"no network namespace of our own: {probe.stderr.strip()}"
    os.environ[INSIDE] = "1"
    words = [sys.executable, os.path.abspath(__file__), *sys.argv[1:]]
    os.execvp("unshare", ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *words])
    return None


REASON = enter()


class Example:
    """One that runs; the first node answers for all."""

    def __init__(self, name, *words):
        if REASON:
            tap.skip(REASON)
        self.process = subprocess.Popen([os.path.join(EXAMPLES, name, "run"), *words], stdout=subprocess.PIPE, text=True,
                                        env=dict(os.environ, BUILD=os.path.abspath(options.build)))
        self.directory = None

    def __enter__(self):
        return self

    def reads(self):
        """What a reader reads, up to the directory."""
        for line in self.process.stdout:
            found = re.search(r"export SVISOR_EXAMPLE=(\S+)", line)
            if found:
                self.directory = found.group(1)
                return self
        return tap.fail("the example ended without a word")

    def call(self, method, *arguments, address="127.0.0.1:61100"):
        return getattr(xmlrpc.client.ServerProxy(f"http://{address}/RPC2").supvisors, method)(*arguments)

    def ask(self, method, *arguments, address="127.0.0.1:61100"):
        """None while nobody answers, or not yet."""
        try:
            return self.call(method, *arguments, address=address)
        except (OSError, xmlrpc.client.Fault):
            return None

    def works(self, application, address="127.0.0.1:61100"):
        """Waits until it runs, as a whole."""
        def look():
            info = self.ask("get_application_info", application, address=address)
            return info and info["statename"] == "RUNNING" and not info["major_failure"] and not info["minor_failure"]
        try:
            wait_until(look, SECONDS, f"{application} to work")
        except AssertionError:
            for line in self.explanation(application, address):
                print(f"# {line}")
            raise

    def explanation(self, application, address):
        """What svctl and the daemons say about it."""
        svctl = [os.path.join(options.build, "svctl"), "-s", f"http://{address}"]
        for words in (["nodes"], ["place", application]):
            yield from subprocess.run([*svctl, *words], capture_output=True, text=True, check=False).stdout.splitlines()
        for node in sorted(os.listdir(self.directory)):
            path = os.path.join(self.directory, node, "svisord.log")
            if os.path.exists(path):
                with open(path, encoding="utf-8") as log:
                    yield from (f"{node}: {line.rstrip()}" for line in log if application in line)

    def nodes_of(self, process, address="127.0.0.1:61100"):
        info = self.ask("get_process_info", process, address=address)
        return info[0]["identifiers"] if info else None

    def operates(self, address="127.0.0.1:61100"):
        def look():
            state = self.ask("get_supvisors_state", address=address)
            return state and state["fsm_statename"] == "OPERATION" and not state["starting_jobs"]
        wait_until(look, SECONDS, "OPERATION")

    def kill(self, node):
        """As a reader does, who is told to."""
        with open(os.path.join(self.directory, node, "svisord.pid"), encoding="ascii") as file:
            os.kill(int(file.read()), signal.SIGKILL)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(SECONDS)
        self.process.stdout.close()
        if self.directory:
            tap.check_true(not os.path.exists(self.directory), f"{self.directory} is gone")


@tap.test("demo-cluster: the shop opens, and the others have its store when the first node is lost")
def _():
    with Example("demo-cluster").reads() as example:
        example.works("shop")
        for door in (1, 2):
            with urllib.request.urlopen(f"http://127.0.0.1:6116{door}/") as page:
                tap.check(page.read(), f"web_{door} is open\n".encode(), "page")
        tap.check(example.nodes_of("shop:store"), ["127.0.0.1:61100"], "where the store is")
        example.kill("node_1")
        other = "127.0.0.2:61100"
        wait_until(lambda: example.nodes_of("shop:store", other) in ([other], ["127.0.0.3:61100"]), SECONDS, "the store to move")
        example.works("shop", other)


@tap.test("scenario 1: the survey waits for its disk, has fixed places, and is restarted as a whole")
def _():
    with Example("scenario-1").reads() as example:
        wait_until(lambda: example.nodes_of("survey:wait_disk_3") == ["127.0.0.3:61100"], SECONDS, "a program that waits for the disk")
        tap.check(example.call("get_process_info", "survey:console")[0]["statename"], "STOPPED", "the console without a disk")
        os.mkdir(os.path.join(example.directory, "data"))
        example.works("survey")
        tap.check(example.nodes_of("survey:sensor_1"), ["127.0.0.2:61100"], "where sensor_1 is")
        example.operates()
        tap.check(example.call("restart_application", "CONFIG", "survey"), True, "restart_application")
        example.works("survey")


@tap.test("scenario 1 for developers: everything on one node, without a disk")
def _():
    with Example("scenario-1", "developer") as example:
        wait_until(lambda: example.ask("get_application_info", "survey"), SECONDS, "the node")
        example.works("survey")
        tap.check(example.nodes_of("survey:sensor_2"), ["127.0.0.1:61100"], "where sensor_2 is")


@tap.test("scenario 2: services on servers, a user interface where it is asked for, and what a lost bus does to both")
def _():
    with Example("scenario-2").reads() as example:
        for item in (1, 2, 3):
            example.works(f"srv_0{item}")
        places = [example.nodes_of(f"srv_0{item}:data") for item in (1, 2, 3)]
        tap.check(sorted(places), [[f"127.0.0.{server}:61100"] for server in (1, 2, 3)], "one server for each")
        example.operates()
        second_console = "127.0.0.2:61200"
        tap.check(example.call("start_application", "LOCAL", "hci_03", address=second_console), True, "start_application")
        tap.check(example.nodes_of("hci_03:view"), [second_console], "where the user interface is")
        bus = xmlrpc.client.ServerProxy(f"http://{second_console}/RPC2").supervisor
        bus.signalProcess("hci_03:bus", "KILL")
        wait_until(lambda: example.call("get_application_info", "hci_03")["statename"] == "STOPPED", SECONDS, "hci_03 to be stopped")
        example.operates()
        server = places[0][0]
        before = xmlrpc.client.ServerProxy(f"http://{server}/RPC2").supervisor.getProcessInfo("srv_01:data")["pid"]
        xmlrpc.client.ServerProxy(f"http://{server}/RPC2").supervisor.signalProcess("srv_01:bus", "KILL")
        wait_until(lambda: xmlrpc.client.ServerProxy(f"http://{server}/RPC2").supervisor.getProcessInfo("srv_01:data")["pid"]
                   not in (0, before) or example.nodes_of("srv_01:data") not in ([server], []), SECONDS, "srv_01 to begin anew")
        example.works("srv_01")


@tap.test("scenario 3: a user interface on each console, and the services of a lost server elsewhere")
def _():
    with Example("scenario-3").reads() as example:
        example.works("srv")
        example.operates()
        for console in (1, 2, 3):
            tap.check(example.nodes_of(f"hci_0{console}:chart"), [f"127.0.0.{console}:61200"], f"where hci_0{console} is")
        tap.check(example.nodes_of("srv:tracks"), ["127.0.0.3:61100"], "where tracks is")
        example.kill("server_3")
        wait_until(lambda: example.nodes_of("srv:tracks") in (["127.0.0.1:61100"], ["127.0.0.2:61100"]), SECONDS, "tracks to move")
        example.works("srv")


if __name__ == "__main__":
    tap.run_all(options)
