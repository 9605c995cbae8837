"""People, the backends that keep the contract, a record of the signals, and visits to pages."""

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.utils import timezone

from stored_messages import get_backend, signals
from tests.inbox.tabs import Tab

#: The plans are PostgreSQL's.
collect_ignore = (
    [] if "postgresql" in settings.DATABASES["default"]["ENGINE"] else ["test_query_plans.py"]
)

#: Each store, with its backend and the fixture of its address.
STORES = {
    "DefaultBackend": ("DefaultBackend", None),
    "RedisBackend": ("RedisBackend", "redis_url"),
    "RedisBackend-cluster": ("RedisBackend", "redis_cluster_url"),
}

#: What the rest of the contract is made of. A cluster is slow, and the rest cannot tell it from a single server.
ON_A_CLUSTER_TOO = {
    "test_broadcasts",
    "test_expiry",
    "test_paging",
    "test_properties",
    "test_reading",
    "test_sending",
    "test_signals",
    "test_storing_again",
}

SIGNALS = (
    "inbox_stored",
    "inbox_deleted",
    "inbox_purged",
    "archive_stored",
    "messages_stored",
    "broadcast_stored",
    "messages_read",
    "messages_unread",
    "messages_dismissed",
    "inbox_read_up_to",
)


def pytest_generate_tests(metafunc):
    if "backend" in metafunc.fixturenames:
        whole = metafunc.module.__name__.rpartition(".")[2] in ON_A_CLUSTER_TOO
        stores = [name for name in STORES if whole or "cluster" not in name]
        metafunc.parametrize("backend", stores, indirect=True)


@pytest.fixture
def backend(request, settings, db):
    """Each backend on each store in turn: what asks for it is part of the contract that all of them keep."""
    name, address = STORES[request.param]
    chosen = {"STORAGE_BACKEND": f"stored_messages.backends.{name}"}
    if address:
        chosen["REDIS_URL"] = request.getfixturevalue(address)
    settings.STORED_MESSAGES = {**settings.STORED_MESSAGES, **chosen}
    backend = get_backend()
    yield backend
    backend._flush()


@pytest.fixture
def person(db):
    """Create a user who joined a day ago, so that they see the broadcasts of the test."""

    def create(username, **fields):
        fields.setdefault("date_joined", timezone.now() - timedelta(days=1))
        return User.objects.create(username=username, **fields)

    return create


@pytest.fixture
def ada(person):
    return person("ada")


@pytest.fixture
def ben(person):
    return person("ben")


@pytest.fixture
def crowd(db):
    """Create many users at once."""

    def create(number):
        return User.objects.bulk_create(User(username=f"user{i}") for i in range(number))

    return create


@pytest.fixture
def sent_signals():
    """A list that every signal is appended to: its name and what it carries."""
    record = []
    receivers = []
    for name in SIGNALS:

        def receive(signal, sender, name=name, **carried):
            record.append((name, {"sender": sender, **carried}))

        getattr(signals, name).connect(receive)
        receivers.append((name, receive))
    yield record
    for name, receive in receivers:
        getattr(signals, name).disconnect(receive)


@pytest.fixture
def logged(caplog):
    """What the inbox and Django have logged since the test began.

    Others may have a word: threads that earlier tests began, and the event loop when what they left is thrown away.
    """

    def logged():
        packages = ("stored_messages", "django")
        return [record for record in caplog.records if record.name.partition(".")[0] in packages]

    return logged


@pytest.fixture(params=["read", "skip"])
def iterate(request, settings):
    """Both ways to iterate."""
    settings.STORED_MESSAGES = {**settings.STORED_MESSAGES, "ITERATE": request.param}
    return request.param


@pytest.fixture
def read_mode(settings):
    settings.STORED_MESSAGES = {**settings.STORED_MESSAGES, "ITERATE": "read"}


@pytest.fixture
def skip_mode(settings):
    settings.STORED_MESSAGES = {**settings.STORED_MESSAGES, "ITERATE": "skip"}


@pytest.fixture
def visit(client, settings):
    """Visit a page of `tests.inbox.views` and return what it says."""
    settings.ROOT_URLCONF = "tests.inbox.views"

    def visit(page, *, status=200, **query):
        client.raise_request_exception = False
        response = client.get(f"/{page}/", query)
        assert response.status_code == status
        return response.json() if status == 200 else None

    return visit


@pytest.fixture
def tab(backend, ada):
    """Ada's browser on the project's own site."""
    tab = Tab(enforce_csrf_checks=True)
    tab.force_login(ada)
    return tab


@pytest.fixture
def visit_async(settings):
    """The same through the asynchronous handler; sign in with `visit_async.client.force_login`."""
    settings.ROOT_URLCONF = "tests.inbox.views"

    def visit(page, **query):
        response = async_to_sync(visit.client.get)(f"/{page}/", query)
        assert response.status_code == 200
        return response.json()

    visit.client = AsyncClient()
    return visit
