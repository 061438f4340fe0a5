"""The dashboard has its types right, no way for markup from outside, and a lock file that names no address."""

import glob
import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEB = os.path.join(ROOT, "web")
SKIPPED = 77  # as lint.py reads it
# What turns text into markup or code, and what the Content-Security-Policy would refuse.
BANNED = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|\beval\(|new Function|javascript:"
                    r"|createContextualFragment|DOMParser")
OUTSIDE = re.compile(r"""["'(]\s*(?:https?:)?//(?!www\.w3\.org/)[\w.]""")  # the name of a namespace is no request


def findings():
    for path in sorted(glob.glob(f"{WEB}/src/**/*.*", recursive=True)):
        with open(path, encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                for pattern in (BANNED, OUTSIDE):
                    if pattern.search(line):
                        yield f"{os.path.relpath(path, ROOT)}:{number}: {line.strip()[:100]}"
    with open(f"{WEB}/package-lock.json", encoding="utf-8") as stream:
        for name, package in json.load(stream)["packages"].items():
            if "resolved" in package:
                yield f"web/package-lock.json: {name} has an address: npm config omit-lockfile-registry-resolved"
            if name and "integrity" not in package:
                yield f"web/package-lock.json: {name} has no checksum"


def main():
    found = list(findings())
    print("\n".join(found))
    if found:
        return 1
    if not os.path.exists(f"{WEB}/node_modules/.installed-lock") or not shutil.which("node"):
        print("the types were not checked: web/node_modules or node is missing, run make deps")
        return SKIPPED
    types = subprocess.run(["node", "node_modules/typescript/bin/tsc", "--noEmit"], cwd=WEB, capture_output=True, text=True)
    print(types.stdout)
    return 1 if types.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
