"""Dates as the project has them: aware with ``USE_TZ``, naive in the default time zone without."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone


def as_project_date(moment: datetime) -> datetime:
    """Return the same moment as ``timezone.now()`` would give it. A naive one is in the current time zone."""
    if settings.USE_TZ:
        return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
    return moment if timezone.is_naive(moment) else timezone.make_naive(moment)


def as_aware_date(moment: datetime) -> datetime:
    """Return the same moment with a time zone."""
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
