"""Why nothing arrives: mostly because nothing is committed."""

from asgiref.sync import sync_to_async
from django.db import connections


def uncommitted() -> list[str]:
    """Return the aliases of the databases in whose open transaction something waits for the commit, in this thread."""
    return [
        connection.alias
        for connection in connections.all(initialized_only=True)
        if connection.in_atomic_block and connection.run_on_commit
    ]


def never_committed(aliases: list[str]) -> str:
    """Say so in a sentence, or nothing if there are none."""
    if not aliases:
        return ""
    names = ", ".join(map(repr, aliases))
    return (
        f" What was sent waits for the commit of {names}, which never comes in a TestCase or with pytest's 'db': "
        "use capture_live(), or a test that commits (TransactionTestCase, django_db(transaction=True))."
    )


async def why_nothing_came() -> str:
    """Say why, as far as it can be known from here."""
    return never_committed(uncommitted() or await sync_to_async(uncommitted)())
