"""The least that can be done: one subscription, a frame that comes encoded, and a bound for each socket.

No Django, no sign-in, no users: what remains is what the server itself costs.
"""

import asyncio
import os
import types
from collections import deque
from contextlib import suppress

from redis.asyncio import Redis

CHANNEL = "bare"
LIMIT = 512


class Client:
    __slots__ = ("send", "waiting", "writer")

    def __init__(self, send):
        self.send = send
        self.waiting = deque()
        self.writer = None

    def write(self, message):
        if self.writer is not None:
            if len(self.waiting) < LIMIT:
                self.waiting.append(message)
            return
        step = self.send(message)
        try:
            blocked = step.send(None)
        except StopIteration:
            return
        except Exception:  # gone
            return
        self.writer = asyncio.ensure_future(self._drain(step, blocked))

    async def _drain(self, step, blocked):
        with suppress(Exception):
            await _rest(step, blocked)
            while self.waiting:
                await self.send(self.waiting.popleft())
        self.writer = None


@types.coroutine
def _rest(step, blocked):
    yield blocked
    yield from step


clients = set()
tasks = []


async def listen():
    subscription = Redis.from_url(os.environ["CHANNEL_REDIS"]).pubsub()
    await subscription.subscribe(CHANNEL)
    async for published in subscription.listen():
        if published["type"] != "message":
            continue
        message = {"type": "websocket.send", "text": published["data"].decode()}
        for count, client in enumerate(list(clients), start=1):
            client.write(message)
            if count % 200 == 0:
                await asyncio.sleep(0)


async def application(scope, receive, send):
    if scope["type"] != "websocket":
        raise ValueError("sockets only")
    await receive()
    await send({"type": "websocket.accept"})
    if not tasks:
        tasks.append(asyncio.ensure_future(listen()))
    client = Client(send)
    clients.add(client)
    try:
        while (await receive())["type"] != "websocket.disconnect":
            pass
    finally:
        clients.discard(client)
