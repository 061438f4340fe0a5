# The addresses of Supervisor's web server that scripts use: index.html?action=…, tail.html, ok.html, asked in the same way of supervisord 4.2.5
# and of svisord. Only a POST counts here, and svisord answers with 303 where supervisord has 301.
import html
import os
import re
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from compare import HEAD, any_refusal, main, scenario

PROGRAMS = HEAD + """
[inet_http_server]
port=127.0.0.1:@PORT@
[program:cat]
command=/bin/cat
startsecs=0
stdout_logfile=@DIR@/cat.log
[program:pair]
command=/bin/cat
process_name=%(program_name)s_%(process_num)d
numprocs=2
startsecs=0
autostart=false
[program:quick]
command=/bin/false
startretries=0
autostart=false
autorestart=false
[program:nofile]
command=/no/such/file
autostart=false
startretries=0
[program:silent]
command=/bin/cat
stdout_logfile=NONE
autostart=false
startsecs=0
"""


def ask(s, method, path, form=None, over="unix"):
    body = urllib.parse.urlencode(form).encode() if form else b""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close"]
    if form is not None:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    # supervisord's child loses a SIGTERM that comes before it has executed its program: then stopwaitsecs pass, which are 10.
    head, _, text = s.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body, over, timeout=60).partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode(), text.decode()


def act(s, form, path="/index.html", accept=None):
    """What the page would say after that."""
    status, head, text = ask(s, "POST", path, form)
    location = re.search(r"(?i)^location: (.*?)\r?$", head, re.M)
    if not location:
        return s.note(f"{path} {form}", status, accept)
    message = urllib.parse.parse_qs(urllib.parse.urlsplit(location[1]).query)["message"][0]
    message = re.sub(r"(?<= at )\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$", "<time>", message)
    return s.note(f"{path} {form}", message)


@scenario("each action does the same, and says so in the same words", PROGRAMS)
def _(s):
    s.wait_state("cat", "RUNNING")
    for action, name in (("stop", "cat"), ("stop", "cat"), ("start", "cat"), ("start", "cat"), ("restart", "cat"), ("clearlog", "cat"),
                         ("start", "pair:pair_0"), ("stop", "pair:pair_0"), ("restart", "pair:pair_1"), ("start", "cat:cat"),
                         ("start", "nofile"), ("start", "nobody"), ("stop", "nobody"), ("restart", "nobody"), ("clearlog", "nobody"),
                         ("start", "pair"), ("start", "pair:*"), ("start", "pair:"), ("start", "pair:nobody"), ("stop", ":"),
                         ("clearlog", "silent"), ("start", "a b<c>&é%"), ("refresh", "cat")):
        act(s, {"action": action, "processname": name})
    for name in ("cat", "pair:pair_0", "pair:pair_1"):
        s.note(name, s.state(name))
    for action in ("refresh", "stopall", "restartall", "stopall"):
        act(s, {"action": action})
        s.note("cat", s.state("cat"))
    act(s, {"x": "y"}, "/index.html?action=start&processname=cat")
    act(s, {"processname": "cat"}, "/index.html?action=stop&processname=nobody")
    s.note("cat", s.state("cat"))
    for form in ({"action": "start"}, {"action": "dance"}, {"action": "dance", "processname": "cat"}):
        act(s, form, accept=any_refusal)


@scenario("a start that fails is told in the same words", PROGRAMS)
def _(s):
    act(s, {"action": "start", "processname": "quick"})
    s.note("quick", s.state("quick"))


def tail(s, path, form=None):
    status, _, text = ask(s, "POST" if form else "GET", path, form)
    body = re.search(r"<pre>\n?(.*)</pre>", text, re.S)
    s.note(f"{path} {form}", [status, html.unescape(re.search(r"<title>(.*?)</title>", text, re.S)[1]), html.unescape(body[1]) if body else None])
    refresh = re.search(r'href="(tail.html[^"]*)"', text)
    s.note("refresh", urllib.parse.unquote(html.unescape(refresh[1])) if refresh else None)


@scenario("tail.html shows the same text, whatever is in it", PROGRAMS)
def _(s):
    s.wait_state("cat", "RUNNING")
    lines = "".join(f"line {i:04d} <b>bold</b> & \"quoted\" 'é'\n" for i in range(100)) + "</pre><script>alert(1)</script>\n"
    s.rpc("supervisor.sendProcessStdin", "cat", lines)
    s.wait_file("cat.log", "script")
    for query in ("processname=cat", "processname=cat&limit=2000", "processname=cat&limit=1", "processname=cat&limit=x", "processname=cat&limit=-5",
                  "processname=cat&limit=100000", "processname=cat:cat", "", "limit=5", "processname="):
        tail(s, "/tail.html?" + query)
    tail(s, "/tail.html", {"processname": "cat", "limit": "3000"})
    tail(s, "/tail.html?processname=silent")


@scenario("logs that are followed have the same headers; ok.html says OK", PROGRAMS)
def _(s):
    s.wait_state("cat", "RUNNING")
    s.rpc("supervisor.sendProcessStdin", "cat", "hello\n")
    s.wait_file("cat.log", "hello")
    for path in ("/logtail/cat", "/mainlogtail"):
        head = s.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), until_close=False).decode().lower()
        s.note(path, head.split()[1])
        for name in ("content-type", "transfer-encoding"):
            s.note(f"{path} {name}", re.findall(rf"(?m)^{name}: (.*?)\r$", head))
        s.note(f"{path} last-modified", re.sub(r"[\d]+", "N", "".join(re.findall(r"(?m)^last-modified: \w+, (\d+) \w+ (\d+ \d+:\d+:\d+ gmt)\r$", head)[0])))
    for over in ("unix", "tcp"):
        s.note("ok.html", ask(s, "GET", "/ok.html", over=over)[::2])


if __name__ == "__main__":
    main()
