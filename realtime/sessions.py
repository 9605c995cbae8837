"""Session login for sockets, and the end of sessions.

A session's key never leaves the process: what travels, and what hubs hold, is a salted HMAC of it.
"""

import logging
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, parse_cookie
from django.utils.crypto import constant_time_compare, salted_hmac

from realtime import events
from realtime.asgi_types import Application, Receive, Scope, Send
from realtime.database import DatabaseThreads
from realtime.ratelimit import RateLimitedLog
from realtime.receivers import after_commit
from realtime.sockets import close_with

#: Close code: something is wrong here, come back.
INTERNAL_ERROR = 1011

_log = RateLimitedLog(logging.getLogger("realtime"))


class SessionLogin:
    """ASGI middleware: sets ``scope['user']`` and ``scope['session']`` from the session cookie.

    It only reads. In contrast to Channels' middleware it respects ``SECRET_KEY_FALLBACKS``, never flushes a
    session, and puts nothing between the application and the server's ``send``.
    """

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            session, user = await database_threads().run(_session_and_user, _session_key(scope))
        except Exception as error:  # the database, the cache, the project's backend
            _log.error("A socket's session could not be loaded.", exc_info=error)
            await receive()
            await send({"type": "websocket.accept"})
            await close_with(send, INTERNAL_ERROR)
            return
        await self.inner({**scope, "session": session, "user": user}, receive, send)


def session_digest(key: str | None) -> str | None:
    """Return what stands for a session key outside of it, ``None`` without a session."""
    if not key:
        return None
    return salted_hmac("realtime.session", key, algorithm="sha256").hexdigest()


def connect() -> None:
    """Close the sockets of sessions that end from now on."""
    user_logged_out.connect(_logged_out, dispatch_uid="realtime.logged_out")
    user_logged_in.connect(_logged_in, dispatch_uid="realtime.logged_in")


def _logged_out(request: HttpRequest | None, user: Any = None, **kwargs: Any) -> None:
    session = getattr(request, "session", None)
    _end(getattr(session, "session_key", None), getattr(user, "pk", None))


def _logged_in(request: HttpRequest | None, **kwargs: Any) -> None:
    """Django gives the session another key at login; the sockets of the old one may be another user's."""
    session = getattr(request, "session", None)
    if request is None or session is None:
        return
    old = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if old and old != session.session_key:
        _end(old)


def _end(session_key: str | None, user_id: Any = None) -> None:
    digest = session_digest(session_key)
    if digest is not None:
        after_commit(DEFAULT_DB_ALIAS, lambda: [events.signed_out(digest, user_id)])


def _session_key(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"cookie":
            cookies = parse_cookie(bytes(value).decode("latin1"))
            return cookies.get(settings.SESSION_COOKIE_NAME)
    return None


def _session_and_user(key: str | None) -> tuple[Any, Any]:
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    return session, (_user(session) if key else None) or AnonymousUser()


def _user(session: Any) -> Any | None:
    if SESSION_KEY not in session or BACKEND_SESSION_KEY not in session:
        return None
    backend_path = session[BACKEND_SESSION_KEY]
    if backend_path not in settings.AUTHENTICATION_BACKENDS:
        return None
    user_id = get_user_model()._meta.pk.to_python(session[SESSION_KEY])
    user = load_backend(backend_path).get_user(user_id)
    if user is None or not _password_unchanged(user, session.get(HASH_SESSION_KEY, "")):
        return None
    return user


def _password_unchanged(user: Any, session_hash: str) -> bool:
    if not hasattr(user, "get_session_auth_hash"):
        return True
    valid = [user.get_session_auth_hash()]
    if hasattr(user, "get_session_auth_fallback_hash"):
        valid.extend(user.get_session_auth_fallback_hash())
    return any(constant_time_compare(session_hash, one) for one in valid)


_threads: DatabaseThreads | None = None


def database_threads() -> DatabaseThreads:
    """Return the threads in which sockets are signed in."""
    global _threads  # noqa: PLW0603 - one set per process
    if _threads is None:
        _threads = DatabaseThreads(2)
    return _threads
