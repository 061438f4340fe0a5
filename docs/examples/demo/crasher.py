"""Lives for one to four seconds, then ends in one of the ways that programs end."""
import os
import random
import signal
import sys
import time

time.sleep(random.uniform(1, 4))
way = random.choice(["exit", "abort", "segfault", "exception"])
print("about to end by", way)
if way == "exit":
    sys.exit(random.randrange(1, 100))
if way == "abort":
    os.abort()
if way == "segfault":
    os.kill(os.getpid(), signal.SIGSEGV)
raise RuntimeError("nobody expected this")
