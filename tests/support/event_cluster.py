"""What the tests of published events share: a cluster with an event port for each instance, and its programs."""

import tap
from cluster_servers import Cluster, free_ports
from daemon import binary

PROGRAMS = """
[program:one]
command=sleep 1000
autostart=false
startsecs=0
[program:crash]
command=sh -c 'exit 3'
autostart=false
startretries=0
startsecs=1
autorestart=false
[program:many]
command=sleep 1000
process_name=%(program_name)s_%(process_num)02d
numprocs=2
autostart=false
startsecs=0
[group:shop]
programs=one,crash
"""
RULES = """
<application name="shop"><start_sequence>0</start_sequence>
  <programs><program name="one"><identifiers>*</identifiers></program></programs>
</application>
"""
STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED, FATAL = 0, 10, 20, 30, 40, 100, 200


def cluster_of(build, count, link="ZMQ", more="", library="zmq"):
    if binary("svisord", build) is None:
        tap.skip(f"{build}/svisord is not built")
    try:
        __import__(library)
    except ImportError:
        tap.skip(f"python3-{library} is not installed: make deps")
    cluster = Cluster(build, count, PROGRAMS, RULES)
    cluster.event_ports = free_ports(count)
    for server, port in zip(cluster.servers, cluster.event_ports):
        server.write_config(server.config.replace(
            "[supervisord]", f"event_link={link}\nevent_port={port}\n{more}\n[supervisord]", 1))
    return cluster


def restart_one(cluster):
    proxy = cluster.servers[0].rpc(over="tcp")
    if proxy.supervisor.getProcessInfo("shop:one")["state"] == RUNNING:
        proxy.supervisor.stopProcess("shop:one")
    return proxy.supervisor.startProcess("shop:one")


def start_and_stop(cluster, count):
    """Four states each, so many times."""
    proxy = cluster.servers[0].rpc(over="tcp").supervisor
    for _ in range(count):
        proxy.startProcess("shop:one")
        proxy.stopProcess("shop:one")
