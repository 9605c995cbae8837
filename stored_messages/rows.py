"""How the inbox page shows a message: what can be done to it, by which sign it is known, how its date is written."""

import re
from datetime import datetime
from typing import NamedTuple

from django.contrib.messages import constants
from django.utils import timezone

from stored_messages.expiry import inbox_cutoff
from stored_messages.links import safe_url
from stored_messages.stored import Page, StoredMessage

_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"
#: What has no place of its own: accents, what makes a picture of a sign, skin tones, the letters of a flag.
_MARK = "[\u0300-\u036f\u20d0-\u20ff\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
_JOINED = "\u200d[^\x00-\x7f]"
#: To the eye one sign, of whatever many code points.
_SIGN = re.compile(f"({_FLAG}|.)({_MARK}|{_JOINED})*")

#: From the most severe down: a level is of the first kind that it reaches.
_KINDS = (
    (constants.ERROR, "error"),
    (constants.WARNING, "warning"),
    (constants.SUCCESS, "success"),
    (constants.INFO, "info"),
)


class Row(NamedTuple):
    """A message of the page.

    ``can_be_unread``: it is read, and not too old for the inbox. ``leads_away``: its link is not a path of this site.
    ``title`` is the sender's, empty where it is none or blank. ``kind`` is that of its level, ``error`` to ``debug``.
    ``icon`` is the sender's own sign, such as an emoji, and ``picture`` the address of one; both may be empty.
    ``date_format`` is the name of one of Django's formats: short where the date is near.
    """

    message: StoredMessage
    is_unread: bool
    can_be_unread: bool
    leads_away: bool
    title: str
    kind: str
    icon: str
    picture: str
    date_format: str


def rows_of(page: Page) -> list[Row]:
    cutoff = inbox_cutoff()
    today = _local(timezone.now())
    return [_row(message, cutoff, today) for message in page.messages]


def _row(message: StoredMessage, cutoff: datetime | None, today: datetime) -> Row:
    is_recent = cutoff is None or message.date > cutoff
    is_read = message.read_at is not None
    icon, picture = _own_sign(_said(message.data.get("icon")))
    return Row(
        message,
        is_unread=is_recent and not is_read,
        can_be_unread=is_recent and is_read,
        leads_away=bool(message.url) and not str(message.url).startswith("/"),
        title=_said(message.data.get("title")),
        kind=next((kind for least, kind in _KINDS if message.level >= least), "debug"),
        icon=icon,
        picture=picture,
        date_format=_date_format(_local(message.date), today),
    )


def _said(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _own_sign(own: str) -> tuple[str, str]:
    """The sender's sign or picture by the rules of the bell; neither where it is something else."""
    if re.match(r"(https?:/)?/[^/]", own):
        return "", safe_url(own) or ""
    is_letter = re.fullmatch(r"[\w/]", own, re.ASCII)
    return (own, "") if _SIGN.fullmatch(own) and not is_letter else ("", "")


def _date_format(date: datetime, today: datetime) -> str:
    if date.date() == today.date():
        return "TIME_FORMAT"
    return "MONTH_DAY_FORMAT" if date.year == today.year else "DATE_FORMAT"


def _local(moment: datetime) -> datetime:
    """As a template shows it."""
    return timezone.localtime(moment) if timezone.is_aware(moment) else moment
