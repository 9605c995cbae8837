"""The ASGI application, ready to serve: ``ASGI_APPLICATION = 'realtime.asgi.application'``.

Django answers HTTP; sockets find the inbox behind an origin check and the session login. To add sockets of your own,
put the pieces of :mod:`realtime.routing` together in an ``asgi.py`` of your own.
"""

from collections.abc import Awaitable

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

# Only now can models be imported.
from realtime.asgi_types import Receive, Scope, Send  # noqa: E402
from realtime.conf import app_settings  # noqa: E402
from realtime.consumers import InboxConsumer  # noqa: E402
from realtime.origin import refuse  # noqa: E402
from realtime.routing import socket_stack  # noqa: E402


def inbox_or_nothing(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
    """Route to the one socket there is. What ``URLRouter`` keeps for each socket would be three per cent of it."""
    if scope["path"].lstrip("/") == app_settings.SOCKET_PATH.lstrip("/"):
        return InboxConsumer()(scope, receive, send)
    return refuse(scope, receive, send)


application = ProtocolTypeRouter(
    {"http": django_application, "websocket": socket_stack(inbox_or_nothing)}
)
