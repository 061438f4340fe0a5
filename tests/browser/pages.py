# seconds: 150
# The pages for one thing each: logs, the timeline, an application, a process, conflicts. What they say and do is compared with svisord.
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import wait_until
from dashboard import Scene, live, started

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
        scene.rpc(2).supervisor.startProcess("talk")


@tap.test("what happened on node 3 is in the timeline of node 1's page at once, and filters of it are in the address")
def _():
    with scene.open(0, "#/timeline") as page:
        main = page.get_by_role("main")
        main.get_by_text("crash").first().wait_for(state="detached")
        os.kill(started(scene.cluster.servers[2], "crash"), signal.SIGKILL)
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


if __name__ == "__main__":
    with scene:
        tap.run_all(options)
