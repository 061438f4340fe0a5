#!/usr/bin/python3
"""What happens in a cluster, over HTTP (text/event-stream), with Python's library alone. What was missed while the connection was broken comes later.

    events_stream.py http://alice:secret@127.0.0.1:9001 [HEADER…]

Without a header, Supvisors' seven; svisor's own (death, resource, mesh, published) are named.
"""

import base64
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request


def listen(server, headers):
    address = urllib.parse.urlsplit(server)
    request = urllib.request.Request(f"{address.scheme}://{address.netloc.rpartition('@')[2]}/events/{'/'.join(headers or ['all'])}")
    if address.username:
        words = urllib.parse.unquote(f"{address.username}:{address.password}")
        word = base64.b64encode(words.encode()).decode()
        request.add_header("Authorization", "Basic " + word)
    while True:
        try:
            # svisord says something every 20 seconds: silence means that it is gone
            with urllib.request.urlopen(request, timeout=60) as stream:
                fields = {}
                for line in stream:
                    name, _, value = line.decode().rstrip("\n").partition(": ")
                    fields[name] = value
                    if line != b"\n":
                        continue
                    if "data" in fields:
                        print(fields["event"], json.loads(fields["data"]), flush=True)
                    if "id" in fields:  # where to go on; `missed` says when that is not possible
                        request.add_header("Last-Event-ID", fields["id"])
                    fields = {}
        except urllib.error.HTTPError as error:
            sys.exit(f"{request.full_url}: {error}")
        except OSError as error:
            print(f"{error}; again", file=sys.stderr)
        time.sleep(1)


try:
    listen(sys.argv[1], sys.argv[2:])
except KeyboardInterrupt:
    pass
