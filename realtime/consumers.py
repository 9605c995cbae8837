"""The socket of an inbox, as Channels sees it."""

import asyncio
from typing import Any

from channels.consumer import AsyncConsumer
from django.contrib.auth import SESSION_KEY

from realtime.asgi_types import Receive, Scope, Send
from realtime.conf import app_settings
from realtime.counters import counters
from realtime.hubs import get_hub
from realtime.login import SessionSignIn, SignIn
from realtime.sockets import (
    POLICY_VIOLATION,
    SERVICE_RESTART,
    SIGNED_OUT,
    TOO_MANY_SOCKETS,
    Socket,
    close_with,
)


class InboxConsumer(AsyncConsumer):  # type: ignore[misc]
    """Authenticates, joins the hub, leaves it.

    It has no channel of its own: the hub's serves all sockets. The socket is push-only, so a frame from the client
    closes it. Override :meth:`get_user` to sign clients in by other means than ``scope['user']``.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        if (await receive())["type"] != "websocket.connect":
            return
        user = await self.get_user()
        await send({"type": "websocket.accept"})
        if user is None or not user.is_authenticated:
            await send({"type": "websocket.close", "code": SIGNED_OUT})
            await self._closed(receive)
            return
        hub = get_hub()
        if hub.count(user) >= app_settings.SOCKETS_PER_USER:
            counters.sockets_refused += 1
            await send({"type": "websocket.close", "code": TOO_MANY_SOCKETS})
            await self._closed(receive)
            return
        self.user = user
        sign_in = self.get_sign_in()
        session = sign_in.digest if sign_in else None
        socket = Socket(send, str(user.pk), app_settings.SOCKET_QUEUE, session, on_lost=hub.leave)
        hub.join(socket, user, sign_in)
        try:
            await self._listen(socket, receive)
            if socket.due is not None:
                await close_with(send, socket.due)
        finally:
            socket.gone()
            hub.leave(socket)

    async def get_user(self) -> Any:
        """Return the user whose inbox this is, or ``None``."""
        return self.scope.get("user")

    def get_sign_in(self) -> SignIn | None:
        """Return what to ask again whether ``self.user`` is still signed in, ``None`` if there is nothing to ask.

        What the client brings besides is not asked if it is another's: a session that says nothing of this user.
        """
        if not self._is_signed_in_so():
            return None
        if "sign_in" in self.scope:
            return self.scope["sign_in"]  # type: ignore[no-any-return]
        key = getattr(self.scope.get("session"), "session_key", None)
        return SessionSignIn(key) if key else None

    def _is_signed_in_so(self) -> bool:
        """Whether the session, or the token, is this user's."""
        if "user" in self.scope:
            return bool(getattr(self.scope["user"], "pk", None) == self.user.pk)
        # Other middleware than ours: if the user was found in the session, it has been read.
        session = getattr(self.scope.get("session"), "_session_cache", {})
        return bool(session.get(SESSION_KEY) == str(self.user.pk))

    async def _listen(self, socket: Socket, receive: Receive) -> None:
        """Wait for the end of the socket; a frame from the client is one."""
        try:
            while socket.due is None:
                waiting = receive()
                # granian loses a close that it gets while this is waited for. There it is a future.
                socket.interrupt = getattr(waiting, "cancel", None)
                if (await waiting)["type"] == "websocket.disconnect":
                    socket.due = None
                    return
                socket.close(POLICY_VIOLATION)
        except asyncio.CancelledError:
            if socket.due is None:  # the server is going to stop
                socket.interrupt = None
                socket.close(SERVICE_RESTART)
                raise

    async def _closed(self, receive: Receive) -> None:
        """Wait for the end of a socket that was closed: some servers need the application until then."""
        while (await receive())["type"] != "websocket.disconnect":
            pass
