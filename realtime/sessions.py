"""Session login for sockets, and the end of sessions.

A session's key never leaves the process: what travels is a salted HMAC of it.
"""

from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.backends import signed_cookies
from django.db import router
from django.http import HttpRequest, parse_cookie

from realtime import events, log
from realtime.arrivals import arrivals
from realtime.asgi_types import Application, Receive, Scope, Send
from realtime.login import session_digests, session_store
from realtime.receivers import after_commit
from realtime.sockets import close_with

#: Close code: something is wrong here, come back.
INTERNAL_ERROR = 1011


class SessionLogin:
    """ASGI middleware: sets ``scope['user']`` and ``scope['session']`` from the session cookie.

    It only reads. In contrast to Channels' middleware it respects ``SECRET_KEY_FALLBACKS``, never flushes a
    session, and puts nothing between the application and the server's ``send``.
    """

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            session, user = await arrivals().session_and_user(_session_key(scope))
        except Exception as error:  # the database, the cache, the project's backend
            log.error("login_failed", "A socket's session could not be loaded.", error)
            await come_back_later(receive, send)
            return
        if user is None:
            user = AnonymousUser()
        await self.inner({**scope, "session": session, "user": user}, receive, send)


async def come_back_later(receive: Receive, send: Send) -> None:
    """Accept a socket and close it: who it is cannot be said just now."""
    await receive()
    await send({"type": "websocket.accept"})
    await close_with(send, INTERNAL_ERROR)


def connect() -> None:
    """Close the sockets of sessions that end from now on."""
    user_logged_out.connect(_logged_out, dispatch_uid="realtime.logged_out")
    user_logged_in.connect(_logged_in, dispatch_uid="realtime.logged_in")


def _logged_out(request: HttpRequest | None, user: Any = None, **kwargs: Any) -> None:
    session = getattr(request, "session", None)
    key = getattr(session, "session_key", None)
    # Django gives a session that was signed with an old secret key another key, in this very request perhaps.
    old = getattr(request, "COOKIES", {}).get(settings.SESSION_COOKIE_NAME)
    _end([key, old], getattr(user, "pk", None))
    if key and not _key_is_content():
        _when_flushed(session, lambda: _end([key, old], getattr(user, "pk", None)))


def _when_flushed(session: Any, end: Callable[[], None]) -> None:
    """Call ``end`` when the session is no longer stored.

    Django flushes it after all receivers of the signal have returned. One of them may take its time, and whoever comes
    back meanwhile is let in: the session is good until then, for pages too.
    """
    # Perhaps this very thing, from a signal before: some send it themselves, and then Django does.
    flush: Any = session.flush
    aflush: Any = getattr(session, "aflush", None)  # since Django 5.1

    def flushed() -> None:
        vars(session).pop("flush", None)
        flush()
        end()

    async def aflushed() -> None:
        vars(session).pop("aflush", None)
        await aflush()
        await sync_to_async(end)()

    session.flush = flushed
    if aflush is not None:
        session.aflush = aflushed


def _logged_in(request: HttpRequest | None, user: Any = None, **kwargs: Any) -> None:
    """Django gives the session another key at login; the sockets of the old one may be another user's."""
    session = getattr(request, "session", None)
    if request is None or session is None:
        return
    old = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not old or old == session.session_key:
        return
    if _key_is_content():
        before = session_store()(old).get(SESSION_KEY)
        if before is not None and before != str(getattr(user, "pk", None)):
            _end([old], before)
    else:
        _end([old])


def _end(session_keys: list[str | None], user_id: Any = None) -> None:
    keys = [key for key in dict.fromkeys(session_keys) if key]
    if keys and user_id is not None and _key_is_content():
        # Which of this user's sockets belong to the session nobody can say: those of others come back.
        publications = [events.sessions_ended(user_id)]
    else:
        digests = [digest for key in keys for digest in session_digests(key)]
        publications = [events.session_ended(digest) for digest in digests]
    if publications:
        after_commit(_database(), lambda: publications)


def _database() -> str:
    """Where a session ends, if that can be rolled back; else where its users are."""
    get_model = getattr(session_store(), "get_model_class", get_user_model)
    return router.db_for_write(get_model())


def _key_is_content() -> bool:
    """With signed cookies a session has another key whenever something in it changes."""
    return issubclass(session_store(), signed_cookies.SessionStore)


def _session_key(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"cookie":
            cookies = parse_cookie(bytes(value).decode("latin1"))
            key = cookies.get(settings.SESSION_COOKIE_NAME)
            return None if key and "\0" in key else key  # which no store takes
    return None
