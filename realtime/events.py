"""What travels: frames (what clients read) and the events that carry them over the channel layer.

An event is a plain dict of what every layer can serialise. Its frames are JSON text, encoded once where the event
is made; neither the layer nor the hub looks into them.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, TypedDict

from realtime.groups import everybody, user_group
from stored_messages.representation import represent, represent_ref
from stored_messages.stored import Ref, StoredMessage, Summary

#: Up to so many recipients get an event through their own groups, more than that through everybody's.
UNICAST_LIMIT = 8
#: How many recipients one event names at most.
RECIPIENTS_LIMIT = 1000

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

RefsFrame = Literal["read", "unread", "gone"]


#: The type of a :class:`Delivery`.
DELIVER = "inbox.deliver"


class Delivery(TypedDict):
    """Frames for some users (``to``: primary keys as text) or for everybody (``None``)."""

    type: Literal["inbox.deliver"]
    to: list[str] | None
    frames: list[str]
    sent_at: float | None


class SignedOut(TypedDict):
    """A session has ended: ``session`` is its digest. ``None``: any of ``user``, a primary key as text."""

    type: Literal["inbox.signed_out"]
    session: str | None
    user: str | None


class Publication(NamedTuple):
    """An event and the group it goes to."""

    group: str
    event: Delivery | SignedOut


def deliveries(user_ids: Sequence[Any], frames: list[str]) -> list[Publication]:
    """Return what to publish so that these users get these frames."""
    keys = [str(pk) for pk in user_ids]
    if len(keys) <= UNICAST_LIMIT:
        return [Publication(user_group(key), _delivery([key], frames)) for key in keys]
    return [
        Publication(everybody(), _delivery(keys[start : start + RECIPIENTS_LIMIT], frames))
        for start in range(0, len(keys), RECIPIENTS_LIMIT)
    ]


def broadcast(message: StoredMessage) -> Publication:
    """Return what to publish so that everybody who had joined when it was sent gets this message."""
    return Publication(
        everybody(), _delivery(None, [stored_frame(message)], message.sent_at.timestamp())
    )


def session_ended(session: str) -> Publication:
    """Return what to publish so that the sockets of a session are closed, whosever they are; it is its digest."""
    return Publication(everybody(), {"type": "inbox.signed_out", "session": session, "user": None})


def sessions_ended(user_id: Any) -> Publication:
    """Return what to publish so that the sockets of all sessions of this user are closed."""
    event: SignedOut = {"type": "inbox.signed_out", "session": None, "user": str(user_id)}
    return Publication(user_group(user_id), event)


def stored_frame(message: StoredMessage) -> str:
    return _encode({"type": "stored", "message": represent(message)})


def refs_frame(kind: RefsFrame, refs: Iterable[Ref]) -> str:
    return _encode({"type": kind, "messages": [represent_ref(ref) for ref in refs]})


def read_all_frame(up_to: str) -> str:
    return _encode({"type": "read_all", "up_to": up_to})


def sync_frame(key: str, summary: Summary, heartbeat: float) -> str:
    # Written by hand: thousands of these are made every few seconds. A key is hexadecimal.
    return (
        f'{{"type":"sync","user":"{key}","unread":{summary.unread:d},"digest":{summary.digest:d}'
        f',"heartbeat":{heartbeat!r}}}'
    )


def _delivery(to: list[str] | None, frames: list[str], sent_at: float | None = None) -> Delivery:
    return {"type": "inbox.deliver", "to": to, "frames": frames, "sent_at": sent_at}


def _encode(frame: dict[str, Any]) -> str:
    text = _json.encode(frame)
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which no server could send
        return json.dumps(frame, separators=(",", ":"))
    return text
