"""The generated sections of the manual are as the tables say, and groff has nothing to say about the pages."""

import glob
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def pages():
    """Every file of docs/ with a generated section; MANUAL in the Makefile must name the same."""
    names = glob.glob("docs/*.md", root_dir=ROOT) + glob.glob("docs/man/*", root_dir=ROOT)
    found = []
    for name in sorted(names):
        with open(os.path.join(ROOT, name), encoding="utf-8") as stream:
            if re.search(r'^(\.\\"|<!--) generated: ', stream.read(), re.M):
                found.append(name)
    return found


def manual():
    with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as stream:
        return sorted(re.search(r"^MANUAL := (.*)$", stream.read(), re.M).group(1).split())


def main():
    generator = os.path.join(sys.argv[sys.argv.index("--build") + 1], "gen", "docs")
    if not os.path.exists(generator):
        print("the generator is not built: make lint")
        return 1
    is_good = True
    if pages() != manual():
        print(f"with generated sections: {pages()}; MANUAL in the Makefile: {manual()}")
        is_good = False
    if subprocess.run([generator, "--check", *pages()], cwd=ROOT).returncode != 0:
        is_good = False
    for page in sorted(glob.glob("docs/man/*", root_dir=ROOT)) if shutil.which("groff") else []:
        done = subprocess.run(["groff", "-mdoc", "-Tutf8", "-ww", page], cwd=ROOT, capture_output=True, text=True)
        if done.stderr or not done.stdout:
            print(f"{page}: {done.stderr or 'nothing came out'}")
            is_good = False
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
