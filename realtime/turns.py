"""Short turns at the interpreter while Python works for the database in a thread.

Whoever computes is asked to let others have their turn only every 5 milliseconds. An event loop needs some eight turns
to pass one message on: one after each look for what has arrived, and after each write. So the summaries of 2,000 users,
10 milliseconds of work, kept a message for as long. Short turns cost those who compute at the same time about a tenth;
so they are short only while such work lasts, and for a moment only: what takes longer waits for its database, and
whoever computes meanwhile has nothing of it.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds, as ``sys.setswitchinterval`` takes them.
SHORT = 0.0001
#: Seconds for which they are short at most.
MOMENT = 1.0

_lock = threading.Lock()
_wanted: set[object] = set()
_usual = 0.0


@contextmanager
def short_turns() -> Iterator[None]:
    """While an event loop waits within it, for a moment at most, the turns of all threads are short."""
    global _usual  # noqa: PLW0603 - there is one interpreter
    me = object()
    with _lock:
        if not _wanted:
            _usual = sys.getswitchinterval()
            sys.setswitchinterval(min(SHORT, _usual))
        _wanted.add(me)
    timer = asyncio.get_running_loop().call_later(MOMENT, _enough, me)
    try:
        yield
    finally:
        timer.cancel()
        _enough(me)


def _enough(who: object) -> None:
    with _lock:
        if who in _wanted:
            _wanted.remove(who)
            if not _wanted:
                sys.setswitchinterval(_usual)


def _begin_again() -> None:
    """In a forked child: those threads are not there, nor is whoever held the lock."""
    global _lock  # noqa: PLW0603 - as above
    _lock = threading.Lock()
    if _wanted:
        _wanted.clear()
        sys.setswitchinterval(_usual)


os.register_at_fork(after_in_child=_begin_again)
