"""The inbox in Redis: contents of messages, an index of live broadcasts, and one slot of keys per user.

What is written here stands when a database transaction around it rolls back.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from datetime import timezone as datetime_timezone
from typing import Any, NamedTuple

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from django.utils.safestring import SafeData, mark_safe

from stored_messages.backends.inbox import InboxBackend
from stored_messages.backends.redis_cleanup import RedisCleanup
from stored_messages.backends.redis_connection import Script, client_for
from stored_messages.backends.redis_keys import (
    BROADCASTS,
    KEPT,
    PREFIX,
    content_key,
    owner_keys,
    owner_name,
)
from stored_messages.backends.redis_url import check_url
from stored_messages.conf import app_settings
from stored_messages.expiry import archive_cutoff, inbox_cutoff
from stored_messages.links import safe_url
from stored_messages.owners import joined_at, user_pk
from stored_messages.positions import format_position
from stored_messages.stored import Cleanup, Page, Ref, StoredMessage, Summary

_ID = re.compile("[0-9a-f]{24}")
_EPOCH = datetime(1970, 1, 1, tzinfo=datetime_timezone.utc)
_SCAN_COUNT = 500


class Broadcast(NamedTuple):
    """What the index says of a broadcast: enough for summaries."""

    id: str
    position: str
    stamp: int
    date: int
    sent_at: int


class RedisBackend(InboxBackend):
    """Everything in Redis, a cluster of it too: ``STORED_MESSAGES['REDIS_URL']``.

    A send takes two pipelined round trips, for each thousand users one more; a change one, or two when a broadcast
    is concerned.
    """

    def __init__(self) -> None:
        self._script = Script()

    @property
    def using(self) -> None:
        return None

    @property
    def client(self) -> Any:
        """The client of the configured url. Raises ``ImproperlyConfigured`` without one."""
        url = app_settings.REDIS_URL
        if not url:
            raise ImproperlyConfigured(
                "STORED_MESSAGES['REDIS_URL'] is not set: RedisBackend needs it, "
                "for example 'redis://localhost:6379/0'."
            )
        return client_for(url)

    def check(self) -> list[CheckMessage]:
        try:
            check_url(app_settings.REDIS_URL)
        except ImproperlyConfigured as error:
            hint = "For example 'redis://localhost:6379/0'; also rediss://, unix:// and redis+cluster://."
            return [Error(str(error), hint=hint, id="stored_messages.E013")]
        return []

    def _atomic(self) -> AbstractContextManager[Any]:
        return nullcontext()

    # Sending.

    def _insert(self, drafts: Sequence[StoredMessage]) -> None:
        pipeline = self.client.pipeline(transaction=False)
        for draft in drafts:
            draft.id = f"{draft.position}{draft.stamp:08x}"
            pipeline.set(content_key(draft.id), _encode(draft), exat=_content_end(draft))
            if draft.broadcast:
                entry = [draft.position, draft.stamp, _micros(draft.date), _micros(draft.sent_at)]
                pipeline.hset(BROADCASTS, draft.id, json.dumps(entry))
        pipeline.execute()

    def _deliver(self, user_ids: list[Any], messages: Sequence[StoredMessage]) -> None:
        self._run((pk, "deliver", _delivery(message)) for pk in user_ids for message in messages)

    def _deliver_again(self, user_ids: list[Any], arriving: StoredMessage) -> list[Any]:
        arguments = _delivery(arriving)
        replies = self._run((pk, "deliver", arguments) for pk in user_ids)
        return [pk for pk, reply in zip(user_ids, replies, strict=True) if reply != "same"]

    # Reading.

    def _rows(
        self, user: Any, before: int | None, limit: int | None, archive: bool
    ) -> list[StoredMessage]:
        return self._page_rows(user, before, limit, archive)[0]

    def _page(self, user: Any, before: int | None, limit: int, archive: bool) -> Page:
        rows, summary = self._page_rows(user, before, limit + 1, archive)
        cursor = rows[limit - 1].position if len(rows) > limit else None
        return Page(rows[:limit], cursor, summary)

    def _page_rows(
        self, user: Any, before: int | None, limit: int | None, archive: bool
    ) -> tuple[list[StoredMessage], Summary]:
        """Rows and summary of one moment: one script, and the broadcasts as they were just before."""
        top = "" if before is None else format_position(before)
        broadcasts = self._broadcasts_for(user, archive)
        which = "kept" if archive else "unread"
        unread, digest, delivered, *flat = self._run(
            [(user_pk(user), "rows", [which, top, -1 if limit is None else limit])]
        )[0]
        seen = set(delivered)
        found = [
            (record.split(":"), msg_id)
            for msg_id, record in zip(flat[::2], flat[1::2], strict=True)
        ]
        states = {msg_id: record for record, msg_id in found}
        fresh = [one for one in broadcasts if one.id not in seen]
        for one in fresh:
            if before is None or one.position < top:
                states[one.id] = [one.position, str(one.stamp), str(one.date), "", "0", "1"]
        order = sorted(states, key=lambda msg_id: states[msg_id][0], reverse=True)[:limit]
        contents = self._contents(order)
        gone = [msg_id for msg_id in order if contents[msg_id] is None]
        if gone:
            # Evicted by Redis or deleted by hand: without its content a message is in no list and no sum.
            self._run([(user_pk(user), "forget", gone)])
            self.client.hdel(BROADCASTS, *gone)
            return self._page_rows(user, before, limit, archive)
        rows = [_decode(msg_id, states[msg_id], contents[msg_id]) for msg_id in order]
        live = _live(fresh)
        return rows, Summary(int(unread) + len(live), int(digest) + sum(one.stamp for one in live))

    def _find(self, user: Any, msg_id: str) -> StoredMessage | None:
        if not _ID.fullmatch(msg_id):
            return None
        record = self._run([(user_pk(user), "find", [msg_id])])[0]
        if record:
            state = record.split(":")
            if state[4] == "1":
                return None
        else:
            found = [one for one in self._broadcasts_for(user, archive=True) if one.id == msg_id]
            if not found:
                return None
            one = found[0]
            state = [one.position, str(one.stamp), str(one.date), "", "0", "1"]
        content = self._contents([msg_id])[msg_id]
        return None if content is None else _decode(msg_id, state, content)

    def summary(self, user: Any) -> Summary:
        return self.summaries([user])[user_pk(user)]

    def archive_count(self, user: Any) -> int:
        broadcasts = self._broadcasts_for(user, archive=True)
        delivered = set(self._run([(user_pk(user), "summary", [])])[0][2])
        kept: int = self.client.zcard(owner_keys(owner_name(user_pk(user)))[KEPT])
        return kept + sum(one.id not in delivered for one in broadcasts)

    def summaries(self, users: Iterable[Any]) -> dict[Any, Summary]:
        by_pk = {user_pk(user): user for user in users}
        broadcasts = _live(self._broadcasts())
        replies = self._run((pk, "summary", []) for pk in by_pk)
        summaries = {}
        for (pk, user), (unread, digest, delivered) in zip(by_pk.items(), replies, strict=True):
            seen = set(delivered)
            visible = [one for one in _visible(broadcasts, user) if one.id not in seen]
            summaries[pk] = Summary(
                int(unread) + len(visible), int(digest) + sum(one.stamp for one in visible)
            )
        return summaries

    # Changing.

    def _mark_read(self, user: Any, msg_ids: list[str]) -> list[Ref]:
        return self._change(user, "read", msg_ids, archive=False)

    def _mark_read_below(self, user: Any, position: int | None) -> int | None:
        top = "" if position is None else format_position(position)
        now = _micros(timezone.now())
        highest = self._run([(user_pk(user), "read_below", [now, top])])[0]
        broadcasts = [
            one.id
            for one in self._broadcasts_for(user, archive=False)
            if not top or one.position < top
        ]
        refs = self._mark_read(user, broadcasts) if broadcasts else []
        positions = [ref.position for ref in refs] + ([highest] if highest else [])
        return int(max(positions), 16) if positions else None

    def _mark_unread(self, user: Any, msg_ids: list[str]) -> list[Ref]:
        ids = [msg_id for msg_id in msg_ids if _ID.fullmatch(msg_id)]
        return _refs(self._run([(user_pk(user), "unread", ids)])[0]) if ids else []

    def _dismiss(self, user: Any, msg_ids: list[str]) -> list[Ref]:
        return self._change(user, "dismiss", msg_ids, archive=True)

    def _change(self, user: Any, operation: str, msg_ids: list[str], archive: bool) -> list[Ref]:
        ids = [msg_id for msg_id in msg_ids if _ID.fullmatch(msg_id)]
        if not ids:
            return []
        broadcasts = {one.id: one for one in self._broadcasts_for(user, archive)}
        arguments: list[Any] = [_micros(timezone.now())]
        for msg_id in ids:
            one = broadcasts.get(msg_id)
            arguments += [msg_id, *((one.position, one.stamp, one.date) if one else ("", "", ""))]
        return _refs(self._run([(user_pk(user), operation, arguments)])[0])

    # Keeping house.

    def cleanup(
        self, *, dry_run: bool = False, on_progress: Callable[[int], object] | None = None
    ) -> Cleanup:
        cleanup = RedisCleanup(
            self.client, self._script, _cutoffs(), dry_run=dry_run, on_progress=on_progress
        )
        return cleanup.run()

    def forget_user(self, pk: Any) -> None:
        self.client.delete(*owner_keys(owner_name(pk)))

    def _flush(self) -> None:
        for key in list(self.client.scan_iter(match=f"{PREFIX}*", count=_SCAN_COUNT)):
            self.client.delete(key)

    # What the above is made of.

    def _run(self, calls: Iterable[tuple[Any, str, Sequence[Any]]]) -> list[Any]:
        """Run the script for each (user's key, operation, arguments) in one pipeline."""
        cutoffs = _cutoffs()
        return self._script.run(
            self.client,
            [
                (owner_keys(owner_name(pk)), [operation, *cutoffs, *arguments])
                for pk, operation, arguments in calls
            ],
        )

    def _broadcasts(self) -> list[Broadcast]:
        entries = self.client.hgetall(BROADCASTS)
        return [Broadcast(msg_id, *json.loads(entry)) for msg_id, entry in entries.items()]

    def _broadcasts_for(self, user: Any, archive: bool) -> list[Broadcast]:
        """The broadcasts that a user may see, delivered or not."""
        cutoff = _cutoffs()[1 if archive else 0]
        return [
            one
            for one in _visible(self._broadcasts(), user)
            if cutoff == "-inf" or one.date > int(cutoff)
        ]

    def _contents(self, msg_ids: list[str]) -> dict[str, Any]:
        if not msg_ids:
            return {}
        pipeline = self.client.pipeline(transaction=False)
        for msg_id in msg_ids:
            pipeline.get(content_key(msg_id))
        texts = pipeline.execute()
        return {
            msg_id: None if text is None else json.loads(text)
            for msg_id, text in zip(msg_ids, texts, strict=True)
        }


def _content_end(message: StoredMessage) -> int | None:
    """When the content may go: a day after the last list that may show it, or never."""
    days = app_settings.MESSAGE_EXPIRE_DAYS
    if days is None:
        return None
    end = max(message.date, timezone.now()) + timedelta(days=days + 1)
    return int(end.timestamp())


def _micros(moment: datetime | None) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) if moment else 0


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _cutoffs() -> list[str]:
    now = timezone.now()
    return [
        "-inf" if cutoff is None else str(_micros(cutoff))
        for cutoff in (inbox_cutoff(now), archive_cutoff(now))
    ]


def _live(broadcasts: list[Broadcast]) -> list[Broadcast]:
    cutoff = _cutoffs()[0]
    return [one for one in broadcasts if cutoff == "-inf" or one.date > int(cutoff)]


def _visible(broadcasts: list[Broadcast], user: Any) -> list[Broadcast]:
    joined = joined_at(user)
    since = None if joined is None else _micros(joined)
    return [one for one in broadcasts if since is None or one.sent_at >= since]


def _delivery(message: StoredMessage) -> list[Any]:
    read = _micros(message.read_at) if message.read_at else ""
    return [message.id, message.position, message.stamp, _micros(message.date), read]


def _refs(texts: list[str]) -> list[Ref]:
    refs = []
    for text in texts:
        msg_id, stamp, position = text.split(":")
        refs.append(Ref(msg_id, int(stamp), position))
    return sorted(refs, key=lambda ref: ref.position)


def _encode(message: StoredMessage) -> str:
    return json.dumps(
        {
            "message": str(message.message),
            "safe": isinstance(message.message, SafeData),
            "level": message.level,
            "extra_tags": message.extra_tags or "",
            "url": message.url,
            "date": _micros(message.date),
            "sent_at": _micros(message.sent_at),
            "data": message.data,
            "broadcast": message.broadcast,
        }
    )


def _decode(msg_id: str, state: list[str], content: dict[str, Any]) -> StoredMessage:
    position, stamp, _, read_at, *_ = state
    text = content["message"]
    message = StoredMessage(
        content["level"],
        mark_safe(text) if content["safe"] else text,  # noqa: S308 (as its sender)
        content["extra_tags"],
        url=safe_url(content["url"]),
        date=_moment(content["date"]),
        sent_at=_moment(content["sent_at"]),
        data=content["data"],
        broadcast=content["broadcast"],
        position=position,
        stamp=int(stamp),
    )
    message.id = msg_id
    message.read_at = _moment(int(read_at)) if read_at else None
    return message
