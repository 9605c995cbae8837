"""The client in `docs/protocol.md`, as it stands there, against a real server."""

import asyncio
import json
from contextlib import suppress

import pytest
from websockets.asyncio.server import serve as serve_sockets
from websockets.exceptions import ConnectionClosed

from tests.realtime.documents import blocks
from tests.services.waiting import CEILING, eventually

#: The client takes up to half a minute between two attempts to connect, and each may take long.
PATIENCE = 2 * CEILING

TOKEN = """
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
print(Token.objects.get_or_create(user=User.objects.get_or_create(username="ada")[0])[0].key)
"""
SEND = """
import stored_messages
from django.contrib.auth.models import User
stored_messages.add_message_for([User.objects.get(username="ada")], 21, {text!r})
"""


def client():
    namespace = {}
    exec(compile(blocks("protocol.md")["listen.py"], "listen.py", "exec"), namespace)
    return namespace


async def ended(task):
    """Before Python 3.12 `wait_for` may take what it waits for, and lose that it was cancelled meanwhile."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=1)


async def test_the_client_of_the_documentation(serve, project, redis_url):
    project = project.with_env(CHANNEL_REDIS=redis_url)
    token = (await asyncio.to_thread(project.shell, TOKEN)).split()[-1]
    server = await asyncio.to_thread(lambda: serve(project=project))
    namespace = client()
    lists = []
    inbox = namespace["Inbox"](server.url, token, lists.append)

    def shows(*texts):
        return eventually(
            lambda: lists and [message["text"] for message in lists[-1]] == list(texts),
            f"the list {texts}",
            timeout=PATIENCE,
        )

    running = asyncio.create_task(inbox.run())
    try:
        await shows()
        await asyncio.to_thread(project.shell, SEND.format(text="one"))
        await shows("one")
        await asyncio.to_thread(server.restart)
        await asyncio.to_thread(project.shell, SEND.format(text="two"))
        await shows("two", "one")
        revoke = "from rest_framework.authtoken.models import Token; Token.objects.all().delete()"
        await asyncio.to_thread(project.shell, revoke)
        await asyncio.to_thread(server.restart)
        with pytest.raises(namespace["SignedOut"]):
            await asyncio.wait_for(asyncio.shield(running), PATIENCE)
    finally:
        await ended(running)


async def test_it_fetches_though_frames_never_pause():
    """A real socket, on which a busy inbox speaks for seconds, unless somebody fetches."""
    fetched = asyncio.Event()
    unsaid = 300

    class Busy(client()["Inbox"]):
        async def fetch(self):
            self.summary = ("ada", 1, 1)
            fetched.set()

    async def speak(socket):
        nonlocal unsaid
        sync = {"type": "sync", "user": "ada", "unread": 1, "digest": 1, "heartbeat": 10}
        with suppress(ConnectionClosed):
            await socket.send(json.dumps(sync))
            while unsaid and not fetched.is_set():
                await socket.send(json.dumps({"type": "stored", "message": {"id": "1"}}))
                unsaid -= 1
                await asyncio.sleep(0.01)
            await socket.wait_closed()

    async with serve_sockets(speak, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        running = asyncio.create_task(Busy(f"http://127.0.0.1:{port}", "token", print).run())
        try:
            await asyncio.wait_for(fetched.wait(), CEILING)
        finally:
            await ended(running)
    assert unsaid
