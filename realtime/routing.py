"""What goes into an ``asgi.py``: the routes, and what sockets need around them.

A project without sockets of its own serves :data:`realtime.asgi.application` and needs none of this. Others write::

    from django.core.asgi import get_asgi_application

    django_application = get_asgi_application()

    from channels.routing import ProtocolTypeRouter, URLRouter
    from realtime.routing import socket_stack, websocket_urlpatterns

    application = ProtocolTypeRouter({
        "http": django_application,
        "websocket": socket_stack(URLRouter([*websocket_urlpatterns, ...])),
    })
"""

from typing import Any

from django.urls import URLPattern, path

from realtime.asgi_types import Application
from realtime.conf import app_settings
from realtime.consumers import InboxConsumer
from realtime.origin import OriginCheck
from realtime.prefix import ScriptPrefix
from realtime.sessions import SessionLogin
from realtime.tokens import TokenLogin

#: The route of the inbox, for ``URLRouter``.
websocket_urlpatterns: list[URLPattern]


def socket_stack(routes: Application) -> Application:
    """Wrap routes with what sockets need: origin check, login by session or token, the site's prefix."""
    return OriginCheck(SessionLogin(TokenLogin(ScriptPrefix(routes))))


def __getattr__(name: str) -> Any:
    # Made when it is asked for, because the path is a setting.
    if name == "websocket_urlpatterns":
        return [path(app_settings.SOCKET_PATH.lstrip("/"), InboxConsumer.as_asgi())]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
