"""System checks of this app's settings."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.messages.storage.base import BaseStorage
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from stored_messages.backends import get_backend
from stored_messages.conf import DEFAULTS, app_settings, user_settings


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check the keys and values of ``STORED_MESSAGES``."""
    found: list[CheckMessage] = []
    unknown = sorted(set(user_settings()) - set(DEFAULTS))
    if unknown:
        found.append(
            Error(
                f"STORED_MESSAGES has unknown keys: {', '.join(map(repr, unknown))}.",
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
        found.append(
            Error(
                str(error),
                hint="Use 'stored_messages.backends.DefaultBackend' or the path of a StoredMessagesBackend.",
                id="stored_messages.E003",
            )
        )
    for key in ("INBOX_EXPIRE_DAYS", "MESSAGE_EXPIRE_DAYS"):
        days = getattr(app_settings, key)
        if days is not None and (isinstance(days, bool) or not isinstance(days, int) or days < 1):
            found.append(
                Error(
                    f"STORED_MESSAGES[{key!r}] is {days!r}.",
                    hint="Use a number of days from 1 up, or None for messages that never expire.",
                    id="stored_messages.E004",
                )
            )
    return found


def check_storage(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that ``MESSAGE_STORAGE`` is one with the mixin, and that its app and middleware are there."""
    from stored_messages.storage import StorageMixin

    found: list[CheckMessage] = []
    storage: Any = None
    try:
        storage = import_string(settings.MESSAGE_STORAGE)
    except ImportError as error:
        found.append(
            Error(
                f"MESSAGE_STORAGE = {settings.MESSAGE_STORAGE!r} cannot be imported: {error}",
                hint="Use 'stored_messages.storage.PersistentStorage'.",
                id="stored_messages.E005",
            )
        )
    if (
        isinstance(storage, type)
        and issubclass(storage, BaseStorage)
        and not issubclass(storage, StorageMixin)
    ):
        found.append(
            Warning(
                f"MESSAGE_STORAGE = {settings.MESSAGE_STORAGE!r} stores nothing in the inbox.",
                hint=(
                    "Use 'stored_messages.storage.PersistentStorage', or put "
                    "stored_messages.storage.StorageMixin before your storage's base."
                ),
                id="stored_messages.W006",
            )
        )
    if not any(_is_message_middleware(path) for path in settings.MIDDLEWARE):
        found.append(
            Warning(
                "MIDDLEWARE has no MessageMiddleware: messages.add_message() cannot work.",
                hint=(
                    "Add 'django.contrib.messages.middleware.MessageMiddleware' after the "
                    "session and authentication middleware."
                ),
                id="stored_messages.W007",
            )
        )
    return found


def _is_message_middleware(path: str) -> bool:
    from django.contrib.messages.middleware import MessageMiddleware

    try:
        middleware = import_string(path)
    except ImportError:
        return False
    return isinstance(middleware, type) and issubclass(middleware, MessageMiddleware)
