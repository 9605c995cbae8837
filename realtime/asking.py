"""A call that asks databases, and what it leaves there when it is given up.

To leave the connection alone is not enough: where a table is locked, the server goes on waiting with it, and each
further try adds one. So the server is asked to cancel what it is at, as far as a driver can, and the socket is shut
down. That wakes the thread, which then closes the connection.

What is still connecting has nothing yet that could be shut down. A server that takes connections and says nothing (it
is frozen, or a balancer in front of it has lost it) would be waited for as long as the driver likes. So that has a
limit.
"""

import math
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from django.db import close_old_connections, connections

from realtime import asking_mysql

#: Seconds for which the server may take a request to cancel, where the driver has a limit.
CANCEL = 5.0
#: Databases whose drivers take ``connect_timeout``, in seconds.
LIMITED = ("postgresql", "mysql")


class Asking:
    """Calls ``function`` once. Dead and outdated connections are closed before and after it.

    ``connect_within`` are the seconds that a new connection may take, where the project does not say.
    """

    def __init__(self, function: Callable[[], Any], connect_within: float) -> None:
        self._function = function
        self._connect_within = math.ceil(connect_within)
        self._connections: list[Any] = []
        self._lock = threading.Lock()

    def __call__(self) -> Any:
        close_old_connections()
        self._connections = list(_of_this_thread())
        for one in self._connections:
            _prepare(one, self._connect_within)
        try:
            return self._function()
        finally:
            # Not while they are let go: a pool would hand them to somebody else meanwhile.
            with self._lock:
                self._connections = []
            close_old_connections()

    def let_go(self) -> None:
        """Cancel what the databases are at for this call, and shut down its connections. From another thread."""
        with self._lock:
            for one in self._connections:
                if one.connection is None:
                    continue
                if one.vendor == "mysql":
                    asking_mysql.let_go(one, CANCEL)
                else:
                    _cancel(one.connection)
                    _shut_down(one.connection)
                    _drain(one)


def _of_this_thread() -> Iterator[Any]:
    """Yield all that there may be, connected or not: from another thread they cannot be looked up."""
    for alias in connections:
        with suppress(Exception):  # one that nobody uses may be configured wrong
            yield connections[alias]


def _prepare(one: Any, connect_within: int) -> None:
    """Let it connect within so many seconds. Pools are the whole project's, and have limits of their own."""
    options = one.settings_dict.get("OPTIONS") or {}
    if one.vendor not in LIMITED or options.get("pool") or "get_connection_params" in vars(one):
        return
    parameters = one.get_connection_params
    one.get_connection_params = lambda: {"connect_timeout": connect_within, **parameters()}
    if one.vendor == "mysql":
        asking_mysql.note(one)


def _cancel(connection: Any) -> None:
    """psycopg, old and new, and SQLite can do so."""
    with suppress(Exception):
        if hasattr(connection, "cancel_safe"):
            connection.cancel_safe(timeout=CANCEL)
        elif hasattr(connection, "cancel"):
            connection.cancel()
        elif hasattr(connection, "interrupt"):
            connection.interrupt()


def _shut_down(connection: Any) -> None:
    """Let the driver find that the connection has ended, in whatever it waits for."""
    with suppress(Exception):
        number = connection.fileno()
        with socket.socket(fileno=os.dup(number)) as same:
            # Were the first one closed meanwhile, its number could be another's: its driver would say so.
            if connection.fileno() == number:
                same.shutdown(socket.SHUT_RDWR)


def _drain(one: Any) -> None:
    """Have the other idle connections of a pool replaced, if there is one and it can do so.

    What has cut this one off may have cut off all of them, and the next look would get the next dead one.
    """
    with suppress(Exception):
        if one.settings_dict["OPTIONS"].get("pool"):
            one.pool.drain()
