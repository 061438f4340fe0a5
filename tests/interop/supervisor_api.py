# Every method of supervisor.* and system.*, with right and with wrong arguments: results, faults, texts, types.
import os
import sys
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from compare import HEAD, any_fault_text, fault_for_error, fault_for_type, main, more_methods, own_help, scenario
from daemon import wait_until

CONFIG = HEAD + """
[inet_http_server]
port=127.0.0.1:@PORT@
[program:cat]
command=/bin/cat
startsecs=0
[program:pair]
command=/bin/sh -c 'echo out; echo err >&2; exec sleep 1000'
process_name=%(program_name)s_%(process_num)02d
numprocs=2
startsecs=0
autostart=false
[program:missing]
command=/no/such/program --flag
autostart=false
[program:plain]
command=@DIR@
autostart=false
[program:relative]
command=surely-not-in-any-path
autostart=false
[program:quick]
command=/bin/sh -c 'exit 3'
autostart=false
startretries=0
[program:slow]
command=sleep 1000
autostart=false
startsecs=1
[group:both]
programs=cat,slow
priority=5
"""

NAMES = ["both:cat", "cat", "nope", "nope:*", "both:nope", "", ":", "*", "pair:*", "both:*:x"]


@scenario("the methods that describe the daemon answer alike", CONFIG)
def _(s):
    for method in ("getAPIVersion", "getVersion", "getSupervisorVersion", "getIdentification", "getState",
                   "getAllConfigInfo"):
        s.call("supervisor." + method)
        s.call("supervisor." + method, "superfluous")
    s.note("getPID is the daemon's pid", s.rpc("supervisor.getPID") == s.server.process.pid)
    s.wait_state("both:cat", "RUNNING")
    s.call("supervisor.getAllProcessInfo")
    for name in NAMES:
        s.call("supervisor.getProcessInfo", name)
    for arguments in ((), ("a", "b"), (1,), (["both:cat"],), ({},), (True,)):
        s.call("supervisor.getProcessInfo", *arguments, accept=fault_for_error)


@scenario("introspection answers alike: names, signatures and help of every method", CONFIG)
def _(s):
    methods = s.call("system.listMethods", accept=more_methods)[1]
    for method in methods:
        if method.startswith(("supervisor.", "system.")):
            s.call("system.methodSignature", method)
            s.call("system.methodHelp", method, accept=own_help)
    for name in ("", "nope", "supervisor", "supervisor.", "supervisor.nope", "system._listMethods"):
        s.call("system.methodSignature", name)
        s.call("system.methodHelp", name)
    s.call("system.methodSignature", 7, accept=fault_for_type)
    s.call("system.methodHelp", 7, accept=fault_for_type)
    for arguments in ((), ("a", "b")):
        s.call("system.methodHelp", *arguments)
        s.call("system.methodSignature", *arguments)
        s.call("system.listMethods", *arguments, accept=None if arguments else more_methods)


@scenario("unknown, private and malformed method names get the same fault", CONFIG)
def _(s):
    for method in ("nope", "supervisor.nope", "supervisor._update", "supervisor", "a.b.c",
                   "supervisor.startProcess.x", "system._listMethods", "nope.getState", "supervisor.API_VERSION",
                   "supervisor.supervisord", ".", "supervisor.", ".getState"):
        proxy = xmlrpc.client.dumps((), method)
        request = (f"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/xml\r\n"
                   f"Content-Length: {len(proxy)}\r\n\r\n{proxy}")
        answer = s.raw(request.encode())
        status = answer.split(b"\r\n", 1)[0].split()[1].decode()
        try:
            xmlrpc.client.loads(answer.partition(b"\r\n\r\n")[2])
            result = "result"
        except xmlrpc.client.Fault as fault:
            result = (fault.faultCode, fault.faultString)
        s.note(method, (status, result))


@scenario("starting and stopping answers alike, waiting and not, by process, group and all", CONFIG)
def _(s):
    s.wait_state("both:cat", "RUNNING")
    for name in NAMES:
        s.call("supervisor.startProcess", name)
    s.call("supervisor.stopAllProcesses", sort=True)
    for name in ("missing", "plain", "relative", "quick"):
        s.call("supervisor.startProcess", name)
        if name == "quick":  # it is tried again meanwhile, each server at its own pace
            s.wait_state("quick", "FATAL")
        s.call("supervisor.getProcessInfo", name)
    s.call("supervisor.startProcess", "both:slow", False)
    s.call("supervisor.startProcess", "both:slow")
    s.wait_state("both:slow", "RUNNING")
    s.call("supervisor.stopProcess", "both:slow", False)
    s.wait_state("both:slow", "STOPPED")
    s.call("supervisor.stopProcess", "both:slow")
    s.call("supervisor.startProcessGroup", "both", sort=True)
    s.call("supervisor.startProcessGroup", "both", sort=True)
    s.call("supervisor.startProcessGroup", "nope")
    s.call("supervisor.startProcessGroup", "both:cat")
    s.call("supervisor.stopProcessGroup", "nope")
    s.call("supervisor.stopProcessGroup", "both", sort=True)
    s.call("supervisor.startProcess", "pair:pair_01")
    s.call("supervisor.startProcess", "pair:*", sort=True)
    s.call("supervisor.stopProcess", "pair:*", sort=True)
    s.call("supervisor.stopProcess", "pair:*", False, sort=True)
    for name in NAMES:
        s.call("supervisor.stopProcess", name)
    for method in ("startProcess", "startProcessGroup", "stopProcess", "stopProcessGroup"):
        s.call("supervisor." + method)
        s.call("supervisor." + method, "cat", True, "third")
    s.call("supervisor.getAllProcessInfo")


@scenario("startAllProcesses and stopAllProcesses list every process with its own outcome", CONFIG)
def _(s):
    s.wait_state("both:cat", "RUNNING")
    s.call("supervisor.startAllProcesses", sort=True)
    for name in ("quick", "missing", "plain"):  # a process in BACKOFF would be stopped with the others
        s.wait_state(name, "FATAL", "STOPPED")
    s.call("supervisor.stopAllProcesses", sort=True)
    s.call("supervisor.stopAllProcesses", sort=True)
    s.call("supervisor.stopAllProcesses", True, 1, sort=True)
    s.call("supervisor.getAllProcessInfo")


@scenario("signals are sent by name and number, and refused alike", CONFIG)
def _(s):
    s.wait_state("both:cat", "RUNNING")
    for signal in ("CONT", "SIGCONT", "18", 18, "cont", "sigcont"):
        s.call("supervisor.signalProcess", "both:cat", signal)
    for signal in ("NOPE", "", "SIG", "0", "-1", "65", "1.5", "SIGNOPE", "9999", 0):
        s.call("supervisor.signalProcess", "both:slow", signal, accept=fault_for_error)
    for name in NAMES:
        s.call("supervisor.signalProcess", name, "CONT")
        s.call("supervisor.signalProcessGroup", name, "CONT")
    s.call("supervisor.signalProcessGroup", "both", "NOPE", sort=True)
    s.call("supervisor.signalAllProcesses", "CONT", sort=True)
    s.call("supervisor.signalAllProcesses", "NOPE")
    s.call("supervisor.signalProcess", "both:cat")
    s.call("supervisor.signalProcess", "both:cat", "KILL")
    s.wait_state("both:cat", "RUNNING")


@scenario("logs are read, tailed and cleared alike, with every odd offset", CONFIG)
def _(s):
    s.call("supervisor.startProcessGroup", "pair")
    name = "pair:pair_00"
    wait_until(lambda: s.rpc("supervisor.readProcessStdoutLog", name, 0, 0) == "out\n", 10, "output")
    wait_until(lambda: s.rpc("supervisor.readProcessStderrLog", name, 0, 0) == "err\n", 10, "errors")
    windows = [(0, 0), (0, 2), (1, 2), (2, 100), (-2, 0), (-2, 1), (-100, 0), (100, 1), (4, 4), (0, -1), (0, 4)]
    for method in ("readProcessLog", "readProcessStdoutLog", "readProcessStderrLog", "tailProcessLog",
                   "tailProcessStdoutLog", "tailProcessStderrLog"):
        for window in windows:
            s.call("supervisor." + method, name, *window, accept=fault_for_error)
        for other in NAMES:
            s.call("supervisor." + method, other, 0, 10)
        s.call("supervisor." + method, name, "1", "2", accept=any_fault_text)
        s.call("supervisor." + method, name, "x", "y", accept=fault_for_error)
        s.call("supervisor." + method, name)
    s.call("supervisor.readProcessStdoutLog", "missing", 0, 10)
    s.call("supervisor.clearProcessLogs", name)
    s.call("supervisor.readProcessStdoutLog", name, 0, 10)
    s.call("supervisor.clearProcessLog", "pair:pair_01")
    for other in NAMES:
        s.call("supervisor.clearProcessLogs", other)
    s.call("supervisor.clearAllProcessLogs", sort=True)


@scenario("the main log is read and cleared alike", CONFIG)
def _(s):
    for method in ("readLog", "readMainLog"):
        for window in ((-1, 1), (0, -1), (1 << 30, 5), ("x", 1)):
            s.call("supervisor." + method, *window, accept=fault_for_error)
        s.call("supervisor." + method)
        s.note(method + "(0, 4) is a year", s.rpc("supervisor." + method, 0, 4).isdigit())
    s.call("supervisor.clearLog")
    s.call("supervisor.clearLog", 1)
    os.unlink(s.server.log_path)
    s.call("supervisor.clearLog")
    s.call("supervisor.readLog", 0, 4)


@scenario("standard input is written alike", CONFIG)
def _(s):
    s.wait_state("both:cat", "RUNNING")
    s.call("supervisor.sendProcessStdin", "both:cat", "gr\u00fc\u00df dich\n")
    wait_until(lambda: s.rpc("supervisor.readProcessStdoutLog", "both:cat", 0, 0), 10, "the echo")
    s.call("supervisor.readProcessStdoutLog", "both:cat", 0, 0)
    s.call("supervisor.sendProcessStdin", "both:cat", "")
    s.call("supervisor.sendProcessStdin", "both:cat", 7)
    s.call("supervisor.sendProcessStdin", "both:cat", ["a"], accept=any_fault_text)
    s.call("supervisor.sendProcessStdin", "both:slow", "x")
    s.call("supervisor.sendProcessStdin", "nope", "x")
    s.call("supervisor.sendProcessStdin", "both:*", "x")
    s.call("supervisor.sendProcessStdin", "both:cat")
    s.call("supervisor.sendRemoteCommEvent", "type", "data")
    s.call("supervisor.sendRemoteCommEvent", "type")


@scenario("multicall runs calls in order, waiting ones too, and carries faults inside", CONFIG)
def _(s):
    s.wait_state("both:cat", "RUNNING")

    def calls(*list_of):
        return [{"methodName": method, "params": list(params)} for method, *params in list_of]

    s.call("system.multicall", calls(
        ("supervisor.getAPIVersion",), ("supervisor.getState",), ("supervisor.nope",),
        ("supervisor.startProcess", "both:slow"), ("supervisor.startProcess", "nope"),
        ("supervisor.startProcess", "both:slow"), ("supervisor.stopProcess", "both:slow"),
        ("supervisor.stopProcessGroup", "both"), ("supervisor.startProcess", "missing"),
        ("system.multicall", []), ("supervisor.getProcessInfo",)))
    s.call("system.multicall", [])
    s.call("system.multicall", [{"params": []}, {"methodName": "supervisor.getAPIVersion"}, {}])
    s.call("system.multicall", [{"methodName": "system.multicall", "params": [[]]}])
    s.call("system.multicall")
    s.call("system.multicall", "text", accept=fault_for_error)
    s.call("system.multicall", 5, accept=any_fault_text)


@scenario("while the daemon stops, every method answers SHUTDOWN_STATE", HEAD + """
[program:stubborn]
command=@PYTHON@ -c "import signal,time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(99)"
stdout_logfile=@DIR@/stubborn.log
stopwaitsecs=3
startsecs=0
""")
def _(s):
    s.wait_file("stubborn.log", "up")
    s.call("supervisor.shutdown")
    for method, *arguments in (("getState",), ("getAPIVersion",), ("getPID",), ("getAllProcessInfo",),
                               ("getProcessInfo", "stubborn"), ("startProcess", "stubborn"), ("stopAllProcesses",),
                               ("reloadConfig",), ("shutdown",), ("restart",), ("readLog", 0, 0),
                               ("signalAllProcesses", "CONT"), ("signalProcess", "stubborn", "CONT"),
                               ("addProcessGroup", "x"), ("removeProcessGroup", "x"), ("clearLog",)):
        s.call("supervisor." + method, *arguments)
    s.call("system.listMethods", accept=more_methods)
    s.call("system.multicall", [{"methodName": "supervisor.getState", "params": []}])
    s.note("exit", s.server.wait())


if __name__ == "__main__":
    main()
