"""One scenario, two servers, the answers compared field by field.

    @scenario("a stopped program has no pid", CONFIG)
    def _(session):
        session.call("supervisor.stopProcess", "cat")
        session.call("supervisor.getProcessInfo", "cat")

The script runs against the real supervisord (the reference) and against svisord (the server under test) at the
same time, each with the same configuration text. What a script notes is compared in order: label with label,
value with value, field with field. Values that must differ between any two runs, and only those, are replaced
first; NORMAL_FIELDS and NORMAL_TEXT below are the whole list.

Without svisord the scripts still run against the reference, which shows that they are right, and each test is
then reported as a skip. `--under-test supervisord` compares the reference with itself: that shows that a
scenario is deterministic, and is how a new one is written.
"""

import os
import re
import socket
import subprocess
import threading
import traceback
import xmlrpc.client

import tap
from daemon import SUPERVISORCTL, Server, binary, is_zombie, wait_until

# Fields of structs whose value differs from run to run; zero stays zero, because it means "not".
NORMAL_FIELDS = {"pid": "PID", "start": "TIME", "stop": "TIME", "now": "TIME"}

# Pieces of text that differ from run to run.
NORMAL_TEXT = [
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}", "<time>"),
    (r"\d+:\d\d:\d\d\b", "<uptime>"),
    (r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d\d \d\d:\d\d [AP]M", "<date>"),
    (r"\bpid([: ]+)[1-9]\d*", r"pid\1<pid>"),
    (r"\bwhen:\d+", "when:<time>"),
    (r"(-std(?:out|err)---[^/]*?-)[A-Za-z0-9_]{6,8}\.log", r"\1<random>.log"),
]


def fault_for_error(reference, ours):
    """Where Supervisor breaks with HTTP 500 on a wrong type, a clean fault is the better answer."""
    return reference == ("HTTP", 500) and ours[0] == "fault"


def any_fault_text(reference, ours):
    """The code counts; the text of the reference is Python's own."""
    return reference[0] == ours[0] == "fault" and reference[1] == ours[1]


def told_reason(reference, ours):
    """What fails in the child before it executes is told with its reason, where Supervisor sees a quick exit."""
    if reference[0] != "result" or ours[0] != "result":
        return False
    different = {key for key in reference[1] if reference[1][key] != ours[1][key]}
    return (reference[1]["spawnerr"].startswith("Exited too quickly") and ours[1]["spawnerr"].startswith("couldn't ")
            and different == {"description", "spawnerr", "stop"})


def spawn_error(reference, ours):
    """A start that fails at once is SPAWN_ERROR (50); Supervisor says ABNORMAL_TERMINATION (40) when it looks late."""
    return reference[0] == "fault" and reference[1] in (40, 50) and ours[:2] == ("fault", 50)


def any_refusal(reference, ours):
    """A request that makes no sense is refused; with which status is nobody's concern."""
    return all(isinstance(one, int) and one >= 400 for one in (reference, ours))


def tags(text):
    """What clients pick out of a help text: type and name of each parameter, and the type of the result."""
    return [re.findall(r"@param[ \t]+(\S+)[ \t]+(\S+)", text), re.findall(r"@return[ \t]+(\S+)", text)]


def own_help(reference, ours):
    """The words are svisor's own; the lines that clients pick out have the same types and names."""
    return reference[0] == ours[0] == "result" and tags(reference[1]) == tags(ours[1]) and ours[1].strip() != ""


def fault_for_type(reference, ours):
    """An argument of a wrong type is INCORRECT_PARAMETERS (2), whatever Supervisor's method makes of it."""
    return reference[0] == ours[0] == "fault" and ours[1] == 2


def more_methods(reference, ours):
    """Every method of Supervisor, and perhaps further ones."""
    return reference[0] == ours[0] == "result" and set(reference[1]) <= set(ours[1]) and ours[1] == sorted(ours[1])


def own_words_for_bad_config(reference, ours):
    """supervisorctl prints the server's text, which for a bad configuration is Python's own."""
    return reference["exit"] == ours["exit"] and all("CANT_REREAD" in one["out"] for one in (reference, ours))


def answer_for_silence(reference, ours):
    """Where Supervisor leaves a client waiting for ever, an answer that refuses is better."""
    return any_refusal(400 if reference == "silence" else reference, ours)


class Session:
    """What a script sees: one running server, and the notes that are compared afterwards."""

    def __init__(self, server):
        self.server = server
        self.notes = []
        self.proxy = server.rpc()

    # Noting.

    def normal(self, value, field=None):
        if isinstance(value, dict):
            return {key: self.normal(item, key) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self.normal(item) for item in value)
        if field in NORMAL_FIELDS and isinstance(value, int):
            return NORMAL_FIELDS[field] if value else 0
        if isinstance(value, str):
            value = value.replace(self.server.directory, "<dir>").replace(f":{self.server.port}", ":<port>")
            for pattern, replacement in NORMAL_TEXT:
                value = re.sub(pattern, replacement, value)
        return value

    def note(self, label, value, accept=None):
        """Adds a value to what is compared. `accept(reference, ours)` may allow a difference."""
        self.notes.append((self.normal(label), self.normal(value), accept))
        return value

    # Calling.

    def rpc(self, method, *arguments):
        """Calls without noting."""
        call = self.proxy
        for part in method.split("."):
            call = getattr(call, part)
        return call(*arguments)

    def outcome(self, method, *arguments):
        try:
            return ("result", self.rpc(method, *arguments))
        except xmlrpc.client.Fault as fault:
            return ("fault", fault.faultCode, fault.faultString)
        except xmlrpc.client.ProtocolError as error:
            return ("HTTP", error.errcode)

    def call(self, method, *arguments, accept=None, sort=False):
        """Calls, notes the result, the fault or the HTTP status, and returns it.

        With `sort`, the rows of a result come by group and name: who ends first is nobody's promise.
        """
        label = f"{method}({', '.join(repr(argument) for argument in arguments)})"
        outcome = self.outcome(method, *arguments)
        if sort and outcome[0] == "result":
            outcome = ("result", sorted(outcome[1], key=lambda row: (row["group"], row["name"])))
        return self.note(label, outcome, accept)

    def ctl_quiet(self, *arguments):
        """Runs supervisorctl without noting. What it printed."""
        command = [SUPERVISORCTL, "-c", self.server.config_path, *arguments]
        return subprocess.run(command, input="", capture_output=True, text=True, timeout=60).stdout

    def ctl(self, *arguments, stdin="", config=True, sort=False, accept=None):
        """Runs the real supervisorctl and notes its exit code, output and errors."""
        command = [SUPERVISORCTL] + (["-c", self.server.config_path] if config else []) + list(arguments)
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60,
                              cwd=self.server.directory)
        out = sorted(done.stdout.splitlines()) if sort else done.stdout
        self.note("supervisorctl " + " ".join(arguments) + (f" < {stdin!r}" if stdin else ""),
                  {"exit": done.returncode, "out": out, "err": done.stderr}, accept)
        return done

    def raw(self, request, over="unix", until_close=True, timeout=10):
        """Sends bytes, gives the bytes of the answer."""
        family, address = ((socket.AF_UNIX, self.server.socket_path) if over == "unix"
                           else (socket.AF_INET, ("127.0.0.1", self.server.port)))
        with socket.socket(family) as connection:
            connection.settimeout(timeout)
            connection.connect(address)
            connection.sendall(request)
            answer = b""
            while until_close or b"\r\n\r\n" not in answer:
                piece = connection.recv(65536)
                if not piece:
                    break
                answer += piece
            return answer

    # Waiting.

    def wait_ready(self):
        """Waits until the server listens, also a next life of it, and connects anew."""
        self.server.wait_ready()
        self.proxy = self.server.rpc()

    def state(self, name):
        return self.rpc("supervisor.getProcessInfo", name)["statename"]

    def wait_state(self, name, *states, timeout=20):
        seen = []

        def arrived():
            seen[:] = [self.state(name)]
            return seen[0] in states

        try:
            wait_until(arrived, timeout, f"{name} to be {' or '.join(states)}")
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {seen[0]}") from None

    def wait_file(self, name, pattern, timeout=20):
        """Waits until a file of the server's directory has the pattern. Its text."""
        def found():
            try:
                text = self.server.read(name)
            except OSError:
                return None
            return text if re.search(pattern, text, re.M) else None

        return wait_until(found, timeout, f"{pattern!r} in {name}")

    def wait_gone(self, pid, timeout=20):
        wait_until(lambda: not os.path.exists(f"/proc/{pid}") or is_zombie(pid), timeout, f"process {pid} to end")


def differences(reference, ours, path=""):
    """Each place where two values differ, as a line of text."""
    if isinstance(reference, dict) and isinstance(ours, dict):
        lines = []
        for key in sorted(set(reference) | set(ours), key=str):
            if key not in ours:
                lines.append(f"{path}.{key}: supervisord {reference[key]!r}, missing here")
            elif key not in reference:
                lines.append(f"{path}.{key}: not in supervisord's answer, here {ours[key]!r}")
            else:
                lines += differences(reference[key], ours[key], f"{path}.{key}")
        return lines
    both_lists = isinstance(reference, (list, tuple)) and isinstance(ours, (list, tuple))
    if both_lists and len(reference) == len(ours):
        return [line for index, pair in enumerate(zip(reference, ours))
                for line in differences(*pair, f"{path}[{index}]")]
    if type(reference) is type(ours) and reference == ours:
        return []
    return [f"{path}:\n    supervisord {reference!r}\n    here        {ours!r}"]


def compare_notes(reference, ours):
    lines = []
    for index in range(max(len(reference), len(ours))):
        if index >= len(ours) or index >= len(reference):
            longer, who = (reference, "supervisord") if index >= len(ours) else (ours, "the server under test")
            lines.append(f"only {who} came to: {longer[index][0]}")
            continue
        label, value, accept = reference[index]
        other_label, other, _ = ours[index]
        if label != other_label:
            lines.append(f"the scripts went different ways: {label} / {other_label}")
            break
        if accept is not None and accept(value, other):
            continue
        found = differences(value, other)
        if found:
            lines.append(label)
            lines += ["  " + line for line in found]
    return lines


def _play(kind, build, config, script, server_options, outcome):
    try:
        with Server(kind, build, config, **server_options) as server:
            session = Session(server)
            outcome["session"] = session
            try:
                script(session)
            except BaseException:
                outcome["error"] = f"{kind}: {traceback.format_exc()}\n{server.last_words()}"
            finally:
                outcome["last words"] = server.last_words()
    except BaseException:
        outcome.setdefault("error", f"{kind}: {traceback.format_exc()}")


_options = None


def options():
    """The program's options, read once, with the server under test among them."""
    global _options
    if _options is None:
        def add(parser):
            parser.add_argument("--under-test", default="svisord", help="svisord, or supervisord against itself")
            parser.add_argument("--show", action="store_true", help="print what the reference answered")

        _options = tap.arguments(add)
    return _options


def play_both(config, script, **server_options):
    """Runs the script against both servers at once; fails with every difference, skips without svisord."""
    chosen = options()
    if binary("supervisord", chosen.build) is None:
        tap.skip("the real supervisord is not installed: make deps")
    kinds = ["supervisord"]
    is_missing = binary(chosen.under_test, chosen.build) is None
    if not is_missing:
        kinds.append(chosen.under_test)
    outcomes = [{} for _ in kinds]
    threads = [threading.Thread(target=_play, args=(kind, chosen.build, config, script, server_options, outcome))
               for kind, outcome in zip(kinds, outcomes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    errors = [outcome["error"] for outcome in outcomes if "error" in outcome]
    notes = [outcome["session"].notes if "session" in outcome else [] for outcome in outcomes]
    if chosen.show:
        for label, value, _ in notes[0]:
            print(f"# {label}\n#     {value!r}")
    if errors:  # what both came to is still worth comparing
        notes = [some[:min(map(len, notes))] for some in notes]
    lines = compare_notes(*notes) if len(notes) == 2 else []
    if errors or lines:
        tap.fail("\n".join(lines + errors))
    if is_missing:
        where = os.path.join(chosen.build, chosen.under_test)
        tap.skip(f"{where} is not built; the script passed against supervisord ({len(notes[0])} answers)")
    tap.check_true(notes[0], "the script noted nothing")


def scenario(sentence, config, **server_options):
    """Registers a script as a test."""

    def register(script):
        tap.test(sentence)(lambda: play_both(config, script, **server_options))
        return script

    return register


def main():
    tap.run_all(options())


# What nearly every configuration begins with; it ends inside of [supervisord], for more options of that section.
HEAD = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://@SOCK@
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
loglevel=debug
identifier=test
"""
