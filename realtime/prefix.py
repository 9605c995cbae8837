"""Sites below a sub-path: sockets are found under each of the ways in which servers and proxies say so."""

from collections.abc import Awaitable

from django.conf import settings

from realtime.asgi_types import Application, Receive, Scope, Send


class ScriptPrefix:
    """ASGI middleware: takes the site's prefix off the path, whether or not a proxy has done so already.

    The prefix is the scope's ``root_path`` or ``FORCE_SCRIPT_NAME``; servers differ in whether the path repeats it.
    """

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    # No coroutine of its own, nor a copy that nobody needs: both would be kept as long as the socket.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        path = scope["path"]
        for prefix in (scope.get("root_path", ""), settings.FORCE_SCRIPT_NAME or ""):
            prefix = "/" + prefix.strip("/")  # noqa: PLW2901
            if prefix != "/" and path.startswith(prefix + "/"):
                path = path[len(prefix) :]
        if path != scope["path"] or scope.get("root_path"):
            scope = {**scope, "path": path, "root_path": ""}
        return self.inner(scope, receive, send)
