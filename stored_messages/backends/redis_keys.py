"""How the keys in Redis are named."""

import hashlib
import re
from typing import Any

PREFIX = "stored_messages:"

#: The index of broadcasts: a hash of message ids.
BROADCASTS = f"{PREFIX}broadcasts"

#: How the names of users begin whose keys are not plain.
HASHED = "~"

_PLAIN = re.compile("[A-Za-z0-9_.@-]{1,64}")
_PARTS = ("records", "unread", "unread_dates", "kept", "dates", "digest", "broadcasts")

#: Which of :func:`owner_keys` has all that is not dismissed.
KEPT = _PARTS.index("kept")


def content_key(msg_id: str) -> str:
    """Where the content of a message is."""
    return f"{PREFIX}message:{msg_id}"


#: Matches :func:`content_key` of every message.
CONTENTS_PATTERN = content_key("*")


def content_id(key: str) -> str:
    """The id in a key that ``CONTENTS_PATTERN`` matches."""
    return key.rpartition(":")[2]


def owner_name(pk: Any) -> str:
    """A user's key as part of names: itself where it is plain, else a hash of it that begins with :data:`HASHED`."""
    text = str(pk)
    if _PLAIN.fullmatch(text):
        return text
    return HASHED + hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def owner_keys(name: str) -> list[str]:
    """The keys of one inbox, in the order in which the script takes them; all in one slot of a cluster."""
    return [f"{PREFIX}{{{name}}}:{part}" for part in _PARTS]


#: Matches the first of :func:`owner_keys` of every inbox.
OWNERS_PATTERN = f"{PREFIX}{{*}}:records"


def owner_of(records_key: str) -> str:
    """The name in a key that ``OWNERS_PATTERN`` matches."""
    return records_key[len(PREFIX) + 1 : -len("}:records")]
