"""From its date on a message lives for so many days in the inbox, and so many at all."""

from datetime import timedelta

import pytest
from django.utils import timezone

from stored_messages import MessageDoesNotExist
from tests.inbox.inboxes import archive, check_agreement, draft, send, unread

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _days(backend, settings):
    settings.STORED_MESSAGES = {
        **settings.STORED_MESSAGES,
        "INBOX_EXPIRE_DAYS": 10,
        "MESSAGE_EXPIRE_DAYS": 20,
    }


def ago(days):
    return timezone.now() - timedelta(days=days)


@pytest.fixture
def send_one(request, backend, ada):
    """Send Ada a message, as one of her own or as a broadcast."""
    kind = request.param

    def send_one(text, date):
        if kind == "broadcast":
            return backend.broadcast(draft(text, date=date))
        return send(backend, [ada], text, date=date)

    return send_one


def both(test):
    return pytest.mark.parametrize("send_one", ["own", "broadcast"], indirect=True)(test)


@both
def test_it_leaves_the_inbox_first_and_the_archive_later(backend, ada, send_one):
    gone = send_one("gone", ago(20))
    kept = send_one("kept", ago(20) + HOUR)
    old = send_one("old", ago(10))
    send_one("fresh", ago(10) + HOUR)
    send_one("future", timezone.now() + timedelta(days=100))

    assert unread(backend, ada) == ["fresh", "future"]
    assert archive(backend, ada) == ["kept", "old", "fresh", "future"]
    with pytest.raises(MessageDoesNotExist):
        backend.get(ada, gone.id)
    for message in (kept, old):
        assert backend.get(ada, message.id).read_at is None
        with pytest.raises(MessageDoesNotExist):
            backend.inbox_get(ada, message.id)
    check_agreement(backend, ada)


@both
def test_what_left_the_inbox_cannot_be_read_or_made_unread(backend, ada, send_one, sent_signals):
    old = send_one("old", ago(15))
    sent_signals.clear()

    assert backend.mark_read(ada, [old.id]) == []
    assert backend.mark_unread(ada, [old.id]) == []
    backend.mark_read_below(ada, draft().position)
    assert sent_signals == []
    assert unread(backend, ada) == []
    check_agreement(backend, ada)


@both
def test_what_was_read_before_it_left_the_inbox_stays_read(
    backend, ada, send_one, settings, sent_signals
):
    old = send_one("old", ago(5))
    backend.mark_read(ada, [old.id])
    settings.STORED_MESSAGES = {**settings.STORED_MESSAGES, "INBOX_EXPIRE_DAYS": 4}
    sent_signals.clear()

    assert backend.mark_unread(ada, [old.id]) == []
    assert sent_signals == []
    assert archive(backend, ada) == ["old"]
    check_agreement(backend, ada)


@both
def test_what_left_the_inbox_can_be_dismissed(backend, ada, send_one):
    old = send_one("old", ago(15))

    assert backend.dismiss(ada, [old.id]) == [old.ref]
    assert archive(backend, ada) == []


@both
def test_what_is_gone_cannot_be_dismissed(backend, ada, send_one, sent_signals):
    gone = send_one("gone", ago(25))
    sent_signals.clear()

    assert backend.dismiss(ada, [gone.id]) == []
    assert sent_signals == []


@both
def test_cleaning_up_changes_nothing_that_can_be_seen(backend, ada, send_one, settings):
    for days in (25, 15, 5):
        send_one(f"{days} days", ago(days))
    before = unread(backend, ada), archive(backend, ada), backend.summary(ada)

    backend.expired_messages_cleanup()

    assert (unread(backend, ada), archive(backend, ada), backend.summary(ada)) == before
    settings.STORED_MESSAGES = {
        **settings.STORED_MESSAGES,
        "INBOX_EXPIRE_DAYS": None,
        "MESSAGE_EXPIRE_DAYS": None,
    }
    assert archive(backend, ada) == ["15 days", "5 days"]


@both
def test_never_expiring_messages(backend, ada, send_one, settings):
    settings.STORED_MESSAGES = {
        **settings.STORED_MESSAGES,
        "INBOX_EXPIRE_DAYS": None,
        "MESSAGE_EXPIRE_DAYS": None,
    }
    send_one("ancient", ago(10_000))

    backend.expired_messages_cleanup()

    assert unread(backend, ada) == archive(backend, ada) == ["ancient"]
    check_agreement(backend, ada)


@both
def test_a_message_that_is_gone_is_out_of_the_inbox_too(backend, ada, send_one, settings):
    settings.STORED_MESSAGES = {
        **settings.STORED_MESSAGES,
        "INBOX_EXPIRE_DAYS": None,
        "MESSAGE_EXPIRE_DAYS": 10,
    }
    send_one("old", ago(15))
    send_one("fresh", ago(5))

    assert unread(backend, ada) == archive(backend, ada) == ["fresh"]
    check_agreement(backend, ada)


def test_what_the_cleanup_took_out_of_the_inbox_can_be_made_unread_when_nothing_expires(
    backend, ada, settings
):
    message = send(backend, [ada], "old", date=ago(11))
    backend.expired_messages_cleanup()
    settings.STORED_MESSAGES = {**settings.STORED_MESSAGES, "INBOX_EXPIRE_DAYS": None}

    assert unread(backend, ada) == []
    assert [ref.id for ref in backend.mark_unread(ada, [message.id])] == [message.id]
    assert unread(backend, ada) == ["old"]
    check_agreement(backend, ada)


@both
def test_what_is_expired_when_it_is_sent_is_not_announced(ada, send_one, sent_signals):
    send_one("old", ago(15))

    announced = {name for name, _ in sent_signals}
    assert not announced & {"messages_stored", "broadcast_stored"}
