# seconds: 240
# What the buttons of the dashboard do, done as a person does it, and asked of svisord afterwards. Node 1's page controls all.
import contextlib
import os
import re
import sys
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from cluster_servers import Cluster
from daemon import wait_until
from dashboard import PROGRAMS, RULES, Scene, live, url

# `told` says what it was told: its arguments, its input, a signal. `deaf` has closed its input. `pool` is several processes.
PROGRAMS_MORE = """
[group:tools]
programs=told
[program:told]
command=@PYTHON@ -uc "import signal, sys; signal.signal(signal.SIGUSR1, lambda *_: print('caught SIGUSR1')); print('arguments', sys.argv[1:]); [print('heard', repr(line)) for line in sys.stdin]"
startsecs=0
autostart=false
autorestart=false
stdout_logfile=@DIR@/told.log
[program:deaf]
command=sh -c 'exec 0<&-; echo deaf; exec sleep 1000'
startsecs=0
stdout_logfile=@DIR@/deaf.log
[program:pool]
command=@PYTHON@ -c "import signal; signal.pause()" @MARK@-pool
process_name=pool_%(process_num)d
numprocs=2
startsecs=0
"""
RULES_MORE = '<application name="tools"><programs><program name="told"/></programs></application>'
options = tap.arguments()
scene = Scene(options.build, PROGRAMS_MORE, RULES_MORE, options="conciliation_strategy=USER")


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


def ask(page, of, item, verb, **fields):
    """Chooses from a menu, fills the fields of the question, and says yes. The dialog, which is gone if all was right."""
    menu(page, of, item)
    dialog = page.get_by_role("dialog")
    for label, text in fields.items():
        field = dialog.get_by_label(label.replace("_", " "))
        field.select_option(text) if label in ("Signal", "Instance") else field.fill(text)
    dialog.get_by_role("button", name=verb, exact=True).click()
    return dialog


def came_of_it(page, text):
    """What the page says of the last action; nothing of it is in the way of the next one."""
    page.get_by_role("status", name="What came of actions").get_by_text(text).wait_for()
    page.get_by_role("button", name="Close this message").first().click()


def told(index, text):
    wait_until(lambda: text in scene.cluster.servers[index].read("told.log"), 10, f"told at s{index + 1} to say {text}")


def off(page, of, item):
    """The item of the menu that cannot be chosen: what it says."""
    page.get_by_role("button", name=of, exact=True).click()
    found = page.get_by_role("menuitem", name=item)
    tap.check(found.get_attribute("aria-disabled"), "true", f"whether {item} is off")
    text = found.inner_text()
    page.keyboard.press("Escape")
    return text


@tap.test("a process starts in the chosen instance, with the arguments that were written")
def _():
    with scene.open(0, "#/applications/tools") as page:
        ask(page, "More for tools:told", "Start in a chosen instance", "Start there", Instance=scene.cluster.identifiers[2], Extra_arguments="--level 'very high' 7")
        came_of_it(page, "tools:told was told to start at s3.")
        told(2, "arguments ['--level', 'very high', '7']")
        row = page.get_by_role("table", name="Processes").get_by_role("row").filter(has=page.get_by_role("link", name="told", exact=True))
        wait_until(lambda: "s3" in row.inner_text() and "with --level 'very high' 7" in row.inner_text(), 10, "the row to say where and with what")
        tap.check([scene.statename(index, "tools:told") for index in range(3)], ["STOPPED", "STOPPED", "RUNNING"], "told")
        page.get_by_role("button", name="Stop tools:told").click()
        confirm(page, "Stop")
        becomes(2, "tools:told", "STOPPED")
        page.get_by_role("button", name="Start tools:told").click()
        dialog = page.get_by_role("dialog")
        tap.check(dialog.get_by_label("Extra arguments").input_value(), "--level 'very high' 7", "the arguments of the last start")
        dialog.get_by_label("Extra arguments").fill("")
        promised = re.search(r"tools:told\s+at (\w+)", confirm(page, "Start").partition("Starts")[2])[1]
        came_of_it(page, "tools:told runs.")
        told(scene.cluster.nicks.index(promised), "arguments []")
        tap.check(scene.cluster.running_on(0, "tools:told"), [promised], "where it runs by the rules")


@tap.test("arguments that are no command line are told to be so, and the next ones count")
def _():
    index = scene.cluster.nicks.index(scene.cluster.running_on(0, "tools:told")[0])
    scene.rpc(index).supervisor.stopProcess("tools:told")
    with scene.open(1, "#/applications/tools") as page:
        page.get_by_role("button", name="Start tools:told").wait_for()
        dialog = ask(page, "More for tools:told", "Start in a chosen instance", "Start there", Instance=scene.cluster.identifiers[index], Extra_arguments='--level "very high')
        dialog.get_by_role("alert").get_by_text("A quotation mark is not closed").wait_for()
        tap.check(scene.statename(index, "tools:told"), "STOPPED", "told")
        dialog.get_by_label("Extra arguments").fill('--level "very high"')
        page.keyboard.press("Enter")
        came_of_it(page, f"tools:told was told to start at s{index + 1}.")
        told(index, "arguments ['--level', 'very high']")


@tap.test("text that is written to the input of a process is read by it, from the pages of its instance and of itself")
def _():
    index = scene.cluster.nicks.index(scene.cluster.running_on(0, "tools:told")[0])
    with scene.open((index + 1) % 3, scene.place_of(index)) as page:
        ask(page, "More for tools:told", "Write to its input", "Write", Text="a letter\nof two lines, Łódź")
        came_of_it(page, f"tools:told was given the text at s{index + 1}.")
        told(index, "heard 'a letter\\n'\nheard 'of two lines, Łódź\\n'\n")
        page.goto("/#/processes/tools%3Atold")
        ask(page, "More for tools:told", "Write to its input", "Write", Text="")  # as one who presses Enter
        came_of_it(page, f"tools:told was given the text at s{index + 1}.")
        told(index, "heard '\\n'\n")
        page.get_by_role("article", name=f"At s{index + 1}").get_by_text("a letter").first().wait_for()


@tap.test("an input that nobody reads is told to be so, in words")
def _():
    with scene.open(0, scene.place_of(1)) as page:
        page.allow("status of 404|status of 409")
        wait_until(lambda: "deaf" in scene.cluster.servers[1].read("deaf.log"), 10, "deaf to have closed its input")
        ask(page, "More for deaf", "Write to its input", "Write", Text="can you hear me?")
        came_of_it(page, "Writing to deaf: deaf has closed its input.")
        menu(page, "More for deaf", "Write to its input")
        scene.rpc(1).supervisor.stopProcess("deaf")
        page.get_by_role("dialog").get_by_role("button", name="Write", exact=True).click()
        came_of_it(page, "Writing to deaf: deaf does not run.")
        page.get_by_role("button", name="Start deaf", exact=True).wait_for()
        for item in ("Write to its input", "Send a signal", "Restart"):
            tap.check_true("It does not run" in off(page, "More for deaf", item), f"what the menu says of {item}")
        page.get_by_role("button", name="Start deaf", exact=True).click()
        becomes(1, "deaf", "RUNNING")


@tap.test("a signal comes to the process that it was sent to, and to no other")
def _():
    index = scene.cluster.nicks.index(scene.cluster.running_on(0, "tools:told")[0])
    with scene.open((index + 1) % 3, "#/processes/tools%3Atold") as page:
        tap.check_true("caught" not in scene.cluster.servers[index].read("told.log"), "a signal before it was sent")
        ask(page, "More for tools:told", "Send a signal", "Send", Signal="USR1")
        came_of_it(page, f"tools:told was sent SIGUSR1 at s{index + 1}.")
        told(index, "caught SIGUSR1")
        page.goto(f"/{scene.place_of(2)}")
        ask(page, "More for talk", "Send a signal", "Send", Signal="TERM")
        came_of_it(page, "talk was sent SIGTERM at s3.")
        wait_until(lambda: "SIGTERM" in str(scene.told(2, "why", "talk")), 10, "talk of s3 to have died of it")
        tap.check_true("SIGTERM" not in str(scene.told(1, "why", "talk")), "talk of s2 was hit, too")


@tap.test("the number of processes of a program grows and shrinks in all instances, as was shown before")
def _():
    pool = {f"s{i + 1}": [] for i in range(3)}
    def processes():
        for index, nick in enumerate(pool):
            pool[nick] = sorted(one["name"] for one in scene.rpc(index).supervisor.getAllProcessInfo() if one["group"] == "pool" and one["statename"] == "RUNNING")
        return pool
    with scene.open(0, "#/applications/pool") as page:
        page.allow("status of 409")
        rows = page.get_by_role("table", name="Processes").get_by_role("link", name=re.compile("^pool_"))
        wait_until(lambda: rows.all_inner_texts() == ["pool_0", "pool_1"], 10, "two rows")
        for wrong in ("0", "-1", "2.5", "10001", ""):
            dialog = ask(page, "More for pool:pool_0", "Number of processes of pool", "Change the number", Processes=wrong)
            dialog.get_by_role("alert").get_by_text("Write a whole number from 1 to 10000").wait_for()
            page.keyboard.press("Escape")
        menu(page, "More for pool:pool_0", "Number of processes of pool")
        field = page.get_by_role("dialog").get_by_label("Processes")
        field.fill("")
        page.keyboard.type("x")
        page.keyboard.press("Enter")
        page.get_by_role("dialog").get_by_role("alert").get_by_text("Write a whole number").wait_for()
        field.fill("3")
        page.get_by_text("1 process is added at each of s1, s2, s3").wait_for()
        page.keyboard.press("Enter")
        came_of_it(page, "pool has 3 processes at s1, s2, s3 now.")
        wait_until(lambda: all(names == ["pool_0", "pool_1", "pool_2"] for names in processes().values()), 10, "three processes in each")
        wait_until(lambda: len(scene.cluster.copies("pool")) == 9, 10, "nine real processes")
        wait_until(lambda: len(rows.all_inner_texts()) == 3, 10, "three rows")
        menu(page, "More for pool:pool_1", "Number of processes of pool")
        page.get_by_role("dialog").get_by_label("Processes").fill("1")
        text = confirm(page, "Change the number")
        tap.check(sorted(re.findall(r"pool:(pool_\d)\s+at (s\d)", text)), [(f"pool_{i}", f"s{k}") for i in (1, 2) for k in (1, 2, 3)], "what was said to stop")
        wait_until(lambda: all(names == ["pool_0"] for names in processes().values()), 10, "one process in each")
        wait_until(lambda: len(scene.cluster.copies("pool")) == 3, 10, "three real processes")
        wait_until(lambda: rows.all_inner_texts() == ["pool_0"], 10, "one row")
        page.goto("/#/applications/talk")
        ask(page, "More for talk", "Number of processes of talk", "Change the number", Processes="2")
        came_of_it(page, "process_name must have %(process_num)d in it")
        tap.check(scene.statename(0, "talk"), "RUNNING", "talk")


@tap.test("a disabled program is marked, refused, not placed, and starts again when it is enabled")
def _():
    with scene.open(0, "#/applications/tools") as page:
        page.allow("status of 409|status of 500")
        up = scene.cluster.nicks.index(scene.cluster.running_on(0, "tools:told")[0])
        menu(page, "More for tools:told", "Disable told everywhere")
        tap.check_true(f"at s{up + 1}" in confirm(page, "Disable"), "what was said to stop")
        came_of_it(page, "told is disabled at s1, s2, s3.")
        becomes(up, "tools:told", "STOPPED")
        row = page.get_by_role("table", name="Processes").get_by_role("row").filter(has=page.get_by_role("link", name="told", exact=True))
        row.get_by_text("disabled").first().wait_for()
        tap.check_true("disabled" in off(page, "More for tools:told", "Start in a chosen instance"), "why nowhere can be chosen")
        page.get_by_role("button", name="Start tools:told").click()
        unplaced = page.get_by_role("dialog").get_by_role("region", name="Finds no place")
        unplaced.get_by_text("disabled").first().wait_for()
        page.get_by_role("dialog").get_by_role("button", name="Start", exact=True).click()
        came_of_it(page, "Failed to start tools:told. Its page says why.")
        row.get_by_role("link", name="told", exact=True).click()
        page.get_by_text("s1 refused: disabled there").first().wait_for()
        page.goto(f"/{scene.place_of(1)}")
        line = page.get_by_role("table", name="Processes").get_by_role("row").filter(has=page.get_by_role("button", name="Start tools:told"))
        line.get_by_text("disabled").first().wait_for()
        tap.check(line.get_by_role("button", name="Start tools:told").get_attribute("title"), "It is disabled", "why it cannot start")
        try:
            scene.rpc(1).supervisor.startProcess("tools:told")
            tap.fail("a disabled program has started")
        except xmlrpc.client.Fault as fault:
            tap.check_true("DISABLED" in fault.faultString, fault.faultString)
        menu(page, "More for tools:told", "Enable told here")
        came_of_it(page, "told may start again at s2.")
        page.get_by_role("button", name="Start tools:told").click()
        becomes(1, "tools:told", "RUNNING")
        tap.check(page.get_by_role("table", name="Processes").get_by_role("row").filter(has=page.get_by_role("button", name="Stop tools:told")).get_by_text("disabled").count(), 0, "marks")
        page.goto("/#/applications/tools")
        menu(page, "More for tools:told", "Enable told everywhere")
        came_of_it(page, "told may start again at s1, s3.")
        wait_until(lambda: not any(scene.cluster.call(index, "get_local_process_info", "tools:told")["disabled"] for index in range(3)), 10, "told to be enabled")


@tap.test("what runs everywhere can be started nowhere else, and the menu says so")
def _():
    with scene.open(0, "#/applications/talk") as page:
        rows = page.get_by_role("table", name="Processes")
        wait_until(lambda: all(nick in rows.inner_text() for nick in scene.cluster.nicks), 10, "talk to run everywhere")
        tap.check_true("It runs" in off(page, "More for talk", "Start in a chosen instance"), "why nowhere can be chosen")


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
        page.allow("status of 500 .*/svisor/getUsage")  # the page asked it while it went
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
