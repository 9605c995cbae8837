"""Django's messages, kept: an inbox in the database or in Redis behind ``django.contrib.messages``.

The names here are the public API: Django's own messages API, this package's :mod:`~stored_messages.api`
and the message levels of both. Importing the package needs neither settings nor the app registry.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.contrib.messages.api import *  # noqa: F403
from django.contrib.messages.api import __all__ as _django_api
from django.contrib.messages.constants import DEBUG, ERROR, INFO, SUCCESS, WARNING

from stored_messages.constants import (
    STORED_DEBUG,
    STORED_ERROR,
    STORED_INFO,
    STORED_SUCCESS,
    STORED_WARNING,
)

if TYPE_CHECKING:
    from stored_messages.api import *  # noqa: F403

VERSION = (2, 0, 0)
__version__ = "2.0.0"

_api = (
    "MessageDoesNotExist",
    "MessageTypeNotSupported",
    "Page",
    "StoredMessage",
    "Summary",
    "aadd_message_for",
    "aarchive",
    "aarchive_count",
    "abroadcast_message",
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
    "dismiss",
    "get_backend",
    "inbox",
    "mark_all_read",
    "mark_read",
    "mark_unread",
    "owner_key",
    "summaries",
    "summary",
    "unread_count",
)

__all__ = (  # noqa: PLE0604 (two literal tuples of names are unpacked at its end)
    "DEBUG",
    "ERROR",
    "INFO",
    "STORED_DEBUG",
    "STORED_ERROR",
    "STORED_INFO",
    "STORED_SUCCESS",
    "STORED_WARNING",
    "SUCCESS",
    "VERSION",
    "WARNING",
    "__version__",
    *_django_api,
    *_api,
)


def __getattr__(name: str) -> Any:
    """Import the API when it is asked for: on Django 4.2 the module of its messages reads settings."""
    if name != "api" and name not in _api:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    api = import_module("stored_messages.api")
    return api if name == "api" else getattr(api, name)
