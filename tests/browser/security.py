# seconds: 150
# Who wants the dashboard to run their script, or a browser to command svisord: names, arguments and lines of logs that are
# markup, addresses that are, and pages of another origin.
import http.server
import os
import re
import sys
import threading
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from daemon import wait_until
from dashboard import Scene, live, url

# Every attempt that works says so in the console, and that fails the test; so does an <img> that asks for its file.
WITNESS = "Object.defineProperty(window, 'hacked', { set() { console.error('a script from outside was run') } });"
IMAGE = "<img src=x onerror=window.hacked=1>"
NAME = "<b>bold<script>window.hacked=1<"  # neither blanks nor slashes: those no name may have
PROGRAMS = f"""
[program:{NAME}]
command=sh -c 'echo "{IMAGE}"; echo "<script>window.hacked=1</script>"; exit 3'
startsecs=0
autostart=false
autorestart=false
environment=MARKUP="{IMAGE}"
stdout_logfile=@DIR@/markup.log
[program:missing]
command=/nowhere/<svg/onload=window.hacked=1>
autostart=false
startretries=0
startsecs=0
[program:argued]
command=sh -c 'exec sleep 1000'
startsecs=0
autostart=false
[group:<i>evil]
programs={NAME},missing,argued
"""
RULES = f"""<application name="&lt;i&gt;evil"><start_sequence>0</start_sequence><programs>
  <program name="{NAME.replace('<', '&lt;').replace('>', '&gt;')}"><identifiers>s1,s2,s3</identifiers></program>
  <program name="argued"><identifiers>s1</identifiers></program></programs></application>"""
GROUP = "<i>evil"
HOSTILE = """<!DOCTYPE html><title>hostile</title><iframe id=frame src="{own}/" width=900 height=400></iframe>
<form id=form method=post target=sink action="{own}/supervisor/stopProcess/talk"></form><iframe name=sink></iframe>
<script>
const own = "{own}", post = (path, type, body) => fetch(own + path, {{ method: "POST", mode: "no-cors", credentials: "include", headers: {{ "Content-Type": type }}, body }});
const socket = (path) => new Promise((done) => {{
  const one = new WebSocket(own.replace("http", "ws") + path);
  one.onopen = () => done("open"); one.onerror = () => done("refused");
}});
const call = "<?xml version='1.0'?><methodCall><methodName>supervisor.stopProcess</methodName><params><param><value>talk</value></param></params></methodCall>";
(async () => {{
  document.getElementById("form").submit();
  await post("/RPC2", "text/plain", call);
  await post("/supervisor/stopProcess", "text/plain", '{{"name": "talk"}}');
  await post("/supervisor/stopProcess/talk", "text/plain", "");
  await post("/index.html?action=stop&processname=talk", "application/x-www-form-urlencoded", "action=stop&processname=talk");
  for (const path of ["/supervisor/stopProcess/talk", "/index.html?processname=talk&action=stop", "/supervisor/stopProcess?name=talk"])
    await new Promise((done) => {{ const image = new Image(); image.onload = image.onerror = done; image.src = own + path; }});
  window.sockets = [await socket("/live"), await socket("/events/process"), await socket("/logtail/talk")];
  let read = "nothing";
  try {{ read = await (await fetch(own + "/supervisor/getState")).text(); }} catch (error) {{ read = "refused"; }}
  window.read = read;
}})();
</script>"""
options = tap.arguments()
scene = Scene(options.build, PROGRAMS, RULES, options=f"software_name=<b>{IMAGE}</b>")


def hostile_scene():
    """All of it has happened: a program with a bad name has crashed, one cannot be started, one has an argument."""
    proxy = scene.rpc(0)
    if proxy.supervisor.getProcessInfo(f"{GROUP}:{NAME}")["statename"] != "EXITED":
        proxy.supervisor.startProcess(f"{GROUP}:{NAME}", False)
        proxy.supvisors.start_args(f"{GROUP}:argued", IMAGE, False)
        try:
            proxy.supervisor.startProcess(f"{GROUP}:missing", False)
        except Exception as error:  # that it is not there
            print(f"# {error}")
        wait_until(lambda: scene.statename(0, f"{GROUP}:{NAME}") == "EXITED", 10, "the crash")


def opened(place="#/", index=0):
    hostile_scene()
    return scene.open(index, place, init=WITNESS)


def no_markup(page, place):
    """None of the texts has become an element."""
    found = page.evaluate("() => [...document.querySelectorAll('main b, main i, header b, main img, header img, script:not([src])')].map((one) => one.outerHTML)"
                          ".filter((text) => /hacked|evil|^<b>bold/.test(text.replace(/&lt;.*/, '')))")
    tap.check(found, [], f"elements at {place}")


@tap.test("names, arguments, reasons and logs that are markup are text on every page")
def _():
    quoted = urllib.request.quote(f"{GROUP}:{NAME}", safe="")
    with opened() as page:
        for place, texts in (("#/", [GROUP]), (scene.place_of(0), [NAME, IMAGE]), (f"#/applications/{urllib.request.quote(GROUP)}", [GROUP, NAME]),
                             (f"#/processes/{quoted}", [f"{GROUP}:{NAME}", IMAGE]), (f"#/processes/{urllib.request.quote(GROUP + ':missing', safe='')}", []),
                             (f"#/logs?follow={urllib.request.quote(scene.cluster.identifiers[0] + '/' + GROUP + ':' + NAME, safe='')}", [IMAGE, "<script>window.hacked=1</script>"]),
                             ("#/timeline", [NAME]), ("#/conciliation", [])):
            page.goto(f"/{place}")
            live(page)
            main = page.get_by_role("main")
            for text in texts:
                wait_until(lambda: text in main.inner_text(), 10, f"{text} at {place}")
            no_markup(page, place)
        page.get_by_role("banner").get_by_text(IMAGE).wait_for()
        page.keyboard.press("Control+k")
        page.keyboard.type("evil")
        page.get_by_role("option", name=re.compile(re.escape(NAME))).first().wait_for()
        page.keyboard.press("Escape")


@tap.test("what an action says of such a name is text, too: questions, messages, faults")
def _():
    with opened() as page:
        page.allow("status of")
        page.get_by_role("table", name="Applications").get_by_role("row").filter(has_text=GROUP).get_by_role("button", name=re.compile("^(Start|Stop)")).click()
        page.get_by_role("dialog").get_by_text(GROUP).first().wait_for()
        no_markup(page, "a question")
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        page.goto(f"/{scene.place_of(0)}")
        page.get_by_role("button", name=f"Start {GROUP}:missing").click()
        page.get_by_role("status", name="What came of actions").get_by_text(f"{GROUP}:missing").first().wait_for()
        no_markup(page, "a message")


@tap.test("words of the address are text")
def _():
    image = urllib.request.quote(IMAGE)
    with opened() as page:
        page.allow("status of 404 .*/followLog")  # there is no such instance
        for place in (f"#/{image}", f"#/instances/{image}", f"#/applications/{image}", f"#/processes/{image}", f"#/?app-filter={image}", f"#/?filter={image}&sort={image}",
                      f"#/logs?follow={image}", f"#/logs?follow={image}%2F{image}&search={image}", f"#/timeline?filter={image}&kind={image}&level={image}",
                      "#/%", "#/instances/%E0%A4%A", "#javascript:window.hacked=1", "#/javascript:window.hacked=1",
                      f"{scene.place_of(0)}?shrunk={image}&filter={image}"):
            page.goto("/#/")
            page.evaluate("(place) => { location.hash = place }", place)
            live(page)
            page.get_by_role("main").wait_for()
            no_markup(page, place)


@tap.test("every page has a strict policy")
def _():
    for path in ("/", "/api/", "/tail.html?processname=talk", "/index.html"):
        try:
            with urllib.request.urlopen(url(scene.cluster, 0, path[1:]), timeout=10) as answer:
                policy, kind = answer.headers["Content-Security-Policy"] or "", answer.headers["X-Content-Type-Options"]
        except urllib.error.HTTPError as error:
            print(f"# {path}: {error.code}")
            tap.check(error.code, 404, path)
            continue
        rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
        tap.check((rules.get("default-src"), rules.get("frame-ancestors"), rules.get("base-uri")), ("'none'",) * 3, f"{path}: {policy}")
        tap.check_true("unsafe" not in policy and "*" not in policy and "data:" not in rules.get("script-src", ""), f"{path}: {policy}")
        tap.check(kind, "nosniff", f"{path}: X-Content-Type-Options")


@tap.test("markup that got into the page all the same runs no script")
def _():
    for path in ("#/", "api/"):
        with scene.browser.open(url(scene.cluster, 0, path), init=WITNESS) as page:
            page.allow("Content Security Policy|status of 404|request to http:..127.0.0.1:9.x.js")
            page.wait_for_load_state("networkidle") if path == "api/" else live(page)
            said = page.evaluate("""async () => {
                const stopped = [];
                document.addEventListener("securitypolicyviolation", (event) => stopped.push(event.effectiveDirective));
                const place = document.body.appendChild(document.createElement("div"));
                place.innerHTML = "<img src=x onerror='window.hacked=1'><a href='javascript:window.hacked=1'>x</a><svg onload='window.hacked=1'></svg>"
                    + "<iframe srcdoc='<script>parent.hacked=1</scr" + "ipt>'></iframe><style>body { display: none }</style><p style='color: red'>x</p>";
                for (const [name, value] of [["textContent", "window.hacked=1"], ["src", "http://127.0.0.1:9/x.js"], ["src", "data:text/javascript,window.hacked=1"]])
                    document.head.append(Object.assign(document.createElement("script"), { [name]: value }));
                place.querySelector("a").click();
                setTimeout(() => { try { setTimeout("window.hacked=1"); } catch { stopped.push("eval"); } });
                await new Promise((done) => setTimeout(done, 300));
                return [stopped.sort(), getComputedStyle(document.body).display];
            }""")
            print(f"# {path}: {said[0]}")
            tap.check_true({"script-src-attr", "script-src-elem", "style-src-elem", "style-src-attr"} <= set(said[0]), f"{path}: {said}")
            tap.check_true(said[1] != "none", "a style from outside counts")


class Elsewhere:
    """A web site of somebody else, at another port of this machine."""

    def __init__(self, text):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(text.encode() if self.path == "/" else b"")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


@tap.test("a page of another origin commands nothing, reads nothing, hears nothing, and frames nothing")
def _():
    own = url(scene.cluster, 0, "").rstrip("/")
    before = scene.rpc(0).supervisor.getProcessInfo("talk")
    tap.check(before["statename"], "RUNNING", "talk")
    with Elsewhere(HOSTILE.format(own=own)) as elsewhere, scene.browser.open(elsewhere.url) as page:
        page.allow(".")  # it complains a lot; what counts is asked below
        page.wait_for_function("() => window.read")
        tap.check(page.evaluate("() => window.sockets"), ["refused"] * 3, "WebSockets")
        tap.check(page.evaluate("() => window.read"), "refused", "what it could read")
        said = page.browser.ask(complaints=page.number)
        for wanted in ("frame-ancestors", "403"):
            tap.check_true(any(wanted in text for text in said), f"nothing about {wanted}: {said}")
    after = scene.rpc(0).supervisor.getProcessInfo("talk")
    tap.check((after["statename"], after["pid"]), ("RUNNING", before["pid"]), "talk")
    with scene.open(0) as page:  # the same from the own page is done: the attempts above were no empty ones
        tap.check(page.evaluate("() => fetch('/supervisor/stopProcess/talk', { method: 'POST' }).then((answer) => answer.status)"), 200, "status")
    tap.check(scene.statename(0, "talk"), "STOPPED", "talk")


@tap.test("the page of the remote methods calls one as a person does")
def _():
    with scene.browser.open(url(scene.cluster, 0, "api/"), init=WITNESS) as page:
        page.get_by_label("Show methods with").fill("getProcessInfo")
        page.get_by_role("main").get_by_text("/supervisor/getProcessInfo/{name}").click()
        page.get_by_label(re.compile("^name:")).fill("talk")
        page.get_by_role("button", name="Call").click()
        page.get_by_text('"statename"').wait_for()
        tap.check_true("200 OK" in page.get_by_role("main").inner_text(), page.get_by_role("main").inner_text())


if __name__ == "__main__":
    with scene:
        tap.run_all(options)
