"""The mixin over each of Django's storages, and over a project's own."""

import pytest
from django.contrib.messages.storage.base import BaseStorage
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage

from stored_messages.storage import PersistentStorage, StorageMixin
from tests.inbox.inboxes import unread

STORED = "persisted info"


class OverCookie(StorageMixin, CookieStorage):
    pass


class OverSession(StorageMixin, SessionStorage):
    pass


class OverFallback(StorageMixin, FallbackStorage):
    pass


class OwnStorage(BaseStorage):
    """A project's own: keeps messages as they are, in the process."""

    kept = []

    def _get(self, *args, **kwargs):
        return list(self.kept), True

    def _store(self, messages, response, *args, **kwargs):
        self.kept[:] = messages
        return []


class OverOwn(StorageMixin, OwnStorage):
    pass


@pytest.fixture(params=[OverCookie, OverSession, OverFallback, OverOwn, PersistentStorage])
def storage(request, settings, iterate):
    settings.MESSAGE_STORAGE = f"{request.param.__module__}.{request.param.__qualname__}"
    yield request.param
    OwnStorage.kept.clear()


@pytest.mark.usefixtures("storage")
def test_signed_in(client, visit, backend, ada, iterate):
    client.force_login(ada)
    visit("add", stored=["1"], plain=["2"], tags="extra")

    assert unread(backend, ada) == ["1"]
    kept, plain = ["1", f"extra {STORED}"], ["2", "info"]
    assert visit("show") == ([kept, plain] if iterate == "read" else [plain])
    assert visit("show") == []


@pytest.mark.usefixtures("storage", "db")
def test_anonymous(visit):
    visit("add", stored=["1"], plain=["2"], tags="extra")

    assert visit("show") == [["1", f"extra {STORED}"], ["2", "info"]]
    assert visit("show") == []


@pytest.mark.usefixtures("storage")
def test_shown_in_the_same_request(client, visit, backend, ada, iterate):
    client.force_login(ada)

    shown = visit("add_and_show", stored=["1"], plain=["2"])

    assert shown == ([["1", STORED], ["2", "info"]] if iterate == "read" else [["2", "info"]])
    assert visit("show") == []


@pytest.mark.usefixtures("storage")
def test_a_store_that_fails(client, visit, ada, settings):
    client.force_login(ada)
    settings.STORED_MESSAGES = {
        **settings.STORED_MESSAGES,
        "STORAGE_BACKEND": "tests.inbox.test_storage_failures.Unwritable",
    }

    visit("add", stored=["1"])

    assert visit("show") == [["1", STORED]]
    assert visit("show") == []
