# seconds: 60
# The network cable is pulled: in a network namespace with nothing but the loopback interface all of the dashboard is there.
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from dashboard import Scene, live

PULLED = "SVISOR_TEST_CABLE_IS_PULLED"
options = tap.arguments()
scene = Scene(options.build)


def pull():
    """Begins anew in such a namespace, where one can be made."""
    ready = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if subprocess.run([*ready, "true"], capture_output=True, check=False).returncode == 0:
        os.execvpe(ready[0], [*ready, sys.executable, *sys.argv], dict(os.environ, **{PULLED: "1"}))


@tap.test("without a network every page is as with one")
def _():
    if PULLED not in os.environ:
        tap.skip("no network namespace can be made here: only root may")
    with open("/proc/net/dev", encoding="ascii") as stream:
        interfaces = [line.split(":")[0].strip() for line in stream if ":" in line]
    print(f"# interfaces: {interfaces}")
    with scene.open(0) as page:
        for place in scene.places():
            page.goto(f"/{place}")
            live(page).get_by_role("main").get_by_role("heading").first().wait_for()
        page.goto("/api/")
        page.get_by_role("main").get_by_text("/supervisor/getState").first().wait_for()
        names = page.evaluate("() => performance.getEntriesByType('resource').map((one) => new URL(one.name).host)")
        tap.check(set(names) <= {f"127.0.0.1:{scene.cluster.ports[0]}"}, True, f"hosts that were asked: {names}")


if __name__ == "__main__":
    if PULLED not in os.environ:
        pull()
    with scene:
        tap.run_all(options)
