"""How each contender sends, and what it is asked to send: by `sender.py`, or in the server's own process.

Times are those of the system's monotonic clock, which all processes share. A text names its number, by which the
load client knows it: `bench-00000042`.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from redis import Redis

import stored_messages
from benchmarks.live.rivals.raw_channels import EVERYBODY, group_of
from stored_messages import STORED_INFO, signals
from stored_messages.representation import represent


def text_of(number: int) -> str:
    return f"bench-{number:08d} Somebody has commented on what you wrote"


def broadcast(first: int, count: int, every: float = 0) -> dict[str, Any]:
    """Store and send messages to everybody; return when each was committed."""
    return _paced(first, count, every, lambda number: (None, text_of(number)))


def unicast(first: int, count: int, users: list[int], every: float = 0) -> dict[str, Any]:
    """The same to one user after the other."""
    people = get_user_model().objects.in_bulk(users)
    return _paced(
        first, count, every, lambda number: (people[users[number % len(users)]], text_of(number))
    )


def _paced(
    first: int, count: int, every: float, chosen: Callable[[int], tuple[Any, str]]
) -> dict[str, Any]:
    committed = []
    begins = time.monotonic()
    for number in range(first, first + count):
        time.sleep(max(0.0, begins - time.monotonic()))
        begins += every
        user, text = chosen(number)
        with transaction.atomic():
            # Before anything that the contender does on commit.
            transaction.on_commit(lambda: committed.append(time.monotonic()))
            message = (
                stored_messages.broadcast_message(STORED_INFO, text)
                if user is None
                else stored_messages.add_message_for([user], STORED_INFO, text)
            )
            if settings.PARTY != "ours":
                transaction.on_commit(
                    lambda user=user, message=message: _tell(user and user.pk, message)
                )
    return {"committed": committed}


def flood(first: int, count: int, users: list[int], kind: str = "sync") -> dict[str, Any]:
    """The live part alone, as fast as it goes: what is stored is one message, told again and again."""
    message = _one_message(users[0])
    began = time.monotonic()
    if kind == "async":
        asyncio.run(_flood(message, first, count, users))
    else:
        for number in range(first, first + count):
            message.message = text_of(number)
            _tell(users[number % len(users)], message)
    return {"began": began, "ended": time.monotonic()}


async def _flood(message: Any, first: int, count: int, users: list[int]) -> None:
    layer = get_channel_layer()
    for number in range(first, first + count):
        message.message = text_of(number)
        event = {"type": "notify", "message": represent(message)}
        await layer.group_send(group_of(users[number % len(users)]), event)


def cost(first: int, count: int, users: list[int], every: float) -> dict[str, Any]:
    """What telling costs whoever has just stored a message, at a pace that a site has."""
    people = get_user_model().objects.in_bulk(users)
    took, worked = [], []
    marks: list[tuple[float, float]] = []

    def mark() -> None:
        marks.append((time.perf_counter(), time.thread_time()))

    for number in range(first, first + count):
        time.sleep(every)
        marks.clear()
        pk = users[number % len(users)]
        with transaction.atomic():
            # What is done on commit is done in order: what tells runs between the marks.
            transaction.on_commit(mark)
            message = stored_messages.add_message_for([people[pk]], STORED_INFO, text_of(number))
            if settings.PARTY != "ours":
                transaction.on_commit(lambda pk=pk, message=message: _tell(pk, message))
            transaction.on_commit(mark)
        (began, worked_before), (ended, worked_after) = marks
        took.append(ended - began)
        worked.append(worked_after - worked_before)
    return {"took": took, "worked": worked}


def summaries(users: list[int]) -> dict[str, Any]:
    """How many queries reconciling so many users takes."""
    people = list(get_user_model().objects.filter(pk__in=users))
    with CaptureQueriesContext(connection) as captured:
        stored_messages.summaries(people)
    return {"queries": len(captured)}


def _one_message(pk: int) -> Any:
    [user] = get_user_model().objects.filter(pk=pk)
    message = stored_messages.add_message_for([user], STORED_INFO, "bench")
    message.message = "warm-up"
    _tell(pk, message)
    return message


def _tell(pk: int | None, message: Any) -> None:
    """What a contender does once a message is committed; for everybody without a user."""
    if settings.PARTY == "ours":
        signals.messages_stored.send(None, user_ids=[pk], messages=[message], using="default")
    elif settings.PARTY == "raw":
        group = EVERYBODY if pk is None else group_of(pk)
        event = {"type": "notify", "message": represent(message)}
        async_to_sync(get_channel_layer().group_send)(group, event)
    else:
        frame = {"type": "stored", "message": represent(message)}
        _redis().publish("bare", json.dumps(frame))


_connections: list[Redis] = []


def _redis() -> Redis:
    if not _connections:
        _connections.append(Redis.from_url(os.environ["CHANNEL_REDIS"]))
    return _connections[0]


COMMANDS = {command.__name__: command for command in (broadcast, unicast, flood, cost, summaries)}
