"""What the operations of the OpenAPI schema share: components, parameters, headers and refusals."""

from typing import Any

from django.conf import settings
from django.http.request import HttpHeaders
from drf_spectacular.extensions import (
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.settings import api_settings

from stored_messages.rest.serializers import MessageSerializer, PageSerializer, SeenSerializer
from stored_messages.rest.views import CSRF_HEADER, USER_HEADER

_POSITION = "^[0-7][0-9a-f]{15}$"
_POSITION_OR_EMPTY = "^([0-7][0-9a-f]{15})?$"
_TEXT = {"type": "string", "pattern": "^[^\\u0000]*$"}


class ProblemSerializer(serializers.Serializer[Any]):
    """Why a request was refused."""

    detail = serializers.CharField()


class _Problem(OpenApiSerializerExtension):
    target_class = ProblemSerializer

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        return "StoredMessagesProblem"


class _Message(OpenApiSerializerExtension):
    target_class = MessageSerializer

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        return "StoredMessage"


class _Seen(OpenApiSerializerExtension):
    target_class = SeenSerializer

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        return "StoredMessagesSeen"

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema = super().map_serializer(auto_schema, direction)
        ids = {**schema["properties"]["ids"], "items": {"anyOf": [_TEXT, {"type": "number"}]}}
        properties = {**schema["properties"], "ids": ids}
        return {**schema, "properties": properties, "additionalProperties": False}


class _Position(OpenApiSerializerFieldExtension):
    target_class = "stored_messages.rest.serializers.PositionField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        return {"type": "string", "pattern": _POSITION}


def path_id() -> OpenApiParameter:
    text = {"type": "string", "pattern": "^[^/]+$"}
    name = "id" if api_settings.SCHEMA_COERCE_PATH_PK else "pk"
    return OpenApiParameter(name, text, OpenApiParameter.PATH, description="That of a message.")


def page_parameters() -> list[Any]:
    """Which part of a list is asked for; an empty value is none, as a form sends it."""
    cursor = OpenApiParameter(
        "cursor",
        {"type": "string", "pattern": _POSITION_OR_EMPTY},
        description="A `position`: only what is below it. As the `Link` of a page has it.",
    )
    return [PageSerializer, cursor]


def seen_form() -> dict[str, Any]:
    """The body of `mark_all_read` as a form has it: no null, and the token of Django's templates."""
    described = SeenSerializer().fields
    return {
        "type": "object",
        "properties": {
            "ids": {"type": "array", "items": _TEXT, "description": described["ids"].help_text},
            "before": {
                "type": "string",
                "pattern": _POSITION_OR_EMPTY,
                "description": described["before"].help_text,
            },
            "csrfmiddlewaretoken": {"type": "string"},
        },
        "additionalProperties": False,
    }


def action_headers() -> list[OpenApiParameter]:
    """What a client sends along with what changes something."""
    return [
        OpenApiParameter(
            USER_HEADER,
            str,
            OpenApiParameter.HEADER,
            description="Whom the action is meant for, as a list said; of anybody else it is refused.",
        ),
        OpenApiParameter(
            _csrf_header(),
            str,
            OpenApiParameter.HEADER,
            description=f"The `{CSRF_HEADER}` of a list; needed by whoever signs in with a session.",
        ),
    ]


def list_headers(*statuses: int) -> list[OpenApiParameter]:
    def header(
        name: str,
        kind: Any,
        description: str,
        required: bool = True,
        of: tuple[int, ...] = statuses,
    ) -> OpenApiParameter:
        return OpenApiParameter(
            name,
            kind,
            OpenApiParameter.HEADER,
            required=required,
            description=description,
            response=list(of),
        )

    number = {"type": "integer", "minimum": 0}
    return [
        header(USER_HEADER, str, "The opaque key of whose inbox this is."),
        header("X-Unread-Count", number, "How many messages are unread, on all pages."),
        header("X-Unread-Digest", number, "The sum of the `stamp` of all unread messages."),
        header("X-Poll-Interval", number, "Seconds to wait before asking again."),
        header(CSRF_HEADER, str, "The CSRF token, for whoever signs in with a session.", False),
        header("Link", str, '`<url>; rel="next"`, when there are older ones.', False, (200,)),
    ]


def problem(description: str) -> OpenApiResponse:
    return OpenApiResponse(ProblemSerializer, description)


def not_found() -> OpenApiResponse:
    return problem("This user has no such message.")


def invalid() -> OpenApiResponse:
    """What is wrong in which field (of lists: at which place), or why nothing could be parsed."""
    texts = {"type": "array", "items": {"type": "string"}}
    places = {"type": "object", "additionalProperties": texts}
    fields = {"oneOf": [texts, places, {"type": "string"}]}
    return OpenApiResponse(
        {"type": "object", "additionalProperties": fields},
        "What is wrong, by the name of each field; or `detail` for what cannot be parsed.",
    )


def done(key: str, text: str) -> OpenApiResponse:
    schema = {
        "type": "object",
        "properties": {key: {"type": "string", "example": text}},
        "required": [key],
    }
    return OpenApiResponse(schema, "Done.")


def _csrf_header() -> str:
    name = HttpHeaders.parse_header_name(settings.CSRF_HEADER_NAME) or CSRF_HEADER
    return CSRF_HEADER if name.lower() == CSRF_HEADER.lower() else name
