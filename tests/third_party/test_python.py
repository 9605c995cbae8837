"""Storage and API, synchronous and not, over a backend of 1.4.0."""

from datetime import datetime, timedelta
from datetime import timezone as datetime_timezone

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.utils.safestring import SafeData, mark_safe

import stored_messages
from stored_messages import STORED_INFO, StoredMessage, add_message_for
from stored_messages.backends import signals
from stored_messages.representation import represent
from stored_messages.storage import PersistentStorage

YEAR_2015 = datetime(2015, 1, 1, tzinfo=datetime_timezone.utc)


def texts(messages):
    return [str(message) for message in messages]


def unread(backend, user):
    return texts(backend.inbox_list(user))


def every_page(read, user, limit):
    pages = [read(user, limit=limit)]
    while pages[-1].cursor is not None:
        pages.append(read(user, limit=limit, cursor=pages[-1].cursor))
    return pages


@pytest.fixture
def storage(rf, backend, ada):
    request = rf.get("/")
    request.user, request.session = ada, {}
    request._messages = PersistentStorage(request)
    return request._messages


def test_the_storage_keeps_shows_and_reads(storage, backend, ada):
    add_message_for(ada, STORED_INFO, "before")
    storage.add(STORED_INFO, "kept", extra_tags="extra")
    storage.add(20, "plain")

    shown = list(get_messages(storage.request))
    storage.update(HttpResponse())

    assert texts(shown) == ["before", "kept", "plain"]
    assert [one.tags for one in shown] == ["persisted info", "extra persisted info", "info"]
    assert unread(backend, ada) == []
    assert texts(backend.archive_list(ada)) == ["before", "kept"]


def test_the_storage_leaves_unread_what_was_not_shown(storage, backend, ada):
    for text in ("1", "2", "3"):
        add_message_for(ada, STORED_INFO, text)

    assert str(next(iter(storage))) == "1"
    storage.add(STORED_INFO, "4")
    storage.update(HttpResponse())

    assert unread(backend, ada) == ["2", "3", "4"]


def test_every_user_gets_what_is_sent_in_batches(backend, db):
    User.objects.bulk_create(User(username=f"user{i}") for i in range(1_200))

    add_message_for(User.objects.all(), STORED_INFO, "Hello")

    summaries = stored_messages.summaries(User.objects.all())
    assert len(summaries) == 1_200
    assert {summary.unread for summary in summaries.values()} == {1}


def test_its_signals_are_sent_by_itself_and_once(backend, ada):
    heard = []
    names = ("archive_stored", "inbox_stored", "inbox_deleted", "inbox_purged")
    receivers = []
    for name in names:

        def receive(sender, user, name=name, **carried):
            heard.append(name)

        getattr(signals, name).connect(receive)
        receivers.append((name, receive))
    try:
        sent = add_message_for(ada, STORED_INFO, "Hello")
        stored_messages.mark_read(ada, sent)
        stored_messages.mark_all_read(ada)
    finally:
        for name, receive in receivers:
            getattr(signals, name).disconnect(receive)

    assert heard == (list(names) if backend.sends_signals else [])


def test_actions_say_what_they_changed(backend, ada, ben):
    sent = add_message_for([ada, ben], STORED_INFO, "Hello", url="/there/")
    own = backend.inbox_list(ada)[0]

    assert isinstance(sent, StoredMessage)
    for message in (own, own.id, str(own.id), sent):
        assert stored_messages.mark_read(ada, message) is True
        assert stored_messages.mark_read(ada, message) is False
        assert stored_messages.mark_unread(ada, message) is True
        assert stored_messages.mark_unread(ada, message) is False
    assert stored_messages.dismiss(ada, sent) is True
    assert unread(backend, ada) == []
    assert unread(backend, ben) == ["Hello"]
    for unknown in ("unknown", 999, None, "1' OR '1'='1"):
        assert stored_messages.mark_read(ada, unknown) is False


async def test_the_asynchronous_names(transactional_db, backend):
    user = await User.objects.acreate(username="ada")

    sent = await stored_messages.aadd_message_for(user, STORED_INFO, "1")
    await stored_messages.abroadcast_message(STORED_INFO, "2")
    assert texts((await stored_messages.ainbox(user)).messages) == ["2", "1"]
    assert await stored_messages.aunread_count(user) == 2
    assert await stored_messages.amark_read(user, sent)
    assert texts((await stored_messages.aarchive(user)).messages) == ["2", "1"]
    assert await stored_messages.amark_unread(user, sent)
    assert await stored_messages.adismiss(user, sent)
    await stored_messages.amark_all_read(user)
    assert await sync_to_async(unread)(backend, user) == []


@pytest.mark.parametrize(
    "dates",
    [
        pytest.param(lambda number: YEAR_2015, id="equal"),
        pytest.param(lambda number: YEAR_2015 + timedelta(seconds=number), id="old"),
        pytest.param(
            lambda number: datetime.max.replace(tzinfo=datetime_timezone.utc), id="at the end"
        ),
        pytest.param(lambda number: datetime(1900, 1, 1), id="naive, before all"),  # noqa: DTZ001
        pytest.param(lambda number: None, id="none"),
        pytest.param(lambda number: "yesterday", id="text"),
    ],
)
def test_pages_pass_over_nothing_whatever_the_dates(backend, ada, dates):
    """Positions come of dates and ids; where these do not tell two apart, positions do all the same."""
    for number in range(150):
        message = backend.create_message(STORED_INFO, str(number))
        message.date = dates(number)
        backend.archive_store([ada], message)
        backend.inbox_store([ada], message)

    for read in (stored_messages.inbox, stored_messages.archive):
        pages = every_page(read, ada, 7)
        rows = [row for page in pages for row in page.messages]
        assert sorted(map(int, texts(rows))) == list(range(150))
        assert len({row.position for row in rows}) == 150
        assert {len(row.position) for row in rows} == {16}
        assert {page.summary for page in pages} == {stored_messages.summary(ada)}


def test_old_messages_keep_their_order(backend, ada):
    for number in (2, 3, 1):
        date = YEAR_2015 + timedelta(days=number)
        backend.inbox_store([ada], backend.create_message(STORED_INFO, str(number), date=date))

    assert texts(stored_messages.inbox(ada).messages) == ["3", "2", "1"]


def test_dates_as_text_are_dates(backend, ada):
    """1.4.0's own backend for Redis had them so."""
    for number in (2, 3, 1):
        message = backend.create_message(STORED_INFO, str(number))
        message.date = (YEAR_2015 + timedelta(days=number)).isoformat()
        backend.inbox_store([ada], message)

    newest = stored_messages.inbox(ada).messages
    assert texts(newest) == ["3", "2", "1"]
    assert newest[0].date == YEAR_2015 + timedelta(days=3)


def test_a_backend_that_knows_no_urls_gets_none(backend, ada, monkeypatch):
    """1.4.0's first backends had no such argument."""
    create = type(backend).create_message

    def create_message(self, level, msg_text, extra_tags="", date=None):
        return create(self, level, msg_text, extra_tags, date)

    monkeypatch.setattr(type(backend), "create_message", create_message)

    add_message_for(ada, STORED_INFO, "Hello")

    assert unread(backend, ada) == ["Hello"]
    assert "url" in str(backend.check()[0])


def test_what_it_stored_twice_is_one_message(backend, ada):
    message = backend.create_message(STORED_INFO, "Hello")
    backend.inbox_store([ada, ada], message)
    backend.archive_store([ada, ada], message)

    assert stored_messages.unread_count(ada) == 1
    assert texts(stored_messages.inbox(ada).messages) == ["Hello"]
    assert stored_messages.mark_read(ada, message) is True
    assert stored_messages.unread_count(ada) == 0
    assert texts(stored_messages.archive(ada).messages) == ["Hello"]
    assert stored_messages.mark_unread(ada, message) is True
    assert unread(backend, ada) == ["Hello"]


def test_what_was_seen_is_read_and_the_rest_is_not(backend, ada):
    for number in range(6):
        add_message_for(ada, STORED_INFO, str(number))
    page = stored_messages.inbox(ada, limit=2)

    stored_messages.mark_all_read(ada, shown=page.messages[:1], below=page.messages[-1].position)

    assert unread(backend, ada) == ["4"]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//example.com/", "\t/there/", 7])
def test_what_no_client_may_see_is_left_out(backend, ada, url):
    backend.inbox_store([ada], backend.create_message(STORED_INFO, "a\x00b\ud800", url=url))

    [message] = stored_messages.inbox(ada).messages
    item = represent(message)
    assert item["url"] in (None, "/there/")
    assert item["text"] == "a\ufffdb\ufffd"


def test_marked_safe_stays_so_if_the_store_keeps_it(backend, ada):
    add_message_for(ada, STORED_INFO, mark_safe("<b>Hello</b>"))

    [message] = stored_messages.inbox(ada).messages
    assert isinstance(message.message, SafeData)


def test_messages_of_the_store_s_own_are_left_as_they_are(backend, ada, ben):
    """One object may be in the lists of many users."""
    add_message_for([ada, ben], STORED_INFO, "Hello")
    stored_messages.mark_read(ada, backend.inbox_list(ada)[0])

    assert stored_messages.archive(ada).messages[0].read_at is not None
    assert stored_messages.archive(ben).messages[0].read_at is None
    assert not hasattr(backend.archive_list(ada)[0], "read_at")
