# seconds: 60
# suite: quick
# The addresses of Supervisor's and Supvisors' web servers: what a GET may not do, who may POST, the token, and text from outside in plain pages.
# That they do and say what supervisord does is in tests/interop/web_addresses.py.
import base64
import html.parser
import http.client
import os
import subprocess
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from compare import HEAD
from daemon import Server, binary, wait_until

TOKEN = "0123456789abcdef"
NASTY = "x\"'><script>alert(1)&amp;"
CONFIG = HEAD + f"""
[inet_http_server]
port=127.0.0.1:@PORT@
[svisor]
action_token={TOKEN}
[program:web]
command=/bin/sleep 1000
startsecs=0
autostart=false
[program:say]
command=/bin/cat
startsecs=0
stdout_logfile=@DIR@/say.log
[program:{NASTY}]
command=/bin/sh -c 'echo "</pre><img src=x onerror=alert(1)>"; exec sleep 1000'
startsecs=0
"""
POLICY = {"default-src": "'none'", "form-action": "'self'", "base-uri": "'none'", "frame-ancestors": "'none'"}
options = tap.arguments()


def daemon(config=CONFIG):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    return Server("svisord", options.build, config)


def ask(server, method, path, form=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    body = urllib.parse.urlencode(form) if form else None
    more = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
    connection.request(method, path, body, {**more, **{name.replace("_", "-"): value for name, value in headers.items()}})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, text


def message_of(headers):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(headers["Location"]).query)["message"][0]


def state(server, name="web"):
    return server.rpc().supervisor.getProcessInfo(name)["statename"]


class Page(html.parser.HTMLParser):
    """The elements of a page, the fields of its forms, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.fields, self.links, self.words = [], {}, [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        tap.check([name for name in attrs if name.startswith("on") or name == "style"], [], f"attributes of {tag}")
        if tag == "input":
            self.fields[attrs["name"]] = attrs["value"]
        if tag == "a":
            self.links.append(attrs["href"])

    def handle_data(self, data):
        self.words += data


def check_page(headers, text):
    policy = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
    tap.check(policy, POLICY, "policy")
    tap.check((headers["Content-Type"], headers["X-Content-Type-Options"], headers["Cache-Control"], headers["Referrer-Policy"]),
              ("text/html; charset=utf-8", "nosniff", "no-store", "same-origin"), "headers")
    page = Page(text)
    strange = set(page.tags) - {"html", "head", "meta", "title", "body", "p", "a", "pre", "form", "input", "button"}
    tap.check(strange, set(), "elements that come from outside")
    return page


@tap.test("a GET with an action changes nothing, and gives a form that does it")
def _():
    with daemon() as server:
        for action in ("start", "stop", "restart", "clearlog", "stopall", "restartall"):
            for verb in ("GET", "HEAD"):
                status, headers, text = ask(server, verb, f"/index.html?action={action}&processname=web")
                tap.check((status, headers["Allow"]), (405, "POST"), f"{verb} {action}")
        tap.check((state(server), state(server, "say")), ("STOPPED", "RUNNING"), "the programs")
        for where in ("/index.html?action=stop&processname=say%00x", "/index.html"):
            ask(server, "POST", where, None if "?" in where else {"action": "stop", "processname": "say\0x"})
            tap.check(state(server, "say"), "RUNNING", "a program of another name")
        status, headers, text = ask(server, "GET", "/index.html?action=start&processname=web")
        page = check_page(headers, text)
        tap.check(page.fields, {"action": "start", "processname": "web"}, "the form")
        status, headers, text = ask(server, "POST", "/index.html", page.fields, Origin=f"http://127.0.0.1:{server.port}")
        tap.check((status, headers["Location"], text), (303, "./?message=Process%20web%20started", "Process web started\n"), "its answer")
        tap.check(state(server), "RUNNING", "the program")
        status, headers, _ = ask(server, "GET", "/index.html?action=refresh")
        tap.check((status, message_of(headers)[:18]), (303, "Page refreshed at "), "what is harmless needs no POST")


@tap.test("a page of another origin may not POST; a browser's own page, curl and Python may")
def _():
    with daemon() as server:
        own = f"http://127.0.0.1:{server.port}"
        form = {"action": "start", "processname": "web"}
        for headers in ({"Origin": "http://elsewhere"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site", "Origin": own},
                        {"Sec_Fetch_Site": "same-site"}):
            status, answer, text = ask(server, "POST", "/index.html", form, **headers)
            tap.check(status, 403, f"{headers}")
            check_page(answer, text)
            tap.check(ask(server, "POST", "/index.html?action=start&processname=web", **headers)[0], 403, f"{headers}, in the query")
        tap.check(state(server), "STOPPED", "the program")
        for headers in ({}, {"Origin": own}, {"Sec_Fetch_Site": "same-origin"}, {"Sec_Fetch_Site": "none"}):
            tap.check(ask(server, "POST", "/index.html", {"action": "restart", "processname": "web"}, **headers)[0], 303, f"{headers}")
        tap.check(state(server), "RUNNING", "the program")


@tap.test("with the token a GET does it; with another one, and with none configured, it does not")
def _():
    path = "/index.html?action=start&processname=web&token="
    with daemon() as server:
        for token in ("", "0", TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "%00", TOKEN + "%20"):
            tap.check(ask(server, "GET", path + token)[0], 405, repr(token))
        tap.check(ask(server, "HEAD", path + TOKEN)[0], 405, "HEAD only looks")
        tap.check(state(server), "STOPPED", "the program")
        status, headers, _ = ask(server, "GET", path + TOKEN)
        tap.check((status, message_of(headers), state(server)), (303, "Process web started", "RUNNING"), "with the token")
        tap.check(ask(server, "POST", "/index.html", {"action": "stop", "processname": "web", "token": TOKEN}, Origin="http://elsewhere")[0], 303,
                  "who has the token is no stranger")
    with daemon(CONFIG.replace(f"action_token={TOKEN}", "")) as server:
        for token in ("", TOKEN):
            tap.check(ask(server, "GET", path + token)[0], 405, f"without one: {token!r}")
        tap.check(state(server), "STOPPED", "the program")


@tap.test("the password of the port counts, also with the token; a short token is refused")
def _():
    secret = CONFIG.replace("port=127.0.0.1:@PORT@", "port=127.0.0.1:@PORT@\nusername=u\npassword=p")
    word = "Basic " + base64.b64encode(b"u:p").decode()
    with daemon(secret) as server:
        for path in (f"/index.html?action=start&processname=web&token={TOKEN}", "/tail.html?processname=say", "/ok.html", "/application.html"):
            tap.check(ask(server, "GET", path)[0], 401, path)
        tap.check(ask(server, "POST", "/index.html", {"action": "start", "processname": "web"})[0], 401, "POST")
        tap.check(ask(server, "POST", "/index.html", {"action": "start", "processname": "web"}, Authorization=word)[0], 303, "POST with it")
    with Server("svisord", options.build, CONFIG.replace(TOKEN, "short"), start=False) as server:
        done = subprocess.run([binary("svisord", options.build), "--check", "-c", server.config_path], capture_output=True, text=True, check=False)
        tap.check_true(done.returncode == 2 and "is shorter than 16 characters" in done.stdout + done.stderr, f"a short one: {done}")


@tap.test("names and lines of output are text in every page")
def _():
    with daemon() as server:
        quoted = urllib.parse.quote(NASTY)
        wait_until(lambda: "onerror" in server.rpc().supervisor.readProcessStdoutLog(NASTY, 0, 0), 10, "its output")
        status, headers, text = ask(server, "GET", "/tail.html?processname=" + quoted)
        page = check_page(headers, text)
        tap.check((status, "<img src=x onerror=alert(1)>" in page.words, NASTY in page.words), (200, True, True), "tail.html")
        tap.check(page.fields, {"action": "clearlog", "processname": NASTY}, "its form")
        tap.check(urllib.parse.parse_qs(urllib.parse.urlsplit(page.links[0]).query)["processname"], [NASTY], "its link")
        tap.check(ask(server, "POST", "/index.html", page.fields)[0], 303, "the form works")
        tap.check(server.rpc().supervisor.readProcessStdoutLog(NASTY, 0, 0), "", "the log")
        page = check_page(*ask(server, "GET", "/index.html?action=start&processname=" + quoted)[1:])
        tap.check(page.fields["processname"], NASTY, "what asks first")
        for path in ("/index.html?action=" + quoted, "/application.html?action=" + quoted, "/tail.html?processname=%ff%00%3cb%3e",
                     "/tail.html?processname=say&limit=%3cb%3e", "/maintail.html?limit=" + quoted, "/index.html?action=start&processname=%ff%3cb%3e"):
            check_page(*ask(server, "GET", path)[1:])
        status, headers, _ = ask(server, "POST", "/index.html", {"action": "stop", "processname": "a\r\nSet-Cookie: x=1\r\n" + NASTY})
        tap.check((status, "Set-Cookie" in headers, "\n" in headers["Location"]), (303, False, False), "no header of theirs")
        tap.check(message_of(headers), "No such process named a\r\nSet-Cookie: x=1\r\n" + NASTY, "the message")
        long_name = "<" * 100000
        status, headers, text = ask(server, "POST", "/index.html", {"action": "stop", "processname": long_name})
        tap.check((status, headers["Location"], text), (303, "./", f"No such process named {long_name}\n"), "a name too long for a header")
        status, headers, _ = ask(server, "GET", "/index.html?message=" + quoted)
        tap.check((status, message_of(headers)), (308, NASTY), "a message")


@tap.test("old pages are where the dashboard has what they had")
def _():
    with daemon() as server:
        for path, place in (("/index.html", "./"), ("/index.html?message=a%20b", "./?message=a%20b"),
                            ("/application.html?appname=shop%2Fx%20y&period=5", "./#/applications/shop%2Fx%20y"), ("/application.html", "./"),
                            ("/proc_instance.html?ident=10.0.0.1:60000", "./#/instances/10.0.0.1%3A60000"),
                            ("/host_instance.html?ident=supv-01", "./#/instances/supv-01/host"), ("/host_instance.html?ident=", "./"),
                            ("/conciliation.html", "./#/conciliation")):
            status, headers, text = ask(server, "GET", path)
            tap.check((status, headers["Location"], text), (308, place, ""), path)
        for path in ("/index.html?action=sup_restart", "/application.html?appname=shop&action=startapp", "/proc_instance.html?action=stop&namespec=web",
                     "/conciliation.html?action=senicide"):
            for verb in ("GET", "POST"):
                status, headers, text = ask(server, verb, path)
                tap.check(status, 400, f"{verb} {path}")
                check_page(headers, text)
        tap.check(ask(server, "POST", "/index.html", {"a": "b"})[0], 303, "POST without an action")
        for verb in ("PUT", "DELETE", "OPTIONS"):
            tap.check(ask(server, verb, "/index.html?action=stopall")[0], 405, verb)
        page = check_page(*ask(server, "GET", "/maintail.html?limit=2000")[1:])
        tap.check_true("supervisord started with pid" in page.words and page.links == ["maintail.html?limit=2000"], f"maintail: {page.words}")
        for path in ("/index.htm", "/tail.html/", "/ui/index.html", "/stylesheets/supervisor.css"):
            tap.check(ask(server, "GET", path)[0], 404, path)


@tap.test("a restart is one thing: whoever leaves before its end has no stopped program")
def _():
    stubborn = CONFIG.replace("[program:web]\ncommand=/bin/sleep 1000", "[program:web]\ncommand=/bin/sh -c 'trap \"\" TERM; exec sleep 1000'\nstopwaitsecs=1")
    with daemon(stubborn) as server:
        rpc = server.rpc().supervisor
        rpc.startProcess("web")
        pid = rpc.getProcessInfo("web")["pid"]
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("POST", "/index.html?action=restart&processname=web")
        wait_until(lambda: state(server) == "STOPPING", 10, "web to stop")
        connection.close()
        wait_until(lambda: state(server) == "RUNNING", 10, "web to run again")
        tap.check_true(rpc.getProcessInfo("web")["pid"] != pid, "it is the former one")


@tap.test("a client that leaves while its action goes on does no harm")
def _():
    slow = CONFIG.replace("[program:web]\ncommand=/bin/sleep 1000\nstartsecs=0", "[program:web]\ncommand=/bin/sleep 1000\nstartsecs=2")
    with daemon(slow) as server:
        for _ in range(20):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
            connection.request("POST", "/index.html?action=start&processname=web")
            connection.close()
        tap.check(ask(server, "POST", "/index.html", {"action": "restart", "processname": "web"})[0], 303, "restart")
        tap.check(state(server), "RUNNING", "the program")


if __name__ == "__main__":
    tap.run_all(options)
