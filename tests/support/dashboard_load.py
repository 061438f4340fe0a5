"""A large cluster and its dashboard: what the page costs. For tests/browser/performance.py, and with more rounds tests/bench/dashboard.py.

What a person waits for is the page's main thread: script, style, layout, paint. Its tasks are counted in milliseconds of processor
time, so that the numbers mean the same on a busy machine.
"""

import random
import signal

import tap
from browser import Browser
from cluster_servers import Cluster
from daemon import wait_until
from dashboard import end, live, url

NODES, PROGRAMS, RUNNING = 10, 100, 10
TASK_MS = 1  # shorter ones are no work
SCROLL = """async () => {
    const between = [];
    let last = await new Promise(requestAnimationFrame);
    scrollTo(0, 0);
    while (scrollY + innerHeight < document.documentElement.scrollHeight - 1) {
        scrollBy(0, 400);
        const now = await new Promise(requestAnimationFrame);
        between.push(now - last);
        last = now;
    }
    return between;
}"""


def cluster_of(build):
    """Programs are called after the node's port: none is in two nodes."""
    section = "[program:p@PORT@_{:03}]\ncommand=sleep 1000\nstartsecs=0\nautorestart=false\nautostart={}\n"
    return Cluster(build, NODES, "".join(section.format(i, "true" if i < RUNNING else "false") for i in range(PROGRAMS)))


class Load:
    """The cluster at work, and a browser."""

    def __init__(self, build):
        self.cluster = cluster_of(build)
        self.browser = None

    def __enter__(self):
        try:
            self.browser = Browser()
            self.cluster.start()
            self.cluster.wait_state("OPERATION", timeout=60)
            for index in range(NODES):
                wait_until(lambda: len(self.cluster.call(index, "get_all_process_info")) == NODES * PROGRAMS, 60, "all to know all")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.browser:
            self.browser.close()
        self.cluster.close()

    def page(self, place="#/"):
        return live(self.browser.open(url(self.cluster, 0, place)))

    def place(self, index):
        return "#/instances/" + self.cluster.identifiers[index].replace(":", "%3A")

    def paints(self, count):
        """[(first paint, everything shown)] of fresh pages, by the clock."""
        found = []
        for _ in range(count):
            with self.page() as page:
                page.get_by_role("heading", name=f"Applications {NODES * PROGRAMS}").wait_for()
                found.append(page.evaluate("() => [performance.getEntriesByName('first-contentful-paint')[0].startTime, performance.now()]"))
        return found

    def tasks(self, page, work):
        """What the page has to do while that is done."""
        self.browser.ask(trace=page.number)
        work()
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        tasks = [one for one in self.browser.ask(traced=page.number) if one >= TASK_MS]
        tap.check_true(len(tasks) >= 10, f"too little was done: {tasks}")
        return tasks

    def changes(self, count):
        """So many programs start and stop, in all nodes."""
        proxies = [server.rpc(over="tcp").supervisor for server in self.cluster.servers]
        chance = random.Random(1)
        for _ in range(count):
            index = chance.randrange(NODES)
            name = f"p{self.cluster.ports[index]}_{chance.randrange(RUNNING, PROGRAMS):03}"
            proxies[index].startProcess(name)
            proxies[index].stopProcess(name)

    def type(self, page, *words):
        box = page.get_by_role("searchbox", name="Filter applications")
        for text in words:
            box.fill("")
            box.press_sequentially(text)

    def arrivals(self, count):
        """[from the death of a program of node 10 to its row on node 1's page]"""
        found = []
        proxy = self.cluster.servers[-1].rpc(over="tcp").supervisor
        with self.page(self.place(NODES - 1)) as page:
            for i in range(count):
                name = f"p{self.cluster.ports[-1]}_{i % RUNNING:03}"
                page.get_by_role("searchbox", name="Filter processes").fill(name)
                if proxy.getProcessInfo(name)["pid"] == 0:
                    proxy.startProcess(name)
                row = page.get_by_role("row").filter(has=page.get_by_role("link", name=name))
                row.get_by_text("Running").wait_for()
                page.watch("[role=row]", "Exited")
                died = end(proxy.getProcessInfo(name)["pid"], signal.SIGKILL)
                found.append(1000 * (page.seen() - died))
        return found


def quantile(times, part):
    return sorted(times)[int((len(times) - 1) * part)]


def words_of(times):
    return f"{len(times)}: median {quantile(times, 0.5):.1f} ms, p95 {quantile(times, 0.95):.1f} ms, worst {max(times):.1f} ms"
