#!/usr/bin/python3
"""How long a change of state takes to a PyZMQ subscriber: at the instance where it happens, and at another one.

    events.py --build DIR [--rounds N]

Two svisord on the loopback interface; a program is started and stopped N times. From `now_monotonic` of each `event`, the
moment of the change, to its arrival: both clocks are CLOCK_MONOTONIC of this machine. The target is 5 ms for 99 of 100.
"""

import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
from daemon import wait_until
from event_cluster import cluster_of, start_and_stop
from subscribers import ZmqSubscriber

STATES_OF_A_ROUND = 4
TARGET_MS = 5.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=500)
    options = parser.parse_args()
    with cluster_of(os.path.abspath(options.build), 2) as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        with ZmqSubscriber(cluster.event_ports[0]) as here, ZmqSubscriber(cluster.event_ports[1]) as there:
            for heard in (here, there):
                heard.wait("instance")
                heard.clear()
            start_and_stop(cluster, options.rounds)
            for name, heard in (("where it happens", here), ("at another instance", there)):
                wait_until(lambda: len(heard.of("event")) >= options.rounds * STATES_OF_A_ROUND, 30, "all events")
                times = sorted((at - body["now_monotonic"]) * 1000 for header, body, at in heard.messages if header == "event")
                p50, p99 = (times[int(len(times) * part)] for part in (0.5, 0.99))
                print(f"{name}: {len(times)} events, median {p50:.2f} ms, p99 {p99:.2f} ms, worst {times[-1]:.2f} ms; "
                      f"p99 is {p99 / TARGET_MS:.2f} of the target of {TARGET_MS:.0f} ms")


if __name__ == "__main__":
    main()
