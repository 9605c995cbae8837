"""A site with many users, each signed in with a session of their own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from redis import Redis

from benchmarks.live.parties import Site
from benchmarks.project import project_on_postgresql
from tests.services.redis import RedisServer

UNREAD, BROADCASTS = 10, 50


@contextmanager
def site(users: int) -> Iterator[Site]:
    with project_on_postgresql() as database, TemporaryDirectory() as directory:
        redis = RedisServer(Path(directory))
        redis.start()
        try:
            pks, cookies = _signed_in(users)
            environment = {
                "TEST_DATABASE_URL": os.environ["TEST_DATABASE_URL"],
                "CHANNEL_REDIS": redis.url,
            }
            yield Site(environment, pks, cookies, database.pid, redis.pid, _versions(redis))
        finally:
            redis.stop()


def _signed_in(count: int) -> tuple[list[int], list[str]]:
    from datetime import timedelta

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.contrib.sessions.models import Session
    from django.utils import timezone
    from django.utils.crypto import get_random_string

    from benchmarks.inbox.filling import create_users

    create_users(count)
    expires = timezone.now() + timedelta(days=1)
    store, sessions, pks = SessionStore(), [], []
    for user in User.objects.order_by("pk")[:count]:
        data = {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: user.get_session_auth_hash(),
        }
        key = get_random_string(32, "abcdefghijklmnopqrstuvwxyz0123456789")
        pks.append(user.pk)
        sessions.append(
            Session(session_key=key, session_data=store.encode(data), expire_date=expires)
        )
    Session.objects.bulk_create(sessions, batch_size=1000)
    return pks, [f"{settings.SESSION_COOKIE_NAME}={session.session_key}" for session in sessions]


def fill(connected: int) -> None:
    """What a grown site has: some unread for each, many read ones, and broadcasts that are still live."""
    import stored_messages
    from benchmarks.inbox.filling import analyze, fill_archives, fill_inboxes

    stored_messages.get_backend()._flush()
    fill_inboxes(connected, UNREAD)
    fill_archives(connected * 40)
    for _ in range(BROADCASTS):
        stored_messages.broadcast_message(stored_messages.STORED_INFO, "x")
    analyze()


def _versions(redis: RedisServer) -> dict[str, str]:
    from benchmarks.inbox.filling import server_version

    with Redis.from_url(redis.url) as client:
        return {"PostgreSQL": server_version(), "Redis": client.info("server")["redis_version"]}
