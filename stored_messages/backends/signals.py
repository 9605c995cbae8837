"""The signals, where 1.4.0 had them."""

from stored_messages.signals import (
    archive_stored,
    broadcast_stored,
    inbox_deleted,
    inbox_purged,
    inbox_read_up_to,
    inbox_stored,
    messages_dismissed,
    messages_read,
    messages_stored,
    messages_unread,
)

__all__ = (
    "archive_stored",
    "broadcast_stored",
    "inbox_deleted",
    "inbox_purged",
    "inbox_read_up_to",
    "inbox_stored",
    "messages_dismissed",
    "messages_read",
    "messages_stored",
    "messages_unread",
)
