#!/usr/bin/python3
"""The dashboard of 1,000 programs on 10 nodes in Chromium: first paint, work for each change, scrolling, filtering, and how long a
death takes to the open page.

    dashboard.py --build DIR [--rounds N]

Ten svisord on the loopback interface. What is measured by the clock means something only on a machine with nothing else to do.
"""

import argparse
import os
import sys

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support")  # where another dashboard.py is
from dashboard_load import SCROLL, Load, words_of


def report(load, rounds):
    first, whole = zip(*load.paints(rounds))
    print(f"first paint (target 300 ms), {words_of(first)}")
    print(f"all 1,000 programs are there, {words_of(whole)}")
    for name, place in (("start page", "#/"), ("page of an instance", load.place(3))):
        with load.page(place) as page:
            print(f"work for changes, {name} (target 16 ms), tasks, {words_of(load.tasks(page, lambda: load.changes(20 * rounds)))}")
    with load.page() as page:
        between = []
        print(f"work for scrolling, tasks, {words_of(load.tasks(page, lambda: between.extend(page.evaluate(SCROLL))))}")
        print(f"from frame to frame while it scrolls, {words_of(between)}")
        print(f"work for filtering, tasks, {words_of(load.tasks(page, lambda: load.type(page, 'p4', '_09', 'p_050')))}")
    print(f"from a death on another node to the page (target 100 ms), {words_of(load.arrivals(5 * rounds))}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    with Load(os.path.abspath(options.build)) as load:
        report(load, options.rounds)


if __name__ == "__main__":
    main()
