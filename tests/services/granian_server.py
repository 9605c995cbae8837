"""granian in one process: `python granian_server.py APPLICATION HOST PORT`.

Its command starts a process that starts another, which would outlive tests that are killed.
"""

import asyncio
import signal
import sys

from django.utils.module_loading import import_string
from granian.constants import Interfaces
from granian.server.embed import Server


async def main(application: str, host: str, port: str) -> None:
    target = import_string(application.replace(":", "."))
    server = Server(target, address=host, port=int(port), interface=Interfaces.ASGINL)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
