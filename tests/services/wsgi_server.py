"""A plain threaded WSGI server: `wsgi_server.py MODULE HOST PORT`. It knows no WebSocket."""

import sys
from importlib import import_module
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server


class ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


if __name__ == "__main__":
    module, host, port = sys.argv[1:]
    application = import_module(module).application
    make_server(host, int(port), application, server_class=ThreadingServer).serve_forever()
