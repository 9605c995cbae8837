"""Checks of what limits the REST API."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from stored_messages.throttling import throttle_classes


def check_throttles(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that ``THROTTLE_CLASSES`` are throttles, and that each of them knows its rate."""
    try:
        classes = throttle_classes()
    except ImproperlyConfigured as error:
        return [
            Error(
                str(error),
                hint="Use a list of REST framework's throttles or of their dotted paths, or leave the key out.",
                id="stored_messages.E022",
            )
        ]
    return [error for throttle in classes for error in _try_out(throttle)]


def _try_out(throttle: type[Any]) -> list[CheckMessage]:
    try:
        throttle()
    except Exception as error:  # a rate that is missing or none: each request would fail so
        return [
            Error(
                f"STORED_MESSAGES['THROTTLE_CLASSES']: {throttle.__qualname__} cannot be used: {error!r}",
                hint="Give it a `rate`, for example '60/min', or its scope one in DEFAULT_THROTTLE_RATES.",
                id="stored_messages.E023",
            )
        ]
    return []
