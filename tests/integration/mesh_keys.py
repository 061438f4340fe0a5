# svctl mesh: keys that are made, trusted and listed, as files of this machine; no daemon is asked.
# suite: quick
import json
import os
import re
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap

OPTIONS = tap.arguments()
SVCTL = os.environ.get("SVCTL") or os.path.join(OPTIONS.build, "svctl")
KEY = re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")


class Machine:
    """A directory with a configuration file whose [svisor] says where the keys are."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = self.temporary.name
        self.config = self.path("svisor.conf")
        with open(self.config, "w", encoding="utf-8") as stream:
            stream.write("[supervisord]\n[supervisorctl]\n[svisor]\n"
                         "mesh_key=%(here)s/keys/mesh.key\nmesh_trust=%(here)s/keys/mesh.trust\n")

    def path(self, name):
        return os.path.join(self.folder, name)

    def svctl(self, *words):
        done = subprocess.run([SVCTL, "-c", self.config, "mesh", *words], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout

    def public_key(self):
        with open(self.path("keys/mesh.key.pub"), encoding="utf-8") as stream:
            return re.search(r'public-key = "(.*)"', stream.read()).group(1)


def machines(count=1):
    return [Machine() for _ in range(count)]


@tap.test("keygen makes a key that only its owner reads, and a public half")
def _():
    machine, = machines()
    status, said = machine.svctl("keygen")
    tap.check(status, 0, said)
    tap.check(stat.S_IMODE(os.stat(machine.path("keys/mesh.key")).st_mode), 0o600, "mode of the key")
    with open(machine.path("keys/mesh.key.pub"), encoding="utf-8") as stream:
        tap.check_true("secret" not in stream.read(), "the public half has the secret")
    tap.check_true(KEY.fullmatch(machine.public_key()) and machine.public_key() in said, said)


@tap.test("keygen never writes over a key")
def _():
    machine, = machines()
    machine.svctl("keygen")
    before = machine.public_key()
    status, said = machine.svctl("keygen")
    tap.check(status, 1, said)
    tap.check_true("is there already" in said, said)
    tap.check(machine.public_key(), before, "the key")


@tap.test("every key is another one")
def _():
    one, two = machines(2)
    one.svctl("keygen")
    two.svctl("keygen")
    tap.check_true(one.public_key() != two.public_key(), "the same key twice")


@tap.test("a key is trusted by its text or its file, with names, once")
def _():
    one, two = machines(2)
    one.svctl("keygen")
    two.svctl("keygen")
    key = two.public_key()
    tap.check(one.svctl("trust", key, "supv-02", "10.0.0.2"),
                    (0, f"{key}: trusted from now on, for supv-02\n"), "trust")
    tap.check(one.svctl("trust", two.path("keys/mesh.key.pub"), "supv-02"), (0, f"{key}: trusted already\n"), "again")
    status, said = one.svctl("list", "--json")
    tap.check(status, 0, said)
    tap.check(json.loads(said), [{"key": one.public_key(), "names": [], "own": True},
                                       {"key": key, "names": ["supv-02", "10.0.0.2"], "own": False}], "list")
    status, said = one.svctl("list")
    tap.check_true(f"{key}  supv-02 10.0.0.2\n" in said, said)


@tap.test("what cannot be a key is refused, and a broken list is not written to")
def _():
    machine, = machines()
    status, said = machine.svctl("trust", "abc")
    tap.check(status, 1, said)
    tap.check_true("abc is no key (40 characters), nor a file" in said, said)
    tap.check_true(not os.path.exists(machine.path("keys/mesh.trust")), "a list was written")
    machine.svctl("keygen")
    with open(machine.path("keys/mesh.trust"), "w", encoding="utf-8") as stream:
        stream.write("# mine\nnonsense\n")
    status, said = machine.svctl("trust", machine.public_key())
    tap.check(status, 1, said)
    tap.check_true("mesh.trust, line 2: the line does not begin with a key" in said, said)


@tap.test("without a key list says how to make one, and anything else says how mesh is used")
def _():
    machine, = machines()
    status, said = machine.svctl("list")
    tap.check(status, 0, said)
    tap.check_true("`svctl mesh keygen` makes one" in said, said)
    for words in ((), ("kexgen",), ("trust",), ("list", "all")):
        status, said = machine.svctl(*words)
        tap.check(status, 1, said)
        tap.check_true("mesh keygen [FILE]" in said, said)


tap.run_all(OPTIONS)
