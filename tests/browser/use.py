# seconds: 150
# Everybody can use the dashboard: every page in both themes, on a phone, by keys alone, with a screen reader.
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from browser import check_of
from daemon import wait_until
from dashboard import Scene, end, live, started

# Controls that say nothing to a screen reader, in Playwright's words for the accessibility tree.
NAMELESS = re.compile(r"^\s*- (button|link|textbox|searchbox|combobox|checkbox|menuitem|option|switch|radio|slider|img|dialog|table)( \[.*\])?:?$")
LONG = "a_name_" + "that_some_tool_has_generated_" * 3
LONG_PROGRAM = f"[program:{LONG}]\ncommand=sleep 1000\nstartsecs=0\nautostart=false\n[group:{LONG}_group]\nprograms={LONG}\n"
LONG_RULE = f'''<application name="{LONG}_group"><start_sequence>1</start_sequence><programs>
  <program name="{LONG}"><start_sequence>1</start_sequence><required>true</required></program></programs></application>'''
options = tap.arguments()
scene = Scene(options.build, LONG_PROGRAM, LONG_RULE, options=f"conciliation_strategy=USER\nsoftware_name=The shop of {LONG}")


def make_trouble():
    """A process that has crashed, another one that runs twice."""
    if scene.statename(0, "crash") != "EXITED":
        end(started(scene.cluster.servers[0], "crash"), signal.SIGUSR1)
        wait_until(lambda: scene.statename(0, "crash") == "EXITED", 10, "the crash")
        for index in range(3):
            started(scene.cluster.servers[index], "shop:till")
        scene.cluster.wait_state("CONCILIATION")


def each_page(**more):
    """Every page, with something to show."""
    make_trouble()
    with scene.open(0, **more) as page:
        for place in scene.places():
            page.goto(f"/{place}")
            heading = live(page).get_by_role("main").get_by_role("heading").first().inner_text()
            tap.check("no such page" in heading, place == "#/nowhere", f"{place}: {heading}")
            wait_until(lambda: not re.search("(Reading|Asking).*…", page.get_by_role("main").inner_text()), 10, f"all of {place} to be there")
            yield place, page
        page.goto("/#/")
        page.keyboard.press("Control+k")
        page.get_by_role("dialog").wait_for()
        yield "the palette", page
        page.keyboard.press("Escape")
        page.get_by_role("table", name="Applications").scroll_into_view_if_needed()
        page.get_by_role("button", name="Stop shop").click()
        page.get_by_role("dialog").get_by_role("button", name="Stop", exact=True).wait_for()
        yield "a question", page


def none(found, what):
    found = {place: texts for place, texts in found.items() if texts}
    tap.check_true(not found, what + "".join(f"\n{place}: {text}" for place, texts in found.items() for text in texts))


@tap.test("every text of every page is dark or light enough to be read, in both themes (WCAG AA)")
def _():
    for scheme in ("light", "dark"):
        found = {f"{place}, {scheme}": page.evaluate(check_of("faint")) for place, page in each_page(color_scheme=scheme)}
        none(found, "too faint:")
    print(f"# {len(found)} pages and dialogs in each theme")


@tap.test("every control has a name, and ids are there and unique")
def _():
    found = {}
    for place, page in each_page():
        lines = page.locator("body").aria_snapshot().split("\n")
        found[place] = [line for line in lines if NAMELESS.match(line)] + page.evaluate(check_of("astray"))
    none(found, "without a name:")


@tap.test("no page is wider than a phone of 360 pixels")
def _():
    none({place: page.evaluate(check_of("wide")) for place, page in each_page(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)},
         "too wide:")


@tap.test("a name of a hundred characters fits in, on a desk and on a phone")
def _():
    namespec = f"{LONG}_group:{LONG}"
    where = scene.cluster.identifiers[scene.cluster.nicks.index(scene.cluster.running_on(0, namespec)[0])].replace(":", "%3A")
    places = ["#/", f"#/instances/{where}", f"#/applications/{LONG}_group", f"#/processes/{namespec}", f"#/logs?follow={where}/{namespec}", "#/timeline"]
    for width in (360, 1280):
        with scene.open(0, viewport={"width": width, "height": 740}) as page:
            for place in places:
                page.goto(f"/{place}")
                live(page).get_by_text(LONG).first().wait_for()
                tap.check(page.evaluate(check_of("wide")), [], f"what sticks out of {place}, {width} pixels wide")
            tap.check(page.get_by_text("Master s").is_visible(), width > 360, "the Master in the head")


@tap.test("what the head says never lies upon its buttons")
def _():
    overlap = "() => document.querySelector('.fact-master').getBoundingClientRect().right - document.querySelector('.top-tools').getBoundingClientRect().left"
    make_trouble()
    for width in (1200, 1280, 1600):
        with scene.open(0, viewport={"width": width, "height": 740}) as page:
            live(page).get_by_role("group", name="State of the cluster").get_by_text("Conciliation").wait_for()
            tap.check_true(page.evaluate(overlap) <= 0, f"{page.evaluate(overlap)} pixels of {width}")


@tap.test("an address with what is no encoding has its page all the same")
def _():
    for place in (f"{scene.place_of(0)}?shrunk=%25", "#/applications/shop?open=%25"):
        with scene.open(0, place) as page:
            page.get_by_role("table", name="Processes").wait_for()


@tap.test("what is asked for while a question is open takes its place")
def _():
    with scene.open(0, "#/applications/shop") as page:
        page.get_by_role("button", name="Stop…").click()
        page.get_by_role("dialog", name="Stop shop?").wait_for()
        page.keyboard.press("Control+k")
        page.keyboard.type("restart application shop")
        page.keyboard.press("Enter")
        page.get_by_role("dialog", name="Restart shop?").get_by_text("Load after it").wait_for()
        tap.check(page.get_by_role("dialog").count(), 1, "dialogs")


@tap.test("nothing moves for those who have asked for less of it")
def _():
    none({place: page.evaluate(check_of("moving")) for place, page in each_page(reduced_motion="reduce")}, "moving:")


@tap.test("the theme that was chosen holds after a reload, whatever the system says")
def _():
    with scene.open(0, color_scheme="light") as page:
        ground = "() => getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(ground)
        page.get_by_role("button", name="More", exact=True).click()
        page.get_by_role("menuitem", name="Theme: dark").click()
        dark = page.evaluate(ground)
        tap.check_true(light != dark, f"light and dark are both {dark}")
        page.reload()
        tap.check(live(page).evaluate(ground), dark, "after the reload")


@tap.test("filters and sorting are in the address, and survive a reload")
def _():
    with scene.open(0, scene.place_of(1)) as page:
        page.get_by_role("searchbox", name="Filter processes").fill("shop we")
        rows = page.get_by_role("table", name="Processes").get_by_role("row")
        wait_until(lambda: "filter=shop+we" in page.evaluate("() => location.hash"), 5, "the filter in the address")
        page.get_by_role("columnheader").get_by_role("button", name="State").click()
        before = rows.all_inner_texts()
        tap.check_true(any("web" in row for row in before) and not any("stock" in row for row in before), f"{before}")
        page.reload()
        live(page)
        tap.check(page.get_by_role("searchbox", name="Filter processes").input_value(), "shop we", "the filter")
        tap.check(page.get_by_role("columnheader", name="State").get_attribute("aria-sort"), "ascending", "sorting")
        tap.check([row.split("\n")[0] for row in rows.all_inner_texts()], [row.split("\n")[0] for row in before], "rows")


@tap.test("with keys alone: to an instance, to a process in its table, stopping and starting it, and back")
def _():
    scene.rpc(1).supervisor.startProcess("talk") if scene.statename(1, "talk") != "RUNNING" else None
    with scene.open(0) as page:
        press = page.keyboard.press
        press("Tab")
        press("Enter")
        tap.check(page.evaluate("() => document.activeElement.id"), "main", "where the first link leads")
        press("Control+k")
        page.keyboard.type("s2")
        page.get_by_role("option", name="s2 instance").first().wait_for()
        press("Enter")
        page.get_by_role("heading", name="s2", level=1).wait_for()
        press("/")
        page.keyboard.type("talk")
        wait_until(lambda: page.get_by_role("table", name="Processes").get_by_role("link").count() == 1, 5, "the filter to work")
        reach(page, "Stop talk")
        press("Enter")
        page.get_by_role("button", name="Start talk", exact=True).wait_for()
        reach(page, "Start talk")
        press("Space")
        wait_until(lambda: scene.statename(1, "talk") == "RUNNING", 10, "talk to run")
        reach(page, "More for talk")
        press("Enter")
        page.get_by_role("menu").wait_for()
        press("Escape")
        tap.check(page.evaluate("() => document.activeElement.ariaLabel"), "More for talk", "what has the focus after the menu")
        press("?")
        page.get_by_role("dialog", name="Help").wait_for()
        press("Escape")
        page.get_by_role("dialog", name="Help").wait_for(state="detached")
        press("g")
        press("c")
        page.get_by_role("region", name="Instances").wait_for()


@tap.test("the palette and a menu take the next key at once, also when the next frame is late")
def _():
    now = "async () => { for (let i = 0; i < 20; i++) await null; return document.activeElement.getAttribute('role') }"  # before any frame
    with scene.open(0, scene.place_of(1)) as page:
        page.get_by_role("button", name="More for talk").wait_for()
        tap.check(page.evaluate(f"async () => {{ dispatchEvent(new KeyboardEvent('keydown', {{ key: 'k', ctrlKey: true }})); return ({now})() }}"), "combobox", "what has the focus")
        page.keyboard.press("Escape")
        tap.check(page.evaluate(f"async () => {{ document.querySelector('[aria-label=\"More for talk\"]').click(); return ({now})() }}"), "menuitem", "what has the focus")


@tap.test("arrows go through a table, and through what the palette has found")
def _():
    with scene.open(0, scene.place_of(1)) as page:
        press = page.keyboard.press
        page.get_by_role("table", name="Processes").get_by_role("link").first().focus()
        first = page.evaluate("() => document.activeElement.textContent")
        press("ArrowDown")
        second = page.evaluate("() => document.activeElement.textContent")
        press("ArrowUp")
        tap.check_true(first != second and page.evaluate("() => document.activeElement.textContent") == first, f"{first}, {second}")
        press("Control+k")
        press("ArrowDown")
        chosen = page.get_by_role("option", selected=True)
        tap.check(chosen.count(), 1, "chosen options")
        tap.check(page.get_by_role("combobox").get_attribute("aria-activedescendant"), chosen.get_attribute("id"), "what is said to be chosen")


def reach(page, name):
    """Goes there with Tab, as far as one page has controls."""
    for _ in range(120):
        if page.evaluate("() => document.activeElement.ariaLabel") == name:
            return
        page.keyboard.press("Tab")
    tap.fail(f"Tab does not lead to {name}")


if __name__ == "__main__":
    with scene:
        tap.run_all(options)
