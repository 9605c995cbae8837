"""1.4.0's Redis backend, as far as it wrote."""

import hashlib
import json

from django.utils import timezone


class LegacyStore:
    def __init__(self, client):
        self.client = client

    def message(self, text="Hello", date=None, *, level=21, tags="", url=None):
        date = date or timezone.now()
        said = date.isoformat()
        if date.microsecond:
            said = said[:23] + said[26:]
        said = said.replace("+00:00", "Z")
        digest = hashlib.sha256((said + text).encode("ascii", "ignore")).hexdigest()
        return {
            "id": digest,
            "message": text,
            "level": level,
            "tags": tags,
            "date": said,
            "url": url,
        }

    def inbox(self, user, *messages):
        """Leave unread messages, which 1.4.0 archived too."""
        self.raw(f"user:{user.pk}:notifications", *map(json.dumps, messages))
        self.client.sadd(
            f"user:{user.pk}:notificationsidx", *(message["id"] for message in messages)
        )
        self.archive(user, *messages)

    def archive(self, user, *messages):
        self.raw(f"user:{user.pk}:archive", *map(json.dumps, messages))

    def raw(self, key, *entries):
        self.client.rpush(key, *entries)
