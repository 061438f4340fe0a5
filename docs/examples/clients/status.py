#!/usr/bin/python3
"""The processes of a daemon, or of its whole cluster, and what a refusal looks like. Nothing but Python's own library.

    status.py http://alice:secret@127.0.0.1:9001
"""

import sys
import xmlrpc.client

server = xmlrpc.client.ServerProxy(sys.argv[1] + "/RPC2")

for process in server.supervisor.getAllProcessInfo():
    print(f"{process['group']}:{process['name']:16} {process['statename']:9} {process['description']}")

try:
    for node in server.svisor.getNodes():
        print(f"{node['nick_identifier']:16} {node['statename']:9} {'Master' if node['is_master'] else ''}")
except xmlrpc.client.Fault as fault:
    if fault.faultCode != 1:  # UNKNOWN_METHOD: the daemon is not in a cluster
        raise
    print("not in a cluster")

try:
    server.supervisor.startProcess("no-such-program")
except xmlrpc.client.Fault as fault:
    print(f"refused with {fault.faultCode}: {fault.faultString}")
