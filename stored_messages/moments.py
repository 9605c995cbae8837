"""Dates as the project has them: aware with ``USE_TZ``, naive in the default time zone without."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone


def as_project_date(moment: datetime) -> datetime:
    """Return the same moment as ``timezone.now()`` would give it. A naive one is in the current time zone."""
    is_naive = timezone.is_naive(moment)
    if is_naive != settings.USE_TZ:
        return moment
    return timezone.make_aware(moment) if is_naive else timezone.make_naive(moment)


def clean_date(moment: Any) -> datetime | None:
    """Return a sender's date as the project has them, ``None`` for none.

    Raises ``TypeError`` for what is no datetime, and ``ValueError`` for one of the first or the last year: stores
    and templates convert it, and in some time zone there may be no such moment.
    """
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        raise TypeError(f"date must be a datetime, got {type(moment).__name__}.")
    if not 2 <= moment.year <= 9998:
        raise ValueError(f"date must be of the years 2 to 9998, got {moment}.")
    return as_project_date(moment)


def within_time(moment: datetime) -> datetime:
    """Return an old store's date as :func:`clean_date` would take it: in the years 2 to 9998."""
    return moment.replace(year=min(max(moment.year, 2), 9998))


def as_aware_date(moment: datetime) -> datetime:
    """Return the same moment with a time zone."""
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
