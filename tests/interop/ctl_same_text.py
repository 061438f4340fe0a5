# svctl beside supervisorctl: the same words to the same server, and every byte and the exit code compared.
# suite: quick
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from ctl_beside import BOTH, CONFIG, OPTIONS, Beside, Server, beside, compare, need_programs


@beside("status prints the same table and ends with the same code for any names")
def _(s):
    s.given(crash="RUNNING", missing="RUNNING")
    s.same("status", exit_status=3)
    s.same("status ok", exit_status=0)
    s.same("status web:*", exit_status=0)
    s.same("status web: pair:one ok ok")
    s.same("status all nothing", exit_status=3)
    s.same("status nothing nothing:* web:web_7 web", exit_status=4)
    s.same("status idle nothing")
    s.same("status nothing idle")
    s.same("status ok:*")


@beside("start says and returns the same")
def _(s):
    stopped = lambda: s.given(ok="STOPPED", idle="STOPPED", others={"web:web_0": "STOPPED", "pair:one": "STOPPED"})
    s.same("start", exit_status=2)
    s.same("start ok", prepare=stopped, exit_status=0)
    s.same("start ok idle web:web_0", prepare=stopped, exit_status=0)
    s.same("start web:* pair:", prepare=stopped, exit_status=0)
    s.same("start ok", prepare=lambda: s.given(ok="RUNNING"), exit_status=0)
    s.same("start nothing", exit_status=1)
    s.same("start nothing:*", exit_status=2)
    s.same("start crash", exit_status=7)
    s.same("start missing", exit_status=1)
    s.same("start unexecutable", exit_status=1)
    s.same("start ok:ok web_0", exit_status=1)
    s.same("start all", prepare=stopped, sort=True)


@beside("stop says and returns the same")
def _(s):
    running = lambda: s.given(ok="RUNNING", idle="RUNNING", others={
        "web:web_0": "RUNNING", "web:web_1": "RUNNING", "pair:one": "RUNNING", "pair:two": "RUNNING",
        "a-program-with-a-name-longer-than-thirty-letters": "RUNNING"})
    s.same("stop", exit_status=1)
    s.same("stop ok idle", prepare=running, exit_status=0)
    s.same("stop web:*", prepare=running, exit_status=0, sort=True)
    s.same("stop pair:one web:web_1 nothing", prepare=running, exit_status=1)
    s.same("stop nothing:*", exit_status=1)
    s.same("stop crash", exit_status=0)
    s.same("stop all", prepare=running, exit_status=0, sort=True)


@beside("restart says and returns the same")
def _(s):
    s.same("restart", exit_status=1)
    s.same("restart ok idle", prepare=lambda: s.given(idle="STOPPED"), exit_status=0)
    s.same("restart web:*", sort=True, exit_status=0)
    s.same("restart nothing crash")
    s.same("restart nothing:*")


@beside("signal and clear say and return the same")
def _(s):
    s.same("signal", exit_status=1)
    s.same("signal HUP", exit_status=1)
    s.same("signal CONT ok web:* nothing nothing:*")
    s.same("signal 18 all", sort=True)
    s.same("signal SIGCONT idle", exit_status=7)
    s.same("signal NOSIGNAL ok", exit_status=1)
    s.same("signal NOSIGNAL web:*", exit_status=1)
    s.same("clear", exit_status=1)
    s.same("clear ok web:web_0 nothing", exit_status=1)
    s.same("clear all", exit_status=0)


@beside("tail and maintail print the same bytes")
def _(s):
    s.same("tail ok", exit_status=0)
    s.same("tail -3 ok", exit_status=0)
    s.same("tail -3 ok stderr", exit_status=0)
    s.same("tail ok STDERR")
    s.same("tail -0 ok")
    s.same("tail --3 ok")
    for words in ("tail", "tail a b c d", "tail -x ok", "tail -f", "tail -5", "tail ok somewhere", "tail - ok",
                  "tail nothing", "tail web", "tail web:web_0 stdout", "tail -5 ok stdout extra", "tail -f3 ok",
                  "maintail -x", "maintail 5", "maintail -1 -2", "maintail -7x"):
        s.same(words)
    s.same("maintail -9")


@beside("pid, version and avail print the same")
def _(s):
    s.same("pid", exit_status=0)
    s.same("pid all", exit_status=0)
    s.same("pid ok idle", exit_status=7)
    s.same("pid nothing ok", exit_status=1)
    s.same("version", exit_status=0)
    s.same("version 2", exit_status=1)
    s.same("avail", exit_status=0)
    s.same("avail all", exit_status=1)


CHANGED = CONFIG.replace("command=/bin/sleep 1000\nautostart=false\n", "command=/bin/sleep 2000\nautostart=false\n") \
    .replace("[program:quick]", "[program:new]").replace("command=/bin/true", "command=/bin/sleep 500")


@beside("reread, update, add and remove say and return the same")
def _(s):
    def back():
        s.server.write_config(CONFIG)
        added, changed, removed = s.proxy.reloadConfig()[0]
        for name in [*removed, *changed]:
            s.proxy.stopProcessGroup(name)
            s.proxy.removeProcessGroup(name)
        for name in [*added, *changed]:
            s.proxy.addProcessGroup(name)
        s.settle()

    def changed():
        back()
        s.server.write_config(CHANGED)

    def broken():
        s.server.write_config(CONFIG + "\n[program:bad]\n")

    s.same("reread", prepare=back, exit_status=0)
    s.same("reread", prepare=changed, exit_status=0)
    s.same("reread now", exit_status=1)
    s.same("update", prepare=back, exit_status=0)
    s.same("update", prepare=changed, exit_status=0)
    s.same("update all", prepare=changed)
    s.same("update new", prepare=changed)
    s.same("update nothing", prepare=changed, exit_status=1)
    s.same("update idle nothing all", prepare=changed)
    s.same("reread", prepare=broken, exit_status=1)
    s.same("add", exit_status=0)
    s.same("add ok", prepare=back, exit_status=0)
    s.same("add nothing", exit_status=1)
    s.same("remove", exit_status=0)
    s.same("remove ok nothing", exit_status=1)

    def with_new():
        changed()
        s.proxy.reloadConfig()

    s.same("add new ok", prepare=with_new, exit_status=0)

    def stopped():
        back()
        s.given(idle="STOPPED")

    s.same("remove idle", prepare=stopped, exit_status=0)


@beside("help begins with the same text, and a mistake in the command line is told in the same words")
def _(s):
    for topic in ("add", "avail", "clear", "exit", "fg", "maintail", "open", "pid", "quit", "reload", "remove",
                  "reread", "restart", "shutdown", "signal", "start", "status", "stop", "tail", "update", "version"):
        reference, ours = (s.run(program, ["help", topic]) for program in BOTH)
        tap.check(ours[0][:len(reference[0])], reference[0], f"help {topic}")
        tap.check(ours[1:], reference[1:], f"help {topic}: stderr and exit code")
    reference, ours = (s.run(program, ["help"]) for program in BOTH)
    tap.check(ours[0][:len(reference[0])], reference[0], "help")
    for words in (["help", "help"], ["?fg"], ["?"][:0] + ["help", "nothing"], ["help", "fg", "open"], ["help", "EOF"],
                  ["EOF"], ["exit"], ["quit", "now"], ["nothing"], ["status-all"], ["!ls"], [" "], ["fg"],
                  ["fg", "a", "b"], ["fg", "nothing"], ["fg", "idle"], ["open", "x"], ["open"], ["open", "ftp://x"],
                  ["reload", "x"], ["shutdown", "x"], ["stop-all", "x"], ["start_all"]):
        s.same(words)
    for words in (["-x"], ["--nothing"], ["-s"], ["--serverurl"], ["--interactive=3"], ["-i", "-i"],
                  ["-s", "http://a", "-s", "http://b", "pid"], ["--c", "/no/such/file"]):
        s.same(words, exit_status=2)
    s.same(["-s", "unix://" + s.server.socket_path, "pid"], exit_status=0)
    s.configuration = ["-c", "/no/such/file"]
    s.same("status", exit_status=2)
    s.configuration = ["-c", s.server.write("empty.conf", "[supervisord]\n")]
    s.same("status", exit_status=2)


@beside("without a server every command says and returns the same")
def _(s):
    for url in ("unix:///no/such/socket", f"http://127.0.0.1:{s.server.port}"):
        s.configuration = ["-c", s.server.write("away.conf", f"[supervisorctl]\nserverurl={url}\n")]
        for words in ("status", "status x", "start x", "start", "stop x", "restart x", "signal HUP x", "pid", "tail x",
                      "tail -f x", "maintail", "clear x", "version", "version x", "fg x", "add", "add x", "remove x",
                      "update", "reread", "avail", "reload", "shutdown", "help stop", "open " + url):
            s.same(words)


@beside("the shell does the same with lines from a pipe")
def _(s):
    s.same("", stdin="version\nnothing\n\n  pid\n? stop\nstatus ok\nexit\nversion\n", exit_status=0)
    s.same("", stdin="stop idle\nshutdown\nno\nreload\n\nversion", exit_status=0)
    s.same("-i", stdin="help nothing\nEOF\n", exit_status=0)
    s.same("-i version", exit_status=0)
    s.same("", stdin=f"open unix://{s.server.socket_path}\nopen x\n", exit_status=0)


@tap.test("reload and shutdown say and return the same")
def _():
    need_programs()
    for words in (["reload"], ["shutdown"]):
        answers = []
        for program in BOTH:
            with Server(OPTIONS.server, OPTIONS.build, CONFIG) as server:
                answers.append(Beside(server).run(program, words))
        compare(" ".join(words), *answers)


if __name__ == "__main__":
    tap.run_all(OPTIONS)
