"""Log lines of the live part: for people to read, and for programs by the name of what happened.

Every line goes to the logger ``realtime`` and carries ``event`` and its figures as attributes of the record. None
names anybody: no user, session, token or text is ever among them.
"""

import logging
import os
import threading
import time
from typing import Any

logger = logging.getLogger("realtime")

#: Seconds for which an error of one kind is counted instead of written: it may come a thousand times a second.
INTERVAL = 10.0


class _Quiet:
    """Until when an event is left out, and how often it was."""

    __slots__ = ("left_out", "until")

    def __init__(self) -> None:
        self.until = 0.0
        self.left_out = 0


_lock = threading.Lock()
_quiet: dict[object, _Quiet] = {}


def info(event: str, message: str, **fields: Any) -> None:
    """Write a line about what happens now and then. ``message`` may name ``fields``, as in ``%(sockets)d``."""
    _write(logging.INFO, event, message, None, fields)


def error(event: str, message: str, exc_info: BaseException | None = None, **fields: Any) -> None:
    """Write a line about what went wrong, at most one each ten seconds for each event, and how many were left out."""
    _limited(logging.ERROR, event, message, exc_info, fields)


def warning(event: str, message: str, **fields: Any) -> None:
    """Write a line about what is not as it should be; as seldom as errors."""
    _limited(logging.WARNING, event, message, None, fields)


def forget() -> None:
    """Leave nothing out any more."""
    with _lock:
        _quiet.clear()


def _limited(
    level: int, event: str, message: str, exc_info: BaseException | None, fields: dict[str, Any]
) -> None:
    with _lock:
        quiet = _quiet.setdefault((event, fields.get("task")), _Quiet())
        now = time.monotonic()
        if now < quiet.until:
            quiet.left_out += 1
            return
        quiet.until = now + INTERVAL
        left_out, quiet.left_out = quiet.left_out, 0
    if left_out:
        message += " (%(left_out)d more like it were not logged)"
        fields["left_out"] = left_out
    _write(level, event, message, exc_info, fields)


def _write(
    level: int, event: str, message: str, exc_info: BaseException | None, fields: dict[str, Any]
) -> None:
    args = (fields,) if fields else ()
    logger.log(level, message, *args, exc_info=exc_info, extra={"event": event, **fields})


def _begin_again() -> None:
    """In a forked child: a thread of the parent's may have held the lock, and is not there to let go of it."""
    global _lock  # noqa: PLW0603 - one per process
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_begin_again)
