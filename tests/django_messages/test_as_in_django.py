"""What projects and their tests look at in a storage, beyond Django's own tests: it is what it is in Django."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.messages import get_messages
from django.contrib.messages.storage.base import BaseStorage, Message
from django.db import DatabaseError
from django.http import HttpResponse
from django.test import RequestFactory

from stored_messages import STORED_INFO, add_message_for, get_backend, inbox
from stored_messages.backends.database import DefaultBackend
from stored_messages.storage import PersistentStorage, StorageMixin

INFO = 20


class Full(DefaultBackend):
    def send(self, users, drafts):
        raise DatabaseError("disk full")


class AlwaysSaving(BaseStorage):
    """A project's own, which writes at the end of every request, and keeps messages in the session as they are."""

    def _get(self, *args, **kwargs):
        return list(self.request.session.get("kept", [])), True

    def _store(self, messages, response, *args, **kwargs):
        self.request.session["kept"] = list(messages)
        return []

    def update(self, response):
        return self._store([*self._loaded_messages, *self._queued_messages], response)


class OverAlwaysSaving(StorageMixin, AlwaysSaving):
    pass


@pytest.fixture(params=["DefaultBackend", "RedisBackend"])
def backend(request, settings, db):
    settings.STORED_MESSAGES = {"STORAGE_BACKEND": f"stored_messages.backends.{request.param}"}
    if request.param == "RedisBackend":
        settings.STORED_MESSAGES["REDIS_URL"] = request.getfixturevalue("redis_url")
    return get_backend()


@pytest.fixture
def skip(settings, backend):
    settings.STORED_MESSAGES = {**settings.STORED_MESSAGES, "ITERATE": "skip"}


@pytest.fixture
def ada(db):
    return User.objects.create(username="ada")


@pytest.fixture
def ben(db):
    return User.objects.create(username="ben")


@pytest.fixture
def new_storage(rf: RequestFactory):
    """A storage as at the beginning of a user's request; the session is shared by all of a test."""
    session = {}

    def create(user, storage_class=PersistentStorage):
        request = rf.get("/")
        request.user, request.session = user, session
        request._messages = storage_class(request)
        return request._messages

    return create


def texts(messages):
    return [str(message) for message in messages]


def unread(user):
    return texts(reversed(inbox(user).messages))


def test_what_is_added_is_queued(backend, ada, new_storage, django_assert_num_queries):
    storage = new_storage(ada)

    with django_assert_num_queries(0):
        storage.add(STORED_INFO, "1")
        storage.add(INFO, "2", extra_tags="extra")

    assert storage._queued_messages == [Message(STORED_INFO, "1"), Message(INFO, "2")]
    assert texts(storage._queued_messages) == ["1", "2"]
    assert [message.tags for message in storage._queued_messages] == [
        "persisted info",
        "extra info",
    ]
    assert storage.added_new
    assert not storage.used


def test_the_inbox_is_loaded_before_the_rest(backend, ada, new_storage):
    add_message_for(ada, STORED_INFO, "inbox")
    storage = new_storage(ada)

    assert texts(storage._loaded_messages) == ["inbox"]
    storage.add(INFO, "added")
    assert texts(storage) == ["inbox", "added"] == texts(storage._loaded_messages)
    assert storage._queued_messages == []
    assert storage.used


def test_what_is_loaded_already_is_not_loaded(backend, ada, new_storage):
    add_message_for(ada, STORED_INFO, "inbox")
    storage = new_storage(ada)
    storage._loaded_data = []

    assert list(storage) == []
    storage.update(HttpResponse())
    assert unread(ada) == ["inbox"]


def test_after_the_response_all_is_where_it_was(backend, ada, new_storage):
    """Tests of projects look at the messages of a response."""
    add_message_for(ada, STORED_INFO, "inbox")
    storage = new_storage(ada)
    storage.add(STORED_INFO, "1")
    storage.add(INFO, "2")

    storage.update(HttpResponse())

    assert storage.added_new
    assert texts(storage._queued_messages) == ["1", "2"]
    assert texts(get_messages(storage.request)) == ["inbox", "1", "2"]
    assert unread(ada) == ["inbox", "1"]


def test_a_second_update_stores_nothing_twice(backend, ada, new_storage):
    storage = new_storage(ada)
    storage.add(STORED_INFO, "1")

    storage.update(HttpResponse())
    storage.update(HttpResponse())

    assert unread(ada) == ["1"]


@pytest.mark.parametrize("iterated", [False, True])
def test_what_is_taken_off_the_queue_is_not_stored(backend, ada, new_storage, iterated):
    storage = new_storage(ada)
    storage.add(STORED_INFO, "1")
    storage.add(STORED_INFO, "2")
    if iterated:
        list(storage)
        del storage._loaded_messages[0]
        storage.used = False
    else:
        del storage._queued_messages[0]

    storage.update(HttpResponse())

    assert unread(ada) == ["2"]


def test_what_is_kept_in_the_inbox_touches_no_cookie(backend, ada, new_storage):
    storage, response = new_storage(ada), HttpResponse()
    storage.add(STORED_INFO, "1")

    assert not storage.update(response)
    assert not response.cookies


def test_unused_after_all(backend, ada, new_storage):
    """``used = False``: cookie and inbox are as if nobody had looked."""
    add_message_for(ada, STORED_INFO, "inbox")
    storage, response = new_storage(ada), HttpResponse()
    storage.add(INFO, "cookie")
    storage.add(STORED_INFO, "added")
    assert texts(storage) == ["inbox", "cookie", "added"]
    storage.used = False

    storage.update(response)

    assert unread(ada) == ["inbox", "added"]
    following = new_storage(ada)
    following.request.COOKIES["messages"] = response.cookies["messages"].value
    assert texts(following) == ["inbox", "added", "cookie"]


def test_the_inbox_of_whoever_signs_in_or_out_meanwhile(backend, ada, ben, new_storage):
    add_message_for(ada, STORED_INFO, "for ada, seen")
    add_message_for(ben, STORED_INFO, "for ben")
    storage = new_storage(ada)
    storage.add(INFO, "for the page")
    assert texts(storage) == ["for ada, seen", "for the page"]

    storage.request.user = ben
    assert len(storage) == 2
    assert texts(storage) == ["for ben", "for the page"]
    storage.request.user = AnonymousUser()
    assert texts(storage) == ["for the page"]

    storage.update(HttpResponse())
    assert unread(ada) == unread(ben) == []


def test_an_inbox_that_another_did_not_look_at_stays_unread(backend, ada, ben, new_storage):
    add_message_for([ada, ben], STORED_INFO, "for both")
    storage = new_storage(ada)
    assert len(storage) == 1
    storage.request.user = ben
    assert texts(storage) == ["for both"]

    storage.update(HttpResponse())

    assert unread(ada) == ["for both"]
    assert unread(ben) == []


@pytest.mark.usefixtures("skip")
def test_hidden_messages_are_queued_all_the_same(ada, new_storage):
    storage = new_storage(ada)
    storage.add(STORED_INFO, "1")
    storage.add(INFO, "2")

    assert texts(storage._queued_messages) == ["1", "2"]
    assert texts(storage) == ["2"]
    assert len(storage) == 1
    assert Message(STORED_INFO, "1") not in storage
    storage.update(HttpResponse())
    assert texts(storage) == ["2"]
    assert unread(ada) == ["1"]


@pytest.mark.parametrize("iterate", ["read", "skip"])
def test_what_the_inbox_refuses_and_nobody_saw_goes_elsewhere(ada, settings, new_storage, iterate):
    settings.STORED_MESSAGES = {"STORAGE_BACKEND": f"{__name__}.Full", "ITERATE": iterate}
    storage, response = new_storage(ada), HttpResponse()
    storage.add(STORED_INFO, "1")
    storage.add(STORED_INFO, "2")
    seen = [str(next(iter(storage)))] if iterate == "read" else texts(storage)

    storage.update(response)

    following = new_storage(ada)
    following.request.COOKIES["messages"] = response.cookies["messages"].value
    assert seen + texts(following) == ["1", "2"]


def test_a_storage_that_always_saves_keeps_what_it_had_and_nothing_of_the_inbox(
    backend, ada, new_storage
):
    add_message_for(ada, STORED_INFO, "inbox")
    for number in range(2):
        storage = new_storage(ada, OverAlwaysSaving)
        storage.add(INFO, f"own {number}")
        storage.add(STORED_INFO, f"kept {number}")
        storage.update(HttpResponse())
    looked = new_storage(ada, OverAlwaysSaving)
    assert len(looked) == 5
    looked.update(HttpResponse())

    assert texts(looked.request.session["kept"]) == ["own 0", "own 1"]
    assert unread(ada) == ["inbox", "kept 0", "kept 1"]
