# seconds: 120
# Calls that are relayed to another instance, in a cluster of three real daemons: the same answers and faults as there,
# long and large ones, and what becomes of them when somebody goes away.
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from cluster_servers import Cluster
from daemon import wait_until

TALK_BYTES = 3000000
PROGRAMS = """
[program:web]
command=/bin/sleep 1000
startsecs=0
[program:patient]
command=/bin/sleep 1000
startsecs=1
autostart=false
[program:never]
command=/bin/sleep 1000
startsecs=3600
autostart=false
process_name=%(program_name)s_%(process_num)d
numprocs=64
[program:crash]
command=/bin/sh -c 'exit 3'
startsecs=0
autorestart=false
[program:talk]
command=/bin/sh -c 'yes "a line of a log, more or less" | head -c @TALK@; exec sleep 1000'
startsecs=0
stdout_logfile=@DIR@/talk.log
stdout_logfile_maxbytes=0
""".replace("@TALK@", str(TALK_BYTES))
PARAMS_MAX = 32 << 10  # SV_RELAY_PARAMS_BYTES_MAX
INSTANCE_MAX = 32  # SV_RELAY_INSTANCE_MAX
NEVER_COUNT = 64
RESULT_MAX = 1 << 20  # SV_RELAY_RESULT_BYTES_MAX
ANSWER_SECONDS = 20
BAD_NAME, FAILED = 10, 30
options = tap.arguments()


def cluster_of(count=3, **more):
    cluster = Cluster(options.build, count, PROGRAMS, **more)
    cluster.start()
    for server in cluster.servers:
        server.wait_ready()
    cluster.wait_state("OPERATION")
    return cluster


def connection_of(cluster, index):
    return http.client.HTTPConnection("127.0.0.1", cluster.ports[index], timeout=ANSWER_SECONDS)


def ask(cluster, index, verb, path, body=None, **headers):
    """HTTP status and JSON."""
    connection = connection_of(cluster, index)
    headers = {"Content-Type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
    connection.request(verb, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text)


def value(cluster, index, verb, path, body=None):
    status, result = ask(cluster, index, verb, path, body)
    tap.check(status, 200, f"{verb} {path}: {result}")
    return result


def says(got, status, code, words):
    tap.check_true(got[0] == status and isinstance(got[1], dict) and got[1].get("code") == code
                   and words in got[1]["message"], f"expected {status}, code {code}, {words!r}; got {got}")


def relay(cluster, index, identifier, method, *params):
    return cluster.servers[index].rpc(over="tcp").svisor.relay(identifier, method, list(params))


def later(function, *arguments):
    """A thread that calls; what came of it is in its `got`, and when in its `at`."""

    def run():
        thread.got = function(*arguments)
        thread.at = time.monotonic()

    thread = threading.Thread(target=run, daemon=True)
    thread.got = None
    thread.start()
    return thread


def joined(thread, seconds=ANSWER_SECONDS):
    thread.join(seconds)
    tap.check_true(not thread.is_alive(), f"no answer within {seconds} s")
    return thread.got


def without_clock(info):
    """What two calls, one after the other, are told alike."""
    return {name: it for name, it in info.items() if name not in ("now", "now_monotonic", "description")}


def statename(cluster, index, name):
    return cluster.servers[index].rpc(over="tcp").supervisor.getProcessInfo(name)["statename"]


@tap.test("every instance answers for every other one as that one does, by its nickname or identifier, and for itself")
def _():
    with cluster_of() as cluster:
        for there in range(3):
            rpc = cluster.servers[there].rpc(over="tcp")
            wait_until(lambda rpc=rpc: rpc.supervisor.getProcessInfo("crash")["statename"] == "EXITED", 10, "crash to end")
            wait_until(lambda there=there: os.path.getsize(cluster.servers[there].path("talk.log")) == TALK_BYTES, 10, "talk's log")
            names = (cluster.nicks[there], cluster.identifiers[there], urllib.parse.quote(cluster.identifiers[there], safe=""))
            for here in range(3):
                for name in names:
                    tap.check(value(cluster, here, "GET", f"/instances/{name}/supervisor/getPID"), rpc.supervisor.getPID(), name)
                base = f"/instances/{names[0]}"
                why = value(cluster, here, "GET", f"{base}/svisor/why/crash")
                tap.check(why, rpc.svisor.why("crash"), "svisor.why")
                tap.check(value(cluster, here, "GET", f"{base}/supervisor/readProcessStdoutLog/talk/0/60"),
                          rpc.supervisor.readProcessStdoutLog("talk", 0, 60), "a part of a log")
                tap.check(without_clock(value(cluster, here, "GET", f"{base}/supvisors/local_process_info/web")),
                          without_clock(rpc.supvisors.get_local_process_info("web")), "a method of supvisors")
                tap.check(relay(cluster, here, names[1], "supervisor.getIdentification"),
                          rpc.supervisor.getIdentification(), "XML-RPC")
                tap.check(relay(cluster, here, names[0], "system.multicall", [
                    {"methodName": "supervisor.getPID"}, {"methodName": "supervisor.getProcessInfo", "params": ["no"]}]),
                    [rpc.supervisor.getPID(), {"faultCode": BAD_NAME, "faultString": "BAD_NAME: no"}], "system.multicall")


@tap.test("faults, statuses and verbs are those of the method, and mistakes are told before anything is sent")
def _():
    with cluster_of(2) as cluster:
        s2 = "/instances/s2"
        says(ask(cluster, 0, "GET", f"{s2}/supervisor/getProcessInfo/nobody"), 404, BAD_NAME, "BAD_NAME: nobody")
        says(ask(cluster, 0, "POST", f"{s2}/supervisor/startProcess/web"), 409, 60, "ALREADY_STARTED: web")
        says(ask(cluster, 0, "GET", f"{s2}/supervisor/startProcess/web"), 405, 2, "use POST")
        says(ask(cluster, 0, "GET", f"{s2}/supervisor/readLog/x/0"), 400, 2, "offset must be a whole number")
        says(ask(cluster, 0, "GET", f"{s2}/supervisor/getPid"), 404, 1, "did you mean /supervisor/getPID?")
        says(ask(cluster, 0, "GET", f"{s2}/"), 404, 1, "write /instances/ID and the path of a method")
        says(ask(cluster, 0, "GET", "/instances/s2"), 404, 1, "write /instances/ID and the path of a method")
        says(ask(cluster, 0, "POST", f"{s2}/supervisor/stopProcess/web", Origin="http://evil"), 403, FAILED, "another origin")
        says(ask(cluster, 0, "GET", "/instances/sl2/supervisor/getPID"), 404, BAD_NAME, "no instance sl2; did you mean s2?")
        says(ask(cluster, 0, "GET", f"/instances/127.0.0.1:{cluster.ports[1]}0/supervisor/getPID"), 404, BAD_NAME,
             f"did you mean 127.0.0.1:{cluster.ports[1]}?")
        says(ask(cluster, 0, "GET", "/instances/%FF/supervisor/getPID"), 404, BAD_NAME, "not UTF-8")
        says(ask(cluster, 0, "GET", "/instances/*/supervisor/getPID"), 404, BAD_NAME, "a call is relayed to one")
        says(ask(cluster, 0, "GET", "/instances//supervisor/getPID"), 404, BAD_NAME, "there is no instance")
        says(ask(cluster, 0, "POST", f"{s2}/supervisor/sendProcessStdin", {"name": "web", "chars": "x" * PARAMS_MAX}), 500,
             FAILED, "ask s2 itself")
        tap.check(value(cluster, 0, "POST", f"{s2}/supervisor/signalProcess", {"name": "web", "signal": "CONT"}), True, "a body")
        for method, params, code in (("no.such", [], 1), ("supervisor.getPID", ["too many"], 2), ("svisor.relay", ["s1", "a.b", []], 2),
                                     ("system.multicall", [[{"methodName": "svisor.relay"}]], 2)):
            for name in ("s1", "s2"):
                try:
                    tap.fail(f"{method} of {name}: {relay(cluster, 0, name, method, *params)}")
                except xmlrpc.client.Fault as fault:
                    tap.check(fault.faultCode, code, f"{method} of {name}: {fault.faultString}")


@tap.test("a call that waits is answered when it is done, and holds nobody else up; with respond-async it gets a handle")
def _():
    with cluster_of(2) as cluster:
        begin = time.monotonic()
        start = later(ask, cluster, 0, "POST", "/instances/s2/supervisor/startProcess/patient")
        wait_until(lambda: statename(cluster, 1, "patient") == "STARTING", 5, "patient to start")
        tap.check(value(cluster, 0, "GET", "/instances/s2/supervisor/getProcessInfo/patient")["statename"], "STARTING", "meanwhile")
        tap.check(joined(start), (200, True), "startProcess")
        tap.check_true(0.9 < start.at - begin < 5, f"it took {start.at - begin:.2f} s")
        tap.check(statename(cluster, 1, "patient"), "RUNNING", "patient")
        tap.check(value(cluster, 0, "POST", "/instances/s2/supervisor/stopProcess", {"name": "patient"}), True, "stopProcess")
        tap.check(value(cluster, 0, "POST", "/instances/s2/supervisor/startProcess/patient?wait=false"), True, "without wait")
        tap.check(statename(cluster, 1, "patient"), "STARTING", "patient")
        status, handle = ask(cluster, 0, "POST", "/instances/s2/supervisor/startProcess/never:never_0", Prefer="respond-async")
        tap.check((status, handle["method"], handle["state"]), (202, "supervisor.startProcess", "RUNNING"), "the handle")
        status, pid = ask(cluster, 0, "GET", "/instances/s2/supervisor/getPID", Prefer="respond-async")
        tap.check((status, type(pid)), (200, int), "what does not wait has no handle")
        # Longer than the time after which a call of which nothing is heard counts as lost.
        time.sleep(5)
        tap.check(value(cluster, 0, "GET", "/operations/" + handle["id"])["state"], "RUNNING", "after 5 s")
        tap.check(value(cluster, 1, "POST", "/supervisor/stopProcess/never:never_0"), True, "stop it there")
        wait_until(lambda: value(cluster, 0, "GET", "/operations/" + handle["id"])["state"] == "FAILED", 5, "the handle to fail")
        says((500, value(cluster, 0, "GET", "/operations/" + handle["id"])["fault"]), 500, 40, "ABNORMAL_TERMINATION")


@tap.test("a long answer comes whole, one of more than 1 MB is a fault that says what to do, and heartbeats pass between")
def _():
    with cluster_of(2, svisor="suspect_after=10") as cluster:  # a busy machine is no lost instance
        rpc = cluster.servers[1].rpc(over="tcp").supervisor
        wait_until(lambda: os.path.getsize(cluster.servers[1].path("talk.log")) == TALK_BYTES, 10, "the log")
        path = "/instances/s2/supervisor/readProcessStdoutLog/talk/0/"
        for length in (32700, 33000, 900000):
            tap.check(value(cluster, 0, "GET", path + str(length)), rpc.readProcessStdoutLog("talk", 0, length), f"{length} bytes")
        says(ask(cluster, 0, "GET", path + str(RESULT_MAX + 1)), 500, FAILED, "ask for less, or ask that instance itself")
        beats = {}  # by its number, when it was heard
        amount = [0]

        def count(seconds):
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                info = cluster.call(0, "get_instance_info", "s2")[0]
                beats[info["remote_sequence_counter"]] = info["local_mtime"]

        def load():
            while counting.is_alive():
                amount[0] += len(value(cluster, 0, "GET", path + "900000"))

        begin = time.monotonic()
        counting = later(count, 3)
        for thread in [later(load) for _ in range(8)]:
            joined(thread, 60)
        seconds = time.monotonic() - begin
        gap = max(beats[number] - beats[number - 1] for number in beats if number - 1 in beats)
        print(f"# {amount[0] / seconds / 1e6:.0f} MB/s relayed; the longest time between two heartbeats: {gap * 1000:.0f} ms")
        tap.check(cluster.instance_state(0, 1), "RUNNING", "s2")
        tap.check_true("s2 is FAILED" not in cluster.servers[0].read("main.log"), "s2 was lost for want of a heartbeat")


@tap.test("when the instance is killed, falls silent or restarts, waiting calls end at once and say so")
def _():
    with cluster_of() as cluster:
        waiting = [later(ask, cluster, 0, "POST", f"/instances/s{i}/supervisor/startProcess/never:never_0") for i in (2, 3)]
        for index in (1, 2):
            wait_until(lambda index=index: statename(cluster, index, "never:never_0") == "STARTING", 5, "never to start")
        begin = time.monotonic()
        cluster.kill(1)
        says(joined(waiting[0]), 500, FAILED, "supervisor.startProcess of s2: the instance was lost")
        print(f"# {(waiting[0].at - begin) * 1000:.0f} ms after SIGKILL: {waiting[0].got[1]['message']}")
        tap.check_true(waiting[0].at - begin < 1, "it took too long")
        got = ask(cluster, 0, "GET", "/instances/s2/supervisor/getPID")
        says(got, 500, FAILED, "s2 cannot be asked: it is ")
        begin = time.monotonic()
        cluster.servers[2].send(signal.SIGSTOP)
        try:
            late = later(ask, cluster, 0, "GET", "/instances/s3/supervisor/getPID")
            says(joined(waiting[1]), 500, FAILED, "supervisor.startProcess of s3: the instance was lost")
            says(joined(late), 500, FAILED, "whether it was done is not known")
        finally:
            cluster.servers[2].send(signal.SIGCONT)
        print(f"# {waiting[1].at - begin:.2f} s after SIGSTOP: {waiting[1].got[1]['message']}")
        tap.check_true(waiting[1].at - begin < 3, "it took too long")
        cluster.servers[1].start()
        for index in (1, 2):
            wait_until(lambda index=index: cluster.instance_state(0, index) == "RUNNING", 10, "them to come back")
            tap.check(value(cluster, 0, "GET", f"/instances/{cluster.nicks[index]}/supervisor/getPID"),
                      cluster.servers[index].rpc(over="tcp").supervisor.getPID(), "asked again")


@tap.test("an instance with mesh_calls=false refuses what others relay, and relays itself")
def _():
    with Cluster(options.build, 2, PROGRAMS) as cluster:
        server = cluster.servers[1]
        server.write_config(server.config.replace("[supervisord]", "[svisor]\nmesh_calls=false\n[supervisord]", 1))
        cluster.start()
        cluster.wait_state("OPERATION")
        says(ask(cluster, 0, "GET", "/instances/s2/supervisor/getPID"), 500, FAILED, "mesh_calls=false: ask it itself")
        tap.check(value(cluster, 1, "GET", "/instances/s1/supervisor/getPID"), cluster.servers[0].process.pid, "the other way")
        tap.check(value(cluster, 1, "GET", "/instances/s2/supervisor/getPID"), server.process.pid, "its own")


def svctl_mesh(server, keys, *words):
    config = server.write("keys.conf", f"[supervisord]\n[supervisorctl]\n[svisor]\n{keys}\n")
    done = subprocess.run([os.path.join(options.build, "svctl"), "-c", config, "mesh", *words],
                          capture_output=True, text=True, timeout=60, check=False)
    tap.check(done.returncode, 0, f"svctl mesh {words}: {done.stdout}{done.stderr}")


@tap.test("between instances that each have a key of their own calls are relayed as well, and to one whose key is not trusted they are not")
def _():
    keys = "mesh_key=%(here)s/mesh.key\nmesh_trust=%(here)s/mesh.trust"
    with Cluster(options.build, 3, PROGRAMS, svisor=keys, options="synchro_timeout=15", synchro="TIMEOUT") as cluster:
        servers = cluster.servers
        for server in servers:
            svctl_mesh(server, keys, "keygen")
        for here, there in ((0, 1), (1, 0), (2, 0), (2, 1)):  # nobody trusts the third one
            svctl_mesh(servers[here], keys, "trust", servers[there].path("mesh.key.pub"), cluster.nicks[there])
        cluster.start()
        for server in servers:
            server.wait_ready()
        for index in (0, 1):
            wait_until(lambda index=index: cluster.instance_state(index, 1 - index) == "RUNNING", 30, "the two to know each other")
            tap.check_true("CURVE, public key" in servers[index].read("main.log"), "the connections are not encrypted")
        pid = servers[1].process.pid
        wait_until(lambda: os.path.getsize(servers[1].path("talk.log")) == TALK_BYTES, 10, "the log")
        tap.check(value(cluster, 0, "GET", "/instances/s2/supervisor/getPID"), pid, "a small answer")
        path = "supervisor/readProcessStdoutLog/talk/0/900000"
        tap.check(value(cluster, 0, "GET", "/instances/s2/" + path), value(cluster, 1, "GET", "/" + path), "a large one")
        tap.check(value(cluster, 0, "POST", "/instances/s2/supervisor/startProcess/patient"), True, "one that waits")
        tap.check(statename(cluster, 1, "patient"), "RUNNING", "patient")
        says(ask(cluster, 1, "GET", "/instances/s1/supervisor/getProcessInfo/nobody"), 404, BAD_NAME, "BAD_NAME: nobody")
        for here, there in ((0, "s3"), (2, "s1")):
            says(ask(cluster, here, "GET", f"/instances/{there}/supervisor/getPID"), 500, FAILED, f"{there} cannot be asked")


@tap.test("calls that wait are bounded for each instance, and a caller that goes away makes room, here and there")
def _():
    def start(number):
        connection = connection_of(cluster, 0)
        connection.request("POST", f"/instances/s2/supervisor/startProcess/never:never_{number}")
        return connection

    def is_starting(number):
        return lambda: statename(cluster, 1, f"never:never_{number}") == "STARTING"

    def get_pid():
        got = ask(cluster, 0, "GET", "/instances/s2/supervisor/getPID")
        # What was dropped here is dropped there before the next call comes.
        tap.check_true("calls of others" not in str(got), f"there is room here and not there: {got}")
        return got

    with cluster_of() as cluster:
        pid = cluster.servers[1].process.pid
        connections = [start(number) for number in range(INSTANCE_MAX)]
        for number in range(INSTANCE_MAX):
            wait_until(is_starting(number), 10, "never to start")
        says(get_pid(), 500, FAILED, "wait already; try later")
        tap.check(value(cluster, 0, "GET", "/instances/s3/supervisor/getPID"), cluster.servers[2].process.pid, "another one")
        for connection in connections:
            connection.close()
        wait_until(lambda: get_pid() == (200, pid), 10, "room for another call")
        tap.check(statename(cluster, 1, "never:never_0"), "STARTING", "what had begun")
        connections = [start(number) for number in range(INSTANCE_MAX, NEVER_COUNT)]
        for number in range(INSTANCE_MAX, NEVER_COUNT):
            wait_until(is_starting(number), 10, "never to start")
        cluster.kill(0)
        cluster.servers[0].start()
        wait_until(lambda: cluster.instance_state(0, 1) == "RUNNING", 10, "s1 to come back")
        tap.check(get_pid(), (200, pid), "asked by the next daemon")


if __name__ == "__main__":
    tap.run_all(options)
