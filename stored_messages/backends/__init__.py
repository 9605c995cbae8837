"""The stores behind an inbox, chosen by ``STORED_MESSAGES['STORAGE_BACKEND']``.

The classes are imported when they are asked for: one needs the app registry, another an optional package.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from stored_messages.conf import app_settings

if TYPE_CHECKING:
    from stored_messages.backends.base import StoredMessagesBackend
    from stored_messages.backends.database import DefaultBackend
    from stored_messages.backends.redis import RedisBackend

__all__ = ("DefaultBackend", "RedisBackend", "get_backend")


def get_backend() -> "StoredMessagesBackend":
    """Return this process's instance of the configured backend.

    Raises ``ImproperlyConfigured`` when the dotted path leads to no backend.
    """
    path: object = app_settings.STORAGE_BACKEND
    if not isinstance(path, str):
        raise ImproperlyConfigured(
            f"STORED_MESSAGES['STORAGE_BACKEND'] = {path!r} is no dotted path."
        )
    return _instance(path)


@cache
def _instance(path: str) -> "StoredMessagesBackend":
    from stored_messages.backends.base import StoredMessagesBackend

    try:
        backend_class = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(
            f"STORED_MESSAGES['STORAGE_BACKEND'] = {path!r} cannot be imported: {error}"
        ) from error
    if not (isinstance(backend_class, type) and issubclass(backend_class, StoredMessagesBackend)):
        raise ImproperlyConfigured(
            f"STORED_MESSAGES['STORAGE_BACKEND'] = {path!r} is no subclass of "
            "stored_messages.backends.base.StoredMessagesBackend."
        )
    try:
        backend: StoredMessagesBackend = backend_class()
    except ImproperlyConfigured:
        raise
    except Exception as error:
        raise ImproperlyConfigured(
            f"STORED_MESSAGES['STORAGE_BACKEND'] = {path!r} cannot be made: {error!r}"
        ) from error
    return backend


def __getattr__(name: str) -> Any:
    if name == "DefaultBackend":
        from stored_messages.backends.database import DefaultBackend

        return DefaultBackend
    if name == "RedisBackend":
        from stored_messages.backends.redis import RedisBackend

        return RedisBackend
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
