"""Backends as their authors wrote them for 1.4.0: its documented methods, exceptions and signals, and nothing newer.

They are strict about what they are given: 1.4.0 gave them users, their own messages, and ids as they had made them.
"""

from itertools import count
from uuid import uuid4

from django.contrib.auth.models import User
from django.utils import timezone

from stored_messages.backends.base import StoredMessagesBackend
from stored_messages.backends.exceptions import MessageDoesNotExist, MessageTypeNotSupported
from stored_messages.backends.signals import (
    archive_stored,
    inbox_deleted,
    inbox_purged,
    inbox_stored,
)


class OwnMessage:
    def __init__(self, pk, message, level, tags, date, url):
        self.id = pk
        self.message = message
        self.level = level
        self.tags = tags
        self.date = date
        self.url = url

    def __str__(self):
        return self.message


class DictBackend(StoredMessagesBackend):
    """Dictionaries of lists, with integers for ids. As in 1.4.0, nothing folds what is stored twice."""

    id_type = int
    sends_signals = False

    def __init__(self):
        self._flush()

    def create_message(self, level, msg_text, extra_tags="", date=None, url=None):
        return OwnMessage(self._new_id(), msg_text, level, extra_tags, date or timezone.now(), url)

    def inbox_list(self, user):
        return list(self._inboxes.get(self._key(user), []))

    def inbox_purge(self, user):
        self._inboxes.pop(self._key(user), None)
        self._send(inbox_purged, user=user)

    def inbox_store(self, users, msg_instance):
        self._store(self._inboxes, inbox_stored, users, msg_instance)

    def inbox_delete(self, user, msg_id):
        self._inboxes[self._key(user)].remove(self.inbox_get(user, msg_id))
        self._send(inbox_deleted, user=user, message_id=msg_id)

    def inbox_get(self, user, msg_id):
        assert type(msg_id) is self.id_type
        for message in self.inbox_list(user):
            if message.id == msg_id:
                return message
        raise MessageDoesNotExist(f"Message with id {msg_id} does not exist")

    def archive_store(self, users, msg_instance):
        self._store(self._archives, archive_stored, users, msg_instance)

    def archive_list(self, user):
        return list(self._archives.get(self._key(user), []))

    def can_handle(self, msg_instance):
        return isinstance(msg_instance, OwnMessage)

    def expired_messages_cleanup(self):
        self.cleaned_up = True

    def _flush(self):
        self._numbers, self._inboxes, self._archives = count(1), {}, {}
        self.cleaned_up = False

    def _new_id(self):
        return next(self._numbers)

    def _key(self, user):
        assert isinstance(user, User)
        return user.pk

    def _store(self, lists, signal, users, message):
        if not self.can_handle(message):
            raise MessageTypeNotSupported
        for user in users:
            lists.setdefault(self._key(user), []).append(message)
            self._send(signal, user=user, message=message)

    def _send(self, signal, **kwargs):
        if self.sends_signals:
            signal.send(sender=self.__class__, **kwargs)


class TextIdsBackend(DictBackend):
    """Text for ids, and 1.4.0's signals."""

    id_type = str
    sends_signals = True

    def _new_id(self):
        return uuid4().hex
