"""The API for tests that are coroutines. The backend is synchronous; here it has asgiref's thread."""

from typing import Any

from asgiref.sync import sync_to_async

import stored_messages
from stored_messages.api import StoredMessage


async def send(*users: Any, text: str = "hello") -> StoredMessage:
    message = await sync_to_async(stored_messages.add_message_for)(
        users, stored_messages.STORED_INFO, text
    )
    assert message is not None
    return message


async def broadcast(text: str = "to all") -> StoredMessage:
    message = await sync_to_async(stored_messages.broadcast_message)(
        stored_messages.STORED_INFO, text
    )
    assert message is not None
    return message


mark_read = sync_to_async(stored_messages.mark_read)
mark_all_read = sync_to_async(stored_messages.mark_all_read)
summary = sync_to_async(stored_messages.api.summary)
