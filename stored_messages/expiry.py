"""From which date on a message still counts."""

from datetime import datetime, timedelta

from django.utils import timezone

from stored_messages.conf import app_settings

#: What nobody owns is deleted when it is this old: until then its owner, or the rest of it, may be on its way.
OWNERLESS_AFTER = timedelta(days=1)


def archive_cutoff(now: datetime | None = None) -> datetime | None:
    """Return the date at and before which a message is gone, ``None`` if none ever is."""
    return _cutoff(now, app_settings.MESSAGE_EXPIRE_DAYS)


def inbox_cutoff(now: datetime | None = None) -> datetime | None:
    """Return the date at and before which a message is out of the inbox, ``None`` if none ever is."""
    days = [
        days
        for days in (app_settings.INBOX_EXPIRE_DAYS, app_settings.MESSAGE_EXPIRE_DAYS)
        if days is not None
    ]
    return _cutoff(now, min(days, default=None))


def is_gone(date: datetime, now: datetime | None = None) -> bool:
    """Whether a message of this date has expired for good."""
    return _is_past(date, archive_cutoff(now))


def has_left_inbox(date: datetime) -> bool:
    """Whether nobody's inbox shows a message of this date, however unread it is."""
    return _is_past(date, inbox_cutoff())


def _is_past(date: datetime, cutoff: datetime | None) -> bool:
    return cutoff is not None and date <= cutoff


def _cutoff(now: datetime | None, days: int | None) -> datetime | None:
    return None if days is None else (now or timezone.now()) - timedelta(days=days)
