#!/usr/bin/python3
"""What happens in a cluster, over WebSocket (event_link = WS). Needs websockets: apt-get install python3-websockets

    events_websocket.py ws://127.0.0.1:9002 [HEADER…]

Without a header, Supvisors' seven; svisor's own (death, resource, mesh, published) are named. A connection that breaks is made again.
"""

import asyncio
import json
import sys

import websockets


async def main(server, headers):
    async for connection in websockets.connect(server + "/" + "/".join(headers or ["all"])):
        try:
            async for message in connection:
                header, body = json.loads(message)
                print(header, body, flush=True)
        except websockets.ConnectionClosed:
            print("the connection is closed; again", file=sys.stderr)


try:
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
except KeyboardInterrupt:
    pass
