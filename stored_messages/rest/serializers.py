"""Serializers of the REST API."""

from typing import Any

from rest_framework import serializers

from stored_messages.positions import parse_position
from stored_messages.representation import represent
from stored_messages.stored import StoredMessage

MAX_SHOWN = 5000


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


class MessageSerializer(serializers.Serializer[StoredMessage]):
    """A message, the same as in frames of the socket."""

    # They say what `represent` gives.
    id = serializers.CharField(help_text="Opaque.")
    message = serializers.CharField(help_text="The text as stored; may contain HTML.")
    text = serializers.CharField(help_text="The plain text to show.")
    level = serializers.IntegerField(
        help_text="11 debug, 21 info, 26 success, 31 warning, 41 error; the project may have others."
    )
    level_tag = serializers.CharField(
        allow_blank=True, help_text="Of that level, such as `persisted info`."
    )
    tags = serializers.CharField(
        allow_blank=True, help_text="`extra_tags` and `level_tag`, as Django joins them."
    )
    extra_tags = serializers.CharField(allow_blank=True, help_text="The sender's own.")
    date = serializers.DateTimeField(help_text="When it happened, in UTC.")
    url = serializers.CharField(
        allow_null=True, help_text="Where it leads: http(s), or a path of this site."
    )
    data = serializers.DictField(help_text="The application's own.")  # type: ignore[assignment]
    position = PositionField(help_text="The order of arrival: compare as text.")
    stamp = serializers.IntegerField(
        min_value=1, max_value=2**32 - 1, help_text="What it adds to the digest while it is unread."
    )
    broadcast = serializers.BooleanField(help_text="Whether everybody got it.")
    read_at = serializers.DateTimeField(
        allow_null=True, help_text="When this user read it; null: not yet."
    )

    def to_representation(self, instance: StoredMessage) -> dict[str, Any]:
        return represent(instance)


class PageSerializer(serializers.Serializer[Any]):
    """Which part of a list is asked for."""

    limit = serializers.IntegerField(
        min_value=1, max_value=100, default=20, help_text="How many at most."
    )
    cursor = PositionField(
        required=False, default=None, help_text="A `position`; only what is below it."
    )


class SeenSerializer(serializers.Serializer[Any]):
    """What a user had seen when marking all read: the ids shown, and the position below which all is meant."""

    ids = serializers.ListField(
        child=serializers.CharField(allow_blank=True),
        max_length=MAX_SHOWN,
        default=None,
        help_text="Of the messages that were shown.",
    )
    before = PositionField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Everything strictly below this `position` is meant too; null: nothing is.",
    )

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
