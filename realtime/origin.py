"""Who may open a socket: pages of this site, and clients that bring credentials of their own.

Browsers send cookies along with a WebSocket handshake from any page, and no same-origin rule keeps that page from
reading what comes back. So the ``Origin`` header decides, by the rules of Django's CSRF protection.
"""

from collections.abc import Awaitable
from io import BytesIO
from urllib.parse import SplitResult, urlsplit

from asgiref.sync import markcoroutinefunction
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.utils.http import is_same_domain

from realtime import log
from realtime.asgi_types import Application, Receive, Scope, Send
from realtime.counters import counters

_DEFAULT_PORTS = {"http": 80, "https": 443}


class OriginCheck:
    """ASGI middleware: refuses handshakes from other sites with 403, before anything else is done.

    Allowed are this site's own origin (the request's scheme and host, as Django sees them behind a proxy) and
    ``CSRF_TRUSTED_ORIGINS``. Without an origin an ``Authorization`` header is needed, and cookies are ignored.
    """

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    # Not a coroutine of its own, which would be kept as long as the socket; servers take it for one.
    @markcoroutinefunction
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        origin = _header(scope, b"origin")
        if origin is None and _header(scope, b"authorization") is not None:
            headers = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
            return self.inner({**scope, "headers": headers}, receive, send)
        if origin is not None and is_allowed(origin, scope):
            return self.inner(scope, receive, send)
        counters.sockets_refused += 1
        log.warning(
            "origin_refused",
            "A socket was refused: its origin %(origin)r is not allowed.",
            origin=origin,
        )
        return refuse(scope, receive, send)


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a socket during the handshake; the server answers 403."""
    await receive()
    await send({"type": "websocket.close"})


def is_allowed(origin: str, scope: Scope) -> bool:
    """Whether a page of this origin may open the socket that is asked for by ``scope``."""
    try:
        asked = urlsplit(origin)
        return asked.scheme in _DEFAULT_PORTS and (_is_own(asked, scope) or _is_trusted(asked))
    except ValueError:  # no url at all
        return False


def _is_own(asked: SplitResult, scope: Scope) -> bool:
    scheme = scope.get("scheme", "ws")
    request = ASGIRequest(
        {
            **scope,
            "type": "http",
            "method": "GET",
            "scheme": {"ws": "http", "wss": "https"}.get(scheme, scheme),
        },
        BytesIO(),
    )
    try:
        own = urlsplit(f"{request.scheme}://{request.get_host()}")
    except DisallowedHost:
        return False
    if "scheme" not in scope and settings.SECURE_PROXY_SSL_HEADER is None:
        # The server (Daphne) does not say whether it speaks TLS here, and nothing else in the scope does. A site that
        # sends everybody to https has no pages but those; for others the host, with its port, has to do.
        own = own._replace(scheme="https" if settings.SECURE_SSL_REDIRECT else asked.scheme)
    return _normalised(asked) == _normalised(own)


def _is_trusted(asked: SplitResult) -> bool:
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        trusted = urlsplit(origin)
        if "*" in origin:
            if trusted.scheme == asked.scheme and is_same_domain(
                asked.netloc.lower(), trusted.netloc.lstrip("*")
            ):
                return True
        elif _normalised(trusted) == _normalised(asked):
            return True
    return False


def _normalised(origin: SplitResult) -> tuple[str, str | None, int | None]:
    return origin.scheme, origin.hostname, origin.port or _DEFAULT_PORTS.get(origin.scheme)


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value).decode("latin1")
    return None
