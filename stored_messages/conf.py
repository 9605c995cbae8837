"""The ``STORED_MESSAGES`` setting, read when it is asked for and never at import.

Nothing is cached here, so ``override_settings`` works at any time.
"""

from typing import Any, Literal

from django.conf import settings

from stored_messages.constants import STORED_LEVELS

DEFAULTS: dict[str, Any] = {
    "STORE_LEVELS": STORED_LEVELS,
    "STORAGE_BACKEND": "stored_messages.backends.DefaultBackend",
    "REDIS_URL": None,
    "INBOX_EXPIRE_DAYS": 30,
    "MESSAGE_EXPIRE_DAYS": 120,
    "ITERATE": "read",
    "THROTTLE_CLASSES": (),
}


def user_settings() -> dict[str, Any]:
    """The project's ``STORED_MESSAGES`` as it is written, or an empty dict: also for what is none."""
    written = getattr(settings, "STORED_MESSAGES", None)
    return written if isinstance(written, dict) else {}


class AppSettings:
    """Each key of ``STORED_MESSAGES`` as an attribute, with its default.

    ``STORE_LEVELS``
        The levels that ``MESSAGE_STORAGE`` keeps in the inbox.
    ``STORAGE_BACKEND``
        Dotted path of the backend's class.
    ``REDIS_URL``
        Where the Redis backend finds its server.
    ``INBOX_EXPIRE_DAYS``, ``MESSAGE_EXPIRE_DAYS``
        Days after a message's date at which it leaves the inbox, or is gone. ``None``: never.
    ``ITERATE``
        ``'read'``: stored messages appear in Django's iteration over the messages and are marked read by it.
        ``'skip'``: they are left out of it and live in the bell only.
    ``THROTTLE_CLASSES``
        REST framework's throttles, or their dotted paths, that limit the REST API. None by default.
    """

    STORE_LEVELS: "tuple[int, ...]"
    STORAGE_BACKEND: str
    REDIS_URL: "str | None"
    INBOX_EXPIRE_DAYS: "int | None"
    MESSAGE_EXPIRE_DAYS: "int | None"
    ITERATE: Literal["read", "skip"]
    THROTTLE_CLASSES: "tuple[str | type[Any], ...]"

    def __getattr__(self, name: str) -> Any:
        if name not in DEFAULTS:
            raise AttributeError(f"STORED_MESSAGES has no key {name!r}")
        return user_settings().get(name, DEFAULTS[name])


app_settings = AppSettings()
