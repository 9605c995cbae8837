"""What a project may have in the tables of 1.4.0, and what it must have after the upgrade."""

import random
from datetime import datetime, timedelta
from datetime import timezone as datetime_timezone
from typing import NamedTuple

from stored_messages.links import safe_url
from tests.upgrade import tables

NOW = datetime.now(datetime_timezone.utc).replace(microsecond=123456)

MESSAGES = (
    # id, message, level, tags, date, url
    (1, "Plain", 21, "", NOW, None),
    (2, "Tagged <b>html</b> & 'quotes' \"too\" 100% {}", 26, "one two", NOW, "/relative/?a=1#b"),
    (3, "\U0001f980 \u0639\u0631\u0628\u064a e\u0301 \u202e", 31, "\U0001f980", NOW, ""),
    (4, "", 41, "", NOW, "https://example.com/"),
    (5, "Any level", -7, "", NOW, "HTTP://EXAMPLE.COM/a"),
    (6, "From the past", 21, "", datetime(1, 1, 2, tzinfo=datetime_timezone.utc), None),
    (
        7,
        "From the future",
        21,
        "",
        datetime(9999, 12, 30, 23, 59, tzinfo=datetime_timezone.utc),
        None,
    ),
    (8, "Long\n" * 5_000, 21, "t" * 3_000, NOW, "https://example.com/" + "u" * 180),
    (9, "Script", 21, "", NOW, "javascript:alert(1)"),
    (10, "Script, hidden", 21, "", NOW, " \tJaVaScRiPt:alert(1)"),
    (11, "Another host", 21, "", NOW, "//example.com/"),
    (12, "Another host, hidden", 21, "", NOW, "/\\example.com/"),
    (13, "Data", 21, "", NOW, "data:text/html,<script>alert(1)</script>"),
    (14, "Nobody has it", 21, "", NOW, None),
    (1_000, "After a gap", 21, "", NOW - timedelta(days=1), None),
    (2_000_000_000, "After a large gap", 21, "", NOW - timedelta(days=2), None),
)
USERS = (1, 2, 3, 7, 4_000)
ARCHIVE = (
    *((message[0], 1) for message in MESSAGES if message[0] != 14),
    *((message, 2) for message in (1, 2, 3)),
    # Stored again and again.
    *[(2, 3)] * 3,
    (1_000, 7),
    (2_000_000_000, 4_000),
)
INBOX = (
    *((message, 1) for message in (1, 3, 7, 9, 1_000)),
    # Twice; and what is in no archive.
    *[(2, 3)] * 2,
    (4, 7),
    *[(5, 7)] * 2,
)


class Content(NamedTuple):
    messages: list
    archive: list
    inbox: list

    def create(self):
        """Write it into the tables of 1.4.0."""
        users = sorted({user for _, user in (*self.archive, *self.inbox)} | set(USERS))
        columns = ("id", "username", "password", "first_name", "last_name", "email", "is_superuser")
        columns += ("is_staff", "is_active", "date_joined")
        joined = NOW - timedelta(days=365)
        rows = [(pk, f"u{pk}", "!", "", "", "", False, False, True, joined) for pk in users]
        tables.insert("auth_user", columns, rows)
        columns = ("id", "message", "level", "tags", "date", "url")
        tables.insert("stored_messages_message", columns, self.messages)
        for table, copies in (("messagearchive", self.archive), ("inbox", self.inbox)):
            tables.insert(f"stored_messages_{table}", ("message_id", "user_id"), copies)

    @property
    def kept_messages(self):
        """The messages as they must be afterwards: without urls that no message may have."""
        return {
            pk: (text, level, tags, date, url if safe_url(url) else None)
            for pk, text, level, tags, date, url in self.messages
        }

    @property
    def unread(self):
        return {(user, message) for message, user in self.inbox}

    @property
    def received(self):
        return {(user, message) for message, user in self.archive} | self.unread


AWKWARD = Content(list(MESSAGES), list(ARCHIVE), list(INBOX))


def many():
    """As much as several batches hold; what is unread is spread over them."""
    generator = random.Random(1)
    messages = [
        (pk, f"Message {pk}", 21, "", NOW - timedelta(seconds=20_000 - pk), None)
        for pk in range(3, 24_003, 2)
    ]
    archive = [(message[0], generator.randrange(1, 40)) for message in messages]
    archive += generator.choices(archive, k=500)
    inbox = generator.sample(archive, 5_500) + [(message[0], 50) for message in messages[:300]]
    return Content(messages, archive, inbox)
