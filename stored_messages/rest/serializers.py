"""Serializers of the REST API."""

from typing import Any

from rest_framework import serializers

from stored_messages.positions import parse_position
from stored_messages.representation import represent
from stored_messages.stored import StoredMessage

MAX_SHOWN = 5000


class MessageSerializer(serializers.BaseSerializer[StoredMessage]):
    """A message as frames carry it too."""

    def to_representation(self, instance: StoredMessage) -> dict[str, Any]:
        return represent(instance)


class PositionField(serializers.CharField):
    """A position as lists give it."""

    default_error_messages = {"position": "Not a position of this inbox."}

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            parse_position(text)
        except ValueError:
            self.fail("position")
        return text


class PageSerializer(serializers.Serializer[Any]):
    """Which part of a list is asked for."""

    limit = serializers.IntegerField(min_value=1, max_value=100, default=20)
    cursor = PositionField(required=False, default=None)


class SeenSerializer(serializers.Serializer[Any]):
    """What a user had seen when marking all read: the ids shown, and the position below which all is meant."""

    ids = serializers.ListField(child=serializers.CharField(), max_length=MAX_SHOWN, default=None)
    before = PositionField(required=False, allow_null=True, default=None)
