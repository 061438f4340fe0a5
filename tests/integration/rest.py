# suite: quick
# REST as a user meets it: curl and http.client against a real daemon, over TCP with a password and over the unix socket.
import base64
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from cluster_servers import Cluster
from daemon import Server, binary, wait_until

HEAD = """
[unix_http_server]
file=@SOCK@
[inet_http_server]
port=127.0.0.1:@PORT@
{auth}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=rest-test
[program:cat]
command=/bin/cat
startsecs=0
stdout_logfile=@DIR@/cat.log
[program:slow]
command=/bin/sh -c 'trap "" TERM; echo up; while test -d @DIR@; do sleep 1; done'
autostart=false
startsecs=0
stopwaitsecs=60
stopsignal=TERM
stdout_logfile=@DIR@/slow.log
[program:missing]
command=/no/such/program
autostart=false
"""
ANSWER_SECONDS = 20
OPERATIONS_MAX = 1000  # SV_OPERATIONS_MAX
options = tap.arguments()


MANY = """
[program:many]
command=/bin/sleep 1000
process_name=%(process_num)d
numprocs=1001
startsecs=3600
autostart=false
stdout_logfile=NONE
stderr_logfile=NONE
"""


def serve(auth="", more=""):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    return Server("svisord", options.build, HEAD.format(auth=auth) + more)


def ask(port, verb, path, body=None, **headers):
    """HTTP status, the headers of the answer, and its JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None and "Content-Type" not in headers:
        headers["Content-Type"] = "application/json"
    connection.request(verb, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    tap.check(answer.getheader("Content-Type"), "application/json", f"{verb} {path}: Content-Type")
    tap.check(answer.getheader("X-Content-Type-Options"), "nosniff", f"{verb} {path}: X-Content-Type-Options")
    return answer.status, answer.headers, json.loads(text)


def says(port, verb, path, status, code, words, body=None, **headers):
    got, _, fault = ask(port, verb, path, body, **headers)
    tap.check_true(got == status and fault.get("code") == code and words in fault.get("message", "")
                   and set(fault) == {"message", "code"},
                   f"{verb} {path}: expected {status}, code {code}, {words!r}; got {got} {fault}")


def value(port, verb, path, body=None, **headers):
    status, _, result = ask(port, verb, path, body, **headers)
    tap.check(status, 200, f"{verb} {path}: {result}")
    return result


def curl(server, *words):
    """What curl prints, and the HTTP status."""
    if shutil.which("curl") is None:
        tap.skip("curl is not installed")
    done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", str(ANSWER_SECONDS), "--write-out", "%{http_code}",
                           *words], capture_output=True, text=True, check=False)
    tap.check(done.returncode, 0, f"curl {words}: {done.stderr}")
    return json.loads(done.stdout[:-3]) if done.stdout[:1] != "<" else None, int(done.stdout[-3:])


@tap.test("what is asked without arguments has the answer of XML-RPC")
def _():
    with serve() as server:
        rpc = server.rpc()
        for method in ("supervisor.getAPIVersion", "supervisor.getSupervisorVersion", "supervisor.getIdentification",
                       "supervisor.getState", "supervisor.getPID", "supervisor.getVersion", "supervisor.getAllConfigInfo",
                       "system.listMethods", "svisor.getVersion", "svisor.getKernelReport"):
            expected = rpc
            for word in method.split("."):
                expected = getattr(expected, word)
            tap.check(value(server.port, "GET", "/" + method.replace(".", "/")), expected(), method)
        for method in rpc.system.listMethods():
            tap.check(value(server.port, "GET", "/system/methodSignature/" + method), rpc.system.methodSignature(method), method)
            tap.check(value(server.port, "GET", "/system/methodHelp/" + method), rpc.system.methodHelp(method), method)
        info = value(server.port, "GET", "/supervisor/getProcessInfo/cat%3Acat")
        tap.check((info["statename"], set(info)), ("RUNNING", set(rpc.supervisor.getProcessInfo("cat"))), "getProcessInfo")


@tap.test("a program is stopped, started, signalled, written to and read, each with its own status")
def _():
    with serve() as server:
        port = server.port
        tap.check(value(port, "POST", "/supervisor/sendProcessStdin/cat/hello%20there%0A"), True, "stdin")
        wait_until(lambda: "hello there" in server.read("cat.log"), 10, "what cat was sent")
        tap.check(value(port, "GET", "/supervisor/readProcessStdoutLog/cat/-6/0"), "there\n", "the log")
        tap.check(value(port, "GET", "/supervisor/tailProcessStdoutLog/cat/0/100"), ["hello there\n", 12, False], "tail")
        tap.check(value(port, "POST", "/supervisor/stopProcess/cat?wait=true"), True, "stop")
        says(port, "POST", "/supervisor/stopProcess/cat", 409, 70, "NOT_RUNNING: cat")
        tap.check(value(port, "POST", "/supervisor/startProcess/cat?wait=False"), True, "start")
        says(port, "POST", "/supervisor/startProcess/cat", 409, 60, "ALREADY_STARTED: cat")
        says(port, "POST", "/supervisor/startProcess/nobody", 404, 10, "BAD_NAME: nobody")
        says(port, "POST", "/supervisor/startProcess/missing", 404, 20, "NO_FILE")
        says(port, "POST", "/supervisor/signalProcess/cat/NOSUCH", 400, 11, "BAD_SIGNAL")
        says(port, "GET", "/supervisor/readLog/-5/5", 400, 3, "BAD_ARGUMENTS")
        says(port, "GET", "/svisor/getDeathCertificate/cat/99", 500, 30, "FAILED")
        groups = value(port, "POST", "/supervisor/stopProcessGroup/cat")
        tap.check([(row["name"], row["status"]) for row in groups], [("cat", 80)], "stopProcessGroup")
        tap.check(value(port, "POST", "/supervisor/startProcess/cat%3A*")[0]["name"], "cat", "group:*")


@tap.test("a mistake is told with what, where, and what to write instead, and nothing is done")
def _():
    with serve() as server:
        port = server.port
        says(port, "GET", "/supervisor/getStat", 404, 1, "did you mean /supervisor/getState?")
        says(port, "GET", "/supvisors/api_version", 404, 1, "[rpcinterface:supvisors]")
        says(port, "POST", "/supervisor/stopProcess/cat?wait=perhaps", 400, 2, 'wait must be true or false; the query has "perhaps"')
        says(port, "POST", "/supervisor/stopProcess/cat?now=true", 400, 2, "it takes name, wait")
        says(port, "POST", "/supervisor/stopProcess/cat?name=cat", 400, 2, "name is given twice")
        says(port, "POST", "/supervisor/stopProcess?wait=true", 400, 2, "name (name, group:name or group:*) is missing")
        says(port, "POST", "/supervisor/stopProcess/cat?" + "&".join(f"a{i}=1" for i in range(17)), 400, 2, "more names")
        says(port, "POST", "/supervisor/stopProcess/cat", 400, 2, "wait must be true or false; the body has 1", '{"wait": 1}')
        says(port, "POST", "/supervisor/stopProcess/cat", 400, 2, "line 1, column", '{"wait": tru')
        says(port, "POST", "/supervisor/stopProcess/cat", 415, 2, "application/json", "wait=true",
             Content_Type="application/x-www-form-urlencoded")
        says(port, "POST", "/system/multicall", 413, 2, "nested too deeply", "[" * 100)
        says(port, "GET", "/supervisor/getProcessInfo/%FF", 400, 2, "UTF-8")
        for place in ("/cat%00x", "?name=cat%00x"):
            says(port, "POST", "/supervisor/stopProcess" + place, 400, 2, "name must be text in UTF-8 without NUL")
        status, headers, fault = ask(port, "GET", "/supervisor/stopProcess/cat")
        tap.check((status, headers["Allow"], fault["code"]), (405, "POST", 2), "GET of what changes something")
        status, headers, _ = ask(port, "PUT", "/supervisor/getPID")
        tap.check((status, headers["Allow"]), (405, "GET, HEAD, POST"), "PUT")
        tap.check(value(port, "GET", "/supervisor/getProcessInfo/cat")["statename"], "RUNNING", "cat")


@tap.test("arrays and structs come as a JSON body")
def _():
    with serve() as server:
        calls = [{"methodName": "supervisor.getIdentification", "params": []},
                 {"methodName": "supervisor.stopProcess", "params": ["cat", True]}, {"methodName": "no.such"}]
        result = value(server.port, "POST", "/system/multicall", json.dumps({"calls": calls}))
        tap.check(result[:2], ["rest-test", True], "results")
        tap.check(result[2]["faultCode"], 1, "the fault inside")
        tap.check(value(server.port, "POST", "/supervisor/startProcess", '{"name": "cat", "wait": false}'), True, "by name")


@tap.test("a page of another origin cannot change anything, neither by REST nor by XML-RPC")
def _():
    with serve() as server:
        port = server.port
        own = f"http://127.0.0.1:{port}"
        stop = "/supervisor/stopProcess/cat"
        foreign = ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": own + "0"}, {"Sec_Fetch_Site": "cross-site"},
                   {"Origin": f"http://127.0.0.1:{port + 1}", "Sec_Fetch_Site": "same-site"},
                   {"Origin": own, "Sec_Fetch_Site": "cross-site"})
        for headers in foreign:
            says(port, "POST", stop, 403, 30, "another origin", **headers)
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
            connection.request("POST", "/RPC2", "<methodCall><methodName>supervisor.getPID</methodName></methodCall>",
                               {name.replace("_", "-"): text for name, text in headers.items()})
            tap.check(connection.getresponse().status, 403, f"/RPC2 with {headers}")
            connection.close()
        tap.check(value(port, "GET", "/supervisor/getProcessInfo/cat", Origin="http://evil.example")["statename"], "RUNNING", "cat")
        answer = ask(port, "GET", "/supervisor/getPID", Origin="http://evil.example")
        tap.check(answer[1]["Access-Control-Allow-Origin"], None, "who may read the answer")
        tap.check(value(port, "POST", stop, Origin=own), True, "the own origin")
        tap.check(value(port, "POST", "/supervisor/startProcess/cat", Origin="https://somewhere", Sec_Fetch_Site="same-origin"), True,
                  "the browser's word, behind a proxy")


@tap.test("curl works with a password and over the unix socket, and not without the password")
def _():
    with serve(auth="username=me\npassword=secret") as server:
        url = f"http://127.0.0.1:{server.port}"
        tap.check(curl(server, url + "/supervisor/getIdentification")[1], 401, "no password")
        tap.check(curl(server, "-X", "POST", url + "/supervisor/stopProcess/cat")[1], 401, "no password, POST")
        tap.check(curl(server, "-u", "me:secret", url + "/supervisor/getIdentification"), ("rest-test", 200), "password")
        tap.check(curl(server, "-u", "me:secret", "-X", "POST", url + "/supervisor/stopProcess/cat"), (True, 200), "stop")
        local = ("--unix-socket", server.socket_path, "http://localhost/supervisor/")
        tap.check(curl(server, "-X", "POST", *local[:2], local[2] + "startProcess/cat?wait=true"), (True, 200), "unix socket")
        tap.check(curl(server, *local[:2], local[2] + "getState"), ({"statecode": 1, "statename": "RUNNING"}, 200), "unix")
        token = base64.b64encode(b"me:secret").decode()
        tap.check(value(server.port, "GET", "/supervisor/getIdentification", Authorization="Basic " + token), "rest-test", "http.client")


@tap.test("a call that waits holds up nobody, and ends with its client")
def _():
    with serve() as server:
        port = server.port
        tap.check(value(port, "POST", "/supervisor/startProcess/slow"), True, "start")
        wait_until(lambda: "up" in server.read("slow.log"), 10, "slow")
        waiting = socket.create_connection(("127.0.0.1", port))
        waiting.sendall(b"POST /supervisor/stopProcess/slow HTTP/1.1\r\nHost: x\r\n\r\n")
        stopping = lambda: value(port, "GET", "/supervisor/getProcessInfo/slow")["statename"] == "STOPPING"
        wait_until(stopping, 10, "slow to be STOPPING")
        waiting.close()
        answers = []
        second = threading.Thread(target=lambda: answers.append(value(port, "POST", "/supervisor/signalProcess/slow/KILL")))
        second.start()
        second.join(ANSWER_SECONDS)
        tap.check(answers, [True], "another call meanwhile")
        wait_until(lambda: not stopping(), 10, "slow to end")


ASYNC = {"Prefer": "respond-async"}


@tap.test("a call that waits is answered with 202 when that is preferred, and its handle tells what came of it")
def _():
    with serve() as server:
        port = server.port
        tap.check(value(port, "POST", "/supervisor/startProcess/slow"), True, "start")
        wait_until(lambda: "up" in server.read("slow.log"), 10, "slow")
        status, headers, begun = ask(port, "POST", "/supervisor/stopProcess/slow", Prefer="wait=10, respond-async")
        tap.check((status, begun["state"], begun["method"]), (202, "RUNNING", "supervisor.stopProcess"), "202")
        tap.check((headers["Location"], headers["Preference-Applied"]), ("/operations/" + begun["id"], "respond-async"), "headers")
        place = headers["Location"]
        tap.check(value(port, "GET", place), begun, "while it goes on")
        tap.check(value(port, "GET", "/operations"), [begun], "the list")
        tap.check(value(port, "POST", "/supervisor/signalProcess/slow/KILL"), True, "kill")
        wait_until(lambda: value(port, "GET", place)["state"] != "RUNNING", 10, "the end of the operation")
        tap.check(value(port, "GET", place), {**begun, "state": "DONE", "result": True}, "the end")
        tap.check(value(port, "GET", "/operations/"), [{**begun, "state": "DONE"}], "the list")
        status, headers, fault = ask(port, "POST", place)
        tap.check((status, headers["Allow"], fault["code"]), (405, "GET, HEAD, DELETE", 2), "POST of a handle")
        says(port, "DELETE", place, 403, 30, "another origin", Origin="http://evil.example")
        tap.check(value(port, "DELETE", place), True, "DELETE")
        says(port, "GET", place, 404, 10, "no such operation")
        says(port, "GET", "/operations/" + "x" * 3000, 404, 10, "no such operation")
        says(port, "GET", "/operations/0-1", 404, 10, "no such operation")


class Watcher:
    """A stream of one operation: `events` are its bodies, and it is over when svisord ends it."""

    def __init__(self, port, place):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
        connection.request("GET", place, headers={"Accept": "text/event-stream"})
        self.connection, self.answer, self.events = connection, connection.getresponse(), []
        tap.check((self.answer.status, self.answer.headers["Content-Type"]), (200, "text/event-stream; charset=utf-8"), place)

    def read(self):
        """The next event; None at the end."""
        lines = [self.answer.readline().decode() for _ in range(3)]
        if lines == [""] * 3:
            return None
        tap.check((lines[0], lines[2]), ("event: operation\n", "\n"), "an event")
        return json.loads(lines[1].removeprefix("data: "))


@tap.test("the end of an operation may be streamed: to many, to some who leave, and to who comes late")
def _():
    with serve() as server:
        port = server.port
        tap.check(value(port, "POST", "/supervisor/startProcess/slow"), True, "start")
        wait_until(lambda: "up" in server.read("slow.log"), 10, "slow")
        _, headers, begun = ask(port, "POST", "/supervisor/stopProcess/slow", **ASYNC)
        watchers = [Watcher(port, headers["Location"]) for _ in range(5)]
        tap.check([one.read() for one in watchers], [begun] * 5, "at once")
        watchers.pop(2).connection.close()
        tap.check(value(port, "POST", "/supervisor/signalProcess/slow/KILL"), True, "kill")
        ended = {**begun, "state": "DONE", "result": True}
        tap.check([(one.read(), one.read()) for one in watchers], [(ended, None)] * 4, "the end")
        late = Watcher(port, headers["Location"])
        tap.check((late.read(), late.read()), (ended, None), "to who comes late")
        tap.check(value(port, "POST", "/supervisor/startProcess/slow"), True, "start")
        wait_until(lambda: server.read("slow.log").count("up") == 2, 10, "slow")
        _, headers, begun = ask(port, "POST", "/supervisor/stopProcess/slow", **ASYNC)
        dropped = Watcher(port, headers["Location"])
        dropped.read()
        tap.check(value(port, "DELETE", headers["Location"]), True, "DELETE")
        tap.check(dropped.read(), None, "the stream of what is forgotten")
        tap.check(value(port, "POST", "/supervisor/signalProcess/slow/KILL"), True, "kill")


@tap.test("a handle that is deleted ends the waiting, and not what was begun")
def _():
    with serve() as server:
        port = server.port
        tap.check(value(port, "POST", "/supervisor/startProcess/slow"), True, "start")
        wait_until(lambda: "up" in server.read("slow.log"), 10, "slow")
        place = ask(port, "POST", "/supervisor/stopProcess/slow", **ASYNC)[1]["Location"]
        tap.check(value(port, "DELETE", place), True, "DELETE")
        says(port, "GET", place, 404, 10, "no such operation")
        state = lambda: value(port, "GET", "/supervisor/getProcessInfo/slow")["statename"]
        tap.check(state(), "STOPPING", "slow")
        tap.check(value(port, "POST", "/supervisor/signalProcess/slow/KILL"), True, "kill")
        wait_until(lambda: state() == "STOPPED", 10, "slow to be STOPPED")


@tap.test("what needs not wait, and a mistake, are answered at once also when 202 is preferred")
def _():
    with serve() as server:
        port = server.port
        tap.check(value(port, "POST", "/supervisor/startProcess/slow", **ASYNC), True, "startsecs=0")
        says(port, "POST", "/supervisor/startProcess/nobody", 404, 10, "BAD_NAME", **ASYNC)
        says(port, "POST", "/supervisor/startProcess/slow", 409, 60, "ALREADY_STARTED", **ASYNC)
        says(port, "POST", "/supervisor/startProcess/slow?x=1", 400, 2, "does not take", **ASYNC)
        tap.check(value(port, "GET", "/supervisor/getState", **ASYNC)["statename"], "RUNNING", "what cannot wait")
        tap.check(value(port, "GET", "/operations"), [], "no handle is left")
        tap.check(value(port, "POST", "/supervisor/signalProcess/slow/KILL"), True, "kill")


@tap.test("handles are bounded: what goes on is never forgotten, of what has ended the oldest is")
def _():
    with serve(more=MANY) as server:
        port = server.port
        start = lambda number: ask(port, "POST", f"/supervisor/startProcess/many:{number}", **ASYNC)
        begun = [start(number) for number in range(OPERATIONS_MAX)]
        tap.check({status for status, _, _ in begun}, {202}, "as many as there may be")
        status, headers, fault = start(OPERATIONS_MAX)
        tap.check((status, headers["Retry-After"], fault["code"]), (503, "10", 30), "one more")
        tap.check(server.rpc().supervisor.getProcessInfo(f"many:{OPERATIONS_MAX}")["statename"], "STOPPED", "what was refused")
        tap.check(value(port, "POST", "/supervisor/stopProcess/many:0"), True, "the end of the first")
        tap.check(value(port, "POST", "/supervisor/stopProcess/many:1"), True, "the end of the second")
        first, second, third = (answer["id"] for _, _, answer in begun[:3])
        failed = value(port, "GET", "/operations/" + first)
        tap.check((failed["state"], failed["fault"]["code"]), ("FAILED", 40), "a start that was stopped")
        tap.check(start(OPERATIONS_MAX)[0], 202, "one more now")
        says(port, "GET", "/operations/" + first, 404, 10, "no such operation")
        tap.check(value(port, "GET", "/operations/" + second)["state"], "FAILED", "the second")
        tap.check(value(port, "GET", "/operations/" + third)["state"], "RUNNING", "the third")
        tap.check(len(value(port, "GET", "/operations")), OPERATIONS_MAX, "handles")
        tap.check(value(port, "POST", "/supervisor/stopProcessGroup/many")[0]["status"], 80, "stop")


@tap.test("the methods of a cluster have the paths of supvisorsflask")
def _():
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    program = "[program:web]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n[group:shop]\nprograms=web\n"
    rules = '<application name="shop"><programs><program name="web"/></programs></application>'
    with Cluster(options.build, 1, program, rules) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        port = cluster.ports[0]
        tap.check(value(port, "GET", "/supvisors/api_version"), "0.19", "api_version")
        tap.check(value(port, "GET", "/supvisors/supvisors_state")["fsm_statename"], "OPERATION", "supvisors_state")
        tap.check(value(port, "GET", "/supvisors/master_identifier")["nick_identifier"], "s1", "master_identifier")
        # the examples of Supvisors' docs/flask.rst
        says(port, "GET", "/supvisors/application_info/dummy", 404, 10, "BAD_NAME: application=dummy unknown to Supvisors")
        start = "/supvisors/start_process/CONFIG/shop%3Aweb?extra_args=-u&wait=false"
        tap.check(value(port, "POST", "/supvisors/test_start_process/CONFIG/shop%3Aweb")[0]["process_name"], "web", "test_start")
        tap.check(value(port, "POST", start), True, "start_process")
        running = lambda: value(port, "GET", "/supvisors/process_info/shop%3Aweb")[0]["statename"] == "RUNNING"
        wait_until(running, 10, "web to run")
        says(port, "POST", start, 409, 60, "ALREADY_STARTED: shop:web")
        tap.check(value(port, "GET", "/supvisors/process_info/shop%3Aweb")[0]["extra_args"], "-u", "extra_args")
        says(port, "POST", "/supvisors/start_process/NOSUCH/shop%3Aweb", 400, 2, "NOSUCH")
        says(port, "POST", "/supvisors/conciliate/STOP", 409, 101, "BAD_SUPVISORS_STATE")
        tap.check(value(port, "POST", "/supvisors/stop_process/shop%3Aweb?wait=true"), True, "stop_process")
        tap.check(value(port, "POST", "/supvisors/lazy_update_numprocs/web/1?wait=true"), True, "lazy_update_numprocs")


if __name__ == "__main__":
    tap.run_all(options)
