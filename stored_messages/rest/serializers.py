"""Serializers of the REST API."""

from typing import Any

from rest_framework import serializers

from stored_messages.positions import parse_position
from stored_messages.representation import represent
from stored_messages.stored import StoredMessage

MAX_SHOWN = 5000


class MessageSerializer(serializers.Serializer[StoredMessage]):
    """A message as frames carry it too. The fields say what :func:`represent` gives."""

    id = serializers.CharField(help_text="Opaque.")
    message = serializers.CharField(help_text="The text as stored; may contain HTML.")
    text = serializers.CharField(help_text="The plain text to show.")
    level = serializers.IntegerField()
    level_tag = serializers.CharField(allow_blank=True)
    tags = serializers.CharField(allow_blank=True)
    extra_tags = serializers.CharField(allow_blank=True)
    date = serializers.DateTimeField()
    url = serializers.CharField(allow_null=True, help_text="http(s), or a path of this site.")
    data = serializers.DictField(help_text="The application's own.")  # type: ignore[assignment]
    position = serializers.CharField(help_text="Order of arrival: compares as text.")
    stamp = serializers.IntegerField(min_value=1, max_value=2**32 - 1)
    broadcast = serializers.BooleanField()
    read_at = serializers.DateTimeField(allow_null=True)

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

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Nothing named means everything; ``before`` alone, ``null`` too, names what it says.

        A misspelt name must not mean everything. The token of a form is no name of ours.
        """
        unknown = set(self.initial_data) - {*self.fields, "csrfmiddlewaretoken"}
        if unknown:
            raise serializers.ValidationError(dict.fromkeys(sorted(unknown), "Unknown."))
        if attrs["ids"] is None and "before" in self.initial_data:
            attrs["ids"] = []
        return attrs
