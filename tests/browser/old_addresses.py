# seconds: 60
# What a browser makes of Supervisor's old addresses, and of the stream of events: bookmarks with actions, tails, EventSource over a restart.
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import wait_until
from dashboard import Scene, live, url

options = tap.arguments()
scene = Scene(options.build)


def opened(place):
    """A page that is none of the dashboard's."""
    return scene.browser.open(url(scene.cluster, 0, place))


@tap.test("a bookmark with an action asks first; the button does it and leads to the dashboard, which says so once")
def _():
    with opened("index.html?action=stop&processname=talk") as page:
        page.allow("status of 405")
        page.get_by_role("button", name="stop talk").wait_for()
        tap.check(scene.statename(0, "talk"), "RUNNING", "before the button")
        page.get_by_role("button", name="stop talk").click()
        live(page)
        page.get_by_text("Process talk stopped").wait_for()
        tap.check(scene.statename(0, "talk"), "STOPPED", "after it")
        tap.check(page.evaluate("() => location.href"), url(scene.cluster, 0, ""), "the address")
        page.goto("/?message=%3Cimg%20src%3Dx%3E")
        page.get_by_text("<img src=x>").wait_for()
    scene.rpc(0).supervisor.startProcess("talk")


@tap.test("tail.html shows the output and clears it")
def _():
    wait_until(lambda: "first line" in scene.cluster.servers[0].read("talk.log"), 10, "talk to talk")
    with opened("tail.html?processname=talk") as page:
        page.get_by_text("first line").first().wait_for()
        page.get_by_role("button", name="clearlog talk").click()
        live(page)
        page.get_by_text("Log for talk cleared").wait_for()
        tap.check(scene.cluster.servers[0].read("talk.log"), "", "the log")


@tap.test("Supvisors' pages lead to their places in the dashboard")
def _():
    identifier = scene.cluster.identifiers[2]
    with opened(f"proc_instance.html?ident={identifier}") as page:
        live(page)
        tap.check(page.evaluate("() => location.hash"), scene.place_of(2), "the place")


@tap.test("an EventSource hears what happens, and is told what it cannot know after the daemon was killed")
def _():
    with scene.open(0) as page:
        page.allow("ERR_", "Failed to load", "WebSocket")
        page.evaluate("""() => new Promise((done) => {
            window.heard = [];
            const source = new EventSource("/events/event");
            for (const header of ["event", "missed"])
                source.addEventListener(header, (event) => heard.push([header, JSON.parse(event.data), event.lastEventId]));
            source.onopen = done;
        })""")
        scene.rpc(0).supervisor.stopProcess("talk")
        page.wait_for_function("() => heard.some(([header, body, id]) => header === 'event' && body.name === 'talk' && body.state === 0 && id)")
        scene.cluster.kill(0)
        scene.cluster.servers[0].start()
        page.wait_for_function("() => heard.some(([header, body]) => header === 'missed' && body.why.includes('none of this svisord'))")
        scene.cluster.wait_state("OPERATION")
        scene.rpc(0).supervisor.startProcess("talk")
        page.wait_for_function("() => heard.at(-1)[1].name === 'talk' && heard.at(-1)[1].state === 20")


if __name__ == "__main__":
    with scene:
        tap.run_all(options)
