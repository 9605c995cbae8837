"""A project without `USE_TZ`, which was Django's default before 5.0: dates are naive, and the inbox works."""

from datetime import datetime, timedelta
from datetime import timezone as datetime_timezone

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from stored_messages.representation import represent
from tests.inbox.inboxes import check_agreement, draft, send, unread

NOON = datetime.fromisoformat("2026-07-01T12:00")


@pytest.fixture
def _naive(settings):
    settings.USE_TZ = False
    settings.TIME_ZONE = "Europe/Berlin"


@pytest.fixture
def reader(_naive):
    return User.objects.create(username="reader", date_joined=timezone.now() - timedelta(hours=1))


def test_everything_a_user_does(backend, reader):
    message, other = send(backend, [reader], "One", "Two")
    backend.broadcast(draft("Three"))

    assert unread(backend, reader) == ["One", "Two", "Three"]
    check_agreement(backend, reader)
    backend.mark_read(reader, [message.id])
    backend.dismiss(reader, [other.id])
    assert unread(backend, reader) == ["Three"]
    assert backend.get(reader, message.id).read_at <= timezone.now()
    backend.inbox_purge(reader)
    backend.cleanup()
    check_agreement(backend, reader)


def test_a_broadcast_is_for_who_has_joined(backend, reader):
    backend.broadcast(draft("Before"))
    late = User.objects.create(username="late", date_joined=timezone.now())

    assert unread(backend, late) == []
    assert backend.summaries([reader, late])[late.pk] == (0, 0)


@pytest.mark.parametrize(
    "date",
    [
        NOON,
        datetime(2026, 7, 1, 10, 0, tzinfo=datetime_timezone.utc),
    ],
    ids=["naive", "aware"],
)
def test_a_date_of_the_sender_s_is_naive_in_python_and_in_utc_on_the_wire(
    backend, reader, settings, date
):
    settings.STORED_MESSAGES = {**settings.STORED_MESSAGES, "INBOX_EXPIRE_DAYS": None}
    settings.STORED_MESSAGES["MESSAGE_EXPIRE_DAYS"] = None
    backend.send([reader], [draft("Hello", date=date)])
    [message] = backend.inbox_list(reader)

    assert message.date == NOON
    assert represent(message)["date"] == "2026-07-01T10:00:00Z"
