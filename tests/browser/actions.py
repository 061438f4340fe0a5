# seconds: 150
# What the buttons of the dashboard do, done as a person does it, and asked of svisord afterwards. Node 1's page controls all.
import contextlib
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from cluster_servers import Cluster
from daemon import wait_until
from dashboard import PROGRAMS, RULES, Scene, live, url

options = tap.arguments()
scene = Scene(options.build, options="conciliation_strategy=USER")


def becomes(index, namespec, statename):
    wait_until(lambda: scene.statename(index, namespec) == statename, 10, f"{namespec} at s{index + 1} to be {statename}")


def menu(page, of, item):
    page.get_by_role("button", name=of, exact=True).click()
    page.get_by_role("menuitem", name=item).click()


def confirm(page, verb):
    """The effect that the dialog shows; then yes."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=verb, exact=True).wait_for()
    wait_until(lambda: "…" not in dialog.inner_text(), 10, "the effect to be known")
    text = dialog.inner_text()
    dialog.get_by_role("button", name=verb, exact=True).click()
    return text


@tap.test("a process of node 3 stops, starts and restarts from node 1's page")
def _():
    with scene.open(0, scene.place_of(2)) as page:
        page.get_by_role("button", name="Stop talk", exact=True).click()
        page.get_by_role("button", name="Start talk", exact=True).click()
        becomes(2, "talk", "RUNNING")
        tap.check([scene.statename(index, "talk") for index in (0, 1)], ["RUNNING"] * 2, "talk of the other nodes")
        page.get_by_role("button", name="Stop talk", exact=True).wait_for()
        pid = scene.rpc(2).supervisor.getProcessInfo("talk")["pid"]
        menu(page, "More for talk", "Restart")
        wait_until(lambda: scene.rpc(2).supervisor.getProcessInfo("talk")["pid"] not in (0, pid), 10, "another pid")


@tap.test("logs are cleared where they are, from another node's page")
def _():
    with scene.open(0, scene.place_of(2)) as page:
        wait_until(lambda: "first line" in scene.cluster.servers[2].read("talk.log"), 10, "talk to talk")
        menu(page, "More for talk", "Clear its logs")
        page.get_by_text("The logs of talk are empty.").wait_for()
        tap.check(scene.cluster.servers[2].read("talk.log"), "", "the log of node 3")
        tap.check_true("first line" in scene.cluster.servers[1].read("talk.log"), "that of node 2 is gone, too")


@tap.test("a group stops on one node, after its effect was shown, and nothing happens when the answer is no")
def _():
    index = scene.cluster.nicks.index(wait_until(lambda: scene.cluster.running_on(0, "shop:web"), 10, "web to run")[0])
    with scene.open(0, scene.place_of(index)) as page:
        page.get_by_role("button", name="Stop all of shop").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        page.get_by_role("dialog").wait_for(state="detached")
        tap.check(scene.statename(index, "shop:web"), "RUNNING", "web after no")
        page.get_by_role("button", name="Stop all of shop").click()
        text = confirm(page, "Stop")
        stopped = re.findall(rf"stops\s+(shop:\w+)\s+at s{index + 1}", text)
        tap.check_true("shop:web" in stopped, text)
        for namespec in stopped:
            becomes(index, namespec, "STOPPED")
            scene.rpc(index).supervisor.startProcess(namespec)


@tap.test("an application stops, and starts where the preview said it would")
def _():
    with scene.open(1) as page:
        table = page.get_by_role("table", name="Applications")
        table.get_by_role("button", name="Stop shop").click()
        text = confirm(page, "Stop")
        tap.check_true("shop:web" in text and "shop:till" in text, text)
        page.get_by_text("shop is stopped.").wait_for()
        tap.check(scene.cluster.call(1, "get_application_info", "shop")["statename"], "STOPPED", "shop")
        table.get_by_role("button", name="Start shop").click()
        text = confirm(page, "Start")
        promised = dict(re.findall(r"(shop:\w+)\s+at (\w+)", text.partition("Starts")[2]))
        page.get_by_text("shop has started.").wait_for()
        found = {name: "".join(scene.cluster.running_on(1, name)) for name in promised}
        tap.check(found, promised, "where it runs")
        tap.check(sorted(found), ["shop:stock", "shop:till", "shop:web"], "what was promised")


@tap.test("what is refused is told in words, and stays until it is closed")
def _():
    with scene.open(0, scene.place_of(2)) as page:
        page.allow("status of 500|status of 4")
        page.get_by_role("button", name="Start crash", exact=True).wait_for()
        page.evaluate("() => { window.kept = window.fetch; window.fetch = (...all) => { window.fetch = window.kept; return window.kept('supervisor/startProcess/nobody', { method: 'POST' }) } }")
        page.get_by_role("button", name="Start crash", exact=True).click()
        page.get_by_role("status", name="What came of actions").get_by_text("There is no nobody.").wait_for()
        page.get_by_role("button", name="Close this message").click()
        wait_until(lambda: page.get_by_text("There is no nobody.").count() == 0, 5, "the message to go")


@contextlib.contextmanager
def waiting(synchro, count):
    """The page of a cluster that waits for others: `count` of its three instances are there."""
    with Cluster(options.build, 3, PROGRAMS, RULES, synchro=synchro) as cluster:
        for server in cluster.servers[:count]:
            server.start(ready=False)
        for server in cluster.servers[:count]:
            server.wait_ready()
        with scene.browser.open(url(cluster, 0)) as page:
            for nick in cluster.nicks[:count]:
                live(page).get_by_role("article", name=nick).get_by_text("Running", exact=True).wait_for()
            yield cluster, page


@tap.test("the synchronization is ended with the chosen Master")
def _():
    with waiting("USER", 3) as (cluster, page):
        menu(page, "End it with a chosen Master", "s2 becomes Master")
        confirm(page, "End the synchronization")
        page.get_by_role("group", name="State of the cluster").get_by_text("Operation").wait_for()
        tap.check({cluster.call(i, "get_master_identifier")["nick_identifier"] for i in range(3)}, {"s2"}, "the Master")
        tap.check_true("Master" in page.get_by_role("article", name="s2").inner_text(), "its mark")
        tap.check(page.get_by_role("region", name="Synchronization").count(), 0, "banners")


@tap.test("the synchronization is ended while an instance is missing, where USER is one of several options")
def _():
    with waiting("STRICT,USER", 2) as (cluster, page):
        page.get_by_role("region", name="Synchronization").get_by_text("The cluster waits for s3").wait_for()
        page.get_by_role("button", name="End the synchronization").click()
        confirm(page, "End the synchronization")
        page.get_by_text("The synchronization has ended.").wait_for()
        page.get_by_role("region", name="Synchronization").wait_for(state="detached")
        cluster.wait_state("OPERATION", [0, 1])


@tap.test("where USER is not in synchro_options, nobody is offered to end the synchronization")
def _():
    with waiting("STRICT", 2) as (cluster, page):
        region = page.get_by_role("region", name="Synchronization")
        region.get_by_text("The cluster waits for s3").wait_for()
        tap.check(region.get_by_role("button").count(), 0, "buttons")
        tap.check_true("The waiting ends when all of supvisors_list are there." in region.inner_text(), region.inner_text())
        tap.check(cluster.state(0), "SYNCHRONIZATION", "the cluster")


@tap.test("an instance that is shut down from another one's page is shown gone")
def _():
    with scene.open(0, scene.place_of(2)) as page:
        menu(page, "More for s3", "Shut svisord down")
        text = confirm(page, "Shut svisord down")
        tap.check_true("talk" in text, text)
        tap.check(scene.cluster.servers[2].wait(20), 0, "exit status of the daemon")
        page.get_by_role("link", name="Start page").click()
        card = page.get_by_role("article", name="s3")
        wait_until(lambda: "Running" not in card.inner_text(), 10, "s3 to be shown gone")
        page.get_by_role("region", name="Needs attention").get_by_role("link", name="s3").wait_for()
        print(f"# {card.inner_text()!r}")


if __name__ == "__main__":
    with scene:
        tap.run_all(options)
