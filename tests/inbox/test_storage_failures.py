"""Bad luck around the storage: broken transactions, failing pages, and a store that is not there."""

import logging

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject

from stored_messages import STORED_INFO
from stored_messages.backends.database import DefaultBackend
from stored_messages.storage import PersistentStorage
from tests.inbox.inboxes import archive, send, unread

STORED = "persisted info"


class Unwritable(DefaultBackend):
    def send(self, users, drafts):
        raise DatabaseError("disk full")

    def mark_read(self, user, msg_ids):
        raise DatabaseError("disk full")


class Unreadable(DefaultBackend):
    def inbox_list(self, user):
        with transaction.atomic(savepoint=False), connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column")


@pytest.fixture(autouse=True)
def _signed_in(db, client, ada):
    client.force_login(ada)


@pytest.fixture
def atomic_requests(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)


@pytest.fixture
def unwritable(settings):
    settings.STORED_MESSAGES = {
        **settings.STORED_MESSAGES,
        "STORAGE_BACKEND": f"{__name__}.Unwritable",
    }


@pytest.fixture
def unreadable(settings):
    settings.STORED_MESSAGES = {
        "ITERATE": "read",
        "STORAGE_BACKEND": f"{__name__}.Unreadable",
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("iterate")
class TestTransactions:
    """Django's own storages know nothing of a view's transaction, and so does this one."""

    def test_a_rollback_by_exception_keeps_the_messages_as_django_does(
        self, visit, backend, ada, atomic_requests
    ):
        visit("add_and_fail", stored=["1"], plain=["2"], status=500)

        assert not User.objects.filter(username="rolled back").exists()
        assert unread(backend, ada) == ["1"]
        assert ["2", "info"] in visit("show")

    def test_a_broken_transaction_keeps_the_message(self, visit, backend, ada, atomic_requests):
        visit("add_in_broken_transaction", stored=["1"], plain=["2"])

        assert not User.objects.filter(username="rolled back").exists()
        assert unread(backend, ada) == ["1"]
        assert ["2", "info"] in visit("show")

    def test_a_page_can_be_made_in_a_broken_transaction(
        self, visit, backend, ada, atomic_requests, iterate
    ):
        send(backend, [ada], "before")

        shown = visit("show_in_broken_transaction", stored=["1"], plain=["2"])

        # The inbox cannot be asked just then; what the request itself added is known.
        assert shown == ([["1", STORED], ["2", "info"]] if iterate == "read" else [["2", "info"]])
        assert unread(backend, ada) == (["before"] if iterate == "read" else ["before", "1"])
        assert archive(backend, ada) == ["before", "1"]

    @pytest.mark.parametrize("atomic", [False, True])
    def test_a_block_that_is_rolled_back_keeps_the_message(
        self, visit, backend, ada, atomic, monkeypatch
    ):
        monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic)

        visit("add_in_rolled_back_block", stored=["1"])

        assert unread(backend, ada) == ["1"]

    def test_without_an_exception_all_is_kept(self, visit, backend, ada, atomic_requests):
        visit("add", stored=["1"])

        assert unread(backend, ada) == ["1"]


@pytest.mark.usefixtures("iterate", "unwritable")
class TestUnwritableStore:
    """The message goes to the next storage, so the user sees it, and somebody is told."""

    def test_the_user_sees_the_message_on_the_next_page(self, visit, logged):
        visit("add", stored=["1", "2"], plain=["3"])

        [record] = logged()
        assert (record.name, record.levelno) == ("stored_messages", logging.ERROR)
        assert str(record.exc_info[1]) == "disk full"
        assert sorted(visit("show")) == [["1", STORED], ["2", STORED], ["3", "info"]]
        assert visit("show") == []

    def test_what_was_shown_in_the_same_request_is_not_shown_again(self, visit, logged, iterate):
        shown = visit("add_and_show", stored=["1"])

        assert len(logged()) == 1
        assert shown + visit("show") == [["1", STORED]]
        assert visit("show") == []

    def test_under_an_async_server(self, visit_async, ada, logged):
        visit_async.client.force_login(ada)

        visit_async("add_async", stored=["1"])

        assert len(logged()) == 1
        assert visit_async("show") == [["1", STORED]]


@pytest.mark.usefixtures("read_mode")
def test_what_cannot_be_marked_read_stays_unread(visit, ada, settings, logged):
    send(DefaultBackend(), [ada], "1")
    settings.STORED_MESSAGES = {
        **settings.STORED_MESSAGES,
        "STORAGE_BACKEND": f"{__name__}.Unwritable",
    }

    assert visit("show") == visit("show") == [["1", STORED]]
    assert [record.name for record in logged()] == ["stored_messages"] * 2


@pytest.mark.usefixtures("unreadable")
def test_a_page_goes_without_an_inbox_that_cannot_be_read(visit, ada, logged):
    visit("add", stored=["1"], plain=["2"])

    assert visit("show") == [["2", "info"]]
    [record] = logged()
    assert "no_such_column" in str(record.exc_info[1])
    assert unread(DefaultBackend(), ada) == ["1"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("unreadable")
def test_what_was_written_stays_when_the_inbox_cannot_be_read(visit, ada):
    with transaction.atomic():
        User.objects.create(username="written by the view")
        assert visit("show") == []

    assert User.objects.filter(username="written by the view").exists()


def test_a_backend_that_does_not_exist_loses_no_message(visit, settings, caplog):
    settings.STORED_MESSAGES = {"STORAGE_BACKEND": "nowhere.Backend"}

    visit("add", stored=["1"])
    assert visit("show") == [["1", STORED]]
    assert "nowhere.Backend" in caplog.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("backend", "iterate")
def test_what_was_written_stays_when_the_user_cannot_be_loaded(ada):
    request = RequestFactory().get("/")
    request.session, request._messages = {}, None
    request.user = SimpleLazyObject(lambda: User.objects.create(username="ada"))
    storage = PersistentStorage(request)

    with transaction.atomic():
        User.objects.create(username="written by the view")
        storage.add(STORED_INFO, "Hello")
        list(storage)

    assert User.objects.filter(username="written by the view").exists()


@pytest.mark.usefixtures("unwritable", "iterate")
def test_what_was_for_another_is_not_left_to_who_signed_in_meanwhile(visit, ada, person, caplog):
    person("ben")
    visit("add_then_sign_in", stored=["1"], plain=["2"], **{"as": "ben"})

    assert visit("show") == [["2", "info"]]
    assert "whom they were for" in caplog.text
