# seconds: 150
# The pages for one thing each: logs, the timeline, an application, a process, conflicts. What they say and do is compared with svisord.
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import wait_until
from dashboard import Scene, end, live, started

options = tap.arguments()
scene = Scene(options.build, options="conciliation_strategy=USER")


def identifier(index):
    return scene.cluster.identifiers[index].replace(":", "%3A")


@tap.test("the output of programs of two nodes is followed in one view of a third one, and searched")
def _():
    for index in (0, 2):
        wait_until(lambda: "first line" in scene.cluster.servers[index].read("talk.log"), 10, "talk to talk")
    with scene.open(1, f"#/logs?follow={identifier(0)}%2Ftalk,{identifier(2)}%2Ftalk") as page:
        lines = page.get_by_role("log")
        wait_until(lambda: lines.inner_text().count("first line") == 2, 10, "what both have said before")
        scene.rpc(2).supervisor.sendProcessStdin("talk", "a needle from three\n")
        lines.get_by_text("a needle from three").wait_for()
        scene.rpc(0).supervisor.sendProcessStdin("talk", "some hay from one\n")
        lines.get_by_text("some hay from one").wait_for()
        tap.check_true("s1" in lines.inner_text() and "s3" in lines.inner_text(), lines.inner_text())
        page.get_by_label("Search in these lines").fill("needle")
        page.get_by_role("search").get_by_role("status").get_by_text("1").first().wait_for()
        page.get_by_role("button", name="Follow the output of talk at s3 no longer").click()
        wait_until(lambda: "needle" not in lines.inner_text(), 10, "the lines of s3 to go")
        page.reload()
        live(page).get_by_role("log").get_by_text("some hay from one").wait_for()


@tap.test("the log of svisord itself is followed, too")
def _():
    with scene.open(0, f"{scene.place_of(2)}/log") as page:
        page.get_by_text("the mesh is open").first().wait_for()
        scene.rpc(2).supervisor.stopProcess("talk")
        page.get_by_text("stopped: talk").first().wait_for()
        newest = "() => [...document.querySelectorAll('[role=log] [data-serial]')].at(-1).getBoundingClientRect().bottom <= innerHeight"
        wait_until(lambda: page.evaluate(newest), 5, "the newest line to be in sight")
        scene.rpc(2).supervisor.startProcess("talk")


@tap.test("what happened on node 3 is in the timeline of node 1's page at once, and filters of it are in the address")
def _():
    with scene.open(0, "#/timeline") as page:
        main = page.get_by_role("main")
        main.get_by_text("crash").first().wait_for(state="detached")
        end(started(scene.cluster.servers[2], "crash"), signal.SIGKILL)
        main.get_by_role("listitem").filter(has_text="SIGKILL").filter(has_text="s3").first().wait_for()
        page.get_by_label("How bad").select_option("warning")
        page.get_by_label("Filter what happened").fill("crash")
        wait_until(lambda: not [text for text in main.get_by_role("listitem").all_inner_texts() if "crash" not in text], 10, "the filter to work")
        tap.check_true("level=warning" in page.evaluate("() => location.hash") and "filter=crash" in page.evaluate("() => location.hash"), "the address")
        page.reload()
        live(page).get_by_role("main").get_by_role("listitem").filter(has_text="SIGKILL").first().wait_for()
        tap.check(page.get_by_label("How bad").input_value(), "warning", "the filter after the reload")
        told = scene.rpc(0).svisor.getTimeline(0, 1000)
        tap.check_true(any(one["kind"] == "death" and one["process_name"] == "crash" and "SIGKILL" in one["text"] for one in told), f"{told[-5:]}")


def planned(page, verb):
    """{namespec: nickname} of what the open question says will start; then yes."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("region", name="Starts").wait_for()
    found = dict(re.findall(r"(shop:\w+)\s+at (\w+)", dialog.get_by_role("region", name="Starts").inner_text()))
    dialog.get_by_role("button", name=verb, exact=True).click()
    return found


@tap.test("an application starts by the strategy that was chosen, where the plan of it said")
def _():
    with scene.open(1, "#/applications/shop") as page:
        page.get_by_role("button", name="Stop…").click()
        page.get_by_role("dialog").get_by_role("button", name="Stop", exact=True).click()
        wait_until(lambda: scene.cluster.call(1, "get_application_info", "shop")["statename"] == "STOPPED", 10, "shop to stop")
        page.get_by_label("Starting strategy").select_option("MOST_LOADED")
        page.get_by_role("button", name="Start…", exact=True).click()
        plan = planned(page, "Start")
        wait_until(lambda: all(scene.cluster.running_on(1, name) for name in plan), 10, "all of shop to run")
        tap.check({name: "".join(scene.cluster.running_on(1, name)) for name in plan}, plan, "where it runs")
        tap.check((len(plan), len(set(plan.values()))), (3, 1), f"processes and instances of {plan}")
        row = page.get_by_role("table", name="Processes").get_by_role("row").filter(has=page.get_by_role("link", name="web", exact=True))
        wait_until(lambda: "Running" in row.inner_text() and plan["shop:web"] in row.inner_text(), 10, "the row of web to say so")


@tap.test("a process of another node has its death certificate on its page, as svctl why tells it")
def _():
    proxy = scene.rpc(2).supervisor
    proxy.stopProcess("talk")
    proxy.startProcess("talk")
    end(proxy.getProcessInfo("talk")["pid"], signal.SIGKILL)
    summary = wait_until(lambda: [one for one in scene.told(2, "why", "talk")[0].get("last_end", {}).get("summary", "").split("\n") if "SIGKILL" in one], 10, "the end")[0]
    with scene.open(0, "#/processes/talk") as page:
        page.get_by_role("article", name="Death certificate").get_by_text(summary).wait_for()
        print(f"# {summary}")
        pid = proxy.getProcessInfo("talk")["pid"]
        page.get_by_text(str(pid)).first().wait_for()
        page.get_by_role("region", name="What happened").get_by_text("SIGKILL").first().wait_for()


@tap.test("a conflict is ended by keeping one copy, and the next one by a strategy")
def _():
    cluster = scene.cluster
    with scene.open(0, "#/conciliation") as page:
        page.get_by_text("No process runs more often than it should.").wait_for()
        first = cluster.nicks.index(cluster.running_on(0, "shop:till")[0])
        second = (first + 1) % 3
        started(cluster.servers[second], "shop:till")
        conflict = page.get_by_role("article", name="Conflict of shop:till")
        tap.check(sorted(re.findall(r"\bs\d\b", " ".join(conflict.get_by_role("link").all_inner_texts()))), sorted([f"s{first + 1}", f"s{second + 1}"]), "where it runs")
        page.get_by_role("button", name=f"Keep shop:till at s{second + 1}, stop the others").click()
        page.get_by_role("dialog").get_by_role("button").last().click()
        page.get_by_text("No process runs more often than it should.").wait_for()
        tap.check(cluster.running_on(0, "shop:till"), [f"s{second + 1}"], "where it runs then")
        cluster.wait_state("OPERATION")
        started(cluster.servers[first], "shop:till")
        conflict.wait_for()
        cluster.wait_state("CONCILIATION")
        page.get_by_role("button", name="Keep the newest: all conflicts").click()
        page.get_by_role("dialog").get_by_role("button").last().click()
        page.get_by_text("No process runs more often than it should.").wait_for()
        tap.check(cluster.running_on(0, "shop:till"), [f"s{first + 1}"], "where it runs at last")


if __name__ == "__main__":
    with scene:
        tap.run_all(options)
