"""The socket of an inbox, as Channels sees it."""

from typing import Any

from channels.consumer import AsyncConsumer

from realtime.asgi_types import Receive, Scope, Send
from realtime.conf import app_settings
from realtime.hub import get_hub
from realtime.sessions import session_digest
from realtime.sockets import POLICY_VIOLATION, SIGNED_OUT, TOO_MANY_SOCKETS, Socket


class InboxConsumer(AsyncConsumer):  # type: ignore[misc]
    """Authenticates, joins the hub, leaves it.

    It has no channel of its own: the hub's serves all sockets. The socket is push-only, so a frame from the client
    closes it. Override :meth:`get_user` to sign clients in by other means than ``scope['user']``.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        message = await receive()
        if message["type"] != "websocket.connect":
            return
        user = await self.get_user()
        await send({"type": "websocket.accept"})
        if user is None or not user.is_authenticated:
            await send({"type": "websocket.close", "code": SIGNED_OUT})
            await self._closed(receive)
            return
        hub = get_hub()
        if hub.count(user) >= app_settings.SOCKETS_PER_USER:
            await send({"type": "websocket.close", "code": TOO_MANY_SOCKETS})
            await self._closed(receive)
            return
        session = session_digest(getattr(scope.get("session"), "session_key", None))
        socket = Socket(send, str(user.pk), app_settings.SOCKET_QUEUE, session, on_lost=hub.leave)
        hub.join(socket, user)
        try:
            while (await receive())["type"] != "websocket.disconnect":
                socket.close(POLICY_VIOLATION)
        finally:
            socket.abandon()
            hub.leave(socket)

    async def get_user(self) -> Any:
        """Return the user whose inbox this is, or ``None``."""
        return self.scope.get("user")

    async def _closed(self, receive: Receive) -> None:
        """Wait for the end of a socket that was closed: some servers need the application until then."""
        while (await receive())["type"] != "websocket.disconnect":
            pass
