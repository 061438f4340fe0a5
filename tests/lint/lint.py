#!/usr/bin/python3
"""House rules that a machine can check, as tests. Prints the Test Anything Protocol.

    lint.py --build DIR

The layers and what they may include are LAYERS below; docs/ARCHITECTURE.md explains them. Purity is checked by
what an archive asks of others: pure_symbols.txt. Programs named check_*.py beside this file check that generated
documentation is fresh; each is one more test, and passes by leaving with 0.
"""

import glob
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
import tap

# Who may include whom, by folder. "include" is include/svisor/; every layer may include itself.
LAYERS = {
    "include": [],
    "base": ["include"],
    "config": ["base", "include"],
    "port": ["config", "base", "include"],
    "wire": ["port", "config", "base", "include"],
    "core": ["port", "config", "base", "include"],
    "io": ["port", "config", "wire", "base", "include"],
    "api": ["wire", "port", "config", "base", "include"],
    "driver": ["api", "core", "io", "port", "wire", "config", "base", "include"],
    "main": ["driver", "api", "core", "io", "port", "wire", "config", "base", "include"],
    "ctl": ["wire", "config", "base", "include"],
    "bpf": ["include"],
}
# Single headers that cross the table, with the reason.
EXCEPTIONS = {
    ("ctl", "io/config_host.h"): "svctl reads the configuration that svisord reads, from the same places",
    ("io", "bpf/bpf.h"): "libbpf's header, not our folder bpf/",
    ("io", "bpf/libbpf.h"): "libbpf's header, not our folder bpf/",
}
PURE = ("base", "wire", "config", "port", "core")

# STYLE 52: what is banned, and what to write instead.
BANNED = [
    (r"(!|\bif\s*\(|&&\s*|\|\|\s*)str(n|case|ncase)?cmp\s*\([^()]*(\([^()]*\)[^()]*)*\)\s*(\)|&&|\|\||\?)",
     "strcmp as truth: sv_streq(), or compare with == 0"),
    (r"\bato(i|l|ll|f)\s*\(", "atoi: a parser that reports errors"),
    (r"\bstrtok(_r)?\s*\(", "strtok: walk the text"),
    (r"\bv?sprintf\s*\(", "sprintf: snprintf or sv_str_printf"),
    (r"\b(strcpy|stpcpy|strcat)\s*\(", "strcpy: memcpy with a checked length, or sv_str"),
    (r"\bstrncpy\s*\(", "strncpy: it does not terminate"),
    (r"\balloca\s*\(", "alloca: an arena or the heap"),
    (r"\busleep\s*\(", "usleep: a timer of the loop"),
    (r"\bassert\s*\([^;]*(\+\+|--|[^=!<>]=[^=])[^;]*\)\s*;", "assert with a side effect"),
    (r"\bgets\s*\(", "gets: a bounded read"),
]

# Names of one machine or one workplace have no business in a project.
FOREIGN = re.compile(r"(?<![\w.])/(?:work|root)/|/tmp/ref\b|\bthe farm\b|artifact-?registry|pkg\.dev\b"
                     r"|registry\.[a-z]|(?:pypi|npm|crates|proxy)\.[a-z.]*(?:internal|local|corp)\b", re.I)
FOREIGN_ALLOWED = re.compile(r"registry\.npmjs\.org")  # in a lock file npm writes it, everywhere the same

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\s*\(?#\d+)")

FILE_LINES_WARN, FILE_LINES_MAX = 500, 800
FUNCTION_LINES_WARN, FUNCTION_LINES_MAX = 70, 100


def tracked():
    """The files of the project, as git knows them, or as they lie there in an exported tree."""
    done = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
    if done.returncode == 0 and done.stdout:
        names = sorted(set(done.stdout.splitlines()))
    else:
        names = sorted(os.path.relpath(os.path.join(folder, name), ROOT)
                       for folder, folders, files in os.walk(ROOT) for name in files
                       if not re.search(r"/(build|\.git|node_modules)(/|$)", folder))
    return [name for name in names if os.path.isfile(os.path.join(ROOT, name))]


FILES = tracked()
C_FILES = [name for name in FILES if re.search(r"^(daemon|ctl|bpf|include|tests)/.*\.(c|h|def)$", name)]
_texts = {}


def text(name):
    if name not in _texts:
        with open(os.path.join(ROOT, name), encoding="utf-8", errors="replace") as stream:
            _texts[name] = stream.read()
    return _texts[name]


def code(name):
    """The text with comments and the contents of strings blanked; lines keep their numbers."""
    def blank(match):
        piece = match.group(0)
        if piece[0] in "\"'":
            return piece[0] * 2
        return "\n" * piece.count("\n")

    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text(name), flags=re.S)


def layer_of(name):
    match = re.match(r"(?:daemon/)?([^/]+)/", name)
    if name == "daemon/main.c":
        return "main"
    return match.group(1) if match and match.group(1) in LAYERS else None


def none(findings, advice):
    tap.check_true(not findings, "\n".join(findings[:100]) + (f"\n{advice}" if advice else ""))


@tap.test("each layer includes only the layers below it")
def _():
    findings = []
    for name in C_FILES:
        layer = layer_of(name)
        if layer is None or name.endswith("_test.c") or name.startswith("tests/"):
            continue
        for number, line in enumerate(text(name).split("\n"), 1):
            match = re.match(r'\s*#\s*include\s+["<]([a-z_]+)/([^">]+)[">]', line)
            target = match and ("include" if match.group(1) == "svisor" else match.group(1))
            if not match or target not in LAYERS or target == layer or target in LAYERS[layer]:
                continue
            if (layer, f"{match.group(1)}/{match.group(2)}") not in EXCEPTIONS:
                findings.append(f"{name}:{number}: {layer} may not include {target}")
    none(findings, "the table is LAYERS in tests/lint/lint.py; docs/ARCHITECTURE.md says why")


def allowed_symbols():
    with open(os.path.join(HERE, "pure_symbols.txt"), encoding="utf-8") as stream:
        words = [line.split("#")[0].strip() for line in stream]
    return re.compile("|".join(f"(?:{word})" for word in words if word) + r"\Z")


@tap.test("the pure layers ask nothing of the system")
def _():
    allowed = allowed_symbols()
    findings = []
    checked = 0
    defined = {}
    for layer in PURE:
        archive = os.path.join(tap_options.build, "lib", f"lib{layer}.a")
        if not os.path.exists(archive):
            if glob.glob(os.path.join(ROOT, "daemon", layer, "**", "*.c"), recursive=True):
                findings.append(f"{archive} is not built")
            continue
        checked += 1
        for line in subprocess.run(["nm", "-A", archive], capture_output=True, text=True, check=True).stdout.split("\n"):
            match = re.match(r"(\S+):\s*(?:[0-9a-f]+)?\s+(\w)\s+(\S+)$", line)
            if match:
                defined.setdefault(layer, {}).setdefault(match.group(3), []).append((match.group(2), match.group(1)))
    ours = {symbol for symbols in defined.values() for symbol, places in symbols.items()
            if any(kind != "U" for kind, _ in places)}
    for layer, symbols in defined.items():
        for symbol, places in sorted(symbols.items()):
            asked = [place for kind, place in places if kind == "U"]
            if asked and symbol not in ours and not allowed.fullmatch(symbol):
                findings.append(f"{os.path.relpath(asked[0], tap_options.build)}: {symbol}")
    tap.check_true(checked or findings, "no archive was found: run make first")
    none(findings, "base, wire, config, port and core may use only what tests/lint/pure_symbols.txt lists")


@tap.test("no banned call")
def _():
    findings = []
    for name in C_FILES:
        if name.endswith(".def"):
            continue
        clean = code(name)
        for pattern, advice in BANNED:
            for match in re.finditer(pattern, clean):
                number = clean.count("\n", 0, match.start()) + 1
                findings.append(f"{name}:{number}: {match.group(0).split(chr(10))[0].strip()}: {advice}")
    none(findings, "STYLE 52")


@tap.test(f"no source file is longer than {FILE_LINES_MAX} lines")
def _():
    sizes = {name: text(name).count("\n") for name in FILES if re.search(r"\.(c|h|py|def|java|js|mjs|ts|tsx|css|sh)$", name)
             and not re.search(r"(^|/)(vendor|node_modules|corpus|generated)/", name)}
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        if FILE_LINES_WARN < size <= FILE_LINES_MAX:
            print(f"# long: {name} has {size} lines; look for the second module")
    none([f"{name} has {size} lines" for name, size in sizes.items() if size > FILE_LINES_MAX], "STYLE 13")


def functions(name):
    """(name, first line, length) of every function body: a brace in the first column opens it."""
    lines = code(name).split("\n")
    opened = None
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            opened = number
        elif line.startswith("}") and opened:
            head = " ".join(lines[max(0, opened - 6):opened - 1])
            match = re.findall(r"(\w+)\s*\(", re.split(r"[;}]", head)[-1])
            yield (match[0] if match else "?"), opened, number - opened + 1
            opened = None


@tap.test(f"no function is longer than {FUNCTION_LINES_MAX} lines")
def _():
    findings = []
    for name in C_FILES:
        if not name.endswith(".c"):
            continue
        for function, number, length in functions(name):
            if length > FUNCTION_LINES_MAX:
                findings.append(f"{name}:{number}: {function} has {length} lines")
            elif length > FUNCTION_LINES_WARN:
                print(f"# long: {name}:{number}: {function} has {length} lines")
    none(findings, "STYLE 10")


@tap.test("no file names a machine or a workplace")
def _():
    findings = []
    own = {"tests/lint/lint.py"}  # has the patterns
    for name in FILES:
        if name in own or re.search(r"(^|/)corpus/", name):
            continue
        for number, line in enumerate(text(name).split("\n"), 1):
            match = FOREIGN.search(FOREIGN_ALLOWED.sub("", line))
            if match:
                findings.append(f"{name}:{number}: {match.group(0)}: {line.strip()[:80]}")
    none(findings, "")


@tap.test("nothing is left for later without an issue number")
def _():
    own = {"tests/lint/lint.py", "docs/STYLE.md"}
    findings = [f"{name}:{number}: {line.strip()[:90]}" for name in FILES
                if name not in own and re.search(r"\.(c|h|def|py|java|sh|js|mjs|ts|tsx|mk|md)$|Makefile$", name)
                for number, line in enumerate(text(name).split("\n"), 1) if UNFINISHED.search(line)]
    none(findings, "write `TODO #12`, or do it")


@tap.test("the code is formatted as .clang-format says")
def _():
    if shutil.which("clang-format") is None:
        tap.skip("clang-format is not installed: make deps")
    names = [name for name in C_FILES if re.search(r"\.(c|h)$", name)]
    findings = []
    for start in range(0, len(names), 50):
        done = subprocess.run(["clang-format", "--dry-run", *names[start:start + 50]], cwd=ROOT, capture_output=True,
                              text=True)
        findings += re.findall(r"^(\S+?:\d+):\d+: warning", done.stderr, re.M)
    files = sorted({finding.rsplit(":", 1)[0] for finding in findings})
    none([next(one for one in findings if one.startswith(name + ":")) for name in files], "clang-format -i " +
         " ".join(files))


@tap.test("whoever offers _new also offers _free")
def _():
    findings = []
    for name in C_FILES:
        if not name.endswith(".h"):
            continue
        clean = code(name)
        for module in set(re.findall(r"\b(sv_\w+?)_new\s*\(", clean)) - {"sv_arena"}:  # arenas give it all back
            if not re.search(rf"\b{module}_(free|unref)\b", clean):
                findings.append(f"{name}: {module}_new without its end")
    none(findings, "STYLE 22")


def register_checks():
    for path in sorted(glob.glob(os.path.join(HERE, "check_*.py"))):
        first = re.search(r'^"""(.*?)[\n"]', open(path, encoding="utf-8").read(), re.M)
        sentence = first.group(1).rstrip(".") if first else os.path.basename(path)

        @tap.test(sentence)
        def _(path=path):
            done = subprocess.run([sys.executable, path, "--build", tap_options.build], cwd=ROOT, capture_output=True,
                                  text=True)
            if done.returncode == 77:
                tap.skip(done.stdout.strip() or "the check cannot run here")
            tap.check_true(done.returncode == 0, f"{os.path.relpath(path, ROOT)}:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    register_checks()
    tap_options = tap.arguments()
    tap.run_all(tap_options)
