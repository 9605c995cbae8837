"""What a user has, as querysets, and sums over it.

What is unread is two sets that never overlap: the user's deliveries with ``read_at IS NULL``, and the broadcasts that
the user may see and has no delivery of.
"""

from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime
from datetime import timezone as datetime_timezone
from itertools import accumulate, zip_longest
from typing import Any

from django.conf import settings
from django.db.models import BigIntegerField, Count, Exists, Min, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.safestring import mark_safe

from stored_messages.expiry import archive_cutoff, inbox_cutoff
from stored_messages.links import safe_url
from stored_messages.models import Delivery, Message
from stored_messages.owners import among, joined_at, joined_dates, user_pk, users_by_pk
from stored_messages.positions import format_position
from stored_messages.stored import StoredMessage, Summary

#: Not of the keys, though they are as many: the indexes that cover a summary have no key in them.
_ROWS = Count("*")


def deliveries_of(user: Any, *, archive: bool = False) -> QuerySet[Delivery]:
    """Return the unread deliveries of a user, or all that are kept."""
    kept = Q(dismissed_at__isnull=True) if archive else Q(read_at__isnull=True)
    deliveries: QuerySet[Delivery] = Delivery.objects.filter(
        kept, _after(_cutoff(archive)), user=user_pk(user)
    )
    return deliveries


def read_deliveries_of(user: Any) -> QuerySet[Delivery]:
    """Return what a user can mark unread: read, kept, and young enough for the inbox."""
    deliveries: QuerySet[Delivery] = deliveries_of(user, archive=True).filter(
        _after(_cutoff(archive=False)), read_at__isnull=False
    )
    return deliveries


def broadcasts_of(user: Any, *, archive: bool = False) -> QuerySet[Message]:
    """Return the broadcasts that a user sees and has no delivery of: unread, or all that are kept.

    ``user`` is an instance: since when somebody sees broadcasts is theirs to say.
    """
    joined = joined_at(user)
    delivered = Delivery.objects.filter(message=OuterRef("pk"), user=user_pk(user))
    broadcasts: QuerySet[Message] = Message.objects.filter(
        Q() if joined is None else Q(sent_at__gte=joined),
        ~Exists(delivered),
        _after(_cutoff(archive)),
        broadcast=True,
    )
    return broadcasts


def total(*querysets: QuerySet[Any]) -> Summary:
    """Return the summary of what these hold: one query each."""
    unread = digest = 0
    for queryset in querysets:
        sums = queryset.aggregate(unread=_ROWS, digest=Sum("stamp"))
        unread += sums["unread"]
        digest += int(sums["digest"] or 0)
    return Summary(unread, digest)


def bulk_summaries(users: Iterable[Any]) -> dict[Any, Summary]:
    """Return the summaries of many users (instances), by primary key, in three queries.

    Broadcasts are few and users many: each user's are a suffix of them, in order of sending, less those the user has
    a delivery of. A fourth query is for those who have one of a broadcast before their suffix: since they touched it,
    somebody has moved the date they joined.
    """
    by_pk = users_by_pk(users)
    if not by_pk:
        return {}
    after = _after(_cutoff(archive=False))
    deliveries = Delivery.objects.filter(after, among(Delivery, "user", by_pk))
    # Rows as they are, and one new object a user: of thousands, the garbage collector would take notice.
    own = {row[0]: row for row in _sums_by_user(deliveries.filter(read_at__isnull=True))}
    broadcasts = list(
        Message.objects.filter(after, broadcast=True)
        .order_by("sent_at")
        .values_list("sent_at", "stamp", "date", "pk")
    )
    seen: dict[Any, Any] = {}
    if broadcasts:
        rows = _sums_by_user(deliveries.filter(broadcast=True), oldest=Min("date"))
        seen = {row[0]: row for row in rows}
    moments = [sent_at for sent_at, *_ in broadcasts]
    digest_before = [0, *accumulate(stamp for _, stamp, *_ in broadcasts)]
    youngest_date = list(accumulate((date for *_, date, _ in broadcasts), max))
    count, digest = len(broadcasts), digest_before[-1]
    summaries, first_of_strays = {}, {}
    firsts = (
        0 if joined is None or joined <= moments[0] else bisect_left(moments, joined)
        for joined in (joined_dates(by_pk.values()) if broadcasts else ())
    )
    for pk, first in zip_longest(by_pk, firsts, fillvalue=0):
        _, own_unread, own_digest = own.get(pk, _NO_SUMS)
        unread, total_digest = (
            own_unread + count - first,
            own_digest + digest - digest_before[first],
        )
        if pk in seen:
            _, seen_count, seen_digest, oldest = seen[pk]
            unread, total_digest = unread - seen_count, total_digest - seen_digest
            if first and oldest <= youngest_date[first - 1]:
                first_of_strays[pk] = first
        summaries[pk] = Summary(unread, total_digest)
    if first_of_strays:
        place = {message: index for index, (*_, message) in enumerate(broadcasts)}
        touched = Delivery.objects.filter(
            after, among(Delivery, "user", first_of_strays), broadcast=True
        )
        for pk, message, stamp in touched.values_list("user", "message", "stamp"):
            if place.get(message, len(broadcasts)) < first_of_strays[pk]:
                unread, digest = summaries[pk]
                summaries[pk] = Summary(unread + 1, digest + stamp)
    return summaries


def left_unread() -> datetime:
    """Return the ``read_at`` of a delivery that the cleanup took out of the inbox: nobody has read it.

    So it leaves the index of what is unread, and nothing that anybody can see changes.
    """
    epoch = datetime(1970, 1, 1, tzinfo=datetime_timezone.utc)
    return epoch if settings.USE_TZ else timezone.make_naive(epoch, datetime_timezone.utc)


def as_stored(message: Message, delivery: Delivery | None = None) -> StoredMessage:
    """Return a row, and its user's copy if there is one, as a StoredMessage."""
    own = delivery or message
    stored = StoredMessage(
        message.level,
        mark_safe(message.message) if message.safe else message.message,  # noqa: S308 (as its sender)
        message.extra_tags,
        url=safe_url(message.url),
        date=message.date,
        sent_at=message.sent_at,
        data=message.data,
        broadcast=message.broadcast,
        position=format_position(own.position),
        stamp=own.stamp,
    )
    stored.id = str(message.pk)
    stored.read_at = read_at_of(delivery) if delivery else None
    return stored


def read_at_of(delivery: Delivery) -> datetime | None:
    """Return when a delivery was read by its user."""
    moment: datetime | None = delivery.read_at
    return None if moment == left_unread() else moment


#: As a row: of whom, how many, and the sum of their stamps.
_NO_SUMS = (None, 0, 0)


def _sums_by_user(deliveries: QuerySet[Delivery], **more: Any) -> Any:
    """Return for each user: how many there are, the sum of their stamps, and ``more``."""
    # PostgreSQL sums up to a type without bounds, of which thousands take long to be read; this sum has some.
    digest = _ReadCast(Sum("stamp"), BigIntegerField())
    sums = (
        deliveries.order_by().values("user").annotate(unread=_ReadCount("*"), digest=digest, **more)
    )
    return sums.values_list("user", "unread", "digest", *more)


class _ReadAsItIs:
    """Not converted once more in Python, as Django does with each number: drivers give an integer as such."""

    output_field: Any

    def get_db_converters(self, connection: Any) -> list[Any]:
        converters: list[Any] = self.output_field.get_db_converters(connection)
        return converters


class _ReadCount(_ReadAsItIs, Count):
    pass


class _ReadCast(_ReadAsItIs, Cast):
    pass


def _cutoff(archive: bool) -> datetime | None:
    return archive_cutoff() if archive else inbox_cutoff()


def _after(cutoff: datetime | None) -> Q:
    return Q() if cutoff is None else Q(date__gt=cutoff)
