# seconds: 120
# The dashboard of three real nodes: it shows what svctl says, and what happens in the moment it happens.
import os
import signal
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import wait_until
from dashboard import Scene, end, live, started
from live_model import PAGE_SECONDS

CRASHES = 5
REFUSED = "WebSocket connection to .* failed"  # the console says so while a daemon is away
options = tap.arguments()
scene = Scene(options.build)


def word(statename):
    return statename.replace("_", " ").capitalize()


@tap.test("instances, their states, load and Master, and applications are on each page as svctl says")
def _():
    for index in range(3):
        with scene.open(index) as page:
            for node in scene.told(index, "nodes"):
                text = page.get_by_role("article", name=node["nick_identifier"]).inner_text()
                tap.check_true(word(node["statename"]) in text and f"load {node['loading']}%" in text, f"{node}: {text}")
                tap.check("Master" in text, node["is_master"], f"the mark of the Master at {node['nick_identifier']}")
            for one in scene.told(index, "apps"):
                row = page.get_by_role("table", name="Applications").get_by_role("row", name=one["application_name"]).inner_text()
                tap.check_true(word(one["statename"]) in row, f"{one}: {row}")


@tap.test("the processes of each instance are on its page at each instance, as svctl says")
def _():
    for index in range(3):
        with scene.open(index) as page:
            for other in range(3):
                page.goto(f"/{scene.place_of(other)}")
                table = live(page).get_by_role("table", name="Processes")
                for one in scene.told(other, "status"):
                    row = table.get_by_role("row").filter(has=page.get_by_role("link", name=one["process"], exact=True)).inner_text()
                    tap.check_true(word(one["statename"]) in row and str(one["pid"] or "") in row, f"{one}: {row!r}")


@tap.test("a segmentation fault is on the open pages within 100 ms of the death, with its reason")
def _():
    server = scene.cluster.servers[0]
    took = {"its own": [], "another one's": []}
    with scene.open(0) as own, scene.open(1) as other:
        for _ in range(CRASHES):
            server.write("crash.log", "")
            pid = started(server, "crash")
            for page in (own, other):
                wait_until(lambda: "crash" not in page.get_by_role("region", name="Needs attention").inner_text(), 10, "the last crash to be over")
                page.watch("[aria-label='Needs attention']", "ended by the kernel for a fault of its own: SIGSEGV, an address that is not mapped")
            wait_until(lambda: "ready" in server.read("crash.log"), 10, "crash to run")
            died = end(pid, signal.SIGUSR1)
            for name, page in zip(took, (own, other)):
                took[name].append(page.seen() - died)
        print(f"# {other.get_by_role('region', name='Needs attention').inner_text()!r}")
    for name, seconds in took.items():
        print(f"# on {name} page after {', '.join(f'{1000 * one:.0f}' for one in sorted(seconds))} ms")
        tap.check_true(statistics.median(seconds) < PAGE_SECONDS, f"on {name} page after {seconds}")


@tap.test("when its daemon dies the page says so, and it is live again with the next one, without a reload")
def _():
    server = scene.cluster.servers[1]
    with scene.open(1) as page:
        page.allow(REFUSED)
        scene.cluster.kill(1)
        page.get_by_role("alert").get_by_text("Not connected since").wait_for()
        page.evaluate("() => { window.isSame = true }")
        server.process = None
        server.start()
        live(page)
        tap.check(page.get_by_role("alert").count(), 0, "alerts")
        tap.check(page.evaluate("() => window.isSame"), True, "the page was not loaded anew")
        scene.cluster.wait_state("OPERATION")


@tap.test("a node that is lost is shown so, and what ran there where it runs then")
def _():
    cluster = scene.cluster
    where = wait_until(lambda: cluster.running_on(0, "shop:web"), 10, "web to run somewhere")[0]
    lost = cluster.nicks.index(where)
    with scene.open((lost + 1) % 3) as page:
        page.get_by_role("article", name=where).get_by_text("web").wait_for()
        cluster.kill(lost)
        page.get_by_role("region", name="Needs attention").get_by_role("link", name=where).wait_for()
        wait_until(lambda: "Running" not in page.get_by_role("article", name=where).inner_text(), 10, f"{where} to be shown lost")
        print(f"# {page.get_by_role('article', name=where).inner_text()!r}")
        there = wait_until(lambda: [one for one in cluster.running_on((lost + 1) % 3, "shop:web") or () if one != where], 10, "web to run elsewhere")[0]
        page.get_by_role("article", name=there).get_by_text("web").wait_for()
        page.evaluate("() => { window.asked = []; const kept = window.fetch; window.fetch = (...all) => { window.asked.push(String(all[0])); return kept(...all) } }")
        page.get_by_role("region", name="Needs attention").get_by_role("link", name=where).click()
        page.get_by_role("heading", name=where).wait_for()
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(done))))")
        tap.check([one for one in page.evaluate("() => window.asked") if "instances/" in one], [], "what the page asks of an instance that is lost")
        tap.check(page.get_by_role("button", name="Start talk").get_attribute("title"), f"{where} is not heard", "why nothing can be started there")
        page.get_by_role("button", name="More for talk").click()
        page.get_by_role("menuitem", name="Clear its logs").get_by_text(f"{where} is not heard").wait_for()


@tap.test("what an instance that was lost knows of a process is on its page when the instance is back")
def _():
    server = scene.cluster.servers[2]
    with scene.open(0) as page:
        page.allow("status of 500")  # of what was asked in the moment of the loss
        if server.process.poll() is None:
            scene.cluster.kill(2)
        page.get_by_role("region", name="Needs attention").get_by_role("link", name="s3").wait_for()
        page.goto("/#/processes/shop%3Atill")
        silent = page.get_by_text("Not heard: s3")
        silent.wait_for()
        tap.check(page.get_by_text("No run of it has ended yet").count(), 0, "claims about what is not known")
        server.process = None
        server.start(ready=False)
        silent.wait_for(state="detached", timeout=30000)


if __name__ == "__main__":
    with scene:
        tap.run_all(options)
