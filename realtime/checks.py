"""System checks of this app: each problem has an id and says what to do."""

from collections.abc import Callable, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.checks import CheckMessage, Error, Warning
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from realtime.conf import DEFAULTS, app_settings, user_settings
from realtime.layers import configured_layer, is_local
from stored_messages import conf as stored_messages_conf


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check the keys and values of ``REALTIME``."""
    written = getattr(settings, "REALTIME", None)
    if written is not None and not isinstance(written, dict):
        return [
            Error(
                f"REALTIME is {written!r}.",
                hint=f"Use a dict with some of the keys {', '.join(DEFAULTS)}.",
                id="realtime.E010",
            )
        ]
    found: list[CheckMessage] = []
    unknown = sorted(set(user_settings()) - set(DEFAULTS))
    if unknown:
        found.append(
            Error(
                f"REALTIME has unknown keys: {', '.join(map(repr, unknown))}.",
                hint=f"Known keys: {', '.join(DEFAULTS)}.",
                id="realtime.E001",
            )
        )
    for key, default in DEFAULTS.items():
        value = getattr(app_settings, key)
        is_valid, expected = _expectation(default)
        if not is_valid(value):
            found.append(
                Error(
                    f"REALTIME[{key!r}] is {value!r}.",
                    hint=f"Use {expected}, for example {default!r}.",
                    id="realtime.E002",
                )
            )
    return found


def check_installation(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Check the apps and middleware that a live bell needs."""
    found: list[CheckMessage] = []
    if not apps.is_installed("stored_messages"):
        found.append(
            Error(
                "'realtime' is in INSTALLED_APPS without 'stored_messages'.",
                hint="Add 'stored_messages' before 'realtime'.",
                id="realtime.E003",
            )
        )
    for middleware, id_ in (
        (SessionMiddleware, "realtime.W004"),
        (AuthenticationMiddleware, "realtime.W005"),
    ):
        if not _has_middleware(middleware):
            path = f"{middleware.__module__}.{middleware.__qualname__}"
            found.append(
                Warning(
                    f"MIDDLEWARE has no {middleware.__qualname__}: nobody can be signed in.",
                    hint=f"Add {path!r}.",
                    id=id_,
                )
            )
    if "ITERATE" not in stored_messages_conf.user_settings():
        found.append(
            Warning(
                "STORED_MESSAGES['ITERATE'] is not set, and a template that shows Django's messages reads the inbox: "
                "the bell would be empty after each page.",
                hint=(
                    "Set STORED_MESSAGES = {'ITERATE': 'skip'}, so that stored messages live in the bell only, "
                    "or to 'read' if this is what you want."
                ),
                id="realtime.W006",
            )
        )
    if getattr(settings, "ASGI_APPLICATION", None) and settings.DEBUG and not _daphne_is_first():
        found.append(
            Warning(
                "ASGI_APPLICATION is set, but 'runserver' serves WSGI: there are no sockets, and the bell polls.",
                hint="Put 'daphne' first in INSTALLED_APPS, before 'django.contrib.staticfiles'.",
                id="realtime.W007",
            )
        )
    return found


def check_urls(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that the bell has something to ask."""
    try:
        reverse("stored_messages:inbox-list")
    except NoReverseMatch:
        return [
            Warning(
                "'stored_messages.urls' is not included, or without REST framework: a page with the bell fails.",
                hint=(
                    "Add path('messages/', include('stored_messages.urls')) to the project's URLs, and "
                    "djangorestframework to its requirements."
                ),
                id="realtime.W011",
            )
        ]
    except Exception:  # Django's own check of the URLs says what is wrong with them
        return []
    return []


def check_channel_layer(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that the channel layer exists, and reaches all processes where there may be several."""
    try:
        layer = configured_layer()
    except Exception as error:  # whatever a backend raises when it is made
        return [
            Error(
                f"The channel layer {app_settings.CHANNEL_LAYER!r} cannot be used: {error}",
                hint="Correct CHANNEL_LAYERS.",
                id="realtime.E008",
            )
        ]
    alias = app_settings.CHANNEL_LAYER
    if layer is None and alias != DEFAULTS["CHANNEL_LAYER"]:
        return [
            Error(
                f"REALTIME['CHANNEL_LAYER'] is {alias!r}, and CHANNEL_LAYERS has no such layer.",
                hint=f"Configure {alias!r} in CHANNEL_LAYERS, or name one of those that are there.",
                id="realtime.E012",
            )
        ]
    if settings.DEBUG or not is_local(layer) or not _has_sockets(layer):
        return []
    return [
        Warning(
            "The channel layer ends at its process. What another process sends (a second server process, a worker, "
            f"a command) is seen only after up to {app_settings.RECONCILE_INTERVAL:g} seconds.",
            hint=(
                f"Configure {app_settings.CHANNEL_LAYER!r} in CHANNEL_LAYERS, for example with "
                "'channels_redis.pubsub.RedisPubSubChannelLayer', or silence this check if there is one process only."
            ),
            id="realtime.W009",
        )
    ]


def _has_sockets(layer: Any | None) -> bool:
    """Whether somebody means to serve sockets: without them the bell polls, and no layer is needed.

    ``ASGI_APPLICATION`` is for ``runserver`` and the bell; any ASGI server does without it.
    """
    return bool(
        layer is not None
        or getattr(settings, "ASGI_APPLICATION", None)
        or apps.is_installed("daphne")
        or apps.is_installed("channels")
    )


def _expectation(default: Any) -> tuple[Callable[[Any], bool], str]:
    if isinstance(default, str):
        return lambda value: isinstance(value, str) and value != "", "a text"
    if isinstance(default, int):
        return (
            lambda value: isinstance(value, int) and not isinstance(value, bool) and value > 0,
            "a number from 1 up",
        )
    return (
        lambda value: (
            isinstance(value, int | float) and not isinstance(value, bool) and value >= 0.1
        ),
        "a number of seconds from 0.1 up",
    )


def _has_middleware(wanted: type) -> bool:
    for path in settings.MIDDLEWARE:
        try:
            found = import_string(path)
        except ImportError:
            continue
        if isinstance(found, type) and issubclass(found, wanted):
            return True
    return False


def _daphne_is_first() -> bool:
    """Whether Daphne's ``runserver`` is the one that Django finds: the first app that has one wins."""
    names = [config.name for config in apps.get_app_configs()]
    if "daphne" not in names:
        return False
    staticfiles = "django.contrib.staticfiles"
    return staticfiles not in names or names.index("daphne") < names.index(staticfiles)
