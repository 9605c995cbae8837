"""What limits the REST API, chosen by ``STORED_MESSAGES['THROTTLE_CLASSES']``.

The throttles of the rest of a project do not hold here by themselves: a bell asks every few seconds, and would use up
a limit that is meant for something else.
"""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from stored_messages.conf import app_settings


def throttle_classes() -> list[type[Any]]:
    """Return the configured classes of REST framework's kind.

    Raises ``ImproperlyConfigured`` for what is no list or tuple of them or of their dotted paths.
    """
    configured: object = app_settings.THROTTLE_CLASSES
    if not isinstance(configured, (list, tuple)):
        raise ImproperlyConfigured(
            f"STORED_MESSAGES['THROTTLE_CLASSES'] = {configured!r} is no list of classes or dotted paths."
        )
    return [_throttle_class(one) for one in configured]


def _throttle_class(one: object) -> type[Any]:
    found: object = one
    if isinstance(one, str):
        try:
            found = import_string(one)
        except ImportError as error:
            raise ImproperlyConfigured(
                f"STORED_MESSAGES['THROTTLE_CLASSES']: {one!r} cannot be imported: {error}"
            ) from error
    # Known by its method: a check must not need REST framework where nothing names it.
    if not (isinstance(found, type) and callable(getattr(found, "allow_request", None))):
        raise ImproperlyConfigured(
            f"STORED_MESSAGES['THROTTLE_CLASSES']: {one!r} is no throttle class."
        )
    return found
