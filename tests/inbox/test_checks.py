"""Every finding, whole, and that a right project has none."""

import pytest
from django.core.checks import Error, Warning, run_checks

from stored_messages.checks import check_settings, check_storage

UNKNOWN_STORAGE = "nowhere.Storage"
KNOWN_KEYS = (
    "STORE_LEVELS, STORAGE_BACKEND, REDIS_URL, INBOX_EXPIRE_DAYS, MESSAGE_EXPIRE_DAYS, ITERATE, "
    "THROTTLE_CLASSES"
)


def test_the_project_s_settings_are_right():
    assert check_settings(None) == check_storage(None) == []


def test_they_are_registered(settings, db):
    settings.STORED_MESSAGES = {"ITERATE": "maybe"}
    settings.MIDDLEWARE = []

    found = {message.id for message in run_checks()}
    assert {"stored_messages.E002", "stored_messages.W007"} <= found


@pytest.mark.parametrize(
    "right",
    [
        None,
        {},
        {"ITERATE": "read"},
        {"INBOX_EXPIRE_DAYS": None, "MESSAGE_EXPIRE_DAYS": 1},
        {"STORE_LEVELS": (20,)},
    ],
)
def test_right_settings(settings, right):
    settings.STORED_MESSAGES = right

    assert check_settings(None) == []


def test_unknown_keys(settings):
    settings.STORED_MESSAGES = {"STORE_LEVEL": (), "ITERATE": "read", "COLOUR": "red"}

    assert check_settings(None) == [
        Error(
            "STORED_MESSAGES has unknown keys: 'COLOUR', 'STORE_LEVEL'.",
            hint=f"Known keys: {KNOWN_KEYS}.",
            id="stored_messages.E001",
        )
    ]


@pytest.mark.parametrize("value", ["maybe", None, True, ""])
def test_unknown_ways_to_iterate(settings, value):
    settings.STORED_MESSAGES = {"ITERATE": value}

    assert check_settings(None) == [
        Error(
            f"STORED_MESSAGES['ITERATE'] is {value!r}.",
            hint=(
                "Use 'read' (iterating the messages reads the inbox) or 'skip' "
                "(it leaves the inbox alone)."
            ),
            id="stored_messages.E002",
        )
    ]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("nowhere.Backend", "cannot be imported: No module named 'nowhere'"),
        ("Backend", "cannot be imported: Backend doesn't look like a module path"),
        (
            "stored_messages.backends.Nothing",
            (
                'cannot be imported: Module "stored_messages.backends" does not define a '
                '"Nothing" attribute/class'
            ),
        ),
        (
            "stored_messages.stored.StoredMessage",
            "is no subclass of stored_messages.backends.base.StoredMessagesBackend.",
        ),
        (
            "stored_messages.get_backend",
            "is no subclass of stored_messages.backends.base.StoredMessagesBackend.",
        ),
        (None, "is no dotted path."),
        (["a", "list"], "is no dotted path."),
    ],
)
def test_backends_that_are_none(settings, path, why):
    settings.STORED_MESSAGES = {"STORAGE_BACKEND": path}

    assert check_settings(None) == [
        Error(
            f"STORED_MESSAGES['STORAGE_BACKEND'] = {path!r} {why}",
            hint=(
                "Use 'stored_messages.backends.DefaultBackend' or the path of a "
                "StoredMessagesBackend."
            ),
            id="stored_messages.E003",
        )
    ]


@pytest.mark.parametrize("key", ["INBOX_EXPIRE_DAYS", "MESSAGE_EXPIRE_DAYS"])
@pytest.mark.parametrize("days", [0, -1, 1.5, "30", True])
def test_days_that_are_none(settings, key, days):
    settings.STORED_MESSAGES = {key: days}

    assert check_settings(None) == [
        Error(
            f"STORED_MESSAGES['{key}'] is {days!r}.",
            hint="Use a number of days from 1 up, or None for messages that never expire.",
            id="stored_messages.E004",
        )
    ]


def test_a_storage_that_is_not_there(settings):
    settings.MESSAGE_STORAGE = UNKNOWN_STORAGE

    assert check_storage(None) == [
        Error(
            "MESSAGE_STORAGE = 'nowhere.Storage' cannot be imported: No module named 'nowhere'",
            hint="Use 'stored_messages.storage.PersistentStorage'.",
            id="stored_messages.E005",
        )
    ]


def test_a_storage_without_the_mixin(settings):
    settings.MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

    assert check_storage(None) == [
        Warning(
            "MESSAGE_STORAGE = 'django.contrib.messages.storage.cookie.CookieStorage' "
            "stores nothing in the inbox.",
            hint=(
                "Use 'stored_messages.storage.PersistentStorage', or put "
                "stored_messages.storage.StorageMixin before your storage's base."
            ),
            id="stored_messages.W006",
        )
    ]


@pytest.mark.parametrize("others", [[], ["nowhere.Middleware"], ["tests.project.views.home"]])
def test_no_message_middleware(settings, others):
    settings.MIDDLEWARE = others

    assert check_storage(None) == [
        Warning(
            "MIDDLEWARE has no MessageMiddleware: messages.add_message() cannot work.",
            hint=(
                "Add 'django.contrib.messages.middleware.MessageMiddleware' after the "
                "session and authentication middleware."
            ),
            id="stored_messages.W007",
        )
    ]
