"""Puts ten goods into the store, a hundred of each, and ends."""
import sys

from store import Store

store = Store(int(sys.argv[1]))
for good in range(10):
    store.ask("SET", f"good:{good}", "100")
print("the shelves are full")
