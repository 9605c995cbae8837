"""How 1.4.0 stores a message for some users: user by user it looks for a row and makes one, in two tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, models


class Message(models.Model):
    message = models.TextField()
    level = models.IntegerField()
    tags = models.TextField()
    date = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "predecessor"

    def __str__(self) -> str:
        return self.message


class Copy(models.Model):
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    message = models.ForeignKey(Message, models.CASCADE, related_name="+")

    class Meta:
        abstract = True
        app_label = "predecessor"

    def __str__(self) -> str:
        return f"{self.message_id} to {self.user_id}"


class MessageArchive(Copy):
    class Meta(Copy.Meta):
        abstract = False


class Inbox(Copy):
    class Meta(Copy.Meta):
        abstract = False


@contextmanager
def tables() -> Iterator[None]:
    with connection.schema_editor() as editor:
        for model in (Message, MessageArchive, Inbox):
            editor.create_model(model)
    yield
    with connection.schema_editor() as editor:
        for model in (Inbox, MessageArchive, Message):
            editor.delete_model(model)


def add_message_for(users: Any, level: int, text: str) -> None:
    message = Message.objects.create(message=text, level=level, tags="")
    for model in (MessageArchive, Inbox):
        for user in users:
            model.objects.get_or_create(user=user, message=message)
