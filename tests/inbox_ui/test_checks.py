"""Wrong configuration of the inbox, each problem whole; a right one has none."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.checks import Error, Warning, run_checks

import realtime.checks
import stored_messages.backends
import stored_messages.checks
from stored_messages.backends.base import StoredMessagesBackend
from stored_messages.checks import (
    check_backend,
    check_installation,
    check_levels,
    check_settings,
    check_storage,
)
from stored_messages.storage import StorageMixin
from tests.inbox_ui import legacy as third_party

ROOT = Path(__file__).parents[2]
MESSAGES = "django.contrib.messages.middleware.MessageMiddleware"
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
DOCUMENTED = ROOT / "docs" / "checks.md"


class HiddenMixin(CookieStorage, StorageMixin):
    """What somebody writes who is not used to the order of bases."""


class Unfinished(StoredMessagesBackend):
    def inbox_list(self, user):
        return []

    def archive_list(self, user):
        return []


class Unmakeable(StoredMessagesBackend):
    def __init__(self):
        raise OSError("no such store")


class Silent(third_party.LegacyBackend):
    def check(self):
        return None


class WithoutUrls(third_party.LegacyBackend):
    def create_message(self, level, msg_text, extra_tags="", date=None):
        return super().create_message(level, msg_text, extra_tags, date)


class Apart:
    """A router that sends the two tables to different databases."""

    def db_for_write(self, model, **hints):
        return "elsewhere" if model.__name__ == "Delivery" else None


def test_tables_in_different_databases(settings):
    settings.DATABASE_ROUTERS = [f"{__name__}.Apart"]

    [error] = check_installation(None)
    assert error == Error(
        "DATABASE_ROUTERS send the models of 'stored_messages' to several databases: "
        "{'Message': 'default', 'Delivery': 'elsewhere'}.",
        hint="Send them to the same one: they refer to each other.",
        id="stored_messages.E027",
    )


def all_checks():
    return [
        found
        for check in (
            check_backend,
            check_installation,
            check_levels,
            check_settings,
            check_storage,
        )
        for found in check(None)
    ]


def test_the_project_is_well_configured():
    assert all_checks() == []


def test_all_are_registered(settings, db):
    settings.STORED_MESSAGES = {"STORE_LEVELS": 20}
    settings.MIDDLEWARE = []
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": {}}]
    settings.INSTALLED_APPS = [
        app for app in settings.INSTALLED_APPS if app not in ("django.contrib.admin", "realtime")
    ]
    ids = [found.id for found in run_checks() if found.id.startswith("stored_messages.")]
    assert sorted(ids) == [
        "stored_messages.E011",
        "stored_messages.W007",
        "stored_messages.W018",
        "stored_messages.W019",
        "stored_messages.W020",
    ]


# STORED_MESSAGES.


@pytest.mark.parametrize("value", [["ITERATE"], "skip", 1, ({"ITERATE": "skip"},)])
def test_no_dict(settings, value):
    settings.STORED_MESSAGES = value

    assert all_checks() == [
        Error(
            f"STORED_MESSAGES is {value!r}.",
            hint="Use a dict, for example {'ITERATE': 'skip'}.",
            id="stored_messages.E009",
        )
    ]


def test_unknown_keys_of_any_type(settings):
    settings.STORED_MESSAGES = {1: 2, "COLOUR": "red"}

    [found] = check_settings(None)
    assert found.msg == "STORED_MESSAGES has unknown keys: 'COLOUR', 1."


def test_days_longer_ago_than_dates_go(configure):
    configure(MESSAGE_EXPIRE_DAYS=1_000_000)

    assert check_settings(None) == [
        Error(
            "STORED_MESSAGES['MESSAGE_EXPIRE_DAYS'] is 1000000: no date lies so far back.",
            hint="Use None for messages that never expire.",
            id="stored_messages.E004",
        )
    ]


def test_an_inbox_that_outlives_its_messages(configure):
    configure(INBOX_EXPIRE_DAYS=200)

    assert check_settings(None) == [
        Warning(
            "STORED_MESSAGES['INBOX_EXPIRE_DAYS'] is 200, but messages are gone after 120 days.",
            hint="Use at most MESSAGE_EXPIRE_DAYS, or raise that.",
            id="stored_messages.W010",
        )
    ]
    configure(MESSAGE_EXPIRE_DAYS=None)
    assert check_settings(None) == []


@pytest.mark.parametrize(
    "levels", [20, "20", ("20",), (20, None), [True], None, {20: "info"}, (2**31,)]
)
def test_levels_that_are_none(configure, levels):
    configure(STORE_LEVELS=levels)

    assert check_levels(None) == [
        Error(
            f"STORED_MESSAGES['STORE_LEVELS'] is {levels!r}.",
            hint="Use a tuple of levels, for example (messages.INFO, messages.ERROR).",
            id="stored_messages.E011",
        )
    ]


@pytest.mark.parametrize("lowest", ["INFO", None])
def test_a_lowest_level_that_is_none(settings, lowest):
    settings.MESSAGE_LEVEL = lowest

    assert check_levels(None) == [
        Error(
            f"MESSAGE_LEVEL is {lowest!r}.",
            hint="Use a level of django.contrib.messages, for example messages.INFO.",
            id="stored_messages.E026",
        )
    ]


@pytest.mark.parametrize(("levels", "lowest"), [((), 20), ([10, 11], 20), ({40}, 50)])
def test_levels_of_which_none_is_recorded(configure, settings, levels, lowest):
    configure(STORE_LEVELS=levels)
    settings.MESSAGE_LEVEL = lowest

    assert check_levels(None) == [
        Warning(
            f"STORED_MESSAGES['STORE_LEVELS'] has no level from {lowest} (MESSAGE_LEVEL) up: "
            "messages.add_message() stores nothing.",
            hint="Name a level that is recorded, or leave the key out for the five STORED_* levels.",
            id="stored_messages.W012",
        )
    ]
    settings.MESSAGE_LEVEL = 0
    assert [found.id for found in check_levels(None)] == (
        [] if levels else ["stored_messages.W012"]
    )


# Backends.


def test_redis_without_its_package():
    """In a process that cannot import it, as where it is not installed."""
    program = """
import sys

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name == "redis":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NotInstalled())
import django
from django.conf import settings
settings.STORED_MESSAGES = {"STORAGE_BACKEND": "stored_messages.backends.RedisBackend"}
django.setup()
from stored_messages.checks import check_backend, check_settings
print(*[(found.id, found.msg, found.hint) for found in check_settings(None)], check_backend(None))
"""
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "tests.project.settings", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (
        result.stdout.strip()
        == str(
            (
                "stored_messages.E008",
                (
                    "STORED_MESSAGES['STORAGE_BACKEND'] = 'stored_messages.backends.RedisBackend' "
                    "cannot be imported: No module named 'redis'"
                ),
                'Install it: pip install "django-stored-messages[redis]".',
            )
        )
        + " []"
    )


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (None, "is not set: RedisBackend needs it."),
        ("", "is not set: RedisBackend needs it."),
        (6379, "= 6379 is no url of Redis: it is no text"),
        ("redis://h/-1", "= 'redis://h/-1' is no url of Redis: '-1' is no number of a database"),
        ("redis://h/abc", "= 'redis://h/abc' is no url of Redis: 'abc' is no number of a database"),
        (
            "redis://h?socket_timeout=0",
            "= 'redis://h?socket_timeout=0' is no url of Redis: socket_timeout must be more than 0",
        ),
        (
            "rediss://h?ssl_ca_certs=/nope.pem",
            (
                "= 'rediss://h?ssl_ca_certs=/nope.pem' is no url of Redis: "
                "ssl_ca_certs: there is no file '/nope.pem'"
            ),
        ),
        ("unix://", "= 'unix://' is no url of Redis: it names no socket"),
        ("redis+cluster://", "= 'redis+cluster://' is no url of Redis: it names no host"),
        (
            "redis+cluster://h/3",
            "= 'redis+cluster://h/3' is no url of Redis: a cluster has database 0 only",
        ),
        (
            "localhost:6379",
            (
                "= 'localhost:6379' is no url of Redis: Redis URL must specify one of the following "
                "schemes (redis://, rediss://, unix://)"
            ),
        ),
        (
            "http://localhost",
            (
                "= 'http://localhost' is no url of Redis: Redis URL must specify one of the following "
                "schemes (redis://, rediss://, unix://)"
            ),
        ),
    ],
)
def test_redis_without_a_url(configure, url, why):
    configure(STORAGE_BACKEND="stored_messages.backends.RedisBackend", REDIS_URL=url)

    assert check_backend(None) == [
        Error(
            f"STORED_MESSAGES['REDIS_URL'] {why}",
            hint=(
                "For example 'redis://localhost:6379/0'; also rediss://, unix:// and "
                "redis+cluster://."
            ),
            id="stored_messages.E013",
        )
    ]


@pytest.mark.parametrize("query", ["foo=bar", "ssl_ca_certs=x", "protocol=9"])
def test_redis_with_options_that_it_does_not_know(configure, query):
    url = f"redis://localhost/0?{query}"
    configure(STORAGE_BACKEND="stored_messages.backends.RedisBackend", REDIS_URL=url)

    (found,) = check_backend(None)
    assert (found.id, query.partition("=")[0] in found.msg) == ("stored_messages.E013", True)


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost:6379/0",
        "rediss://user:secret@redis.example:6380",
        "unix:///run/redis.sock?db=1",
        "redis+cluster://127.0.0.1:1",
        "rediss+cluster://127.0.0.1:1",
    ],
)
def test_urls_of_redis(configure, url):
    configure(STORAGE_BACKEND="stored_messages.backends.RedisBackend", REDIS_URL=url)

    assert all_checks() == []


def test_a_backend_that_is_not_finished(configure):
    configure(STORAGE_BACKEND=f"{__name__}.Unfinished")

    assert check_backend(None) == [
        Warning(
            "Unfinished does not implement create_message, inbox_purge, inbox_store, inbox_delete, "
            "inbox_get, archive_store, can_handle.",
            hint="A backend implements the first group of methods of StoredMessagesBackend.",
            id="stored_messages.W014",
        )
    ]


def test_a_backend_with_abstract_methods(configure):
    configure(STORAGE_BACKEND="stored_messages.backends.inbox.InboxBackend")

    (found,) = check_backend(None)
    assert (found.id, "_insert" in found.msg) == ("stored_messages.W014", True)


def test_a_backend_that_cannot_be_made(configure):
    configure(STORAGE_BACKEND=f"{__name__}.Unmakeable")

    assert [found.id for found in all_checks()] == ["stored_messages.E003"]


def test_a_backend_whose_check_tells_nothing(configure):
    configure(STORAGE_BACKEND=f"{__name__}.Silent")

    assert check_backend(None) == [
        Error(
            "Silent.check() returned None.",
            hint="It returns a list of what is wrong: an empty one if nothing is.",
            id="stored_messages.E025",
        )
    ]


def test_a_backend_that_knows_no_urls(configure):
    configure(STORAGE_BACKEND=f"{__name__}.WithoutUrls")

    assert check_backend(None) == [
        Warning(
            "WithoutUrls.create_message() takes no url: messages that have one cannot be stored.",
            hint="Its arguments are level, msg_text, extra_tags, date and url.",
            id="stored_messages.W024",
        )
    ]


def test_a_backend_of_1_4_0_is_right(configure):
    configure(STORAGE_BACKEND=third_party.PATH)

    assert all_checks() == []


# The project around it.


@pytest.mark.parametrize(
    "path",
    [
        "stored_messages.storage.StorageMixin",
        "stored_messages.stored.StoredMessage",
        "stored_messages.storage",
        "stored_messages.constants.STORED_INFO",
    ],
)
def test_a_storage_that_is_none(settings, path):
    settings.MESSAGE_STORAGE = path

    assert check_storage(None) == [
        Error(
            f"MESSAGE_STORAGE = {path!r} is no message storage.",
            hint=(
                "Use 'stored_messages.storage.PersistentStorage', or a class of your own with "
                "stored_messages.storage.StorageMixin and one of Django's storages as bases."
            ),
            id="stored_messages.E015",
        )
    ]


def test_a_storage_that_hides_the_mixin(settings):
    settings.MESSAGE_STORAGE = f"{__name__}.HiddenMixin"

    assert check_storage(None) == [
        Error(
            f"MESSAGE_STORAGE = '{__name__}.HiddenMixin' has StorageMixin after its base, "
            "which hides it.",
            hint="Put stored_messages.storage.StorageMixin first among the bases.",
            id="stored_messages.E016",
        )
    ]


def test_a_storage_that_is_no_text(settings):
    settings.MESSAGE_STORAGE = None

    [found] = check_storage(None)
    assert (found.id, found.hint) == (
        "stored_messages.E005",
        "Use 'stored_messages.storage.PersistentStorage'.",
    )


def test_a_function_that_makes_storages_may_be_anything(settings):
    settings.MESSAGE_STORAGE = f"{__name__}.all_checks"

    assert check_storage(None) == []


def test_without_djangos_messages(settings):
    settings.INSTALLED_APPS = [
        app for app in settings.INSTALLED_APPS if app != "django.contrib.messages"
    ]
    assert check_installation(None) == [
        Warning(
            "'django.contrib.messages' is not in INSTALLED_APPS.",
            hint="Add it: this app extends it.",
            id="stored_messages.W017",
        )
    ]


def test_without_the_context_processor(settings):
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": {}}]

    assert check_installation(None) == [
        Warning(
            "No template engine has the context processor of the messages: "
            "{{ messages }} is empty in every template.",
            hint=(
                "Add 'django.contrib.messages.context_processors.messages' to the "
                "context_processors in TEMPLATES."
            ),
            id="stored_messages.W018",
        )
    ]


@pytest.mark.parametrize("templates", [[], [{"BACKEND": "django.template.backends.jinja2.Jinja2"}]])
def test_without_djangos_templates(settings, templates):
    settings.TEMPLATES = templates

    assert check_installation(None) == []


def test_without_users(settings):
    settings.MIDDLEWARE = ["no.such.Middleware", MESSAGES]

    assert check_installation(None) == [
        Warning(
            "MIDDLEWARE has no SessionMiddleware: nobody is signed in, and nobody has an inbox.",
            hint=f"Add '{SESSIONS}' before MessageMiddleware.",
            id="stored_messages.W019",
        ),
        Warning(
            "MIDDLEWARE has no AuthenticationMiddleware: nobody is signed in, and nobody has an "
            "inbox.",
            hint=f"Add '{AUTHENTICATION}' before MessageMiddleware.",
            id="stored_messages.W020",
        ),
    ]


def test_in_the_wrong_order(settings):
    settings.MIDDLEWARE = [MESSAGES, SESSIONS, AUTHENTICATION]

    assert check_installation(None) == [
        Warning(
            f"MIDDLEWARE has MessageMiddleware before {name}, which it needs.",
            hint=f"Put MessageMiddleware after {name}.",
            id="stored_messages.W021",
        )
        for name in ("SessionMiddleware", "AuthenticationMiddleware")
    ]


# The documentation.


def test_every_check_is_documented_and_no_other():
    packages = (stored_messages, realtime)
    sources = [
        path.read_text()
        for package in packages
        for path in Path(package.__file__).parent.rglob("*.py")
    ]
    ids = {
        found
        for source in sources
        for found in re.findall(r'"((?:stored_messages|realtime)\.[EW]\d{3})"', source)
    }
    assert (
        set(re.findall(r"`((?:stored_messages|realtime)\.[EW]\d{3})`", DOCUMENTED.read_text()))
        == ids
    )
