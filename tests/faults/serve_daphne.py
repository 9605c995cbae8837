"""Daphne whose sockets have small buffers in the kernel: `python -m tests.faults.serve_daphne APPLICATION PORT ...`.

Its own options may follow.
"""

import sys

from daphne.cli import CommandLineInterface

from tests.faults.serve_uvicorn import listening_socket

if __name__ == "__main__":
    application, port, *options = sys.argv[1:]
    listening = listening_socket(int(port))
    listening.listen(4096)
    CommandLineInterface().run(["--fd", str(listening.fileno()), *options, application])
