"""The ``REALTIME`` setting, read when it is asked for and never at import.

Nothing is cached here, so ``override_settings`` works at any time. What a running hub was started with
stays as it was.
"""

from typing import Any

from django.conf import settings

DEFAULTS: dict[str, Any] = {
    "SOCKET_PATH": "ws/inbox/",
    "CHANNEL_LAYER": "default",
    "RECONCILE_INTERVAL": 5.0,
    "SESSION_INTERVAL": 60.0,
    "SOCKETS_PER_USER": 30,
    "SOCKET_QUEUE": 512,
    "PUBLISH_QUEUE": 10_000,
    "PUBLISH_TIMEOUT": 2.0,
}


def user_settings() -> dict[str, Any]:
    """The project's ``REALTIME`` as it is written, or an empty dict: also for what is none."""
    written = getattr(settings, "REALTIME", None)
    return written if isinstance(written, dict) else {}


class AppSettings:
    """Each key of ``REALTIME`` as an attribute, with its default.

    ``SOCKET_PATH``
        Path of the socket below the site's root, without a leading slash.
    ``CHANNEL_LAYER``
        Alias of the layer in ``CHANNEL_LAYERS``. If it is not configured there, each process has an in-memory
        layer of its own, and what other processes send arrives by reconciling.
    ``RECONCILE_INTERVAL``
        Seconds between two comparisons of all connected users' inboxes with what their tabs were told.
    ``SESSION_INTERVAL``
        Seconds within which sockets are closed whose session is lost or expired, or whose user has another password.
        What is told by Django (a logout) closes at once, and users who are gone or inactive are found by reconciling.
    ``SOCKETS_PER_USER``
        How many sockets one user may have in one process; one more is closed with 4429.
    ``SOCKET_QUEUE``
        How many frames may wait for one slow socket before it is closed with 1013.
    ``PUBLISH_QUEUE``, ``PUBLISH_TIMEOUT``
        How many events of this process may wait for the channel layer, and how many seconds one may take.
    """

    SOCKET_PATH: str
    CHANNEL_LAYER: str
    RECONCILE_INTERVAL: float
    SESSION_INTERVAL: float
    SOCKETS_PER_USER: int
    SOCKET_QUEUE: int
    PUBLISH_QUEUE: int
    PUBLISH_TIMEOUT: float

    def __getattr__(self, name: str) -> Any:
        if name not in DEFAULTS:
            raise AttributeError(f"REALTIME has no key {name!r}")
        return user_settings().get(name, DEFAULTS[name])


app_settings = AppSettings()
