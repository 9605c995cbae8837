"""The thread in which events go to the channel layer, in order and over a connection that is kept."""

import asyncio
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from realtime import log
from realtime.conf import app_settings
from realtime.counters import counters
from realtime.events import Publication
from realtime.groups import everybody
from realtime.lanes import Lanes

#: How many events are under way to the layer at a time, and so how many connections a process has to it.
WINDOW = 16


class PublisherThread:
    """The thread, and what waits for it. It begins with the first event, and calls ``on_start`` then."""

    def __init__(self, on_start: Callable[[], object] = lambda: None) -> None:
        self._on_start = on_start
        self._waiting: deque[Publication] = deque()  # for their turn
        self._unsent = 0  # these, and all that are under way
        self._idle = False
        self._lock = threading.Lock()
        self._done = threading.Condition(self._lock)
        self._waker: _Waker | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._progressed = time.monotonic()

    def put(self, publication: Publication) -> None:
        with self._lock:
            if self._thread is not None and self._waker is None:
                raise RuntimeError("The publisher has been stopped.")
            full = self._unsent >= app_settings.PUBLISH_QUEUE
            if not full:
                if not self._unsent:
                    self._progressed = time.monotonic()
                self._waiting.append(publication)
                self._unsent += 1
                if self._thread is None:
                    self._start()
                elif self._idle and self._waker is not None:
                    self._idle = False
                    self._waker.wake()
        if full:
            counters.publish_drops += 1
            log.error(
                "publish_queue_full", "The channel layer does not keep up: an event was dropped."
            )

    @property
    def waiting(self) -> int:
        """How many events are on their way to the layer."""
        return self._unsent

    @property
    def stuck(self) -> float:
        """For how many seconds nothing has gone that is waiting."""
        return time.monotonic() - self._progressed if self._unsent else 0.0

    def flush(self, timeout: float) -> bool:
        with self._done:
            return self._done.wait_for(lambda: not self._unsent, timeout)

    def stop(self, timeout: float) -> None:
        """Flush, and end the thread with its connections closed, within this time. The second time does nothing."""
        deadline = time.monotonic() + timeout
        with self._lock:
            thread = self._thread
            if thread is None or self._stopping:
                return
        self.flush(timeout)
        with self._lock:
            self._stopping = True
            if self._waker is not None:
                self._waker.wake()
        thread.join(max(0.0, deadline - time.monotonic()))
        if left := self.waiting:
            log.error(
                "publish_cut_off",
                "The process ends before the channel layer took everything: events dropped: %(events)d.",
                events=left,
            )

    def _start(self) -> None:
        self._on_start()
        loop = _Loop()
        waker = None
        try:
            self._waker = waker = _Waker(loop)
            thread = threading.Thread(
                target=self._run, args=(loop, waker), name="realtime-publisher", daemon=True
            )
            thread.start()
        except Exception:  # there are too many threads, or open files
            self._waker = None
            if waker is not None:
                waker.close()
            loop.close()
            raise
        self._thread = thread

    def _run(self, loop: asyncio.AbstractEventLoop, waker: "_Waker") -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(self._work(waker))
        finally:
            with self._lock:
                self._waker = None
                waker.close()
            loop.close()

    async def _work(self, waker: "_Waker") -> None:
        stopped = asyncio.Event()

        def go_on() -> None:
            if self._stopping:
                stopped.set()
            elif lanes.are_free and (batch := self._next(lanes)):
                lanes.send(batch)

        lanes = Lanes(self._have_gone, go_on)
        waker.listen(go_on)
        await stopped.wait()
        await lanes.close()

    def _next(self, lanes: Lanes) -> list[Publication]:
        """What can be under way at a time: the next ones, as long as each is for another user.

        So what one inbox hears stays in order, and the wait for the layer's answers is shared.
        """
        batch: list[Publication] = []
        groups = set()
        with self._lock:
            while self._waiting and len(batch) < WINDOW:
                publication = self._waiting[0]
                group = publication.group
                if batch and (group in groups or everybody() in (group, batch[0].group)):
                    break
                self._waiting.popleft()
                if not lanes.take(publication):
                    groups.add(group)
                    batch.append(publication)
            self._idle = not batch
        return batch

    def _have_gone(self, number: int) -> None:
        with self._done:
            self._unsent -= number
            self._progressed = time.monotonic()
            self._done.notify_all()


class _Waker:
    """Has a loop call something, from any thread.

    Where there are eventfds (Linux), it costs the caller half of what ``call_soon_threadsafe`` does.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._eventfd: int | None = None
        self._on_wake: Callable[[], object] = lambda: None
        if hasattr(os, "eventfd"):
            self._eventfd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            loop.add_reader(self._eventfd, self._heard, self._eventfd)

    def listen(self, on_wake: Callable[[], object]) -> None:
        """Call this from now on, and at once: it may have been woken before."""
        self._on_wake = on_wake
        on_wake()

    def wake(self) -> None:
        if self._eventfd is None:
            self._loop.call_soon_threadsafe(self._wakes)
        else:
            os.eventfd_write(self._eventfd, 1)

    def close(self) -> None:
        if self._eventfd is not None:
            self._loop.remove_reader(self._eventfd)
            os.close(self._eventfd)

    def _heard(self, eventfd: int) -> None:
        os.eventfd_read(eventfd)
        self._on_wake()

    def _wakes(self) -> None:
        self._on_wake()


class _Loop(asyncio.SelectorEventLoop):
    """Resolves names in its own thread: at the end of the interpreter there are no others to be had."""

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        return socket.getaddrinfo(host, port, **options)
