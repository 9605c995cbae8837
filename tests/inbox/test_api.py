"""What applications call: the public names, their results and their errors."""

import logging
import subprocess
import sys
from datetime import datetime, timedelta
from datetime import timezone as datetime_timezone
from pathlib import Path

import pytest
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.messages import api as django_api
from django.db import IntegrityError, connection, transaction

import stored_messages
from stored_messages import (
    STORED_INFO,
    Summary,
    add_message_for,
    api,
    broadcast_message,
    dismiss,
    get_backend,
    mark_all_read,
    mark_read,
    mark_unread,
    owner_key,
    summaries,
    summary,
)
from stored_messages.backends.database import DefaultBackend
from tests.inbox.inboxes import send, unread

ROOT = Path(__file__).parents[2]

PUBLIC = {
    "DEBUG",
    "ERROR",
    "INFO",
    "MessageDoesNotExist",
    "MessageFailure",
    "MessageTypeNotSupported",
    "Page",
    "STORED_DEBUG",
    "STORED_ERROR",
    "STORED_INFO",
    "STORED_SUCCESS",
    "STORED_WARNING",
    "SUCCESS",
    "StoredMessage",
    "Summary",
    "VERSION",
    "WARNING",
    "__version__",
    "aadd_message_for",
    "aarchive",
    "aarchive_count",
    "abroadcast_message",
    "add_message",
    "add_message_for",
    "adismiss",
    "aget_messages",
    "ainbox",
    "amark_all_read",
    "amark_read",
    "amark_unread",
    "archive",
    "archive_count",
    "asummaries",
    "asummary",
    "aunread_count",
    "broadcast_message",
    "debug",
    "dismiss",
    "error",
    "get_backend",
    "get_level",
    "get_messages",
    "inbox",
    "info",
    "mark_all_read",
    "mark_read",
    "mark_unread",
    "owner_key",
    "set_level",
    "success",
    "summaries",
    "summary",
    "unread_count",
    "warning",
}


class FailingBackend(DefaultBackend):
    """A store that fails after it has written: what it wrote must not stay."""

    def _deliver(self, user_ids, messages):
        super()._deliver(user_ids, messages)
        self._fail()

    def broadcast(self, draft):
        with self._atomic():
            super().broadcast(draft)
            self._fail()

    def _fail(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column")


@pytest.fixture
def failing(settings):
    settings.STORED_MESSAGES = {"STORAGE_BACKEND": f"{__name__}.FailingBackend"}


def send_to_ada(ada, **options):
    return add_message_for([ada], STORED_INFO, "Hello", **options)


def send_to_all(ada, **options):
    return broadcast_message(STORED_INFO, "Hello", **options)


def test_the_public_names():
    assert set(stored_messages.__all__) == PUBLIC
    assert len(stored_messages.__all__) == len(PUBLIC)
    assert set(api.__all__) < PUBLIC
    assert [name for name in PUBLIC if not hasattr(stored_messages, name)] == []


def test_django_s_own_names_are_django_s():
    for name in django_api.__all__:
        assert getattr(stored_messages, name) is getattr(django_api, name)
    for name in ("DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR"):
        assert getattr(stored_messages, name) == getattr(messages, name)
        assert getattr(stored_messages, f"STORED_{name}") == getattr(messages, name) + 1


def test_importing_needs_no_settings():
    program = (
        "import stored_messages, stored_messages.conf, stored_messages.constants\n"
        "import stored_messages.backends, stored_messages.backends.exceptions\n"
        "import stored_messages.backends.signals, stored_messages.exceptions\n"
        "from django.conf import settings\n"
        "assert not settings.configured\n"
        "print(stored_messages.STORED_INFO, stored_messages.__version__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == (f"21 {stored_messages.__version__}\n", "")


def test_the_version_is_told_in_two_ways():
    assert ".".join(map(str, stored_messages.VERSION)) == stored_messages.__version__


@pytest.mark.parametrize("send_one", [send_to_ada, send_to_all])
def test_a_failing_store_raises(ada, failing, send_one):
    with transaction.atomic():
        with pytest.raises(Exception, match="no_such_column"):
            send_one(ada)
        assert unread(DefaultBackend(), ada) == []


@pytest.mark.parametrize("send_one", [send_to_ada, send_to_all])
def test_failing_silently_is_logged_and_leaves_the_transaction_usable(
    ada, failing, send_one, logged, caplog
):
    with transaction.atomic():
        assert send_one(ada, fail_silently=True) is None
        assert User.objects.filter(pk=ada.pk).exists()
        ada.first_name = "Ada"
        ada.save()

    ada.refresh_from_db()
    assert ada.first_name == "Ada"
    assert [(record.name, record.levelno) for record in logged()] == [
        ("stored_messages", logging.ERROR)
    ]
    assert "no_such_column" in caplog.text


def test_a_caller_s_broken_transaction_is_no_error_either(ada, ben):
    with transaction.atomic():
        try:
            with transaction.atomic(savepoint=False):
                User.objects.create(username=ada.username)
        except IntegrityError:
            pass
        assert send_to_ada(ben, fail_silently=True) is None
        transaction.set_rollback(True)

    assert send_to_ada(ben, fail_silently=True).id


def nested(deep):
    data = {}
    for _ in range(deep):
        data = {"a": data}
    return data


@pytest.mark.parametrize("send_one", [send_to_ada, send_to_all])
@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "javascript:x"},
        {"data": []},
        {"data": nested(150)},
        {"data": nested(100_000)},
        {"date": "today"},
        {"date": datetime.max},  # noqa: DTZ901
        {"date": datetime.min.replace(tzinfo=datetime_timezone(timedelta(hours=14)))},
        {"date": datetime.max.replace(tzinfo=datetime_timezone(timedelta(hours=-12)))},
        {"level": 2**31},
        {"level": -(2**31) - 1},
        {"level": float("inf")},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_wrong_arguments_are_never_silent(backend, ada, send_one, wrong):
    with pytest.raises((ValueError, TypeError)):
        send_one(ada, fail_silently=True, **wrong)

    assert backend.inbox_list(ada) == []


@pytest.mark.parametrize("read", [stored_messages.inbox, stored_messages.archive])
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"limit": 0}, ValueError),
        ({"limit": -1}, ValueError),
        ({"limit": None}, TypeError),
        ({"limit": "5"}, TypeError),
        ({"limit": 1.5}, TypeError),
        ({"cursor": 5}, ValueError),
        ({"cursor": "x"}, ValueError),
    ],
    ids=str,
)
def test_what_is_no_limit_and_no_cursor_is_refused(backend, ada, read, wrong, error):
    with pytest.raises(error, match=r"limit|position"):
        read(ada, **wrong)


def test_a_single_message_that_was_shown_is_one(backend, ada):
    sent = [add_message_for(ada, STORED_INFO, str(number)) for number in range(12)]

    mark_all_read(ada, shown=sent[11].id)
    mark_all_read(ada, shown=sent[3])

    assert len(backend.inbox_list(ada)) == 10
    assert not {sent[3], sent[11]} & set(backend.inbox_list(ada))
    with pytest.raises(ValueError, match="position"):
        mark_all_read(ada, shown=[], below=5)


@pytest.mark.django_db(transaction=True)
def test_recipients_that_cannot_be_found_leave_the_transaction_usable(backend, ada):
    with transaction.atomic():
        User.objects.create(username="written before")
        recipients = (User.objects.create(username=name) for name in ["ada"])
        assert add_message_for(recipients, STORED_INFO, "Hello", fail_silently=True) is None

    assert User.objects.filter(username="written before").exists()


def test_a_page_is_not_what_was_shown_but_its_messages_are(backend, ada):
    add_message_for(ada, STORED_INFO, "Hello")
    page = stored_messages.inbox(ada, limit=sys.maxsize)

    with pytest.raises(TypeError, match="its messages"):
        mark_all_read(ada, shown=page)
    mark_all_read(ada, shown=page.messages)

    assert unread(backend, ada) == []


def test_as_many_may_have_been_shown_as_one_likes(backend, ada):
    message = add_message_for(ada, STORED_INFO, "Hello")

    mark_all_read(ada, shown=(str(number) for number in [*range(70_000), message.id]))

    assert unread(backend, ada) == []


@pytest.mark.parametrize("action", [mark_read, mark_unread, dismiss])
def test_a_user_is_no_message(backend, ada, action):
    with pytest.raises(TypeError, match="the user comes first"):
        action(ada, ada)


def test_what_1_4_0_took_by_position(backend, ada):
    from stored_messages.stored import StoredMessage

    when = StoredMessage.draft(STORED_INFO, "").sent_at
    add_message_for([ada], STORED_INFO, "for Ada", "tag", when, "/a/", True)
    broadcast_message(STORED_INFO, "for all", "tag", when, "/b/", True)

    assert [
        (message.message, message.extra_tags, message.date, message.url)
        for message in backend.inbox_list(ada)
    ] == [("for Ada", "tag", when, "/a/"), ("for all", "tag", when, "/b/")]


def test_without_recipients_the_message_is_returned_all_the_same(backend):
    assert add_message_for([], STORED_INFO, "Hello").id


def test_summaries_are_those_of_the_backend(backend, ada, ben):
    first, second = send(backend, [ada], "1", "2")

    assert summary(ada) == Summary(2, first.stamp + second.stamp)
    assert summaries([ada, ben]) == {ada.pk: summary(ada), ben.pk: Summary(0, 0)}
    assert summaries(User.objects.all()) == summaries(user for user in (ben, ada))
    mark_read(ada, first)
    assert summary(ada) == Summary(1, second.stamp)
    mark_all_read(ada)
    assert summary(ada) == Summary(0, 0)


def test_get_backend_returns_one_and_the_same(backend):
    assert get_backend() is get_backend() is backend


def test_owner_keys_tell_users_apart_and_nothing_else(ada, ben, settings):
    key = owner_key(ada)

    assert key == owner_key(ada.pk) == owner_key(str(ada.pk))
    assert key != owner_key(ben)
    assert len(key) == 24
    assert set(key) <= set("0123456789abcdef")
    settings.SECRET_KEY = "another secret"
    assert owner_key(ada) != key


def test_nobody_has_no_owner_key():
    with pytest.raises(ValueError, match="not signed in"):
        owner_key(AnonymousUser())
