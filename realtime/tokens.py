"""Sockets of clients that sign in with an ``Authorization`` header, as they do with the REST API.

Whoever ``REST_FRAMEWORK["DEFAULT_AUTHENTICATION_CLASSES"]`` lets in there is let in here.
"""

from collections.abc import Awaitable, Sequence
from io import BytesIO
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.core.handlers.asgi import ASGIRequest
from django.db.models import Model
from django.utils.crypto import salted_hmac

from realtime import log, supervision
from realtime.arrivals import PATIENCE
from realtime.asgi_types import Application, Receive, Scope, Send
from realtime.login import token_threads
from realtime.sessions import come_back_later
from stored_messages.owners import user_pk

_KEPT = ("client", "headers", "path", "query_string", "root_path", "server")


class TokenLogin:
    """ASGI middleware: sets ``scope['user']`` and ``scope['sign_in']`` from the ``Authorization`` header.

    A session that says who it is comes first. Without REST framework nobody is signed in by this.
    """

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    # Who brings no token gets no coroutine either: it would be kept as long as the socket.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        header = dict(scope["headers"]).get(b"authorization")
        if header is None or getattr(scope.get("user"), "is_authenticated", False):
            return self.inner(scope, receive, send)
        return self._sign_in(TokenSignIn(scope, header), scope, receive, send)

    async def _sign_in(
        self, sign_in: "TokenSignIn", scope: Scope, receive: Receive, send: Send
    ) -> None:
        try:
            user = await supervision.within(PATIENCE, token_threads().run(sign_in.user))
        except Exception as error:  # the database, the project's authentication
            log.error("login_failed", "A socket's token could not be looked up.", error)
            await come_back_later(receive, send)
            return
        if user is not None:
            scope = {**scope, "user": user, "sign_in": sign_in}
        await self.inner(scope, receive, send)


class TokenSignIn:
    """The handshake's headers, asked again while the socket is open: tokens are revoked."""

    __slots__ = ("_had_row", "_scope", "digest")

    #: There is no event that ends a token.
    older_digests: Sequence[str] = ()

    def __init__(self, scope: Scope, header: bytes) -> None:
        self._scope = {name: scope[name] for name in _KEPT if name in scope}
        mac = salted_hmac("realtime.token", header.decode("latin1"), algorithm="sha256")
        self.digest = mac.hexdigest()
        self._had_row = False

    def user(self) -> Any | None:
        try:
            from rest_framework.exceptions import APIException
            from rest_framework.request import Request
            from rest_framework.settings import api_settings
        except ImportError:
            return None
        request = ASGIRequest({**self._scope, "type": "http", "method": "GET"}, BytesIO())
        classes = cast("list[Any]", api_settings.DEFAULT_AUTHENTICATION_CLASSES)
        authenticators = [one() for one in classes]
        try:
            user = Request(request, authenticators=authenticators).user
        except APIException:  # expired, revoked, malformed
            return None
        return self._row_of(user) if getattr(user, "is_authenticated", False) else None

    def _row_of(self, user: Any) -> Any | None:
        """Return the user's row in the place of what an authentication without queries makes of a token.

        Only the row says since when somebody sees broadcasts, and whether they are active. Who never had one is let in
        as they are, who has none any more is not.
        """
        if isinstance(user, Model):
            return user
        try:
            pk = user_pk(user)
        except ValueError:  # nobody here can have that key, nor an inbox
            return None
        row = get_user_model()._default_manager.filter(pk=pk).first()
        if row is not None:
            self._had_row = True
        return user if row is None and not self._had_row else row
