"""uvicorn whose sockets have small buffers in the kernel: `python -m tests.faults.serve_uvicorn APPLICATION PORT`.

So what clients do not read is the server's to keep, not the kernel's, which would take megabytes for each.
"""

import socket
import sys

import uvicorn

from tests.services.processes import HOST


def listening_socket(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Those that are accepted inherit it.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
    listening.bind((HOST, port))
    return listening


if __name__ == "__main__":
    application, port = sys.argv[1:]
    server = uvicorn.Server(uvicorn.Config(application, backlog=4096))
    server.run(sockets=[listening_socket(int(port))])
