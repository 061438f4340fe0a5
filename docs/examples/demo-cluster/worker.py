"""Sells something ten times a second, orders more when it is sold out, and ends when the store is gone."""
import random
import sys
import time

from store import Store

store = Store(int(sys.argv[1]))
while True:
    good = random.randrange(10)
    left = int(store.ask("DECR", f"good:{good}"))
    if left < 0:
        store.ask("SET", f"good:{good}", "100")
        print(f"good {good} is sold out: ordered 100 more")
    else:
        print(f"sold one of good {good}, {left} left; sale {store.ask('INCR', 'sales')}")
    time.sleep(0.1)
