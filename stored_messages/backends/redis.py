"""The inbox in Redis: contents of messages, an index of live broadcasts, and one slot of keys per user.

What is written here stands when a database transaction around it rolls back.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from stored_messages.backends.inbox import Arrival, InboxBackend, gone
from stored_messages.backends.redis_broadcasts import (
    Broadcast,
    Totals,
    all_broadcasts,
    announcing,
    forgetting,
    live,
    visible,
)
from stored_messages.backends.redis_cleanup import RedisCleanup
from stored_messages.backends.redis_commands import Command, all_keys, batches, run
from stored_messages.backends.redis_connection import Client, client_for
from stored_messages.backends.redis_keys import (
    KEPT,
    PREFIX,
    content_key,
    owner_keys,
    owner_name,
)
from stored_messages.backends.redis_records import (
    cutoffs,
    decode,
    delivery,
    message_id,
    micros,
    refs,
    storing,
)
from stored_messages.backends.redis_script import Script
from stored_messages.backends.redis_url import check_url
from stored_messages.conf import app_settings
from stored_messages.owners import user_pk, users_by_pk
from stored_messages.positions import format_position
from stored_messages.stored import Cleanup, Page, Ref, StoredMessage, Summary

_ID = re.compile("[0-9a-f]{24}")


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
    def client(self) -> Client:
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
        for draft in drafts:
            draft.id = message_id(draft.position, draft.stamp)
        run(self.client, map(storing, drafts))
        # Not before: what is in the index and has no content is taken out of it by whoever finds it.
        run(self.client, [announcing(draft) for draft in drafts if draft.broadcast])

    def _deliver(self, user_ids: list[Any], messages: Sequence[StoredMessage]) -> None:
        arguments = [argument for message in messages for argument in delivery(message)]
        self._run((pk, "deliver", arguments) for pk in user_ids)

    def _deliver_again(self, user_ids: list[Any], arriving: StoredMessage) -> Arrival:
        arguments, key = delivery(arriving), content_key(arriving.id)
        *replies, there = self._run(
            ((pk, "deliver", arguments) for pk in user_ids), [Command(key, ("EXISTS", key))]
        )
        if not there:
            self._run((pk, "forget", [arriving.id]) for pk in user_ids)
            raise gone(arriving)
        told = dict(zip(user_ids, replies, strict=True))
        return Arrival(
            [pk for pk, reply in told.items() if reply],
            [pk for pk, reply in told.items() if reply == 2],
        )

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
                states[one.id] = one.record
        order = sorted(states, key=lambda msg_id: states[msg_id][0], reverse=True)[:limit]
        contents = self._contents(order)
        gone = [msg_id for msg_id in order if contents[msg_id] is None]
        if gone:
            # Evicted by Redis or deleted by hand: without its content a message is in no list and no sum.
            self._run([(user_pk(user), "forget", gone)])
            run(self.client, [forgetting(gone)])
            return self._page_rows(user, before, limit, archive)
        rows = [decode(msg_id, states[msg_id], contents[msg_id]) for msg_id in order]
        also_unread = live(fresh)
        return rows, Summary(
            int(unread) + len(also_unread), int(digest) + sum(one.stamp for one in also_unread)
        )

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
            state = found[0].record
        content = self._contents([msg_id])[msg_id]
        return None if content is None else decode(msg_id, state, content)

    def summary(self, user: Any) -> Summary:
        return self.summaries([user])[user_pk(user)]

    def archive_count(self, user: Any) -> int:
        broadcasts = self._broadcasts_for(user, archive=True)
        delivered = set(self._run([(user_pk(user), "summary", [])])[0][2])
        key = owner_keys(owner_name(user_pk(user)))[KEPT]
        kept: int = run(self.client, [Command(key, ("ZCARD", key))])[0]
        return kept + sum(one.id not in delivered for one in broadcasts)

    def summaries(self, users: Iterable[Any]) -> dict[Any, Summary]:
        by_pk = users_by_pk(users)
        if not by_pk:
            return {}
        broadcasts = Totals(live(all_broadcasts(self.client)))
        replies = self._run((pk, "summary", []) for pk in by_pk)
        summaries = {}
        for (pk, user), (unread, digest, delivered) in zip(by_pk.items(), replies, strict=True):
            others = broadcasts.unread(user, delivered)
            summaries[pk] = Summary(int(unread) + others.unread, int(digest) + others.digest)
        return summaries

    # Changing.

    def _mark_read(self, user: Any, msg_ids: list[str]) -> list[Ref]:
        return self._change(user, "read", msg_ids, archive=False)

    def _mark_read_below(self, user: Any, position: int | None) -> int | None:
        top = "" if position is None else format_position(position)
        now = micros(timezone.now())
        highest = self._run([(user_pk(user), "read_below", [now, top])])[0]
        broadcasts = [
            one.id
            for one in self._broadcasts_for(user, archive=False)
            if not top or one.position < top
        ]
        read = self._mark_read(user, broadcasts) if broadcasts else []
        positions = [ref.position for ref in read] + ([highest] if highest else [])
        return int(max(positions), 16) if positions else None

    def _mark_unread(self, user: Any, msg_ids: list[str]) -> list[Ref]:
        ids = [msg_id for msg_id in msg_ids if _ID.fullmatch(msg_id)]
        return refs(self._run([(user_pk(user), "unread", ids)])[0]) if ids else []

    def _dismiss(self, user: Any, msg_ids: list[str]) -> list[Ref]:
        return self._change(user, "dismiss", msg_ids, archive=True)

    def _change(self, user: Any, operation: str, msg_ids: list[str], archive: bool) -> list[Ref]:
        ids = [msg_id for msg_id in msg_ids if _ID.fullmatch(msg_id)]
        if not ids:
            return []
        broadcasts = {one.id: one for one in self._broadcasts_for(user, archive)}
        arguments: list[Any] = [micros(timezone.now())]
        for msg_id in ids:
            one = broadcasts.get(msg_id)
            arguments += [msg_id, *((one.position, one.stamp, one.date) if one else ("", "", ""))]
        return refs(self._run([(user_pk(user), operation, arguments)])[0])

    # Keeping house.

    def cleanup(
        self, *, dry_run: bool = False, on_progress: Callable[[int], object] | None = None
    ) -> Cleanup:
        cleanup = RedisCleanup(
            self.client, self._script, cutoffs(), dry_run=dry_run, on_progress=on_progress
        )
        return cleanup.run()

    def forget_user(self, pk: Any) -> None:
        keys = owner_keys(owner_name(pk))
        run(self.client, [Command(keys[0], ("UNLINK", *keys))])

    def _flush(self) -> None:
        for keys in batches(all_keys(self.client, f"{PREFIX}*")):
            run(self.client, [Command(key, ("UNLINK", key)) for key in keys])

    # What the above is made of.

    def _run(
        self, calls: Iterable[tuple[Any, str, Sequence[Any]]], then: Iterable[Command] = ()
    ) -> list[Any]:
        """Run the script for each (user's key, operation, arguments), and other commands, in one pipeline."""
        until = cutoffs()
        return self._script.run(
            self.client,
            (
                (owner_keys(owner_name(pk)), [operation, *until, *arguments])
                for pk, operation, arguments in calls
            ),
            then,
        )

    def _broadcasts_for(self, user: Any, archive: bool) -> list[Broadcast]:
        """The broadcasts that a user may see, delivered or not."""
        return live(visible(all_broadcasts(self.client), user), archive=archive)

    def _contents(self, msg_ids: list[str]) -> dict[str, Any]:
        keys = map(content_key, msg_ids)
        texts = run(self.client, (Command(key, ("GET", key)) for key in keys))
        return {
            msg_id: None if text is None else json.loads(text)
            for msg_id, text in zip(msg_ids, texts, strict=True)
        }
