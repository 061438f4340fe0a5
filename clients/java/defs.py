"""Reads the .def tables of svisor: rows such as METHOD("supervisor.getPID", get_pid, QUERY, …).

    for row in rows("include/svisor/process_states.def"):
        row.macro, row.words       # "PROCESS_STATE", ["STOPPED", "0"]

A word is a text (its quotes gone, pieces that stand side by side joined), a row inside the row, or the C as it is written.
"""

import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|[A-Za-z_]\w*|-?\d\w*|\S', re.S)
ESCAPES = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\\\": "\\"}


class Row:
    """A macro and its arguments."""

    def __init__(self, macro, words):
        self.macro = macro
        self.words = words


def unquoted(token):
    return re.sub(r"\\.", lambda match: ESCAPES[match.group(0)], token[1:-1])


def parse(tokens, at, macro):
    """The row whose "(" stands at `at`, and where it ends."""
    words, pieces = [], []

    def close():
        if pieces:
            words.append(pieces[0] if len(pieces) == 1 else joined(pieces))
            pieces.clear()

    at += 1
    while tokens[at] != ")":
        token = tokens[at]
        if token == ",":
            close()
        elif re.match(r"[A-Za-z_]", token) and tokens[at + 1] == "(":
            row, at = parse(tokens, at + 1, token)
            pieces.append(row)
        else:
            pieces.append(unquoted(token) if token[0] == '"' else token)
        at += 1
    close()
    return Row(macro, words), at


def joined(pieces):
    """Texts side by side are one; anything else (SV_A | SV_B) keeps its blanks."""
    return (" " if "|" in pieces else "").join(pieces)


def rows(path, *macros):
    """The rows of these macros, or all; preprocessor lines are stepped over."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as stream:
        text = re.sub(r"^\s*#.*$", "", stream.read(), flags=re.M)
    tokens = [token for token in TOKEN.findall(text) if not token.startswith(("/*", "//"))]
    found, at = [], 0
    while at < len(tokens):
        row, at = parse(tokens, at + 1, tokens[at])
        at += 1
        if not macros or row.macro in macros:
            found.append(row)
    return found


def columns(macro, path):
    """The names of the columns of a macro, from its definition in `path`: {"name": 0, …}. So a table may get more of them."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as stream:
        text = stream.read()
    found = max(re.findall(rf"#define {macro}\(([^)]*)\)", text), key=len)
    return {name.strip().rstrip("_"): index for index, name in enumerate(found.split(","))}
