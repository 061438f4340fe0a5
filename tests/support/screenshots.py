#!/usr/bin/python3
"""Pictures of every page of the dashboard, in both themes, into docs/images: make screenshots.

    screenshots.py --build DIR [--to DIRECTORY]

A web shop on three nodes, with real servers (nginx, redis), that has seen things: a program that crashed, one that an impatient
person killed, one that cannot be started, and one that runs twice.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time

from browser import Browser
from cluster_servers import Cluster, free_ports
from daemon import wait_until
from dashboard import live, url

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEMO = os.path.join(ROOT, "docs", "examples", "demo-cluster")
BYTES_MAX = 200_000
HISTORY_SECONDS = 45  # that the charts have something to show
PROGRAMS = """
[group:shop]
programs=store,catalogue,web,worker
[program:store]
command=redis-server --bind 127.0.0.1 --port {store} --save "" --daemonize no
autostart=false
ready=port:{store}
startsecs=0
[program:catalogue]
command=@PYTHON@ -u {demo}/catalogue.py {store}
autostart=false
autorestart=false
startsecs=0
[program:web]
command=nginx -p @DIR@ -c @DIR@/web_%(process_num)d.conf
process_name=%(program_name)s_%(process_num)d
numprocs=2
numprocs_start=1
autostart=false
stopsignal=QUIT
[program:worker]
command=@PYTHON@ -u {demo}/worker.py {store}
process_name=%(program_name)s_%(process_num)d
numprocs=4
numprocs_start=1
autostart=false
[group:office]
programs=invoices,newsletter,backup
[program:invoices]
command=@PYTHON@ -uc "import ctypes, time; print('invoice 2026-1043 for Ada Lovelace'); print('invoice 2026-1044 for Grace Hopper'); time.sleep(20); print('logo.png: reading past its end'); ctypes.string_at(0)"
autostart=false
autorestart=false
startsecs=0
[program:newsletter]
command=@PYTHON@ -uc "import time; print('sending 40,000 letters'); time.sleep(1000)"
autostart=false
autorestart=false
startsecs=0
[program:backup]
command=sh -c 'echo "/dev/st0: the tape drive is offline" >&2; exit 3'
autostart=false
startretries=1
restart_delay=0.1
[program:metrics]
command=@PYTHON@ -uc "import time; [(sum(i * i for i in range(150000)), time.sleep(0.2)) for _ in iter(int, 1)]"
startsecs=0
"""
PROGRAM = '<program {}><start_sequence>{}</start_sequence><required>{}</required><expected_loading>{}</expected_loading>{}' \
    '<running_failure_strategy>RESTART_PROCESS</running_failure_strategy></program>'
RULES = """<application name="shop"><start_sequence>1</start_sequence><starting_strategy>LESS_LOADED</starting_strategy>
<operational_status>'store' and any('web_\\d+') and any('worker_\\d+')</operational_status><programs>""" \
    + PROGRAM.format('name="store"', 1, "true", 20, "") + PROGRAM.format('name="catalogue"', 2, "true", 0, "<wait_exit>true</wait_exit>") \
    + PROGRAM.format('pattern="worker_"', 3, "true", 5, "") + PROGRAM.format('pattern="web_"', 4, "true", 20, "") + """</programs></application>
<application name="office"><start_sequence>2</start_sequence><starting_failure_strategy>CONTINUE</starting_failure_strategy><programs>""" \
    + "".join(PROGRAM.format(f'name="{name}"', 1, "false", 5, "") for name in ("invoices", "newsletter")) + "</programs></application>"
NGINX = """daemon off; pid web_{0}.pid; error_log stderr; events {{}}
http {{ access_log off; client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
server {{ listen 127.0.0.1:{1}; location / {{ return 200 "open"; }} }} }}
"""


class Shop(Cluster):
    def nicknames(self, count):
        return ["berlin", "lisbon", "oslo"]


def shop_of(build):
    store, first, second = free_ports(3)
    shop = Shop(build, 3, PROGRAMS.format(store=store, demo=DEMO), RULES,
                options="conciliation_strategy=USER\nsoftware_name=Web shop\nstats_collecting_period=1\nstats_periods=2,10,60")
    for server in shop.servers:
        for number, port in ((1, first), (2, second)):
            server.write(f"web_{number}.conf", NGINX.format(number, port))
    return shop


def states(shop):
    return {f"{one['application_name']}:{one['process_name']}": one["statename"] for one in shop.call(0, "get_all_process_info")}


def live_through(shop):
    """What the pictures show."""
    shop.start()
    shop.wait_state("OPERATION", timeout=60)
    wait_until(lambda: states(shop).get("shop:web_2") == "RUNNING", 60, "the shop to open")
    proxies = [server.rpc(over="tcp").supervisor for server in shop.servers]
    wait_until(lambda: states(shop)["office:newsletter"] == "RUNNING", 20, "the newsletter")
    pid = next(info["pid"] for proxy in proxies for info in [proxy.getProcessInfo("office:newsletter")] if info["pid"])
    subprocess.run(["bash", "-c", f"kill -KILL {int(pid)}"], check=True)  # bash: so is the sender called
    proxies[2].startProcess("office:backup", False)
    wait_until(lambda: states(shop)["office:invoices"] == "EXITED", 40, "invoices to crash")
    other = next(index for index in range(3) if shop.running_on(0, "shop:worker_1") != [shop.nicks[index]])
    time.sleep(HISTORY_SECONDS)  # a film of that length, so to say: it has to be lived through
    proxies[other].startProcess("shop:worker_1")
    shop.wait_state("CONCILIATION")


def places(shop):
    first = shop.identifiers[0].replace(":", "%3A")
    def at(name):
        return shop.identifiers[shop.nicks.index(shop.running_on(0, f"shop:{name}")[0])].replace(":", "%3A") + f"%2Fshop%3A{name}"

    follow = ",".join([at(f"worker_{i}") for i in range(1, 5)])
    return {"cluster": "#/", "instance": f"#/instances/{first}", "host": f"#/instances/{first}/host", "application": "#/applications/shop",
            "process": "#/processes/office%3Ainvoices", "conciliation": "#/conciliation", "logs": f"#/logs?follow={follow}", "timeline": "#/timeline"}


def take(page, path):
    page.get_by_role("main").get_by_role("heading").first().wait_for()
    page.evaluate("() => new Promise((done) => setTimeout(done, 2500))")  # charts and logs have come
    page.screenshot(path=path)
    if shutil.which("convert"):  # 256 colours are enough, and a third of the bytes
        subprocess.run(["convert", path, "+dither", "-colors", "256", f"png8:{path}"], check=True)
    size = os.path.getsize(path)
    print(f"{path}: {size // 1000} KB{', too large' if size > BYTES_MAX else ''}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--to", default=os.path.join(ROOT, "docs", "images"))
    options = parser.parse_args()
    os.makedirs(options.to, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with shop_of(os.path.abspath(options.build)) as shop, Browser() as browser:
        live_through(shop)
        for theme in ("light", "dark"):
            with browser.open(url(shop, 0), color_scheme=theme) as page:
                for name, place in places(shop).items():
                    page.goto(f"/{place}")
                    take(live(page), os.path.join(options.to, f"{name}-{theme}.png"))
        with browser.open(url(shop, 0), color_scheme="dark", viewport={"width": 390, "height": 800}, is_mobile=True) as page:
            for name in ("cluster", "process"):
                page.goto(f"/{places(shop)[name]}")
                take(live(page), os.path.join(options.to, f"{name}-phone.png"))


if __name__ == "__main__":
    main()
