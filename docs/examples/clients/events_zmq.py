#!/usr/bin/python3
"""What happens in a cluster, over ZeroMQ (event_link = ZMQ). Needs PyZMQ: apt-get install python3-zmq

    events_zmq.py tcp://127.0.0.1:9002 [HEADER…]

Without a header, Supvisors' seven; svisor's own (death, resource, mesh, published) are named.
"""

import json
import sys

import zmq

socket = zmq.Context().socket(zmq.SUB)
socket.connect(sys.argv[1])
for header in sys.argv[2:] or [""]:
    socket.setsockopt_string(zmq.SUBSCRIBE, header)

while True:
    header, body = socket.recv_multipart()
    print(header.decode(), json.loads(body), flush=True)
