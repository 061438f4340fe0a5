# seconds: 30
# suite: quick
# software_icon and css_files of [rpcinterface:supvisors], as the dashboard gets them: types, bounds, what changes, what cannot be read.
import http.client
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from cluster_servers import Cluster
from daemon import binary

SVG = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
LONGEST = 1 << 20
options = tap.arguments()


class Served:
    """An instance with an icon of that name, and style sheets."""

    def __init__(self, icon="icon.svg", more=""):
        if binary("svisord", options.build) is None:
            tap.skip(f"{options.build}/svisord is not built")
        self.cluster = Cluster(options.build, 1, "", options=f"software_name=Shop\nsoftware_icon=@DIR@/{icon}\ncss_files=@DIR@/*.css\n{more}")
        self.server = self.cluster.servers[0]
        self.icon = self.server.write(icon, SVG)
        self.server.write("a.css", "body { color: red }")
        self.server.write("b.css", "/* é */")

    def __enter__(self):
        self.cluster.start()
        self.server.wait_ready()
        return self

    def __exit__(self, *_):
        self.cluster.close()

    def get(self, path, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", self.cluster.ports[0], timeout=10)
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.headers, body

    def complaints(self):
        return [line for line in self.server.read("main.log").splitlines() if "the dashboard is without" in line]


@tap.test("the icon and the style sheets are served as they are, and can do nothing by themselves")
def _():
    with Served() as served:
        for path, kind, body in (("/software-icon", "image/svg+xml", SVG), ("/software_icon.png", "image/svg+xml", SVG),
                                 ("/css/0.css", "text/css; charset=utf-8", "body { color: red }"), ("/css/1.css", "text/css; charset=utf-8", "/* é */")):
            status, headers, found = served.get(path)
            tap.check((status, headers["Content-Type"], found.decode()), (200, kind, body), path)
            tap.check((headers["X-Content-Type-Options"], headers["Content-Security-Policy"], headers["Cache-Control"]),
                      ("nosniff", "default-src 'none'; frame-ancestors 'none'; sandbox", "no-cache"), path)
        tap.check(served.get("/software-icon", "HEAD")[::2], (200, b""), "HEAD")
        tap.check(served.get("/software-icon", "POST")[0], 405, "POST")
        for path in ("/css/2.css", "/css/.css", "/css/00000.css", "/css/-1.css", "/css/0.css/", "/css/0", "/css/a.css", "/css/../a.css",
                     "/css/99999999999999999999.css", "/software-icon/"):
            tap.check(served.get(path)[0], 404, path)
        served.server.write("a.css", "body { color: blue }")
        tap.check(served.get("/css/0.css")[2], b"body { color: blue }", "a change counts at once")


@tap.test("the name says what image it is; without an icon, and without a cluster, there is none")
def _():
    for name, kind in (("i.png", "image/png"), ("i.JPG", "image/jpeg"), ("i.jpeg", "image/jpeg"), ("i.gif", "image/gif"), ("i.ico", "image/x-icon")):
        with Served(name) as served:
            tap.check(served.get("/software-icon")[1]["Content-Type"], kind, name)
    for name in ("i.html", "icon"):
        with Served(name) as served:
            tap.check((served.get("/software-icon")[0], len(served.complaints())), (404, 1), name)


@tap.test("what cannot be read, or is too long, is told to the log once, and served again when it can")
def _():
    with Served() as served:
        for spoil in (lambda: served.server.write("icon.svg", "x" * (LONGEST + 1)), lambda: os.remove(served.icon),
                      lambda: (os.remove(served.icon), os.mkfifo(served.icon)),
                      lambda: (os.remove(served.icon), os.mkdir(served.icon))):
            before = len(served.complaints())
            spoil()
            for _ in range(3):
                tap.check(served.get("/software-icon")[0], 404, "while it is spoilt")
            tap.check(len(served.complaints()) - before, 1, f"lines in the log: {served.complaints()}")
            tap.check(served.get("/css/0.css")[0], 200, "the others")
            if os.path.isdir(served.icon):
                os.rmdir(served.icon)
            elif os.path.exists(served.icon):
                os.remove(served.icon)
            served.server.write("icon.svg", "x" * LONGEST)
            tap.check(len(served.get("/software-icon")[2]), LONGEST, "the longest one")


if __name__ == "__main__":
    tap.run_all(options)
