# suite: quick
# seconds: 60
# The dashboard in a browser, in some seconds: it is there, live, and does what its buttons say.
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from browser import Browser
from lone import PORT, serve

WEB = """
[program:web]
command=sleep 1000
startsecs=0
"""
options = tap.arguments()


@tap.test("the page of one svisord is live, and its button stops a program")
def _():
    with serve(options.build, PORT + WEB) as server, Browser() as browser, \
            browser.open(f"http://127.0.0.1:{server.port}/") as page:
        page.get_by_role("status", name="Connection: Live").wait_for()
        page.get_by_role("button", name="Stop web", exact=True).click()
        page.get_by_role("button", name="Start web", exact=True).wait_for()
        tap.check(server.rpc(over="tcp").supervisor.getProcessInfo("web")["statename"], "STOPPED", "web")


if __name__ == "__main__":
    tap.run_all(options)
