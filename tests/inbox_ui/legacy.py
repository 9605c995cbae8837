"""A backend as one was written for 1.4.0: in memory, with its interface and nothing newer."""

from types import SimpleNamespace

from django.utils import timezone

from stored_messages.backends.base import StoredMessagesBackend
from stored_messages.backends.exceptions import MessageDoesNotExist

PATH = f"{__name__}.LegacyBackend"


class LegacyBackend(StoredMessagesBackend):
    inboxes: dict = {}
    archives: dict = {}
    cleaned = 0
    made = 0

    def create_message(self, level, msg_text, extra_tags="", date=None, url=None):
        type(self).made += 1
        return SimpleNamespace(
            id=self.made,
            message=msg_text,
            level=level,
            tags=extra_tags,
            date=date or timezone.now(),
            url=url,
        )

    def inbox_list(self, user):
        return list(self.inboxes.get(user.pk, ()))

    def inbox_purge(self, user):
        self.inboxes.pop(user.pk, None)

    def inbox_store(self, users, msg_instance):
        for user in users:
            self.inboxes.setdefault(user.pk, []).append(msg_instance)

    def inbox_get(self, user, msg_id):
        for message in self.inbox_list(user):
            if str(message.id) == str(msg_id):
                return message
        raise MessageDoesNotExist

    def inbox_delete(self, user, msg_id):
        self.inboxes[user.pk].remove(self.inbox_get(user, msg_id))

    def archive_store(self, users, msg_instance):
        for user in users:
            self.archives.setdefault(user.pk, []).append(msg_instance)

    def archive_list(self, user):
        return list(self.archives.get(user.pk, ()))

    def can_handle(self, msg_instance):
        return isinstance(msg_instance, SimpleNamespace)

    def expired_messages_cleanup(self):
        type(self).cleaned += 1

    def _flush(self):
        self.inboxes.clear()
        self.archives.clear()


class NoCleanup(LegacyBackend):
    def expired_messages_cleanup(self):
        raise NotImplementedError("There is no cleanup here.")
