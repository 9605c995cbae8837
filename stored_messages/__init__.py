"""Django's messages, kept: an inbox in the database or in Redis behind ``django.contrib.messages``.

The names here are the public API: Django's own messages API, this package's :mod:`~stored_messages.api`
and the message levels of both. Importing the package needs neither settings nor the app registry.
"""

from django.contrib.messages.api import *  # noqa: F403
from django.contrib.messages.api import __all__ as _django_api
from django.contrib.messages.constants import DEBUG, ERROR, INFO, SUCCESS, WARNING

from stored_messages.api import *  # noqa: F403
from stored_messages.api import __all__ as _api
from stored_messages.constants import (
    STORED_DEBUG,
    STORED_ERROR,
    STORED_INFO,
    STORED_SUCCESS,
    STORED_WARNING,
)

VERSION = (2, 0, 0)
__version__ = "2.0.0"

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
