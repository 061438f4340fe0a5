# seconds: 120
# The timeline: what happened, in words, told once, on every instance; svisor.getTimeline and svctl timeline.
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from cluster_servers import Cluster
from daemon import wait_until
from live_model import PAGE_SECONDS, LiveModel, end
from lone import PORT, SOCKET, serve

LONE = SOCKET + PORT + """
[supervisorctl]
serverurl=unix://@SOCK@
[program:one]
command=sleep 1000
startsecs=0
[program:crash]
command=sh -c 'exit 3'
autostart=false
startretries=1
restart_delay=0
[program:done]
command=true
autostart=false
startsecs=0
autorestart=false
[program:nowhere]
command=/no/such/file
autostart=false
startretries=0
"""
SHOP = """
[program:web]
command=sleep 1000
startsecs=0
autostart=false
[group:shop]
programs=web
"""
SHOP_RULES = """
<application name="shop"><start_sequence>1</start_sequence>
  <programs><program name="web"><start_sequence>1</start_sequence><identifiers>s1,s2,s3</identifiers></program></programs>
</application>
"""
RECORDS_MAX = 2000  # SV_TIMELINE_RECORDS_MAX
FILE_BYTES_MAX = 4 << 20  # SV_TIMELINE_FILE_BYTES_MAX
options = tap.arguments()


def lone():
    return serve(options.build, LONE)


def told(proxy, after=0, **wanted):
    return [record for record in proxy.svisor.getTimeline(after, 2000)
            if all(record.get(key) == value for key, value in wanted.items())]


def wait_told(proxy, count=1, **wanted):
    wait_until(lambda: len(told(proxy, **wanted)) >= count, 10, f"{count} records with {wanted}")
    return told(proxy, **wanted)


def words_of(records):
    return [(record["kind"], record["level"], record["text"]) for record in records]


def check_words(records, expected):
    """Kind and level, and a part of the text."""
    seen = words_of(records)
    tap.check(len(seen), len(expected), f"records, {seen}")
    for (kind, level, text), wanted in zip(seen, expected):
        tap.check((kind, level), wanted[:2], f"kind and level of {text!r}")
        tap.check_true(wanted[2] in text, f"{text!r} does not say {wanted[2]!r}")


@tap.test("each end is told once, with its reason and what became of the process")
def _():
    with lone() as server:
        proxy = server.rpc(over="tcp")
        pid = proxy.supervisor.getProcessInfo("one")["pid"]
        end(pid)
        wait_told(proxy, 2, process_name="one", kind="process")
        proxy.supervisor.stopProcess("one")
        proxy.supervisor.startProcess("one")
        check_words(told(proxy, process_name="one"), [
            ("process", "info", "started with the daemon (autostart)"),
            ("death", "warning", "SIGKILL"),
            ("process", "info", "restarted after its end (autorestart)"),
            ("process", "info", "stopped by request"),
            ("process", "info", "started by request")])
        proxy.supervisor.startProcess("crash", False)
        wait_told(proxy, process_name="crash", level="error")
        check_words(told(proxy, process_name="crash"), [
            ("death", "warning", "exit code 3; it is tried again"),
            ("death", "error", "exit code 3; it is FATAL: too many start retries too quickly")])
        proxy.supervisor.startProcess("done", False)
        check_words(wait_told(proxy, 2, process_name="done"), [
            ("process", "info", "started by request"), ("process", "info", "ended by itself with exit code 0")])
        try:
            proxy.supervisor.startProcess("nowhere", False)
        except Exception as fault:
            print(f"# {fault}")
        check_words(told(proxy, process_name="nowhere"), [])


@tap.test("the daemon is told of: its start, what was read again, its execution anew, and what a crash left")
def _():
    with lone() as server:
        proxy = server.rpc(over="tcp")
        server.write_config(server.config + "[program:new]\ncommand=sleep 1000\nautostart=false\n")
        proxy.supervisor.reloadConfig()
        proxy.supervisor.addProcessGroup("new")
        proxy.supervisor.removeProcessGroup("new")
        server.write_config(server.config + "[program:broken]\n")
        try:
            proxy.supervisor.reloadConfig()
        except Exception as fault:
            print(f"# {fault}")
        check_words(told(proxy, kind="daemon"), [
            ("daemon", "info", "svisord has started"), ("daemon", "info", "was read again"), ("daemon", "info", "was added"),
            ("daemon", "info", "was removed"), ("daemon", "warning", "refused")])
        server.write_config(server.config.replace("[program:broken]\n", ""))
        before = told(proxy)
        proxy.svisor.reexec()
        server.disconnect()
        server.wait_ready()
        proxy = server.rpc(over="tcp")
        check_words(told(proxy, before[-1]["serial"], kind="daemon"), [("daemon", "info", "goes on")])
        tap.check(told(proxy)[:len(before)], before, "what was told before")
        before = told(proxy)
        server.disconnect()
        server.process.kill()
        server.process.wait()
        server.start()
        proxy = server.rpc(over="tcp")
        check_words(told(proxy, before[-1]["serial"]), [("daemon", "info", "taken back 1 program that pid")])
        tap.check(told(proxy)[:len(before)], before, "what was told before")
        serials = [record["serial"] for record in told(proxy)]
        tap.check(serials, list(range(serials[0], serials[0] + len(serials))), "serials")
        tap.check(told(proxy, serials[-1] + 1000), told(proxy), "what is newer than a record that nobody told")


@tap.test("a timeline goes on after a stop; what is no record in its file is left out, and what is too long, shortened")
def _():
    with lone() as server:
        path = server.path("lone.timeline")
        last = told(server.rpc(over="tcp"))[-1]
        server.stop()
        with open(path, encoding="utf-8") as stream:
            kept = [json.loads(line) for line in stream]
        check_words(kept, [("daemon", "info", "svisord has started"), ("process", "info", "runs, pid"),
                           ("daemon", "info", "svisord stops"), ("process", "info", "because svisord stops: SIGTERM")])
        tap.check(kept[1], last, "the last record before the stop")
        line = json.dumps(dict(last, text="x" * 400))
        with open(path, "a", encoding="utf-8") as stream:
            stream.write('{"serial": "no number"}\n\nnonsense \0\1\377\n')
            for serial in range(1, FILE_BYTES_MAX // len(line)):
                stream.write(json.dumps(dict(last, text="x" * 400, serial=last["serial"] + 10 + serial)) + "\n")
            stream.write('{"serial":')  # torn
        server.start()
        proxy = server.rpc(over="tcp")
        wait_until(lambda: told(proxy, process_name="one")[-1]["text"].startswith("runs, pid"), 10, "one to run")
        records = told(proxy)
        tap.check(len(records), RECORDS_MAX, "the newest records")
        tap.check_true("svisord has started" in records[-2]["text"], f"the last but one: {records[-2]}")
        tap.check([record["text"] for record in records[:-2]], ["x" * 400] * (RECORDS_MAX - 2), "those that were added")
        wait_until(lambda: os.path.getsize(path) < 0.75 * FILE_BYTES_MAX, 10, "the file to be shortened")
        with open(path, encoding="utf-8", errors="replace") as stream:
            lines = stream.read().splitlines()
        tap.check([json.loads(line) for line in lines[-2:]], records[-2:], "its last lines")
        json.loads(lines[0])


@tap.test("where it cannot be kept, this is said once, and the daemon and its timeline go on")
def _():
    with lone() as server:
        server.stop()
        path = server.path("lone.timeline")
        os.unlink(path)
        os.mkdir(path)
        server.start()
        proxy = server.rpc(over="tcp")
        for _ in range(3):
            proxy.supervisor.stopProcess("one")
            proxy.supervisor.startProcess("one")
        tap.check(len(told(proxy, process_name="one")), 7, "records")
        with open(server.path("main.log"), encoding="utf-8") as stream:
            said = [line for line in stream if "the records of the timeline will not outlive this daemon" in line]
        tap.check(len(said), 1, f"complaints: {said}")
        tap.check_true(path in said[0] and "state_directory" in said[0], said[0])
        os.rmdir(path)


@tap.test("who asks gets what is newer, the newest, and no more")
def _():
    with lone() as server:
        proxy = server.rpc(over="tcp").svisor
        everything = proxy.getTimeline(0, 2000)
        serials = [record["serial"] for record in everything]
        tap.check(serials, list(range(serials[0], serials[0] + len(serials))), "the serials")
        tap.check(proxy.getTimeline(), everything, "with no argument")
        tap.check(proxy.getTimeline(serials[0]), everything[1:], "after the first")
        tap.check(proxy.getTimeline(serials[-1]), [], "after the last")
        tap.check(proxy.getTimeline(0, 1), everything[-1:], "the newest one")
        tap.check(proxy.getTimeline(-5, -5), everything, "of nonsense")


@tap.test("svctl timeline, -n, --json and -f")
def _():
    with lone() as server:
        svctl = [os.path.join(options.build, "svctl"), "-c", server.config_path, "timeline"]
        proxy = server.rpc(over="tcp")
        text = subprocess.run(svctl, capture_output=True, text=True, timeout=20, check=True).stdout
        tap.check_true("info    lone  svisord has started" in text and "info    lone  one runs, pid" in text, text)
        shown = json.loads(subprocess.run([*svctl, "-n", "1", "--json"], capture_output=True, text=True, timeout=20, check=True).stdout)
        tap.check(shown, told(proxy)[-1:], "the last one")
        wrong = subprocess.run([*svctl, "-x"], capture_output=True, text=True, timeout=20, check=False)
        tap.check_true(wrong.returncode != 0 and "-n NUMBER" in wrong.stdout, wrong.stdout)
        nothing = subprocess.run([*svctl, "-n", "0"], capture_output=True, text=True, timeout=20, check=True).stdout
        tap.check(nothing, "", "none of them")
        with subprocess.Popen(["timeout", "20", *svctl, "-f", "-n", "1", "--json"], stdout=subprocess.PIPE, text=True) as following:
            tap.check(json.loads(following.stdout.readline()), shown[0], "what it begins with")
            proxy.supervisor.stopProcess("one")
            record = json.loads(following.stdout.readline())
            tap.check_true("stopped by request" in record["text"], f"what is told while it follows: {record}")
            following.send_signal(signal.SIGINT)
            tap.check(following.wait(20), 0, "its exit code")


@tap.test("svctl timeline -f waits for the next daemon, and misses nothing")
def _():
    with lone() as server:
        svctl = ["timeout", "20", os.path.join(options.build, "svctl"), "-c", server.config_path, "timeline", "-f", "--json"]
        with subprocess.Popen(svctl, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as following:
            begin = [json.loads(following.stdout.readline()) for _ in range(2)]
            server.disconnect()
            server.process.kill()
            server.process.wait()
            said = following.stderr.readline()
            tap.check_true("waiting for the next daemon" in said, said)
            server.start()
            proxy = server.rpc(over="tcp")
            proxy.supervisor.stopProcess("one")
            shown = begin + [json.loads(following.stdout.readline()) for _ in range(2)]
            tap.check(shown, told(proxy), "what is shown")
            following.send_signal(signal.SIGINT)
            tap.check((following.wait(20), following.stderr.read()), (0, ""), "its exit code, and what else it says")


@tap.test("a shortage is told on all instances")
def _():
    forker = "[program:forker]\ncommand=sh -c 'for i in $(seq 100); do /bin/true; done; exec sleep 1000'\nautostart=false\n" \
             "startsecs=0\nfork_rate_warn=20/s\n"
    with Cluster(options.build, 2, forker) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        for row in cluster.servers[0].rpc(over="tcp").svisor.getKernelReport():
            if row["name"] == "limit fork_rate_warn" and not row["active"]:
                tap.skip(f"{row['name']}: {row['missing']}")
        cluster.servers[0].rpc(over="tcp").supervisor.startProcess("forker")
        for server in cluster.servers:
            record = wait_told(server.rpc(over="tcp"), kind="resource")[0]
            tap.check((record["identifier"], record["process_name"], record["level"]),
                      (cluster.identifiers[0], "forker", "warning"), f"whom {record['text']!r} is about")


@tap.test("on the pages of all instances, a death is told within 100 ms, and once; what the cluster decides, too")
def _():
    with Cluster(options.build, 3, SHOP, SHOP_RULES) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        pages = [LiveModel(port) for port in cluster.ports]
        try:
            home = cluster.running_on(0, "shop:web")[0]
            identifier = cluster.identifiers[cluster.nicks.index(home)]
            for page in pages:
                page.ready()
                wait_until(lambda page=page: page.of("timeline", kind="application", process_name="web"), 10, "the decision")
            pid = pages[0].copy(identifier, "shop:web")["pid"]
            for _ in range(5):  # one of five times, for the machine may be busy with other things
                for page in pages:
                    page.clear()
                since = time.monotonic()
                end(pid)
                seconds = [page.arrival("timeline", since, kind="death", process_name="web", identifier=identifier) for page in pages]
                for page in pages:
                    page.arrival("timeline", since, kind="process", process_name="web", identifier=identifier)
                pid = cluster.servers[cluster.nicks.index(home)].rpc(over="tcp").supervisor.getProcessInfo("shop:web")["pid"]
                if max(seconds) < PAGE_SECONDS:
                    break
            print("# " + ", ".join(f"{1000 * each:.1f}" for each in seconds) + " ms")
            tap.check_true(max(seconds) < PAGE_SECONDS, f"after {seconds} s")
            for page in pages:
                check_words(page.of("timeline"), [("death", "warning", "SIGKILL"), ("process", "info", "restarted after its end")])
            cluster.call(1, "restart_application", 0, "shop")
            for page in pages:
                wait_until(lambda page=page: len(page.of("timeline")) >= 4, 10, "the restart")
                check_words(page.of("timeline")[2:], [("application", "info", f"stopped on {home}"),
                                                      ("application", "info", "started on ")])
            cluster.kill(2)
            for page in pages[:2]:
                wait_until(lambda page=page: page.of("timeline", kind="instance"), 10, "the loss of s3")
                tap.check(page.of("timeline", kind="instance")[0]["level"], "error", "of the loss")
            serials = [record["serial"] for record in pages[0].of("timeline")]
            tap.check(serials, list(range(serials[0], serials[0] + len(serials))), "serials")
            tap.check(told(cluster.servers[0].rpc(over="tcp"), serials[0] - 1), pages[0].of("timeline"), "what the method says")
        finally:
            for page in pages:
                page.close()


if __name__ == "__main__":
    tap.run_all(options)
