"""An event listener in a dozen lines: the protocol is Supervisor's."""
import sys

count = 0
while True:
    sys.stdout.write("READY\n")
    sys.stdout.flush()
    header = dict(pair.split(":") for pair in sys.stdin.readline().split())
    payload = sys.stdin.read(int(header["len"]))
    if "expected:0" in payload:
        count += 1
        with open(sys.argv[1], "w") as file:
            file.write("%d crashes, the last one: %s\n" % (count, payload))
    sys.stdout.write("RESULT 2\nOK")
    sys.stdout.flush()
