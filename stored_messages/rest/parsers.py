"""Parsers of the REST API."""

import io
from collections.abc import Mapping
from typing import IO, Any

from django.http import HttpRequest
from django.utils.http import parse_header_parameters
from rest_framework import parsers
from rest_framework.exceptions import ParseError
from rest_framework.request import Request


class JSONParser(parsers.JSONParser):
    """Refuses what is larger than Django allows, and what is nested too deeply as it refuses what is no JSON."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return super().parse(_within_limits(stream), media_type, parser_context)
        except RecursionError as error:
            raise ParseError("JSON parse error - nested too deeply") from error


class FormParser(parsers.FormParser):
    """Refuses what is larger than Django allows."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return super().parse(_within_limits(stream), media_type, parser_context)


def _within_limits(stream: Any) -> Any:
    """The whole body. Raises ``RequestDataTooBig``, which not every supported REST framework does by itself."""
    return io.BytesIO(stream.body) if isinstance(stream, HttpRequest) else stream


def refuse_form_without_fields(request: Request) -> None:
    """Refuse multipart content that has no single field though it is not empty, as a wrong boundary leaves it.

    Not a parser's task: Django has parsed the form already when it looked for the CSRF token in it.
    """
    kind, parameters = parse_header_parameters(request.content_type or "")
    if kind != "multipart/form-data" or request.data:
        return
    if int(request.META.get("CONTENT_LENGTH") or 0) > len(f"--{parameters['boundary']}--\r\n"):
        raise ParseError("Multipart form parse error - no field")
