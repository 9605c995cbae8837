"""What happened to inboxes.

All signals are sent at once, when the inbox has been changed; in a transaction of the caller's before it commits.
They are sent with ``send_robust``: a receiver that raises is logged by Django and breaks nothing, whatever it did in
the database. Wait for the commit yourself where it matters::

    transaction.on_commit(do_it, using=using)

``sender`` is the class of the backend. ``using`` is the alias of the database that was written, or ``None`` when
the inbox is not in a database of Django's. The first four are those of 1.4.0; they concern one user each and are
only prepared when somebody listens. A broadcast sends none of them.
"""

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any, TypeVar

from asgiref.sync import async_to_sync
from django.dispatch import Signal

from stored_messages.savepoints import savepoints


class InboxSignal(Signal):
    """A signal of which each receiver, in a transaction, has a savepoint of its own."""

    def _live_receivers(self, sender: Any) -> Any:
        receivers: Any = super()._live_receivers(sender)
        if isinstance(receivers, list):  # Django 4.2
            return [_in_savepoints(one, one) for one in receivers]
        functions, coroutine_functions = receivers
        return [
            *(_in_savepoints(one, one) for one in functions),
            *(_in_savepoints(one, async_to_sync(one)) for one in coroutine_functions),
        ], []


_Receiver = TypeVar("_Receiver", bound=Callable[..., Any])


def without_queries(receiver: _Receiver) -> _Receiver:
    """Mark a receiver that asks no database, so that it needs no savepoint."""
    receiver._asks_no_database = True  # type: ignore[attr-defined]
    return receiver


def _in_savepoints(receiver: Any, call: Callable[..., Any]) -> Any:
    # Not of what has every attribute, as mocks do.
    asks_no_database = getattr(receiver, "_asks_no_database", False) is True

    @wraps(receiver)
    def calling(**carried: Any) -> Any:
        with nullcontext() if asks_no_database else savepoints():
            return call(**carried)

    return calling


#: ``user``, ``message``: arrived in the inbox of this user.
inbox_stored = InboxSignal()
#: ``user``, ``message_id``: marked read (it stays in the archive) or dismissed.
inbox_deleted = InboxSignal()
#: ``user``: everything was marked read; sent on every purge, also of an empty inbox.
inbox_purged = InboxSignal()
#: ``user``, ``message``: arrived in the archive of this user.
archive_stored = InboxSignal()

#: ``user_ids`` (list), ``messages`` (list of StoredMessage): each of these users got each of these messages, unread.
#: Once per send; a send to more than a thousand users sends it once per thousand.
messages_stored = InboxSignal()
#: ``message``: a message to everybody.
broadcast_stored = InboxSignal()
#: ``user_id``, ``messages`` (list of Ref): marked read.
messages_read = InboxSignal()
#: ``user_id``, ``messages`` (list of Ref): marked unread again.
messages_unread = InboxSignal()
#: ``user_id``, ``messages`` (list of Ref): gone from inbox and archive.
messages_dismissed = InboxSignal()
#: ``user_id``, ``up_to`` (a position): everything at and below it was marked read.
inbox_read_up_to = InboxSignal()
