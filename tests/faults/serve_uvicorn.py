"""uvicorn whose sockets have small buffers in the kernel.

`python -m tests.faults.serve_uvicorn APPLICATION PORT PATIENCE`: what clients do not read is the server's to keep, not
the kernel's, which would take megabytes for each. Those that take nothing for `PATIENCE` seconds are closed, and cut
when they do not read that either for as long.
"""

import socket
import sys

import uvicorn

from realtime import sockets
from tests.services.processes import HOST


def listening_socket(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Those that are accepted inherit it.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
    listening.bind((HOST, port))
    return listening


if __name__ == "__main__":
    application, port, patience = sys.argv[1:]
    sockets.FAREWELL = sockets.STUCK = float(patience)
    server = uvicorn.Server(uvicorn.Config(application, backlog=4096))
    server.run(sockets=[listening_socket(int(port))])
