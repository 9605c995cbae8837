"""The ASGI application, ready to serve: ``ASGI_APPLICATION = 'realtime.asgi.application'``.

Django answers HTTP; sockets find the inbox behind an origin check and the session login. To add sockets of your own,
put the pieces of :mod:`realtime.routing` together in an ``asgi.py`` of your own.
"""

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import re_path

django_application = get_asgi_application()

# Only now can models be imported.
from realtime.origin import refuse  # noqa: E402
from realtime.routing import socket_stack, websocket_urlpatterns  # noqa: E402

anything_else = re_path("", refuse)  # type: ignore[arg-type]
application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": socket_stack(URLRouter([*websocket_urlpatterns, anything_else])),
    }
)
