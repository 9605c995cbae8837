"""A backend that was written for 1.4.0, with nothing but its documented methods, works everywhere."""

from itertools import count
from types import SimpleNamespace

import pytest
from django.utils import timezone

from stored_messages import (
    STORED_INFO,
    add_message_for,
    broadcast_message,
    get_backend,
    mark_all_read,
    mark_read,
    owner_key,
    summaries,
    summary,
)
from stored_messages.backends.base import StoredMessagesBackend
from stored_messages.backends.exceptions import MessageDoesNotExist, MessageTypeNotSupported
from stored_messages.stored import StoredMessage
from tests.inbox.inboxes import draft, texts, walk
from tests.inbox.tabs import Tab


class ListsBackend(StoredMessagesBackend):
    """Two lists for each user, in the process."""

    def __init__(self):
        self._flush()

    def create_message(self, level, msg_text, extra_tags="", date=None, url=None):
        return SimpleNamespace(
            id=next(self.ids),
            level=level,
            message=msg_text,
            tags=extra_tags,
            date=date or timezone.now(),
            url=url,
        )

    def inbox_list(self, user):
        return list(self.inboxes.get(user.pk, ()))

    def inbox_purge(self, user):
        self.inboxes.pop(user.pk, None)

    def inbox_store(self, users, msg_instance):
        self._store(self.inboxes, users, msg_instance)

    def inbox_delete(self, user, msg_id):
        self.inboxes[user.pk].remove(self.inbox_get(user, msg_id))

    def inbox_get(self, user, msg_id):
        for message in self.inbox_list(user):
            if str(message.id) == str(msg_id):
                return message
        raise MessageDoesNotExist(msg_id)

    def archive_store(self, users, msg_instance):
        self._store(self.archives, users, msg_instance)

    def archive_list(self, user):
        return list(self.archives.get(user.pk, ()))

    def can_handle(self, msg_instance):
        return isinstance(msg_instance, SimpleNamespace)

    def expired_messages_cleanup(self):
        pass

    def _flush(self):
        self.ids, self.inboxes, self.archives = count(1), {}, {}

    def _store(self, lists, users, message):
        if not self.can_handle(message):
            raise MessageTypeNotSupported
        for user in users:
            lists.setdefault(user.pk, []).append(message)


@pytest.fixture
def lists(settings, db):
    settings.STORED_MESSAGES = {
        **settings.STORED_MESSAGES,
        "STORAGE_BACKEND": f"{__name__}.ListsBackend",
    }
    backend = get_backend()
    yield backend
    backend._flush()


def unread(backend, user):
    return [message.message for message in backend.inbox_list(user)]


def test_sending_and_reading(lists, ada, ben):
    sent = add_message_for((user for user in (ada, ben)), STORED_INFO, "Hello", "x", url="/there/")
    broadcast_message(STORED_INFO, "Everybody")

    assert isinstance(sent, StoredMessage)
    assert (sent.message, sent.tags, sent.url) == ("Hello", "x persisted info", "/there/")
    assert unread(lists, ada) == unread(lists, ben) == ["Hello", "Everybody"]
    assert mark_read(ada, sent) is True
    assert mark_read(ada, sent.id) is False
    assert mark_read(ada, "unknown") is False
    assert unread(lists, ada) == ["Everybody"]
    mark_all_read(ben)
    assert unread(lists, ben) == []


def test_pages_and_summaries_agree(lists, ada, ben):
    for number in range(5):
        add_message_for([ada], STORED_INFO, str(number))

    pages = walk(lists, ada, limit=2)

    assert [text for page in pages for text in texts(page.messages)] == list("43210")
    assert {page.summary for page in pages} == {summary(ada)}
    assert summary(ada).unread == 5
    assert summaries([ada, ben]) == {ada.pk: summary(ada), ben.pk: (0, 0)}
    mark_all_read(ada, shown=[pages[0].messages[0]], below=pages[0].cursor)
    assert unread(lists, ada) == ["3"]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//example.com"])
def test_its_dangerous_urls_are_left_out(lists, ada, url):
    lists.inbox_store([ada], lists.create_message(STORED_INFO, "Hello", url=url))

    [message] = lists.page(ada).messages
    assert message.url is None


@pytest.mark.usefixtures("read_mode")
def test_django_s_messages(lists, client, visit, ada):
    client.force_login(ada)

    visit("add", stored=["1"], plain=["2"])
    assert unread(lists, ada) == ["1"]
    assert visit("show") == [["1", "persisted info"], ["2", "info"]]
    assert unread(lists, ada) == []
    assert visit("show") == []


def test_what_was_shown_already_is_archived_only(lists, ada):
    shown = draft("shown")
    shown.read_at = shown.sent_at

    lists.send([ada], [shown])

    assert unread(lists, ada) == []
    assert [message.message for message in lists.archive_list(ada)] == ["shown"]


def test_rest_and_the_page(lists, ada):
    tab = Tab(enforce_csrf_checks=True)
    tab.force_login(ada)
    first, second, third = (add_message_for([ada], STORED_INFO, text) for text in "123")

    response = tab.list(limit=2)
    assert [item["text"] for item in response.json()] == ["3", "2"]
    assert response.headers["X-Unread-Count"] == "3"
    assert response.headers["X-Inbox-User"] == owner_key(ada)
    assert "cursor=" in response.headers["Link"]
    assert tab.get(f"/messages/inbox/{first.id}/").json()["message"] == "1"
    for _ in range(2):
        assert tab.act(f"inbox/{first.id}/read/").status_code == 200
    assert tab.act("inbox/unknown/read/").status_code == 404
    assert tab.act("mark_all_read/", {"ids": [third.id]}).status_code == 200
    assert unread(lists, ada) == [second.message]
    assert "2" in tab.get("/messages/").content.decode()
