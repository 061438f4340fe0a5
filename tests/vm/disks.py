# seconds: 900
# io_max and io_weight on a disk: a virtio one, read and written past the page cache. How slow that may become depends on
# what else the host does, so of a bound it is shown that there is no more than it allows.
import fcntl
import os
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
import vm
import controllers
import daemon
from daemon import Server

PATIENCE = 90
daemon.READY_SECONDS = PATIENCE  # eBPF alone takes seconds to load there
DISK, PARTITION = "/dev/vda", "/dev/vda1"
DISK_MB = 64
SECTOR = 512
BLKRRPART = 0x125F
HEAD = """
[unix_http_server]
file=@SOCK@
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=@DIR@/main.log
pidfile=@DIR@/main.pid
childlogdir=@DIR@
identifier=disks-test
"""
# Reads or writes blocks of so many bytes, as fast as it is allowed to.
WORKER = """
import mmap, os, sys
verb, path, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
fd = os.open(path, os.O_RDWR | os.O_DIRECT)
block = mmap.mmap(-1, size)  # O_DIRECT wants whole pages
place = 1 << 20
while True:
    (os.preadv if verb == "read" else os.pwritev)(fd, [block], place)
    place = (1 << 20) + (place + size) % (32 << 20)
"""
options = vm.arguments()


def wait_until(predicate, what):
    end = time.monotonic() + PATIENCE
    while True:
        found = predicate()
        if found:
            return found
        tap.check_true(time.monotonic() < end, f"waited {PATIENCE} s in vain for {what}")
        time.sleep(0.1)


def make_disk():
    """The driver, and one partition that begins at 1 MB."""
    if os.path.exists(PARTITION):
        return
    subprocess.run(["modprobe", "virtio_blk"], check=True)
    wait_until(lambda: os.path.exists(DISK), DISK)
    entry = struct.pack("<8BII", 0, 0, 0, 0, 0x83, 0, 0, 0, 2048, (DISK_MB - 1) << 11)
    fd = os.open(DISK, os.O_RDWR)
    os.pwrite(fd, bytes(446) + entry + bytes(48) + b"\x55\xaa", 0)
    os.fsync(fd)
    fcntl.ioctl(fd, BLKRRPART)
    os.close(fd)
    wait_until(lambda: os.path.exists(PARTITION), PARTITION)


def number():
    """MAJOR:MINOR of the disk, as the kernel's files have it."""
    with open("/sys/block/vda/dev", encoding="ascii") as stream:
        return stream.read().strip()


def serve(config):
    make_disk()
    controllers.make_ready()
    server = Server("svisord", options.build, HEAD + config, start=False)
    server.write("worker.py", WORKER)
    try:
        server.start()
    except BaseException:
        server.close()
        raise
    server.proxy = server.rpc()
    return server


def leaf_of(server, name):
    def pid():
        found = server.proxy.supervisor.getProcessInfo(name)
        return found["statename"] == "RUNNING" and found["pid"]
    return controllers.leaf_of(wait_until(pid, f"{name} to run"))


def read(*path):
    with open(os.path.join(*path), encoding="ascii") as stream:
        return stream.read()


def done(leaf):
    """What io.stat says of the disk: {"rbytes": …, "wios": …}; empty before the first operation."""
    for line in read(leaf, "io.stat").splitlines():
        words = line.split()
        if words[0] == number():
            return {key: int(value) for key, value in (word.split("=") for word in words[1:])}
    return {}


def rate(leaf, key, least):
    """So much of `key` in a second, over at least five seconds and `least` of it."""
    before, begin = wait_until(lambda: done(leaf).get(key), f"the first {key}"), time.monotonic()
    after = wait_until(lambda: time.monotonic() > begin + 5 and done(leaf)[key] >= before + least and done(leaf)[key], key)
    per_second = (after - before) / (time.monotonic() - begin)
    print(f"# {key}: {per_second:.0f} a second")
    return per_second


def change(server, before, after):
    tap.check_true(before in server.config, f"{before} is not in the configuration")
    server.write_config(server.config.replace(before, after))
    tap.check(server.proxy.supervisor.reloadConfig()[0], [[], [], []], "what is to be started again")


def program(name, words, limits):
    return f"[program:{name}]\ncommand=@PYTHON@ @DIR@/worker.py {words}\nstartsecs=0\n{limits}\n"


@tap.test("io_max: a program reads no faster, a partition stands for its disk, and a change reaches it while it reads")
def _():
    with serve(program("reader", f"read {DISK} 65536", f"io_max={PARTITION} rbps=1MB")) as server:
        leaf = leaf_of(server, "reader")
        tap.check(read(leaf, "io.max").strip(), f"{number()} rbps={1 << 20} wbps=max riops=max wiops=max", "io.max")
        slow = rate(leaf, "rbytes", 2 << 20)
        tap.check_true(slow < 1.5 * (1 << 20), f"1 MB a second became {slow:.0f} bytes")
        change(server, "rbps=1MB", "rbps=4MB")
        faster = rate(leaf, "rbytes", 8 << 20)
        tap.check_true(1.5 * slow < faster < 6 * (1 << 20), f"4 MB a second became {faster:.0f} bytes after {slow:.0f}")
        change(server, f"io_max={PARTITION} rbps=4MB\n", "")
        tap.check(read(leaf, "io.max"), "", "io.max, taken back")
        tap.check_true("inactive" not in server.read("main.log"), server.read("main.log"))


@tap.test("io_max of a group bounds operations of its programs together, and is taken back from what lives")
def _():
    with serve(f"[group:pair]\nprograms=one,two\nio_max={DISK} wiops=40\n" +
               program("one", f"write {DISK} 4096", "") + program("two", f"write {DISK} 4096", "")) as server:
        group = os.path.dirname(leaf_of(server, "pair:one"))
        bound = rate(group, "wios", 80)
        tap.check_true(bound < 60, f"40 operations a second became {bound:.0f}")
        change(server, f"io_max={DISK} wiops=40\n", "")
        tap.check(read(group, "io.max"), "", "io.max, taken back")


@tap.test("io_weight: of two programs that want all of a disk the heavier gets more")
def _():
    make_disk()
    if not os.path.exists("/sys/fs/cgroup/io.cost.qos"):
        tap.skip("this kernel has no io.cost (CONFIG_BLK_CGROUP_IOCOST)")
    # A disk of a known speed: 4 MB a second, and no faster or slower for how it answers.
    for file, words in (("io.cost.model", "ctrl=user model=linear rbps=4194304 rseqiops=64 rrandiops=64 "
                                          "wbps=4194304 wseqiops=64 wrandiops=64"),
                        ("io.cost.qos", "enable=1 ctrl=user rpct=0.00 rlat=0 wpct=0.00 wlat=0 min=100.00 max=100.00")):
        with open(f"/sys/fs/cgroup/{file}", "w", encoding="ascii") as stream:
            stream.write(f"{number()} {words}")
    with serve(program("light", f"read {DISK} 65536", "io_weight=50") +
               program("heavy", f"read {DISK} 65536", "io_weight=400")) as server:
        leaves = [leaf_of(server, name) for name in ("heavy", "light")]
        before = [done(leaf).get("rbytes", 0) for leaf in leaves]

        def more():
            return [done(leaf).get("rbytes", 0) - had for leaf, had in zip(leaves, before)]

        heavy, light = wait_until(lambda: sum(more()) > 40 << 20 and more(), "40 MB")
        print(f"# heavy {heavy} bytes, light {light} bytes")
        tap.check_true(heavy > 3 * light, f"heavy read {heavy} bytes, light {light}")
        tap.check_true("inactive" not in server.read("main.log"), server.read("main.log"))


if __name__ == "__main__":
    vm.run_all(options, seconds=800, arguments=("--disk", str(DISK_MB)))
