# What HTTP clients see: authentication, statuses, keep-alive, and logs that are followed.
import base64
import hashlib
import os
import re
import socket
import stat
import sys
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from compare import HEAD, answer_for_silence, any_refusal, main, scenario

SHA = "{SHA}" + hashlib.sha1(b"secret:word").hexdigest()
AUTH = HEAD.replace("file=@SOCK@", "file=@SOCK@\nusername=me\npassword=plain\nchmod=0770") + f"""
[inet_http_server]
port=127.0.0.1:@PORT@
username=you
password={SHA}
[program:cat]
command=/bin/cat
startsecs=0
"""
BOTH = HEAD + """
[inet_http_server]
port=127.0.0.1:@PORT@
[program:cat]
command=/bin/cat
stdout_logfile=@DIR@/cat.log
startsecs=0
[program:pair]
command=/bin/cat
process_name=%(program_name)s_%(process_num)d
numprocs=1
stdout_logfile=NONE
startsecs=0
"""


def request(method, path, body=b"", version="1.1", **headers):
    lines = [f"{method} {path} HTTP/{version}", "Host: localhost"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def status(answer):
    return int(answer.split()[1]) if answer.startswith(b"HTTP/") else answer[:40]


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


CALL = xmlrpc.client.dumps((), "supervisor.getAPIVersion").encode()


@scenario("passwords are asked for and checked alike, plain and {SHA}, on both kinds of sockets", AUTH)
def _(s):
    for over in ("unix", "tcp"):
        for user, password in (("me", "plain"), ("you", "secret:word"), ("me", "wrong"), ("", ""), ("you", SHA)):
            proxy = s.server.rpc(user, password, over)
            try:
                s.note(f"{over} {user}:{password}", proxy.supervisor.getAPIVersion())
            except xmlrpc.client.ProtocolError as error:
                s.note(f"{over} {user}:{password}", error.errcode)
        for value in ("", "Basic", "Basic !!!", "Bearer x", "Basic " + base64.b64encode(b"nocolon").decode(),
                      basic("me", "plain").replace("Basic", "basic")):
            answer = s.raw(request("POST", "/RPC2", CALL, Connection="close", Authorization=value), over)
            s.note(f"{over} {value!r}", status(answer), accept=any_refusal)
        answer = s.raw(request("GET", "/mainlogtail", Connection="close"), over)
        s.note(f"{over} /mainlogtail", status(answer))
        s.note(f"{over} realm", re.findall(rb"(?i)^www-authenticate:\s*(.*?)\r$", answer, re.M))
    s.note("socket mode", oct(stat.S_IMODE(os.stat(s.server.socket_path).st_mode)))


@scenario("supervisorctl asks with the password of its section, its options or none", AUTH)
def _(s):
    s.ctl("version")
    s.ctl("-u", "me", "-p", "plain", "status")
    s.ctl("-s", f"http://127.0.0.1:{s.server.port}", "-u", "you", "-p", "secret:word", "version", config=False)
    s.ctl("-s", f"http://127.0.0.1:{s.server.port}", "-u", "you", "-p", "no", "version", config=False)


@scenario("odd requests get the same status, and the daemon lives on", BOTH)
def _(s):
    long_name = b"x" * 3000
    cases = {
        "empty body": request("POST", "/RPC2", Connection="close", Content_Length="0"),
        "not XML": request("POST", "/RPC2", b"hello", Connection="close"),
        "half XML": request("POST", "/RPC2", CALL[:-20], Connection="close"),
        "other XML": request("POST", "/RPC2", b"<a><b/></a>", Connection="close"),
        "no method": request("POST", "/RPC2", b"<methodCall><params/></methodCall>", Connection="close"),
        "no params": request("POST", "/RPC2", b"<methodCall><methodName>supervisor.getAPIVersion</methodName></methodCall>",
                             Connection="close"),
        "no length": b"POST /RPC2 HTTP/1.0\r\n\r\n",
        "logtail of nobody": request("GET", "/logtail/nobody", Connection="close"),
        "logtail of nobody's channel": request("GET", "/logtail/nobody/stderr", Connection="close"),
        "long name": request("GET", "/logtail/" + long_name.decode(), Connection="close"),
        "nothing there": request("GET", "/no/such/page.html", Connection="close"),
        "RPC2 with a slash": request("POST", "/RPC2/", CALL, Connection="close"),
        "1.0": request("POST", "/RPC2", CALL, version="1.0"),
    }
    for over in ("unix", "tcp"):
        for name, text in cases.items():
            try:
                answer = status(s.raw(text, over, timeout=3))
            except TimeoutError:
                answer = "silence"
            s.note(f"{over}: {name}", answer, accept=answer_for_silence)
    s.call("supervisor.getState")


@scenario("a connection is kept for further calls, and closed when asked", BOTH)
def _(s):
    for over, family, address in (("unix", socket.AF_UNIX, s.server.socket_path),
                                  ("tcp", socket.AF_INET, ("127.0.0.1", s.server.port))):
        with socket.socket(family) as connection:
            connection.settimeout(10)
            connection.connect(address)
            for number in range(5):
                connection.sendall(request("POST", "/RPC2", CALL, Content_Type="text/xml"))
                answer = b""
                while b"</methodResponse>" not in answer:
                    answer += connection.recv(65536)
                s.note(f"{over} {number}", (status(answer), re.findall(rb"(?i)content-type: *([^\r;]*)", answer)))
            connection.sendall(request("POST", "/RPC2", CALL, Connection="close"))
            rest = b""
            while piece := connection.recv(65536):
                rest += piece
            s.note(f"{over} closed after", rest.count(b"</methodResponse>"))


def chunks(data):
    """The bytes of as many chunks as have come whole."""
    body = b""
    while True:
        head, _, rest = data.partition(b"\r\n")
        if not rest or not re.fullmatch(rb"[0-9a-fA-F]+\s*", head) or len(rest) < int(head, 16):
            return body
        size = int(head, 16)
        body, data = body + rest[:size], rest[size + 2:]


class Follower:
    """A client of /logtail that stays."""

    def __init__(self, s, path, over):
        self.socket = socket.socket(socket.AF_UNIX if over == "unix" else socket.AF_INET)
        self.socket.connect(s.server.socket_path if over == "unix" else ("127.0.0.1", s.server.port))
        self.socket.settimeout(10)
        self.socket.sendall(request("GET", path))
        self.data = b""

    def wait(self, word):
        while word not in self.body():
            piece = self.socket.recv(65536)
            if not piece:
                raise AssertionError(f"closed after {self.data!r}")
            self.data += piece
        return self.body()

    def head(self):
        lines = self.data.partition(b"\r\n\r\n")[0].split(b"\r\n")
        wanted = (b"content-type", b"transfer-encoding")
        return [status(self.data)] + sorted(line.lower() for line in lines if line.lower().startswith(wanted))

    def body(self):
        return chunks(self.data.partition(b"\r\n\r\n")[2])


@scenario("a followed log starts with its tail and goes on as it grows, also after it was cleared", BOTH, start=False)
def _(s):
    s.server.write("cat.log", "".join(f"line {number:04d}\n" for number in range(400)))
    s.server.start()
    s.wait_state("cat", "RUNNING")
    for over in ("unix", "tcp"):
        follower = Follower(s, "/logtail/cat", over)
        s.note(f"{over} tail", len(follower.wait(b"line 0399\n")))
        s.note(f"{over} head", follower.head())
        s.rpc("supervisor.sendProcessStdin", "cat", f"more over {over}\n")
        s.note(f"{over} more", follower.wait(f"more over {over}\n".encode())[-40:])
        follower.socket.close()
    follower = Follower(s, "/logtail/cat/stdout", "unix")
    follower.wait(b"more over tcp\n")
    s.rpc("supervisor.clearProcessLogs", "cat")
    s.rpc("supervisor.sendProcessStdin", "cat", "after clear\n")
    s.note("after clear", follower.wait(b"after clear\n")[-31:])
    follower.socket.close()
    for path in ("/logtail/cat/stderr", "/logtail/cat/nope", "/logtail/pair:pair_0", "/logtail/", "/logtail/cat/a/b"):
        if path != "/logtail/cat/stderr":
            s.note(path, status(s.raw(request("GET", path, Connection="close"), until_close=False)))
    follower = Follower(s, "/mainlogtail", "unix")
    s.call("supervisor.stopProcess", "cat")
    follower.wait(b"stopped: cat")
    s.note("main log", follower.head())
    follower.socket.close()


if __name__ == "__main__":
    main()
