"""Debian's Chromium in a test: what a person sees and does, in words of Playwright.

    with Browser() as browser, browser.open(url) as page:
        page.get_by_role("button", name="Stop shop").click()
        page.get_by_text("shop is stopped.").wait_for()

Names are Playwright's in snake_case, keywords are its options, a compiled re is a regular expression. Nothing happens before
the last method of a line (click, wait_for, evaluate, ...), and that one waits until it can be done. A page that is left must have
behaved: no error in its console, nothing that its Content-Security-Policy had to stop, no request to another origin.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile

import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DRIVER = os.path.join(ROOT, "tests", "browser", "driver.mjs")
CHECKS = os.path.join(ROOT, "tests", "browser", "checks.js")
CHROMIUM = ("chromium", "chromium-browser")
# They give something to go on with; other methods do something.
LAZY = {"getByRole", "getByText", "getByLabel", "getByTitle", "locator", "filter", "nth", "first", "last", "context", "or", "and"}


def missing():
    """Why there can be no browser here; None when there can."""
    if shutil.which("node") is None:
        return "node is not installed: make deps"
    if not any(shutil.which(name) for name in CHROMIUM):
        return "chromium is not installed: make deps"
    if not os.path.isdir(os.path.join(ROOT, "web", "node_modules", "playwright-core")):
        return "web/node_modules has no playwright-core: make deps"
    return None


def check_of(name):
    """One of checks.js, for page.evaluate()."""
    with open(CHECKS, encoding="utf-8") as stream:
        text = "\n".join(line for line in stream.read().split("\n") if not line.startswith("//"))
    return f"() => ({text.strip()}).{name}()"


def camel(name):
    return re.sub(r"_(\w)", lambda match: match.group(1).upper(), name.strip("_"))


def encoded(value):
    if isinstance(value, re.Pattern):
        return {"$re": value.pattern, "flags": "i" if value.flags & re.I else ""}
    if isinstance(value, Chain):
        return {"$steps": value.steps, "page": value.page.number}
    if isinstance(value, dict):
        return {key: encoded(one) for key, one in value.items()}
    return [encoded(one) for one in value] if isinstance(value, (list, tuple)) else value


class Chain:
    """Some steps from a page on."""

    def __init__(self, page, steps):
        self.page = page
        self.steps = steps

    def __getattr__(self, name):
        return Chain(self.page, [*self.steps, [camel(name)]])

    def __call__(self, *words, **options):
        *before, (name,) = self.steps
        given = [encoded(one) for one in words]
        if options:
            given.append({camel(key): encoded(one) for key, one in options.items()})
        steps = [*before, [name, given]]
        return Chain(self.page, steps) if name in LAZY else self.page.browser.ask(page=self.page.number, steps=steps)


class Page(Chain):
    def __init__(self, browser, number):
        super().__init__(self, [])
        self.browser = browser
        self.number = number
        self.may_say = []

    def allow(self, *patterns):
        """Complaints that this test provokes."""
        self.may_say += patterns

    def complaints(self):
        return [text for text in self.browser.ask(complaints=self.number)
                if not any(re.search(one, text) for one in self.may_say)]

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if kind is not None and kind is not tap.Skip:
            self.tell()
        found = self.complaints()
        self.context().close()
        if found and kind is None:
            tap.fail("the page has misbehaved:\n" + "\n".join(found))

    def tell(self):
        """What a failing test has to say of its page."""
        for text in [self.evaluate("() => location.href"), *self.complaints(), *self.locator("body").aria_snapshot().split("\n")][:90]:
            print(f"# {text}")

    def watch(self, selector, text):
        """Notes the moment in which one of these elements first has this text; seen() gives it."""
        self.evaluate("""([selector, text]) => {
            window.seenAt = 0;
            const has = () => [...document.querySelectorAll(selector)].some((one) => one.textContent.includes(text));
            const watcher = new MutationObserver(() => {
                if (!has()) return;
                window.seenAt = performance.timeOrigin + performance.now();
                watcher.disconnect();
            });
            watcher.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
        }""", [selector, text])

    def seen(self):
        """Wall clock, in seconds."""
        self.wait_for_function("() => window.seenAt")
        return self.evaluate("() => window.seenAt") / 1000


class Browser:
    def __init__(self):
        reason = missing()
        if reason:
            tap.skip(reason)
        self.home = tempfile.mkdtemp(prefix="svb-")
        program = next(path for path in map(shutil.which, CHROMIUM) if path)
        environment = dict(os.environ, HOME=self.home, XDG_CONFIG_HOME=self.home, XDG_CACHE_HOME=self.home, TMPDIR=self.home)
        self.process = subprocess.Popen(["node", DRIVER, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            tap.fail(f"the browser's driver ended with {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            tap.fail(answer["error"])
        return answer["value"]

    def open(self, url, **options):
        """A page in a profile of its own. Options are those of Playwright's newContext, and `init`: a script that runs first."""
        return Page(self, self.ask(open={"url": url, "options": {camel(key): one for key, one in options.items()}}))

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(20)
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
