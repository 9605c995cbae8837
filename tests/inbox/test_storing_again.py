"""1.4.0's own steps: `create_message`, then `inbox_store` and `archive_store`, once or again."""

import copy
from datetime import timedelta

import pytest
from django.contrib.messages.storage.base import Message
from django.utils import timezone

from stored_messages import STORED_INFO, MessageDoesNotExist, MessageTypeNotSupported
from tests.inbox.inboxes import archive, check_agreement, draft, send, unread


def names(sent_signals):
    return [name for name, _ in sent_signals]


def test_a_created_message_is_nobody_s(backend, ada):
    message = backend.create_message(STORED_INFO, "Hello", "x", url="/there/")

    assert (message.message, message.extra_tags, message.url) == ("Hello", "x", "/there/")
    assert archive(backend, ada) == unread(backend, ada) == []


def test_storing_in_the_inbox_alone_archives_too(backend, ada, sent_signals):
    message = backend.create_message(STORED_INFO, "Hello")
    backend.inbox_store([ada], message)

    assert unread(backend, ada) == archive(backend, ada) == ["Hello"]
    assert names(sent_signals) == ["messages_stored", "archive_stored", "inbox_stored"]
    check_agreement(backend, ada)


def test_storing_in_the_archive_alone_leaves_the_inbox_empty(backend, ada, sent_signals):
    message = backend.create_message(STORED_INFO, "Hello")
    backend.archive_store([ada], message)

    assert unread(backend, ada) == []
    assert archive(backend, ada) == ["Hello"]
    assert backend.get(ada, message.id).read_at is not None
    assert names(sent_signals) == ["archive_stored"]
    check_agreement(backend, ada)


def test_an_old_message_is_new_to_who_gets_it_now(backend, ada, ben):
    old = send(backend, [ada], "Old")
    send(backend, [ada, ben], "Newer")
    backend.inbox_store([ben], old)

    assert unread(backend, ada) == ["Old", "Newer"]
    assert unread(backend, ben) == ["Newer", "Old"]
    check_agreement(backend, ben)


@pytest.mark.parametrize("first", ["inbox_store", "archive_store"])
def test_archive_and_inbox_in_any_order_make_one_unread_copy(backend, ada, first, sent_signals):
    message = backend.create_message(STORED_INFO, "Hello")
    second = {"inbox_store": "archive_store", "archive_store": "inbox_store"}[first]
    getattr(backend, first)([ada], message)
    getattr(backend, second)([ada], message)

    assert unread(backend, ada) == archive(backend, ada) == ["Hello"]
    assert sorted(names(sent_signals)) == ["archive_stored", "inbox_stored", "messages_stored"]
    check_agreement(backend, ada)


def test_what_was_dismissed_comes_back_to_the_archive_alone(backend, ada, ben, sent_signals):
    message = send(backend, [ada, ben], "Again")
    send(backend, [ada], "Later")
    backend.dismiss(ada, [message.id])
    sent_signals.clear()

    backend.archive_store([ada, ben], message)

    assert (unread(backend, ada), archive(backend, ada)) == (["Later"], ["Later", "Again"])
    assert backend.get(ada, message.id).read_at is not None
    assert unread(backend, ben) == ["Again"]
    [(name, carried)] = sent_signals
    assert (name, carried["user"]) == ("archive_stored", ada)
    check_agreement(backend, ada)


@pytest.mark.parametrize("method", ["inbox_store", "archive_store"])
def test_what_is_unread_stays_as_it_is_and_says_nothing(backend, ada, method, sent_signals):
    message = send(backend, [ada], "Hello")
    sent_signals.clear()

    getattr(backend, method)([ada], message)

    assert [row.ref for row in backend.inbox_list(ada)] == [message.ref]
    assert sent_signals == []


@pytest.mark.parametrize("away", ["mark_read", "dismiss"])
def test_what_was_read_or_dismissed_arrives_anew(backend, ada, ben, away, sent_signals):
    message = send(backend, [ada, ben], "Again")
    send(backend, [ada, ben], "Later")
    getattr(backend, away)(ada, [message.id])
    sent_signals.clear()

    backend.inbox_store([ada, ben], message)

    assert unread(backend, ada) == archive(backend, ada) == ["Later", "Again"]
    assert unread(backend, ben) == archive(backend, ben) == ["Again", "Later"]
    again = backend.inbox_get(ada, message.id)
    assert again.position > message.position
    assert again.stamp != message.stamp
    assert again.read_at is None
    [told] = [carried for name, carried in sent_signals if name == "messages_stored"]
    assert told["user_ids"] == [ada.pk]
    assert [row.ref for row in told["messages"]] == [again.ref]
    check_agreement(backend, ada)
    check_agreement(backend, ben)


def test_what_somebody_else_has_read_arrives_unread(backend, ada, ben, sent_signals):
    sent = send(backend, [ada], "Hello")
    backend.mark_read(ada, [sent.id])
    sent_signals.clear()

    backend.inbox_store([ben], backend.get(ada, sent.id))

    assert unread(backend, ben) == ["Hello"]
    [told] = [carried for name, carried in sent_signals if name == "messages_stored"]
    assert told["user_ids"] == [ben.pk]
    assert [message.read_at for message in told["messages"]] == [None]


def test_one_who_has_it_stops_nobody_else(backend, ada, ben, person):
    cleo = person("cleo")
    message = send(backend, [ben], "Hello")

    backend.inbox_store([ada, ben, cleo], message)

    assert [unread(backend, user) for user in (ada, ben, cleo)] == [["Hello"]] * 3


def test_a_generator_of_users_reaches_inbox_and_archive(backend, ada, ben):
    message = backend.create_message(STORED_INFO, "Hello")

    backend.inbox_store((user for user in [ada, ben]), message)

    for user in (ada, ben):
        assert unread(backend, user) == archive(backend, user) == ["Hello"]


@pytest.mark.parametrize("method", ["inbox_store", "archive_store"])
@pytest.mark.parametrize(
    "message",
    [Message(STORED_INFO, "Django's"), draft("never created"), "text", None],
    ids=["Django's message", "draft", "text", "None"],
)
def test_what_is_no_stored_message_is_refused(backend, ada, method, message):
    with pytest.raises(MessageTypeNotSupported):
        getattr(backend, method)([ada], message)

    assert archive(backend, ada) == []


@pytest.mark.parametrize("method", ["inbox_store", "archive_store"])
def test_a_broadcast_is_everybody_s_already(backend, ada, method):
    message = backend.broadcast(draft("Everybody"))

    with pytest.raises(MessageTypeNotSupported, match="broadcast"):
        getattr(backend, method)([ada], message)

    check_agreement(backend, ada)


@pytest.mark.parametrize("method", ["inbox_store", "archive_store"])
def test_what_is_gone_raises_and_reaches_nobody(backend, ada, ben, method, sent_signals):
    message = send(backend, [ada], "Hello")
    backend._flush()
    sent_signals.clear()

    with pytest.raises(MessageDoesNotExist, match="is gone"):
        getattr(backend, method)([ada, ben], message)

    assert archive(backend, ada) == archive(backend, ben) == []
    assert backend.archive_count(ben) == 0
    assert sent_signals == []
    check_agreement(backend, ben)


@pytest.fixture(params=[False, True], ids=["before the cleanup", "after it"])
def cleaned_up(request, backend):
    return backend.expired_messages_cleanup if request.param else lambda: None


@pytest.mark.parametrize("method", ["inbox_store", "archive_store"])
def test_what_has_expired_since_it_was_sent_is_gone(
    backend, ada, ben, method, settings, cleaned_up, sent_signals
):
    settings.STORED_MESSAGES = {**settings.STORED_MESSAGES, "MESSAGE_EXPIRE_DAYS": 20}
    old = draft("Old")
    old.date = old.sent_at = timezone.now() - timedelta(days=21)
    [message] = backend.send([ada], [old])
    cleaned_up()
    sent_signals.clear()

    with pytest.raises(MessageDoesNotExist, match="is gone"):
        getattr(backend, method)([ben], message)
    assert archive(backend, ben) == []
    assert sent_signals == []


@pytest.mark.parametrize("method", ["inbox_store", "archive_store"])
def test_what_had_expired_when_it_was_made_is_stored_for_nobody(
    backend, ben, method, settings, cleaned_up, sent_signals
):
    settings.STORED_MESSAGES = {**settings.STORED_MESSAGES, "MESSAGE_EXPIRE_DAYS": 20}
    date = timezone.now() - timedelta(days=21)
    message = backend.create_message(STORED_INFO, "Old", date=date)
    cleaned_up()

    getattr(backend, method)([ben], message)
    assert archive(backend, ben) == []
    assert sent_signals == []


def test_it_can_handle_what_it_hands_out(backend, ada):
    message = send(backend, [ada], "Hello")

    assert backend.can_handle(message)
    assert backend.can_handle(copy.copy(backend.inbox_list(ada)[0]))
    assert not backend.can_handle(Message(STORED_INFO, "Django's"))
    assert not backend.can_handle(None)
