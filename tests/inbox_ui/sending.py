"""How the tests send, and look at what arrived."""

from datetime import timedelta

from django.utils import timezone

from stored_messages import STORED_INFO, StoredMessage, positions


def draft(text="Hello", level=STORED_INFO, **fields):
    return StoredMessage.draft(level, text, **fields)


def ago(days):
    return timezone.now() - timedelta(days=days)


def sent_days_ago(days, text="Hello", **fields):
    """A draft as it was made so many days ago: sent then, with a position of then."""
    moment = ago(days)
    message = draft(text, **{"date": moment, **fields})
    message.sent_at = moment
    message.position = positions.format_position(positions.position_at(moment, 0))
    return message


def texts(messages):
    return [str(message.message) for message in messages]


def inbox(backend, user):
    return texts(backend.inbox_list(user))


def archive(backend, user):
    return texts(backend.archive_list(user))
