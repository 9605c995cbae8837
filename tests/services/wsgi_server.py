"""A plain threaded WSGI server: `wsgi_server.py MODULE HOST PORT ROOT_PATH`. It knows no WebSocket.

Below a root path it does what servers do there: that part of the path becomes the `SCRIPT_NAME`.
"""

import sys
from importlib import import_module
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server


class ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def below(root_path: str, application: Any) -> Any:
    def mounted(environ: dict[str, Any], start_response: Any) -> Any:
        if not environ["PATH_INFO"].startswith(f"{root_path}/"):
            start_response("404 Not Found", [])
            return []
        environ["SCRIPT_NAME"] = root_path
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(root_path)
        return application(environ, start_response)

    return mounted


if __name__ == "__main__":
    # The directory of this program: its modules bear the names of what they start.
    del sys.path[0]
    module, host, port, root_path = sys.argv[1:]
    application = below(root_path, import_module(module).application)
    make_server(host, int(port), application, server_class=ThreadingServer).serve_forever()
