# seconds: 150
# The dashboard of 1,000 programs on 10 nodes: it is there at once, follows what happens, scrolls and filters without a jerk.
import contextlib
import functools
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from dashboard_load import SCROLL, Load, quantile, words_of

# By the processor's time; what is measured by the clock has room here for a machine with two processors and other tests. tests/bench/dashboard.py
# holds 300 ms for the first paint.
UPDATE_MS, JERK_MS, PAGE_MS, PAINT_MS = 16, 50, 100, 1000
options = tap.arguments()
kept = contextlib.ExitStack()


@functools.cache
def load():
    return kept.enter_context(Load(options.build))


@tap.test("the first paint comes at once")
def _():
    paints = load().paints(5)
    first, whole = zip(*paints)
    print(f"# first paint, {words_of(first)}; all 1,000 programs, {words_of(whole)}")
    tap.check_true(min(first) < PAINT_MS, f"{first}")


@tap.test("a change of a program is less than 16 ms of work for the page (p95), on the start page and on that of an instance")
def _():
    for name, place in (("start page", "#/"), ("page of an instance", load().place(3))):
        with load().page(place) as page:
            tasks = load().tasks(page, lambda: load().changes(100))
            print(f"# {name}, tasks, {words_of(tasks)}")
            tap.check_true(quantile(tasks, 0.95) < UPDATE_MS, f"{tasks}")


@tap.test("it scrolls and filters without a task of more than 50 ms")
def _():
    with load().page() as page:
        between = []
        scrolling = load().tasks(page, lambda: between.extend(page.evaluate(SCROLL)))
        page.evaluate("() => scrollTo(0, 0)")
        filtering = load().tasks(page, lambda: load().type(page, "p4", "_09", "p_050"))
        print(f"# scrolling, from frame to frame by the clock, {words_of(between)}")
        for name, tasks in (("scrolling", scrolling), ("filtering", filtering)):
            print(f"# {name}, tasks, {words_of(tasks)}")
            tap.check_true(max(tasks) < JERK_MS, f"{name}: {tasks}")


@tap.test("the death of a program of another node is on the page within 100 ms")
def _():
    times = load().arrivals(10)
    print(f"# {words_of(times)}")
    tap.check_true(quantile(times, 0.5) < PAGE_MS, f"{times}")


if __name__ == "__main__":
    with kept:
        tap.run_all(options)
