"""What a writer does: one change of some inboxes, described by a dict that fits into a line of JSON.

Every text says whom it is for, so that whoever shows it to somebody else, or shows what was rolled back, is found out.
"""

import ctypes
import gc
import os
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

import stored_messages
from realtime import metrics
from realtime.health import health
from realtime.sockets import Socket
from stored_messages.api import StoredMessage, get_backend
from stored_messages.conf import app_settings
from stored_messages.models import Delivery, Message
from tests.services.waiting import wait_for

EVERYBODY = "everybody"
NOBODY = "nobody"


def text_for(names: list[str] | str, number: str) -> str:
    return f"for {names if isinstance(names, str) else ','.join(names)}: {number}"


def perform(asked: dict[str, Any]) -> Any:
    """Do what is asked for and return what came of it."""
    return OPERATIONS[asked["kind"]](asked)


def _users(names: list[str]) -> list[User]:
    return list(User.objects.filter(username__in=names))


def _user(asked: dict[str, Any]) -> User:
    return User.objects.get(username=asked["user"])


def _create_users(asked: dict[str, Any]) -> None:
    User.objects.bulk_create([User(username=name) for name in asked["names"]])


def _sign_in_many(asked: dict[str, Any]) -> list[str]:
    """Create so many users, and a session for each of the first of them; return the sessions' keys."""
    User.objects.bulk_create(User(username=f"user-{number}") for number in range(asked["users"]))
    count = asked.get("count", asked["users"])
    users = User.objects.filter(username__startswith="user-").order_by("pk")[:count]
    store = SessionStore()
    keys = [store._get_new_session_key() for _ in range(count)]
    Session.objects.bulk_create(
        Session(
            session_key=key,
            session_data=store.encode(
                {
                    SESSION_KEY: str(user.pk),
                    BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
                    HASH_SESSION_KEY: user.get_session_auth_hash(),
                }
            ),
            expire_date=timezone.now() + timedelta(days=1),
        )
        for key, user in zip(keys, users, strict=True)
    )
    return keys


def _send(asked: dict[str, Any]) -> None:
    text = text_for(asked["to"], asked["number"])
    stored_messages.add_message_for(_users(asked["to"]), stored_messages.STORED_INFO, text)


def _expire(asked: dict[str, Any]) -> None:
    """As if the time had passed that all the user has may stay in the inbox."""
    date = timezone.now() - timedelta(days=app_settings.INBOX_EXPIRE_DAYS)
    held = Delivery.objects.filter(user=_user(asked))
    with transaction.atomic():
        Message.objects.filter(pk__in=held.values("message")).update(date=date)
        held.update(date=date)


def _commit_late(asked: dict[str, Any]) -> None:
    """Do something in a transaction; say so in one file, and commit when there is another."""
    with transaction.atomic():
        perform(asked["operation"])
        Path(asked["begun"]).touch()
        wait_for(Path(asked["commit"]).exists, "leave to commit")


def _send_many(asked: dict[str, Any]) -> None:
    for index in range(asked["count"]):
        _send({**asked, "number": f"{asked['number']}.{index}"})


def _send_to_all(asked: dict[str, Any]) -> None:
    stored_messages.add_message_for(User.objects.all(), stored_messages.STORED_INFO, asked["text"])


def _broadcast_many(asked: dict[str, Any]) -> None:
    for _ in range(asked["count"]):
        stored_messages.broadcast_message(stored_messages.STORED_INFO, "x" * asked["size"])


def _broadcast(asked: dict[str, Any]) -> None:
    text = text_for(EVERYBODY, asked["number"])
    stored_messages.broadcast_message(stored_messages.STORED_INFO, text)


def _roll_back(asked: dict[str, Any]) -> None:
    # Not within: SQLite lets a transaction that has read not write when somebody else has written since.
    users, text = _users(asked["to"]), text_for(NOBODY, asked["number"])
    with transaction.atomic():
        stored_messages.add_message_for(users, stored_messages.STORED_INFO, text)
        stored_messages.broadcast_message(stored_messages.STORED_INFO, text)
        transaction.set_rollback(True)


def _send_and_die(asked: dict[str, Any]) -> None:
    """Committed, and dead before anybody could be told."""
    users, text = _users(asked["to"]), text_for(asked["to"], asked["number"])
    with transaction.atomic():
        transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
        stored_messages.add_message_for(users, stored_messages.STORED_INFO, text)
        _broadcast(asked)


def _to_one(
    change: Callable[[User, StoredMessage], object], wanted: Callable[[StoredMessage], bool]
) -> Callable[[dict[str, Any]], bool]:
    """Do something to one of the newest messages of a user, drawn from those that are wanted."""

    def operation(asked: dict[str, Any]) -> bool:
        user = _user(asked)
        found = [one for one in stored_messages.archive(user, limit=30).messages if wanted(one)]
        if found:
            change(user, found[int(asked["draw"] * len(found))])
        return bool(found)

    return operation


def _again(user: User, message: StoredMessage) -> None:
    """Dismissed, and stored again: it arrives anew."""
    stored_messages.dismiss(user, message)
    get_backend().inbox_store([user], message)


def _mark_all(asked: dict[str, Any]) -> None:
    stored_messages.mark_all_read(_user(asked))


def _health(asked: dict[str, Any]) -> dict[str, Any]:
    """How the live part does in this process; asks no database."""
    names = [thread.name for thread in threading.enumerate()]
    return {
        "problems": health().problems,
        "given up": names.count("realtime-database, given up"),
        "metrics": {metric.name: metric.value for metric in metrics.collect()},
    }


def _collect(asked: dict[str, Any]) -> int:
    """Collect all garbage, and return how many sockets of the hub there are, open or kept by somebody."""
    gc.collect()
    # What is free goes back to the system at once, where the allocator can be asked for that.
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
    return sum(type(one) is Socket for one in gc.get_objects())


def _truth(asked: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """Id and text of what each user has unread, newest first."""
    users = User.objects.filter(username__in=asked["names"])
    return {user.username: _unread(user) for user in users}


def _unread(user: User) -> list[tuple[str, str]]:
    page = stored_messages.inbox(user, limit=10_000)
    assert page.summary.unread == len(page.messages)
    return [(message.id, str(message.message)) for message in page.messages]


OPERATIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "create users": _create_users,
    "sign in many": _sign_in_many,
    "send": _send,
    "expire": _expire,
    "commit late": _commit_late,
    "send to all": _send_to_all,
    "broadcast many": _broadcast_many,
    "send many": _send_many,
    "broadcast": _broadcast,
    "roll back": _roll_back,
    "send and die": _send_and_die,
    "read": _to_one(stored_messages.mark_read, lambda one: one.read_at is None),
    "unread": _to_one(stored_messages.mark_unread, lambda one: one.read_at is not None),
    "dismiss": _to_one(stored_messages.dismiss, lambda one: True),
    "again": _to_one(_again, lambda one: not one.broadcast),
    "mark all": _mark_all,
    "collect": _collect,
    "health": _health,
    "truth": _truth,
}
