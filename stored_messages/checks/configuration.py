"""Checks of the ``STORED_MESSAGES`` setting."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.messages import constants
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured

from stored_messages.backends import get_backend
from stored_messages.conf import DEFAULTS, app_settings, user_settings

_LONGEST = 100_000


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check the keys and values of ``STORED_MESSAGES``."""
    written = getattr(settings, "STORED_MESSAGES", None)
    if written is not None and not isinstance(written, dict):
        return [
            Error(
                f"STORED_MESSAGES is {written!r}.",
                hint="Use a dict, for example {'ITERATE': 'skip'}.",
                id="stored_messages.E009",
            )
        ]
    found: list[CheckMessage] = []
    unknown = sorted(repr(key) for key in user_settings() if key not in DEFAULTS)
    if unknown:
        found.append(
            Error(
                f"STORED_MESSAGES has unknown keys: {', '.join(unknown)}.",
                hint=f"Known keys: {', '.join(DEFAULTS)}.",
                id="stored_messages.E001",
            )
        )
    if app_settings.ITERATE not in ("read", "skip"):
        found.append(
            Error(
                f"STORED_MESSAGES['ITERATE'] is {app_settings.ITERATE!r}.",
                hint="Use 'read' (iterating the messages reads the inbox) or 'skip' (it leaves the inbox alone).",
                id="stored_messages.E002",
            )
        )
    try:
        get_backend()
    except ImproperlyConfigured as error:
        found.append(_no_backend(error))
    return [*found, *_check_days()]


def _no_backend(error: ImproperlyConfigured) -> CheckMessage:
    cause = error.__cause__
    if isinstance(cause, ModuleNotFoundError) and cause.name == "redis":
        return Error(
            str(error),
            hint="""Install it: pip install "django-stored-messages[redis]".""",
            id="stored_messages.E008",
        )
    return Error(
        str(error),
        hint="Use 'stored_messages.backends.DefaultBackend' or the path of a StoredMessagesBackend.",
        id="stored_messages.E003",
    )


def _check_days() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    days = {key: getattr(app_settings, key) for key in ("INBOX_EXPIRE_DAYS", "MESSAGE_EXPIRE_DAYS")}
    for key, number in days.items():
        if number is not None and not _is_integer(number, at_least=1):
            found.append(
                Error(
                    f"STORED_MESSAGES[{key!r}] is {number!r}.",
                    hint="Use a number of days from 1 up, or None for messages that never expire.",
                    id="stored_messages.E004",
                )
            )
        elif number is not None and number > _LONGEST:
            found.append(
                Error(
                    f"STORED_MESSAGES[{key!r}] is {number!r}: no date lies so far back.",
                    hint="Use None for messages that never expire.",
                    id="stored_messages.E004",
                )
            )
    inbox, message = days.values()
    if not found and inbox is not None and message is not None and inbox > message:
        found.append(
            Warning(
                f"STORED_MESSAGES['INBOX_EXPIRE_DAYS'] is {inbox}, but messages are gone after {message} days.",
                hint="Use at most MESSAGE_EXPIRE_DAYS, or raise that.",
                id="stored_messages.W010",
            )
        )
    return found


def check_levels(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that ``STORE_LEVELS`` are levels, and that some message can have one."""
    levels: object = app_settings.STORE_LEVELS
    if not isinstance(levels, (list, tuple, set, frozenset)) or not all(map(_is_level, levels)):
        return [
            Error(
                f"STORED_MESSAGES['STORE_LEVELS'] is {levels!r}.",
                hint="Use a tuple of levels, for example (messages.INFO, messages.ERROR).",
                id="stored_messages.E011",
            )
        ]
    lowest = getattr(settings, "MESSAGE_LEVEL", constants.INFO)
    if not _is_integer(lowest):
        return [
            Error(
                f"MESSAGE_LEVEL is {lowest!r}.",
                hint="Use a level of django.contrib.messages, for example messages.INFO.",
                id="stored_messages.E026",
            )
        ]
    if any(level >= lowest for level in levels):
        return []
    return [
        Warning(
            f"STORED_MESSAGES['STORE_LEVELS'] has no level from {lowest} (MESSAGE_LEVEL) up: "
            "messages.add_message() stores nothing.",
            hint="Name a level that is recorded, or leave the key out for the five STORED_* levels.",
            id="stored_messages.W012",
        )
    ]


def check_backend(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Ask the backend what it finds wrong with itself and its settings."""
    try:
        backend = get_backend()
    except ImproperlyConfigured:
        return []
    found: object = backend.check()
    if isinstance(found, list):
        return found
    return [
        Error(
            f"{type(backend).__name__}.check() returned {found!r}.",
            hint="It returns a list of what is wrong: an empty one if nothing is.",
            id="stored_messages.E025",
        )
    ]


def _is_level(value: object) -> bool:
    return _is_integer(value) and value in range(-(2**31), 2**31)


def _is_integer(value: object, at_least: int | None = None) -> bool:
    return (
        isinstance(value, int)
        and not isinstance(value, bool)
        and (at_least is None or value >= at_least)
    )
