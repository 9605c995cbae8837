"""Sends in one of several ways while Redis is harmed: `python -m tests.faults.sender WAY PID SIGNAL`.

Prints the unread count at the end, and fails if any thread but the publisher's has talked to Redis.
"""

import asyncio
import multiprocessing
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import django
from django.core.management import execute_from_command_line

_PUBLISHER = "realtime-publisher"
_talkers: set[str] = set()


def _note(event: str, args: tuple[object, ...]) -> None:
    if event == "socket.connect":
        _talkers.add(threading.current_thread().name)


def _send(number: int = 0) -> None:
    import stored_messages

    stored_messages.add_message_for([1], stored_messages.STORED_INFO, f"number {number}")


def straight_away() -> None:
    """A script, a shell, the last thing that a command does."""
    _send()


def in_a_command() -> None:
    """As `manage.py` runs them."""
    code = "from tests.faults.sender import _send; _send(1)"
    execute_from_command_line(["manage.py", "shell", "--verbosity=0", "-c", code])


def in_a_thread_pool() -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(_send, range(8)))


def in_a_coroutine() -> None:
    import stored_messages

    async def send() -> None:
        await stored_messages.aadd_message_for([1], stored_messages.STORED_INFO, "from a coroutine")

    asyncio.run(send())


def in_a_forked_worker() -> None:
    """As Celery's and gunicorn's are forked; the parent's connection was used."""
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_forked, args=(number,)) for number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0


def _forked(number: int) -> None:
    _send(number)
    _check()


def _check() -> None:
    assert _talkers <= {_PUBLISHER}, _talkers


WAYS = {
    way.__name__: way
    for way in (
        straight_away,
        in_a_command,
        in_a_thread_pool,
        in_a_coroutine,
        in_a_forked_worker,
    )
}

if __name__ == "__main__":
    way, pid, signal_number = sys.argv[1:]
    django.setup()
    from realtime.publisher import flush
    from stored_messages import unread_count
    from stored_messages.api import get_backend

    sys.addaudithook(_note)
    _send()
    assert flush(60), "Redis was well, and did not take an event"
    os.kill(int(pid), int(signal_number))
    WAYS[way]()
    _check()
    assert get_backend() is not None
    from django.contrib.auth.models import User

    sys.stdout.write(f"{unread_count(User.objects.get(pk=1))}\n")
    sys.stdout.flush()
