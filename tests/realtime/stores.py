"""An inbox whose bulk summaries can be held up, and counted."""

import threading
from collections.abc import Iterable
from typing import Any, ClassVar

from stored_messages.api import Summary
from stored_messages.backends import DefaultBackend
from tests.services.waiting import CEILING


class GatedBackend(DefaultBackend):
    """While the gate is shut, a bulk summary is computed at once and returned when it is let through."""

    calls: ClassVar[int] = 0
    _gate: ClassVar[threading.Semaphore | None] = None
    _computed: ClassVar[threading.Semaphore] = threading.Semaphore(0)

    def summaries(self, users: Iterable[Any]) -> dict[Any, Summary]:
        found = super().summaries(users)
        type(self).calls += 1
        gate = type(self)._gate
        if gate is not None:
            type(self)._computed.release()
            assert gate.acquire(timeout=CEILING)
        return found

    @classmethod
    def reset(cls) -> None:
        cls.calls, cls._gate, cls._computed = 0, None, threading.Semaphore(0)

    @classmethod
    def shut(cls) -> None:
        cls._computed, cls._gate = threading.Semaphore(0), threading.Semaphore(0)

    @classmethod
    def wait_until_computed(cls) -> None:
        assert cls._computed.acquire(timeout=CEILING)

    @classmethod
    def let_through(cls) -> None:
        assert cls._gate is not None
        cls._gate.release()

    @classmethod
    def open_for_good(cls) -> None:
        gate, cls._gate = cls._gate, None
        if gate is not None:
            gate.release(1000)
