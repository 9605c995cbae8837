"""One socket: written to at once, never waited for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from realtime import sockets as module
from realtime.consumers import InboxConsumer
from realtime.sockets import Socket
from realtime.testing import InboxTab
from tests.realtime.sending import send
from tests.services.waiting import eventually


def text(number: int) -> dict[str, Any]:
    return {"type": "websocket.send", "text": str(number)}


class Transport:
    aborted = False

    def abort(self) -> None:
        self.aborted = True


class Server:
    """What a server does with what it is given: takes it, or lets the application wait."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.ready = asyncio.Event()
        self.ready.set()
        self.gone = False
        self.transport = Transport()

    async def send(self, message: Any) -> None:
        await self.ready.wait()
        if self.gone:
            raise ConnectionResetError
        self.taken.append(message.get("text", message.get("code")))


async def test_what_the_server_takes_is_written_at_once() -> None:
    server = Server()
    socket = Socket(server.send, "1", limit=3)
    tasks = asyncio.all_tasks()
    for number in range(100):
        socket.write(text(number))
    assert server.taken == [str(number) for number in range(100)]
    assert asyncio.all_tasks() == tasks


async def test_what_blocks_is_written_in_order_later() -> None:
    server = Server()
    socket = Socket(server.send, "1", limit=3)
    server.ready.clear()
    for number in range(4):  # one on its way and three waiting
        socket.write(text(number))
    assert socket.behind
    assert server.taken == []
    server.ready.set()
    await eventually(lambda: not socket.behind, "everything written")
    socket.write(text(4))
    assert server.taken == ["0", "1", "2", "3", "4"]


async def test_a_full_queue_closes_with_1013() -> None:
    server, lost = Server(), []
    socket = Socket(server.send, "1", limit=3, on_lost=lost.append)
    server.ready.clear()
    for number in range(20):
        socket.write(text(number))
    assert lost == [socket]
    server.ready.set()
    await eventually(lambda: server.taken, "the close")
    assert server.taken == [1013]


async def test_who_does_not_hear_that_it_is_closed_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FAREWELL", 0.01)
    deaf, polite, left_behind = Server(), Server(), Server()
    sockets = [Socket(server.send, "1", limit=3) for server in (deaf, polite, left_behind)]
    deaf.ready.clear()
    left_behind.ready.clear()
    for socket in sockets[:2]:
        socket.close(1013)
    sockets[2].write(text(0))
    for socket in sockets[1:]:
        socket.gone()
    for server in (deaf, left_behind):
        await eventually(lambda server=server: server.transport.aborted, "its connection is cut")
    assert not polite.transport.aborted


async def test_who_takes_nothing_is_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    server, lost = Server(), []
    socket = Socket(server.send, "1", limit=3, on_lost=lost.append)
    server.ready.clear()
    socket.write(text(0))
    socket.close_if_stuck()
    assert not lost
    monkeypatch.setattr(module, "STUCK", -1)
    socket.close_if_stuck()
    assert lost == [socket]


@pytest.mark.parametrize("blocked", [False, True])
async def test_a_client_that_has_gone_leaves(blocked: bool) -> None:
    server, lost = Server(), []
    socket = Socket(server.send, "1", limit=3, on_lost=lost.append)
    if blocked:
        server.ready.clear()
        socket.write(text(0))
    server.gone = True
    server.ready.set()
    socket.write(text(1))
    await eventually(lambda: lost == [socket], "the hub knows")
    socket.write(text(2))
    socket.close(4401)
    assert server.taken == []


@pytest.mark.parametrize("waits", [0, 1, 3])
async def test_a_send_may_wait_as_often_as_it_likes(waits: int) -> None:
    taken = []

    async def deliver(message: Any) -> None:
        for _ in range(waits):
            await asyncio.sleep(0)
            future = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(future.set_exception, KeyError())
            with pytest.raises(KeyError):
                await future
        taken.append(message["text"])

    socket = Socket(deliver, "1", limit=3)
    socket.write(text(0))
    socket.write(text(1))
    await eventually(lambda: taken == ["0", "1"], "both written")


async def test_abandoned_while_blocked() -> None:
    server = Server()
    socket = Socket(server.send, "1", limit=3)
    tasks = asyncio.all_tasks()
    server.ready.clear()
    socket.write(text(0))
    socket.abandon()
    await eventually(lambda: asyncio.all_tasks() == tasks, "the writer's end")
    assert server.taken == []


async def open_socket(
    user: User, deliver: Callable[[Any], Awaitable[None]]
) -> tuple["asyncio.Task[None]", "asyncio.Queue[dict[str, Any]]"]:
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    await incoming.put({"type": "websocket.connect"})
    scope = {"type": "websocket", "headers": [], "user": user}
    application = InboxConsumer.as_asgi()
    return asyncio.create_task(application(scope, incoming.get, deliver)), incoming


async def test_one_slow_client_delays_nobody(user: User, settings: Settings) -> None:
    settings.REALTIME = {**settings.REALTIME, "SOCKET_QUEUE": 3}
    never, slow = asyncio.Event(), []

    async def deliver(message: Any) -> None:
        if message["type"] == "websocket.send":
            await never.wait()
        slow.append(message)

    task, incoming = await open_socket(user, deliver)
    async with InboxTab(user=user) as tab:
        for number in range(10):
            await send(user, text=str(number))
            assert (await tab.frame("stored"))["message"]["text"] == str(number)
        await eventually(lambda: slow[-1].get("code") == 1013, "the slow one is closed")
        assert [message["type"] for message in slow] == ["websocket.accept", "websocket.close"]
        await incoming.put({"type": "websocket.disconnect"})
        await task
