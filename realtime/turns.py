"""Short turns at the interpreter while Python works for the database in a thread.

Whoever computes is asked to let others have their turn only every 5 milliseconds. An event loop needs some eight turns
to pass one message on: one after each look for what has arrived, and after each write. So the summaries of 2,000 users,
10 milliseconds of work, kept a message for as long. Short turns cost those who compute at the same time about a tenth;
so they are short only while such work lasts.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds, as ``sys.setswitchinterval`` takes them.
SHORT = 0.0001

_lock = threading.Lock()
_wanted = 0
_usual = 0.0


@contextmanager
def short_turns() -> Iterator[None]:
    """Within it, or as a decorator, the turns of all threads are short."""
    global _wanted, _usual  # noqa: PLW0603 - there is one interpreter
    with _lock:
        if not _wanted:
            _usual = sys.getswitchinterval()
            sys.setswitchinterval(min(SHORT, _usual))
        _wanted += 1
    try:
        yield
    finally:
        with _lock:
            _wanted -= 1
            if not _wanted:
                sys.setswitchinterval(_usual)


def _begin_again() -> None:
    """In a forked child: those threads are not there, nor is whoever held the lock."""
    global _lock, _wanted  # noqa: PLW0603 - as above
    _lock = threading.Lock()
    if _wanted:
        _wanted = 0
        sys.setswitchinterval(_usual)


os.register_at_fork(after_in_child=_begin_again)
