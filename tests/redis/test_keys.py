"""How users and messages are named in Redis, and what is missing or somebody else's there."""

import uuid

import pytest
from django.apps import apps

from stored_messages.backends.redis_keys import content_key, owner_keys, owner_name
from tests.inbox.inboxes import archive, check_agreement, draft, send, unread

ODD_NAMES = [
    "ada@example.org",
    "{ada}",
    "ada}:unread",
    "*",
    "ada ben",
    "a:b",
    "[a-z]",
    "ada\n",
    "ädä",
    "🔔",
    "~" + "0" * 64,
    "x" * 600,
    "X" * 600,
    "",
    "0",
    "00",
]


@pytest.fixture
def user_model(settings):
    """Use a model of users with other keys."""

    def use(name):
        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "tests.redis.readers"]
        settings.AUTH_USER_MODEL = f"readers.{name}"
        return apps.get_model(settings.AUTH_USER_MODEL)

    return use


def test_users_with_any_text_as_their_key_have_inboxes_of_their_own(backend, user_model):
    model = user_model("NamedReader")
    users = [model(name=name) for name in ODD_NAMES]
    for user in users:
        send(backend, [user], user.name or "nobody's name")
    everybody = backend.broadcast(draft("Everybody"))

    for user in users:
        assert unread(backend, user) == [user.name or "nobody's name", "Everybody"]
        check_agreement(backend, user)
    backend.mark_read(users[0], [everybody.id])
    backend.forget_user(users[1].pk)
    assert unread(backend, users[0]) == [users[0].name]
    assert unread(backend, users[1]) == ["Everybody"]
    assert all(len(unread(backend, user)) == 2 for user in users[2:])


def test_users_with_uuids_have_inboxes(backend, user_model):
    model = user_model("NumberedReader")
    users = [model(id=uuid.uuid4()) for _ in range(3)]
    message = send(backend, users[:2])
    backend.mark_read(users[0], [message.id])

    assert [unread(backend, user) for user in users] == [[], ["Hello"], []]
    assert backend.summaries(users)[users[1].pk].unread == 1
    check_agreement(backend, users[1])


def test_names_of_users_differ_where_keys_do():
    assert len({owner_name(name) for name in ODD_NAMES}) == len(ODD_NAMES)
    assert owner_name(7) == owner_name("7")


@pytest.mark.parametrize("on", ["redis_url", "redis_cluster_url"])
def test_emptying_the_store_leaves_what_is_somebody_else_s(at, on, request, ada):
    backend = at(request.getfixturevalue(on))
    others = ["cache:1", "stored_messages", "stored_message:1", "user:1:notifications", "{x}"]
    for key in others:
        backend.client.set(key, "theirs")
    send(backend, [ada], *map(str, range(20)))
    backend.broadcast(draft())

    backend._flush()

    # A table of keys that shrinks meanwhile is gone through twice in part.
    assert set(backend.client.scan_iter()) == set(others)
    assert archive(backend, ada) == []


def test_every_key_is_below_the_prefix(backend, ada):
    message = send(backend, [ada])
    everybody = backend.broadcast(draft())
    backend.mark_read(ada, [message.id, everybody.id])

    keys = set(backend.client.scan_iter())
    assert keys
    assert all(key.startswith("stored_messages:") for key in keys)


@pytest.mark.parametrize("read", [False, True], ids=["unread", "read"])
def test_a_message_whose_content_was_evicted_is_nowhere(backend, ada, read):
    kept, evicted = send(backend, [ada], "kept", "evicted")
    if read:
        backend.mark_read(ada, [evicted.id])
    backend.client.delete(content_key(evicted.id))

    assert archive(backend, ada) == ["kept"]
    assert unread(backend, ada) == ["kept"]
    assert backend.archive_count(ada) == 1
    assert backend.client.hkeys(owner_keys(owner_name(ada.pk))[0]) == [kept.id]
    check_agreement(backend, ada)


def test_a_page_whose_contents_were_evicted_is_filled_from_below(backend, ada):
    messages = send(backend, [ada], *map(str, range(10)))
    for message in messages[5:8]:
        backend.client.delete(content_key(message.id))

    page = backend.page(ada, limit=4)

    assert [str(message) for message in page.messages] == ["9", "8", "4", "3"]
    assert page.summary.unread == 7
    check_agreement(backend, ada)


def test_a_broadcast_whose_content_was_evicted_is_nowhere(backend, ada, ben):
    message, _ = backend.broadcast(draft("evicted")), backend.broadcast(draft("kept"))
    backend.mark_read(ben, [message.id])
    backend.client.delete(content_key(message.id))

    for user in (ada, ben):
        assert archive(backend, user) == ["kept"]
        check_agreement(backend, user)


def test_a_user_who_is_gone_leaves_no_key(backend, ada, ben, django_capture_on_commit_callbacks):
    message = send(backend, [ada, ben])
    everybody = backend.broadcast(draft())
    backend.mark_read(ada, [message.id, everybody.id])
    name = owner_name(ada.pk)
    with django_capture_on_commit_callbacks(execute=True):
        ada.delete()

    assert backend.client.exists(*owner_keys(name)) == 0
    assert len(unread(backend, ben)) == 2
