#!/usr/bin/python3
"""How long a change of state takes to a PyZMQ subscriber: at the instance where it happens, and at another one.

    events.py --build DIR [--rounds N]

Two svisord on the loopback interface; a program is started and stopped N times. From `now_monotonic` of each `event`, the
moment of the change, to its arrival: both clocks are CLOCK_MONOTONIC of this machine. Each subscriber is a process of its
own: threads of one Python wait for each other for up to 5 ms. The target is 5 ms for 99 of 100.
"""

import argparse
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
from event_cluster import cluster_of, start_and_stop

STATES_OF_A_ROUND = 4
TARGET_MS = 5.0


def subscribe(port, count):
    """Prints a line when it is subscribed, and the milliseconds of so many events when it has them."""
    import zmq

    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.connect(f"tcp://127.0.0.1:{port}")
        socket.setsockopt(zmq.SUBSCRIBE, b"")
        times = []
        while len(times) < count:
            header, body = socket.recv_multipart()
            now = time.monotonic()
            if header == b"instance":
                print("subscribed", flush=True)
            elif header == b"event":
                times.append((now - json.loads(body)["now_monotonic"]) * 1000)
    print(json.dumps(times), flush=True)


def start_subscriber(port, count):
    subscriber = subprocess.Popen([sys.executable, __file__, "--subscribe", str(port), "--rounds", str(count)],
                                  stdout=subprocess.PIPE, text=True)
    subscriber.stdout.readline()
    return subscriber


def report(name, subscriber):
    *_, text = subscriber.communicate(timeout=60)[0].splitlines()
    times = sorted(json.loads(text))
    p50, p99 = (times[int(len(times) * part)] for part in (0.5, 0.99))
    print(f"{name}: {len(times)} events, median {p50:.2f} ms, p99 {p99:.2f} ms, worst {times[-1]:.2f} ms; "
          f"p99 is {p99 / TARGET_MS:.2f} of the target of {TARGET_MS:.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--subscribe", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.subscribe:
        return subscribe(options.subscribe, options.rounds * STATES_OF_A_ROUND)
    with cluster_of(os.path.abspath(options.build), 2) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        subscribers = [start_subscriber(port, options.rounds) for port in cluster.event_ports[:2]]
        start_and_stop(cluster, options.rounds)
        for name, subscriber in zip(("where it happens", "at another instance"), subscribers):
            report(name, subscriber)


if __name__ == "__main__":
    main()
