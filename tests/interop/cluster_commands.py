# The commands that Supvisors adds to supervisorctl, in svctl: the same words to the same cluster of three svisord, and
# every byte and the exit code compared with those of supervisorctl with the plug-in of Supvisors 0.19.
#
# SUPVISORS_SRC names a checkout of Supvisors: then supervisorctl runs beside. Without it the texts are compared with
# recorded/supvisors_commands.txt, which `--record` writes. recorded/supvisors_session.txt holds what a real cluster of
# Supvisors 0.19 printed; there names and ports are another's, so blanks do not count.
# seconds: 300
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from cluster_ctl import ALPHA, CLIENT, Session, Supervisorctl, Svctl, svctl_of
from compare import HEAD
from daemon import Server, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDED = os.path.join(HERE, "recorded", "supvisors_commands.txt")
SESSION = os.path.join(HERE, "recorded", "supvisors_session.txt")
TOPICS = """sversion master sstate strategies stats_status instance_status application_info application_rules sstatus
local_status process_rules conflicts start_application restart_application stop_application test_start_application
test_start_process all_start all_start_args start_args start_process restart_process stop_process start_any_process
start_process_args start_any_process_args conciliate restart_sequence sreload sshutdown end_sync loglevel enable
disable update_numprocs lazy_update_numprocs enable_stats disable_stats stats_period""".split()
LOOK = """sversion
sstate
sstate all
sstate s2 s3
sstate nobody
master
strategies
stats_status
instance_status
instance_status s3 s1
instance_status nobody
application_info
application_info alpha nothing
application_rules
application_rules alpha nothing
sstatus
sstatus alpha:a1 alpha:zz
sstatus alpha:*
sstatus nothing
local_status
local_status alpha:a1 alpha: nothing
local_status nothing
process_rules
process_rules beta alpha:a2 nothing
process_rules alpha:*
conflicts
start_application
start_application WRONG alpha
start_application config alpha
start_application CONFIG nope beta alpha
restart_application
restart_application WRONG
restart_application CONFIG nope beta
stop_application nope beta
test_start_application
test_start_application CONFIG
test_start_application WRONG alpha
test_start_application CONFIG nope
test_start_application CONFIG beta
test_start_application CONFIG alpha
test_start_process CONFIG
test_start_process WRONG a
test_start_process CONFIG alpha:zz
test_start_process MOST_LOADED beta
start_process
start_process WRONG
start_process CONFIG alpha:a1 alpha:zz nothing
start_any_process CONFIG
start_any_process WRONG x
start_any_process CONFIG zzz
start_process_args CONFIG beta
start_process_args WRONG beta x
start_any_process_args CONFIG beta
start_any_process_args WRONG beta x
start_any_process_args CONFIG zzz x
start_args beta
start_args nothing 1
start_args alpha:zz 1
all_start
all_start_args beta
all_start nothing
restart_process
restart_process WRONG x
restart_process CONFIG nothing
conciliate
conciliate WRONG
conciliate USER
end_sync
end_sync a b
loglevel
loglevel loud
loglevel debug
loglevel INFO
enable
enable nothing
disable
disable nothing
update_numprocs
update_numprocs beta
update_numprocs beta none
update_numprocs beta 0
update_numprocs beta 2
update_numprocs beta 1
update_numprocs nothing 2
lazy_update_numprocs beta
lazy_update_numprocs beta -1
lazy_update_numprocs nothing 2
disable_stats HOST nothing Other
disable_stats host
stats_status
disable_stats
stats_status
enable_stats nothing
enable_stats Process
stats_status
enable_stats host process
enable_stats all
stats_period
stats_period often
stats_period 0.5
stats_period 1e9
stats_period 7.5
stats_status
stats_period 5
""".splitlines()
# Leaves everything as it found it.
ACT = """stop_process alpha:a2 alpha:zz
stop_process alpha:a2
application_info
sstatus alpha:a2
test_start_process LOCAL alpha:a2
start_process_args LOCAL alpha:a2 1 2
local_status alpha:a2
stop_process alpha:*
test_start_application LESS_LOADED alpha
start_application LESS_LOADED
application_info alpha
restart_application LESS_LOADED alpha
sstatus alpha:*
stop_application
sstatus
start_application CONFIG alpha
sstatus
restart_process CONFIG alpha:a1
start_any_process CONFIG bet zzz
stop_process beta
start_any_process_args CONFIG bet 1
stop_process beta
start_args beta 1
start_args beta 1
local_status beta
stop_process beta
disable beta
local_status beta
sstatus beta
start beta
start_process CONFIG beta
test_start_process LOCAL beta
start_args beta 1
all_start beta
stop_process beta
enable beta
local_status beta
all_start beta
sstatus beta
stop_process
sstatus
restart_sequence
restart_application LESS_LOADED alpha
sstatus""".splitlines()


def read_options():
    def add(parser):
        parser.add_argument("--record", action="store_true", help="write what supervisorctl prints")

    return tap.arguments(add)


OPTIONS = read_options()
SOURCE = os.environ.get("SUPVISORS_SRC")


def recorded(path):
    with open(path, encoding="utf-8") as stream:
        return [piece for piece in re.split(r"(?m)^(?=\$ )", stream.read()) if piece]


def compare(reference, ours):
    differences = [f"supervisorctl:\n{left}svctl:\n{right}" for left, right in zip(reference, ours) if left != right]
    tap.check_true(not differences, "\n".join(differences))
    tap.check(len(ours), len(reference), "commands")


def reference_of(session, lines, name):
    """What supervisorctl prints, or has printed."""
    if SOURCE:
        texts = session.texts(Supervisorctl, lines)
        if OPTIONS.record:
            with open(RECORDED, "w" if name == "look" else "a", encoding="utf-8") as stream:
                stream.write("".join(texts))
        return texts
    print("# SUPVISORS_SRC is not set: compared with what supervisorctl printed when it was recorded")
    pieces = recorded(RECORDED)
    return pieces[:len(LOOK)] if name == "look" else pieces[len(LOOK):len(LOOK) + len(ACT)]


@tap.test("what looks, and what is refused, is printed as by supervisorctl with the plug-in of Supvisors")
def _():
    with Session(OPTIONS.build) as session:
        supervisor = session.cluster.servers[0].rpc(over="tcp").supervisor
        supervisor.startProcess("gone", False)
        wait_until(lambda: supervisor.getProcessInfo("gone")["statename"] == "EXITED", 10, "gone to end")
        compare(reference_of(session, LOOK, "look"), session.texts(Svctl, LOOK))


@tap.test("what starts, stops and restarts over the cluster is printed as by supervisorctl")
def _():
    with Session(OPTIONS.build) as session:
        reference = reference_of(session, ACT, "act")
        compare(reference, session.texts(Svctl, ACT))


@tap.test("a cluster of svisord prints what a cluster of Supvisors 0.19 printed")
def _():
    with Session(OPTIONS.build, ALPHA) as session:
        def plain(text):
            """With the names and ports of the recorded session, whose widths follow from them."""
            lines = []
            for line in session.normal(text).split("\n"):
                for i in (1, 2, 3):
                    line = line.replace(f"127.0.0.1:PORT{i}", f"host-{i}:6000{i}").replace(f"PORT{i}", f"6000{i}")
                    line = re.sub(rf"\bs{i}\b", f"supv-0{i}", line)
                own = re.search(r"host-\d", line)
                lines.append(re.sub(" +", " ", line.replace("127.0.0.1", own[0]) if own else line))
            return "\n".join(lines)

        reference = recorded(SESSION)
        ours = session.texts(Svctl, [text.split("\n")[0][2:] for text in reference])
        compare([plain(text) for text in reference], [plain(text) for text in ours])


@tap.test("help has Supvisors' text of every command, and the list of them")
def _():
    if not SOURCE:
        tap.skip("SUPVISORS_SRC is not set")
    server = Server("svisord", OPTIONS.build, "", start=False)
    configuration = server.write("client.conf", CLIENT.format(port=1))
    try:
        with Supervisorctl(OPTIONS.build, configuration) as reference, Svctl(OPTIONS.build, configuration) as ours:
            for topic in TOPICS:
                # supervisorctl's own controller says first that it knows nothing of a plug-in's topic
                text = reference("help " + topic)[0].replace(f"*** No help on {topic}\n", "")
                tap.check(ours("help " + topic)[0][:len(text)], text, f"help {topic}")
            block = ours("help")[0].split("supvisors commands (type help <topic>):\n")[1].split("\n\n")[0]
            tap.check(sorted(block.split()[1:]), sorted(TOPICS), "the list that help prints")
    finally:
        server.close()


@tap.test("without [rpcinterface:supvisors], and without a daemon, the commands say so as supervisorctl does")
def _():
    with Server("svisord", OPTIONS.build, HEAD) as server:
        for url, status in ((f"unix://{server.socket_path}", 3), ("http://127.0.0.1:1", 4), ("unix:///no/such", 7)):
            done = subprocess.run([svctl_of(OPTIONS.build), "-s", url, "sstate"], capture_output=True, text=True, check=False)
            begin = {3: "ERROR: supervisord responded but did not recognize the supvisors namespace",
                     4: "ERROR: http://127.0.0.1:1 refused connection\n",
                     7: "ERROR: unix:///no/such no such file\n"}[status]
            tap.check((done.returncode, done.stdout[:len(begin)], done.stderr), (status, begin, ""), url)


if __name__ == "__main__":
    tap.run_all(OPTIONS)
