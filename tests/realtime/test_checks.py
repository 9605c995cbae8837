"""Wrong configuration, each problem whole."""

from typing import Any

import pytest
from django.core.checks import Error, Warning, run_checks
from django.test import modify_settings
from pytest_django import Settings

from realtime.checks import check_channel_layer, check_installation, check_settings, check_urls

REDIS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": ["redis://127.0.0.1:1"]},
    }
}


@pytest.fixture(autouse=True)
def well_configured(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = REDIS


def test_the_checks_are_registered(settings: Settings, db: None) -> None:
    def found() -> list[str]:
        ids = (str(message.id) for message in run_checks())
        return sorted(one for one in ids if one.startswith("realtime."))

    assert found() == []
    settings.REALTIME = {"NONSENSE": 1}
    settings.STORED_MESSAGES = {}
    settings.CHANNEL_LAYERS = {}
    assert found() == ["realtime.E001", "realtime.W006", "realtime.W009"]


@pytest.mark.parametrize("wrong", [[], "x", 5])
def test_no_dict(settings: Settings, db: None, wrong: object) -> None:
    settings.REALTIME = wrong
    found = [one for one in run_checks() if one.id == "realtime.E010"]
    assert [one.msg for one in found] == [f"REALTIME is {wrong!r}."]


def test_urls_that_are_not_included(settings: Settings) -> None:
    assert check_urls(None) == []
    settings.ROOT_URLCONF = "tests.realtime.no_urls"
    [warning] = check_urls(None)
    assert warning.id == "realtime.W011"


def test_unknown_keys(settings: Settings) -> None:
    settings.REALTIME = {"SOKET_PATH": "ws/", "ALIAS": 1}
    assert check_settings(None) == [
        Error(
            "REALTIME has unknown keys: 'ALIAS', 'SOKET_PATH'.",
            hint=(
                "Known keys: SOCKET_PATH, CHANNEL_LAYER, RECONCILE_INTERVAL, SESSION_INTERVAL, SOCKETS_PER_USER, "
                "SOCKET_QUEUE, PUBLISH_QUEUE, PUBLISH_TIMEOUT."
            ),
            id="realtime.E001",
        )
    ]


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("SOCKET_PATH", "", "Use a text, for example 'ws/inbox/'."),
        ("CHANNEL_LAYER", None, "Use a text, for example 'default'."),
        ("RECONCILE_INTERVAL", 0, "Use a number of seconds from 0.1 up, for example 5.0."),
        ("PUBLISH_TIMEOUT", "2", "Use a number of seconds from 0.1 up, for example 2.0."),
        ("SOCKETS_PER_USER", 1.5, "Use a number from 1 up, for example 30."),
        ("SOCKET_QUEUE", True, "Use a number from 1 up, for example 512."),
        ("PUBLISH_QUEUE", -1, "Use a number from 1 up, for example 10000."),
    ],
)
def test_values(settings: Settings, key: str, value: Any, hint: str) -> None:
    settings.REALTIME = {key: value}
    assert check_settings(None) == [
        Error(f"REALTIME[{key!r}] is {value!r}.", hint=hint, id="realtime.E002")
    ]


def test_without_the_inbox() -> None:
    with modify_settings(INSTALLED_APPS={"remove": ["stored_messages"]}):
        assert check_installation(None) == [
            Error(
                "'realtime' is in INSTALLED_APPS without 'stored_messages'.",
                hint="Add 'stored_messages' before 'realtime'.",
                id="realtime.E003",
            )
        ]


def test_without_sessions_or_authentication(settings: Settings) -> None:
    settings.MIDDLEWARE = ["no.such.Middleware"]
    assert check_installation(None) == [
        Warning(
            "MIDDLEWARE has no SessionMiddleware: nobody can be signed in.",
            hint="Add 'django.contrib.sessions.middleware.SessionMiddleware'.",
            id="realtime.W004",
        ),
        Warning(
            "MIDDLEWARE has no AuthenticationMiddleware: nobody can be signed in.",
            hint="Add 'django.contrib.auth.middleware.AuthenticationMiddleware'.",
            id="realtime.W005",
        ),
    ]


def test_iterating_unset_beside_the_bell(settings: Settings) -> None:
    settings.STORED_MESSAGES = {}
    assert check_installation(None) == [
        Warning(
            "STORED_MESSAGES['ITERATE'] is not set, and a template that shows Django's messages reads the inbox: "
            "the bell would be empty after each page.",
            hint=(
                "Set STORED_MESSAGES = {'ITERATE': 'skip'}, so that stored messages live in the bell only, "
                "or to 'read' if this is what you want."
            ),
            id="realtime.W006",
        )
    ]


DAPHNE = Warning(
    "ASGI_APPLICATION is set, but 'runserver' serves WSGI: there are no sockets, and the bell polls.",
    hint="Put 'daphne' first in INSTALLED_APPS, before 'django.contrib.staticfiles'.",
    id="realtime.W007",
)


def test_daphne_not_first(settings: Settings) -> None:
    settings.DEBUG = True
    assert check_installation(None) == []
    apps = [app for app in settings.INSTALLED_APPS if app != "daphne"]
    settings.INSTALLED_APPS = apps
    assert check_installation(None) == [DAPHNE]
    settings.INSTALLED_APPS = [*apps, "daphne"]
    assert check_installation(None) == [DAPHNE]
    settings.ASGI_APPLICATION = None
    assert check_installation(None) == []


def test_daphne_is_not_needed_in_production(settings: Settings) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "daphne"]
    assert check_installation(None) == []


def test_a_layer_that_cannot_be_made(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "no.such.Layer"}}
    assert check_channel_layer(None) == [
        Error(
            "The channel layer 'default' cannot be used: "
            "Cannot import BACKEND 'no.such.Layer' specified for default",
            hint="Correct CHANNEL_LAYERS.",
            id="realtime.E008",
        )
    ]


LOCAL = Warning(
    "The channel layer ends at its process. What another process sends (a second server process, a worker, a command) "
    "is seen only after up to 5 seconds.",
    hint=(
        "Configure 'default' in CHANNEL_LAYERS, for example with "
        "'channels_redis.pubsub.RedisPubSubChannelLayer', or silence this check if there is one process only."
    ),
    id="realtime.W009",
)


@pytest.mark.parametrize(
    "layers", [{}, {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}]
)
def test_a_layer_of_one_process_in_production(settings: Settings, layers: dict[str, Any]) -> None:
    settings.REALTIME = {}
    settings.CHANNEL_LAYERS = layers
    assert check_channel_layer(None) == [LOCAL]
    settings.DEBUG = True
    assert check_channel_layer(None) == []


def test_sockets_without_the_setting_that_only_runserver_needs(settings: Settings) -> None:
    settings.REALTIME = {}
    settings.ASGI_APPLICATION = None
    settings.CHANNEL_LAYERS = {}
    assert check_channel_layer(None) == [LOCAL]  # 'daphne' is installed
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "daphne"]
    assert check_channel_layer(None) == []  # the bell polls, under any server
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    assert check_channel_layer(None) == [LOCAL]


def test_another_alias(settings: Settings) -> None:
    settings.REALTIME = {"CHANNEL_LAYER": "messages"}
    missing = Error(
        "REALTIME['CHANNEL_LAYER'] is 'messages', and CHANNEL_LAYERS has no such layer.",
        hint="Configure 'messages' in CHANNEL_LAYERS, or name one of those that are there.",
        id="realtime.E012",
    )
    assert check_channel_layer(None) == [missing]
    settings.DEBUG = True
    assert check_channel_layer(None) == [missing]
    settings.CHANNEL_LAYERS = {"messages": REDIS["default"]}
    assert check_channel_layer(None) == []
