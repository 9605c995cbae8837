"""Messages in one database, and their users in another."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

import stored_messages
from stored_messages import STORED_INFO
from tests.upgrade import tables
from tests.upgrade.test_upgrade import OLD

pytestmark = pytest.mark.usefixtures("messages_apart")


def copies(table):
    return sorted(tables.select(f"SELECT user_id, message_id FROM {table}"))


@pytest.fixture
def users():
    joined = timezone.now() - timedelta(days=1)
    return [User.objects.create(username=name, date_joined=joined) for name in ("ada", "ben")]


def test_a_new_project_is_migrated_and_works(users, migrate):
    migrate()
    ada, ben = users
    message = stored_messages.add_message_for(User.objects.all(), STORED_INFO, "To both")
    stored_messages.broadcast_message(STORED_INFO, "To all")
    stored_messages.mark_read(ada, message)

    assert stored_messages.unread_count(ada) == 1
    assert stored_messages.unread_count(ben) == 2


def test_back_and_forwards(users, migrate):
    migrate()
    ada, ben = users
    both = int(stored_messages.add_message_for(users, STORED_INFO, "To both").id)
    everybody = int(stored_messages.broadcast_message(STORED_INFO, "To all").id)
    stored_messages.mark_read(ada, both)
    stored_messages.mark_read(ben, everybody)
    User.objects.create(username="new", date_joined=timezone.now() + timedelta(hours=1))

    migrate("0002")

    inbox = [(ada.pk, everybody), (ben.pk, both)]
    assert copies("stored_messages_inbox") == inbox
    assert copies("stored_messages_messagearchive") == sorted(
        [*inbox, (ada.pk, both), (ben.pk, everybody)]
    )
    assert [columns for table in OLD[1:] for columns, _ in tables.relations(table)] == [
        ("message_id",),
        ("message_id",),
    ]
    migrate()
    assert [one.message for one in stored_messages.inbox(ada).messages] == ["To all"]
    assert [one.message for one in stored_messages.inbox(ben).messages] == ["To both"]
