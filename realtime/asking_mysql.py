"""How MySQL and MariaDB, and their drivers, let go of a call.

mysqlclient refuses whatever another thread asks of a connection that is busy, so what is needed then is noted when it
is opened. Neither driver can cancel a query: the server is told over another connection.
"""

import os
import socket
from contextlib import suppress
from typing import Any

#: Under this name a connection of Django's has what was noted.
_NOTED = "_realtime_noted"


class _Noted:
    """``ends`` are the addresses of its socket, which tell it from another one that has got its number since."""

    __slots__ = ("connection", "ends", "number", "thread")

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.thread = int(connection.thread_id())
        self.number, self.ends = -1, None
        with suppress(Exception):  # a driver that does not say
            self.number = (
                connection.fileno() if hasattr(connection, "fileno") else connection._sock.fileno()
            )
            with socket.socket(fileno=os.dup(self.number)) as same:
                self.ends = _ends(same)


def note(one: Any) -> None:
    """Note what is needed of each connection that ``one`` opens, each within its ``connect_timeout``."""
    connect = one.get_new_connection

    def connect_and_note(parameters: dict[str, Any]) -> Any:
        if one.Database.__name__ == "pymysql":
            # Its limit ends when the server has taken the connection, though that may say nothing then.
            limited = {"read_timeout": parameters["connect_timeout"], **parameters}
            connection = connect(limited)
            connection._read_timeout = parameters.get("read_timeout")
        else:
            connection = connect(parameters)
        setattr(one, _NOTED, _Noted(connection))
        return connection

    one.get_new_connection = connect_and_note


def let_go(one: Any, seconds: float) -> None:
    """Have the server end the connection, which may take so long, and shut down its socket. From another thread."""
    noted = vars(one).get(_NOTED)
    if noted is None or noted.connection is not one.connection:
        return
    with suppress(Exception):
        limits = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), int(seconds))
        other = one.Database.connect(**{**one.get_connection_params(), **limits})
        try:
            other.cursor().execute(f"KILL {noted.thread}")
        finally:
            other.close()
    with suppress(Exception), socket.socket(fileno=os.dup(noted.number)) as same:
        if noted.ends is not None and _ends(same) == noted.ends:
            same.shutdown(socket.SHUT_RDWR)


def _ends(one: socket.socket) -> tuple[Any, Any] | None:
    """Those of a socket on this machine have no addresses of their own; nor do they go dead without a word."""
    if one.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    return one.getsockname(), one.getpeername()
