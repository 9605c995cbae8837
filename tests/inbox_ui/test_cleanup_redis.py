"""What the cleanup leaves in Redis."""

import pytest
from django.contrib.auth.models import User
from django.db import connection

from stored_messages.stored import Cleanup
from tests.inbox_ui.sending import draft, inbox, sent_days_ago


@pytest.fixture
def keys(redis_backend):
    return lambda pattern="*": set(redis_backend.client.scan_iter(match=pattern))


def test_nothing_of_a_deleted_user_is_left(redis_backend, keys, ben):
    redis_backend.send([ben], [sent_days_ago(2)])
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM auth_user")

    assert redis_backend.cleanup() == Cleanup(0, 0, 1)
    assert keys("*{*}*") == set()


def test_contents_that_never_expire_go_when_nobody_has_them(redis_backend, keys, ada, configure):
    configure(MESSAGE_EXPIRE_DAYS=None, INBOX_EXPIRE_DAYS=None)
    redis_backend.send([], [sent_days_ago(2, "nobody's")])
    redis_backend.send([], [draft("on its way")])
    redis_backend.send([ada], [sent_days_ago(2, "hers")])
    redis_backend.broadcast(sent_days_ago(2, "to all"))
    assert len(keys("*message:*")) == 4

    assert redis_backend.cleanup(dry_run=True) == redis_backend.cleanup() == Cleanup(0, 0, 1)
    assert len(keys("*message:*")) == 3
    assert inbox(redis_backend, ada) == ["hers", "to all"]


def test_contents_that_expire_by_themselves_are_left_to_redis(redis_backend, keys):
    redis_backend.send([], [sent_days_ago(2)])

    assert redis_backend.cleanup() == Cleanup(0, 0, 0)
    [content] = keys("*message:*")
    assert redis_backend.client.ttl(content) > 0


def test_keys_of_others_stay(redis_backend, keys):
    redis_backend.client.set("stored", "theirs")
    redis_backend.client.set("cache:{9}:records", "theirs")
    redis_backend.cleanup()

    assert keys() == {"stored", "cache:{9}:records"}


def test_an_inbox_from_when_users_had_other_keys_goes(redis_backend, ada, keys):
    redis_backend.send([ada], [sent_days_ago(2)])
    for old in ("someone", "~" + "0" * 64):
        redis_backend.client.hset(
            f"stored_messages:{{{old}}}:records", "0" * 24, f"{'0' * 16}:1:0::0:0"
        )

    assert redis_backend.cleanup() == Cleanup(0, 0, 2)
    assert len(keys("*:records")) == User.objects.count() == 1
