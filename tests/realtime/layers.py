"""Channel layers to look at and to break."""

import asyncio
import threading
from typing import Any

from channels.layers import BaseChannelLayer, InMemoryChannelLayer

from tests.services.waiting import eventually, wait_for


class RecordingLayer(BaseChannelLayer):
    """Notes what is sent to groups, and in which thread."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.threads: set[str] = set()

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.threads.add(threading.current_thread().name)
        self.sent.append((group, message))

    def wait_for(self, count: int) -> list[tuple[str, dict[str, Any]]]:
        wait_for(lambda: len(self.sent) >= count, f"{count} events on the layer")
        return self.sent


class RaisingLayer(BaseChannelLayer):
    """Broken, in every way that concerns a sender."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.calls = 0

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.calls += 1
        raise ConnectionError("nobody there")


class FlakyLayer(RecordingLayer):
    """Fails at every first attempt."""

    def __init__(self) -> None:
        super().__init__()
        self.failed: set[int] = set()

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if id(message) not in self.failed:
            self.failed.add(id(message))
            raise ConnectionError("a moment, please")
        await super().group_send(group, message)


class StuckLayer(BaseChannelLayer):
    """Never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.asked.set()
        await asyncio.Event().wait()


class PartlyStuckLayer(RecordingLayer):
    """Does not answer for groups that are ``stuck`` until it may ``go_on``; fails for those that are it still."""

    def __init__(self) -> None:
        super().__init__()
        self.stuck: set[str] = set()
        self.go_on = threading.Event()
        self.asked = 0

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.asked += 1
        if group in self.stuck:
            await eventually(self.go_on.is_set, "leave to answer")
        if group in self.stuck:
            raise ConnectionError("nobody there")
        await super().group_send(group, message)


class WaitingLayer(RecordingLayer):
    """Notes what is under way, and answers only so many calls as it may."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way: list[int] = []
        self.may_answer = 0

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        turn = len(self.under_way)
        self.under_way.append(int(message["frames"][0]))
        await eventually(lambda: turn < self.may_answer, "leave to answer")
        await super().group_send(group, message)


class SlowLayer(InMemoryChannelLayer):
    """Whatever is sent takes a while to arrive."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.delay = 0.25
        self.channels_made = 0

    async def new_channel(self, prefix: str = "specific.") -> str:
        self.channels_made += 1
        name: str = await super().new_channel(prefix)
        return name

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        self._later(super().send, channel, message)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self._later(super().group_send, group, message)

    def _later(self, send: Any, *args: Any) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(self.delay, lambda: loop.create_task(send(*args)))
