# seconds: 150
# The dashboard of one daemon without [rpcinterface:supvisors]: it shows what its programs and its host use, as that of a cluster does.
import contextlib
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from browser import Browser, check_of
from daemon import Server, binary, wait_until
from dashboard import live

CONFIG = """
[inet_http_server]
port=127.0.0.1:@PORT@
{secret}
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=solo
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[program:burn]
command=@PYTHON@ -c "while True: pass"
startsecs=0
[program:web]
command=sleep 1000
startsecs=0
[program:db]
command=sleep 1000
startsecs=0
autostart=false
[group:shop]
programs=web,db
"""
options = tap.arguments()


@contextlib.contextmanager
def solo(secret="", login=""):
    """(server, open): one daemon, and what opens a place of its page."""
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    with Server("svisord", options.build, CONFIG.replace("{secret}", secret)) as server, Browser() as browser:
        yield server, lambda place, **more: live(browser.open(f"http://{login}127.0.0.1:{server.port}/{place}", **more))


def has_chart(page, name):
    """Lines over a time axis, and what they say in numbers."""
    panel = page.get_by_role("region", name=name, exact=True)
    panel.locator("canvas").wait_for()
    panel.get_by_role("table", name=f"{name} in numbers").get_by_role("rowheader").first().wait_for()


@tap.test("the table has what each program uses; a click on it shows its history, and the page of the process, too")
def _():
    with solo() as (server, open_page), open_page("#/") as page:
        table = page.get_by_role("table", name="Processes")
        burnt = table.get_by_role("button", name=re.compile(r"^CPU of burn: [1-9]"))
        burnt.wait_for()
        table.get_by_role("button", name=re.compile(r"^Memory of shop:web: \d")).wait_for()
        titles = [one.split("\n")[0] for one in table.get_by_role("columnheader").all_inner_texts()]
        tap.check([one for one in titles if one in ("Load", "CPU", "Memory")], ["CPU", "Memory"], f"columns of {titles}")
        tap.check(table.get_by_role("button", name=re.compile("of shop:db:")).count(), 0, "measures of what does not run")
        tap.check(sorted(server.rpc(over="tcp").svisor.getUsage()["processes"]), ["burn", "shop:web"], "what svisord says")
        burnt.click()
        for name in ("CPU", "Memory"):
            has_chart(page.get_by_role("region", name="Statistics of burn"), name)
        page.goto("/#/processes/burn")
        for name in ("CPU", "Memory"):
            has_chart(page.get_by_role("region", name="What it uses"), name)


@tap.test("its host has a page, with charts over the periods that there are")
def _():
    with solo() as (_, open_page), open_page("#/") as page:
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="Host").click()
        for name in ("CPU", "Memory"):
            has_chart(page.get_by_role("region", name="Processor and memory"), name)
        periods = page.get_by_role("group", name="Statistics period").get_by_role("button")
        tap.check(periods.all_inner_texts(), ["2 s", "10 s", "1 min"], "periods")
        periods.nth(1).click()
        wait_until(lambda: "period=10" in page.evaluate("() => location.hash"), 5, "the period in the address")
        page.keyboard.press("Control+k")
        page.keyboard.type("host")
        page.get_by_role("option", name="Host page").wait_for()


@tap.test("no page of it is wider than a phone of 360 pixels")
def _():
    with solo() as (_, open_page), open_page("#/", viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True) as page:
        ways = page.get_by_role("navigation", name="Pages")
        for place in ("Processes", "Host", "Daemon"):
            ways.get_by_role("link", name=place).click()
            ways.locator("[aria-current=page]").filter(has_text=place).wait_for()
            tap.check(page.evaluate(check_of("wide")), [], f"what sticks out of {place}")


@tap.test("with the name and the password in the address, as in a bookmark, the page does what its buttons say")
def _():
    with solo("username=op\npassword=secret", "op:secret@") as (_, open_page), open_page("#/") as page:
        page.get_by_role("button", name="Stop shop:web").click()
        page.get_by_text("shop:web was told to stop.").wait_for()


@tap.test("a page notices by itself that its daemon is frozen, or the way to it cut, and is live again afterwards")
def _():
    with solo() as (server, open_page), open_page("#/") as page:
        page.allow("WebSocket connection to .* failed", "ERR_")
        server.process.send_signal(signal.SIGSTOP)
        try:
            page.get_by_role("alert").get_by_text("Not connected since").wait_for(timeout=60000)
        finally:
            server.process.send_signal(signal.SIGCONT)
        page.get_by_role("status", name="Connection: Live").wait_for(timeout=60000)


if __name__ == "__main__":
    tap.run_all(options)
