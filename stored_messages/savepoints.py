"""Savepoints around what may fail and must not take a transaction of the caller's with it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from django.db import Error, connections, transaction


@contextmanager
def savepoints() -> Iterator[None]:
    """Undo alone, in every database with a transaction under way, what is done inside when that raises.

    A statement that fails ends a transaction of PostgreSQL, and Django marks one to be rolled back by what fails in a
    block of its own: whoever goes on after that loses all that was written, without a word at the commit. Outside of
    transactions it costs nothing, and of one that has failed already nothing is left to protect.
    """
    with ExitStack() as stack:
        for connection in connections.all(initialized_only=True):
            if connection.in_atomic_block:
                with suppress(Error):
                    stack.enter_context(transaction.atomic(using=connection.alias))
        yield
