# seconds: 300
# The model of the dashboard at /live: a snapshot, then what changes, without a cluster and in one of three instances.
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from cluster_servers import Cluster
from daemon import wait_until
from frames import Frames, answer_to, opened_by_hand, request
from live_model import PAGE_SECONDS, LiveModel, end, messages_of
from lone import PORT, serve
from probe import memory_kb

ONE = """
[program:one]
command=sleep 1000
startsecs=0
"""
SHOP = """
[program:web]
command=sleep 1000
startsecs=0
autostart=false
[program:stock]
command=sleep 1000
startsecs=0
autostart=false
[group:shop]
programs=web,stock
"""
SHOP_RULES = """
<application name="shop"><start_sequence>1</start_sequence>
  <programs><program pattern=".*"><start_sequence>1</start_sequence><identifiers>s1,s2,s3</identifiers></program></programs>
</application>
"""
options = tap.arguments()


def lone(programs=ONE, secret=""):
    return serve(options.build, PORT + secret + programs)


def shop(count=3):
    return Cluster(options.build, count, SHOP, SHOP_RULES)


def check_quick(what, measure):
    """One of five times, for the machine may be busy with other things."""
    seconds = []
    while len(seconds) < 5 and min(seconds, default=1) >= PAGE_SECONDS:
        seconds.append(measure())
    print(f"# a crash is on {what} after {1000 * seconds[-1]:.1f} ms")
    tap.check_true(seconds[-1] < PAGE_SECONDS, f"it takes {seconds} s")


def all_as_told(server, model, methods=("get_all_local_process_info",)):
    """The rows of the model are what the method of the daemon says."""
    told = {(info["group"], info["name"]): info["statename"] for info in server.rpc(over="tcp").supervisor.getAllProcessInfo()}
    seen = {key[1:]: body["statename"] for key, body in model.ready()["copy"].items()}
    return seen == told


@tap.test("without a cluster: what there is, and what changes, on the page within 100 ms")
def _():
    with lone(ONE + "[program:two]\ncommand=sh -c 'exit 3'\nautostart=false\nstartretries=1\nrestart_delay=5\n") as server, \
            LiveModel(server.port) as model:
        rows = model.ready()
        hello = rows["instance"][("lone",)]
        tap.check((model.messages[0][1]["cluster"], model.messages[0][1]["synchro_options"]), (False, []), "hello says that there is no cluster")
        tap.check(hello["statename"], "RUNNING", "its instance")
        tap.check(sorted(rows["copy"]), [("lone", "one", "one"), ("lone", "two", "two")], "its copies")
        tap.check({kind for kind, *_ in model.messages} & {"supvisors", "application", "process", "conflicts"}, set(),
                  "what only clusters have")
        running = model.copy("lone", "one:one")
        tap.check(running["statename"], "RUNNING", "one")
        check_quick("the page", lambda: model.arrival("copy", end(model.copy("lone", "one:one")["pid"]), name="one", statename="RUNNING"))
        again = model.copy("lone", "one:one")
        tap.check_true(again["pid"] != running["pid"] and "SIGKILL" in again["why"], f"the next run: {again}")
        server.rpc(over="tcp").supervisor.startProcess("two", False)
        model.arrival("copy", 0, name="two", statename="BACKOFF")
        waiting = model.copy("lone", "two:two")
        tap.check_true(waiting["next_start"] >= waiting["now"] and "exit code 3" in waiting["why"], f"{waiting}")
        wait_until(lambda: all_as_told(server, model), 10, "the model to be what the daemon says")


@tap.test("what a check finds, and what a program says of itself, is on the page without a change of state")
def _():
    program = """
[program:ill]
command=sleep 1000
startsecs=0
liveness=exec:false
liveness_period=1
liveness_action=none
"""
    says = """import os, socket, time
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
    connection.connect(chr(0) + os.environ["NOTIFY_SOCKET"][1:])
    connection.send(b"READY=1\\nSTATUS=counting sheep")
    time.sleep(1000)
"""
    with lone(program + "[program:talker]\ncommand=@PYTHON@ @DIR@/says.py\nready=notify\nautostart=false\n") as server, \
            LiveModel(server.port) as model:
        server.write("says.py", says)
        model.ready()
        wait_until(lambda: "The last check that failed" in model.copy("lone", "ill:ill")["why"], 20, "the check")
        server.rpc(over="tcp").supervisor.startProcess("talker")
        wait_until(lambda: "counting sheep" in model.copy("lone", "talker:talker")["why"], 20, "what it says")


@tap.test("programs that come and go with the configuration do so on the page")
def _():
    with lone() as server, LiveModel(server.port) as model:
        model.ready()
        server.write_config(server.config.replace("[program:one]", "[program:new]"))
        proxy = server.rpc(over="tcp").supervisor
        proxy.reloadConfig()
        proxy.addProcessGroup("new")
        proxy.stopProcess("one")
        proxy.removeProcessGroup("one")
        wait_until(lambda: list(model.rows()["copy"]) == [("lone", "new", "new")], 10, "one to go, and new to come")


@tap.test("in a cluster, with event_link=NONE: all of it on each instance, and what changes")
def _():
    with shop() as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        with LiveModel(cluster.ports[0]) as model, LiveModel(cluster.ports[2]) as other:
            rows = model.ready()
            tap.check(len(rows["instance"]), 3, "instances")
            tap.check(model.messages[0][1]["synchro_options"], ["STRICT"], "what hello says of the synchronization")
            tap.check(rows["supvisors"]["fsm_statename"], "OPERATION", "the state")
            tap.check(rows["application"][("shop",)]["rules"]["start_sequence"], 1, "the rules of the application")
            tap.check(rows["process"][("shop", "web")]["rules"]["start_sequence"], 1, "the rules of the process")
            tap.check(len(rows["copy"]), 6, "copies")
            tap.check(rows["conflicts"], {"namespecs": []}, "conflicts")
            here = wait_until(lambda: [key[0] for key, body in model.ready()["copy"].items()
                                       if key[2] == "web" and body["statename"] == "RUNNING"], 10, "web to run")[0]
            index = cluster.identifiers.index(here)
            rpc = cluster.servers[index].rpc(over="tcp").supervisor

            def pid_on(page):
                """What runs now; a page that has just been told of a crash may not know it yet."""
                pid = wait_until(lambda: rpc.getProcessInfo("shop:web")["pid"], 10, "web to run")
                wait_until(lambda: page.copy(here, "shop:web")["pid"] == pid, 10, f"the page to show pid {pid}")
                return pid

            for name, page in (("its own page", model if index == 0 else other), ("another one's", other if index == 0 else model)):
                check_quick(name, lambda page=page: page.arrival(
                    "copy", end(pid_on(page)), name="web", identifier=here, statename="RUNNING"))
            wait_until(lambda: model.rows() and model.rows()["process"][("shop", "web")]["statename"] == "RUNNING", 10, "web to run")


@tap.test("when the rules are read again, what follows from them is on the page: also the load of the instances")
def _():
    with shop(2) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        server = cluster.servers[0]
        with LiveModel(cluster.ports[0]) as model:
            wait_until(lambda: model.ready()["application"][("shop",)]["statename"] == "RUNNING", 10, "the shop to open")
            rules = SHOP_RULES.replace("</identifiers>", "</identifiers><expected_loading>7</expected_loading>")
            server.write("rules.xml", f'<?xml version="1.0" encoding="UTF-8"?>\n<root>{rules}</root>\n')
            server.rpc(over="tcp").supervisor.reloadConfig()
            wait_until(lambda: model.ready()["process"][("shop", "web")]["rules"]["expected_loading"] == 7, 10, "the rule")
            told = {info["identifier"]: info["loading"] for info in cluster.call(0, "get_all_instances_info")}
            tap.check(sum(told.values()), 14, f"the loads: {told}")
            wait_until(lambda: {key[0]: body["loading"] for key, body in model.ready()["instance"].items()} == told, 10, "the loads on the page")


@tap.test("conflicts, and an instance that is lost, are on the page")
def _():
    with shop() as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        with LiveModel(cluster.ports[0]) as model:
            rows = model.ready()
            elsewhere = next(index for index, name in enumerate(cluster.identifiers)
                             if rows["copy"][(name, "shop", "web")]["statename"] != "RUNNING")
            cluster.servers[elsewhere].rpc(over="tcp").supervisor.startProcess("shop:web", False)
            model.wait("conflicts", namespecs=["shop:web"])
            model.wait("supvisors", fsm_statename="CONCILIATION")
            cluster.servers[elsewhere].rpc(over="tcp").supervisor.stopProcess("shop:web")
            wait_until(lambda: model.rows()["conflicts"] == {"namespecs": []}, 20, "the conflict to end")
            cluster.kill(2)
            lost = model.wait("instance", 20, identifier=cluster.identifiers[2], statename="FAILED")
            tap.check(lost["why"], "its connection broke", "why it was lost")


@tap.test("instances tick every second, and that is no news")
def _():
    with shop(2) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        with LiveModel(cluster.ports[0]) as model:
            model.ready()
            wait_until(lambda: model.rows()["application"][("shop",)]["statename"] == "RUNNING", 10, "the shop to open")
            ticks = [cluster.call(0, "get_instance_info", "s2")[0]["remote_sequence_counter"]]
            model.clear()
            wait_until(lambda: cluster.call(0, "get_instance_info", "s2")[0]["remote_sequence_counter"] >= ticks[0] + 3, 10,
                       "three heartbeats")
            tap.check(model.messages, [], "what was sent meanwhile")


@tap.test("a page hears again and again that the daemon is there, also when there is no news")
def _():
    with lone() as server, LiveModel(server.port) as model:
        model.ready()
        wait_until(lambda: model.beats >= 2, 30, "two beats")


@tap.test("who may look: the password counts, pages of another origin may not, and only WebSockets are answered")
def _():
    with lone() as server:
        good = request("/live", server.port)
        for text, wanted in ((good, "101"), (good + f"Origin: http://127.0.0.1:{server.port}\n", "101"),
                             (good + "Origin: http://elsewhere\n", "403"), (good + "Origin: null\n", "403"),
                             (good.replace("Upgrade: websocket\n", ""), "426"), (good.replace("/live", "/lives"), "404")):
            answer = answer_to(server.port, text)
            tap.check_true(wanted in answer, f"{text!r}: {answer}, not {wanted}")
    with lone(secret="username=u\npassword=p") as server:
        tap.check_true("401" in answer_to(server.port, request("/live", server.port)), "without the password")
        with LiveModel(server.port, extra_headers={"Authorization": "Basic dTpw"}) as model:
            model.ready()


@tap.test("a page that does not read costs bounded memory, and gets a new snapshot when it reads again")
def _():
    name = 200 * "x"  # it stands in each message five times: so fewer of them fill the queue
    with lone(ONE.replace("one", name)) as server, opened_by_hand(server.port, "/live") as slow, LiveModel(server.port) as quick:
        quick.ready()
        pid = server.process.pid
        before = memory_kb(pid)
        proxy = server.rpc(over="tcp").supervisor
        for _ in range(1500):
            proxy.stopProcess(name)
            proxy.startProcess(name)
        grown = memory_kb(pid) - before
        frames, hellos, last, count = Frames(slow), 0, None, 0
        while hellos < 2 or last[0] != "ready":  # the second one: it has missed some
            for last in messages_of(frames.next()):
                hellos += last[0] == "hello"
                count += 1
        print(f"# {grown} KB; {len(quick.messages)} messages to the other one, {count} to this one")
        tap.check_true(grown < 16000, f"svisord has grown by {grown} KB")
        tap.check([kind for kind, *_ in quick.messages].count("hello"), 1, "snapshots of the one that reads")


@tap.test("a snapshot of 3,000 programs keeps nobody waiting, and misses nothing that changes meanwhile")
def _():
    many = "[program:many]\ncommand=sleep 1000\nautostart=false\nnumprocs=3000\nprocess_name=%(process_num)04d\n"
    with lone(ONE + many) as server:
        proxy = server.rpc(over="tcp").supervisor

        def is_smooth():
            """In one piece it would keep some request waiting for all of it, on whatever machine."""
            with LiveModel(server.port) as model:
                slowest = 0
                while model.rows() is None:
                    begin = time.monotonic()
                    proxy.getPID()
                    slowest = max(slowest, time.monotonic() - begin)
                begin, complete = model.messages[0][2], next(when for kind, _, when in model.messages if kind == "ready")
                print(f"# {1000 * (complete - begin):.0f} ms; the slowest request took {1000 * slowest:.1f} ms")
                tap.check(len(model.rows()["copy"]), 3001, "copies")
                return slowest < max(0.05, (complete - begin) / 4)

        tap.check_true(any(is_smooth() for _ in range(5)), "each time, a request had to wait for the snapshot")
        with LiveModel(server.port) as model:
            for _ in range(50):
                proxy.stopProcess("one")
                proxy.startProcess("one")
            model.ready()
            wait_until(lambda: all_as_told(server, model), 10, "the model to be what the daemon says")


@tap.test("clients that say nonsense, too much, or leave without a word do no harm")
def _():
    with lone() as server:
        mask = bytes(4)
        for text in (b"\xff" * 100, b"\x81\x85" + mask + b"hello", b"\x81\x05hello", b"\x82\xff" + b"\x7f" * 8 + mask,
                     (b"\x89\x80" + mask) * 20000, b"\x88\x82" + mask + b"\x03\xe8", b"\x01\x81" + mask + b"x" * 3, b""):
            with opened_by_hand(server.port, "/live") as connection:
                try:
                    connection.sendall(text)
                except OSError:  # it was shown the door
                    pass
        descriptors = f"/proc/{server.process.pid}/fd"
        before = len(os.listdir(descriptors))
        for _ in range(100):
            opened_by_hand(server.port, "/live").close()
        wait_until(lambda: len(os.listdir(descriptors)) <= before, 10, "their descriptors to be closed")
        with LiveModel(server.port) as model:
            model.ready()


@tap.test("more pages than may look are refused, until one is closed")
def _():
    with lone() as server:
        pages = [opened_by_hand(server.port, "/live") for _ in range(200)]
        tap.check_true("503" in answer_to(server.port, request("/live", server.port)), "the next one")
        for page in pages:
            page.close()
        wait_until(lambda: "101" in answer_to(server.port, request("/live", server.port)), 10, "a place")


@tap.test("a page is told when the daemon ends, or is executed anew, and finds the next one")
def _():
    with lone() as server:
        with LiveModel(server.port) as model:
            pid = model.ready()["copy"][("lone", "one", "one")]["pid"]
            server.rpc(over="tcp").svisor.reexec()
            wait_until(lambda: model.error, 10, "the connection to end")
            tap.check_true("1001" in str(model.error) or "going away" in str(model.error), f"it says {model.error!r}")
        server.disconnect()
        with LiveModel(server.port) as model:
            tap.check(model.ready()["copy"][("lone", "one", "one")]["pid"], pid, "the program")
            server.disconnect()
            server.stop()
            wait_until(lambda: model.error, 10, "the connection to end")
            tap.check_true("1001" in str(model.error) or "going away" in str(model.error), f"it says {model.error!r}")
        server.process = None


if __name__ == "__main__":
    tap.run_all(options)
