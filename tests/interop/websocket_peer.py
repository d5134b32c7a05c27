# SPDX-License-Identifier: Apache-2.0
"""WebSocket echo: websocket_peer.py serve PORT, or websocket_peer.py ask URL COUNT, which prints how many messages
came back as they were sent."""

import asyncio
import os
import sys

import websockets


async def echo(socket, *_):
    async for message in socket:
        await socket.send(message)


async def serve(port):
    async with websockets.serve(echo, "::", port, max_size=None):
        await asyncio.Future()


async def ask(url, count):
    good = 0
    async with websockets.connect(url, max_size=None) as socket:
        for n in range(count):
            message = os.urandom(n * n) if n % 2 else "x" * n
            await socket.send(message)
            good += await socket.recv() == message
        await (await socket.ping())
    print(good)


asyncio.run(serve(int(sys.argv[2])) if sys.argv[1] == "serve" else ask(sys.argv[2], int(sys.argv[3])))
