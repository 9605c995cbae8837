"""The OpenAPI schema of the REST API, for projects that use drf-spectacular.

The URLs load it when ``drf_spectacular`` is in ``INSTALLED_APPS``; nothing else does.
"""

from typing import Any

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework.views import APIView

from stored_messages.rest.schema_parts import (
    action_headers,
    done,
    invalid,
    list_headers,
    not_found,
    page_parameters,
    path_id,
    problem,
    seen_form,
)
from stored_messages.rest.serializers import MessageSerializer, SeenSerializer
from stored_messages.throttling import throttle_classes


class Described(OpenApiViewExtension):
    """Describes each method of one of our views when a schema is made."""

    match_subclasses = True

    def view_replacement(self) -> type[APIView]:
        described: type[APIView] = extend_schema_view(**self.operations())(
            type(self.target.__name__, (self.target,), {})
        )
        return described

    def operations(self) -> dict[str, Any]:
        """How each method is described, by its name."""
        raise NotImplementedError


class InboxList(Described):
    target_class = "stored_messages.rest.views.InboxListView"

    def operations(self) -> dict[str, Any]:
        known = OpenApiParameter(
            "If-None-Match", str, OpenApiParameter.HEADER, description="The `ETag` of before."
        )
        tag = OpenApiParameter(
            "ETag",
            str,
            OpenApiParameter.HEADER,
            required=True,
            response=[200, 304],
            description="Changes when the inbox does.",
        )
        return {
            "get": _operation(
                "inbox_list",
                "List the inbox",
                "The unread messages, newest first.",
                {
                    200: OpenApiResponse(MessageSerializer(many=True), "One page."),
                    304: OpenApiResponse(None, "Nothing changed since that `ETag`."),
                    400: invalid(),
                },
                [*page_parameters(), known, tag, *list_headers(200, 304)],
            )
        }


class ArchiveList(Described):
    target_class = "stored_messages.rest.views.ArchiveListView"

    def operations(self) -> dict[str, Any]:
        return {
            "get": _operation(
                "archive_list",
                "List the archive",
                "Everything the user got and did not dismiss, read or not, newest first.",
                {
                    200: OpenApiResponse(MessageSerializer(many=True), "One page."),
                    400: invalid(),
                },
                [*page_parameters(), *list_headers(200)],
            )
        }


class InboxDetail(Described):
    target_class = "stored_messages.rest.views.InboxDetailView"

    def operations(self) -> dict[str, Any]:
        return {
            "get": _operation(
                "inbox_retrieve",
                "Get a message of the inbox",
                "One unread message.",
                {200: OpenApiResponse(MessageSerializer, "The message."), 404: not_found()},
                [path_id()],
            )
        }


class ArchiveDetail(Described):
    target_class = "stored_messages.rest.views.ArchiveDetailView"

    def operations(self) -> dict[str, Any]:
        return {
            "get": _operation(
                "archive_retrieve",
                "Get a message",
                "One message, read or not.",
                {200: OpenApiResponse(MessageSerializer, "The message."), 404: not_found()},
                [path_id()],
            ),
            "delete": _action(
                "archive_dismiss",
                "Dismiss a message",
                "Remove it from this user's inbox and archive.",
                {204: OpenApiResponse(None, "It is gone."), 404: not_found()},
                [path_id()],
            ),
        }


class Read(Described):
    target_class = "stored_messages.rest.views.ReadView"

    def operations(self) -> dict[str, Any]:
        return {
            "post": _action(
                "inbox_read",
                "Mark a message read",
                "Doing so again changes nothing.",
                {200: done("status", "message marked as read"), 404: not_found()},
                [path_id()],
            )
        }


class Unread(Described):
    target_class = "stored_messages.rest.views.UnreadView"

    def operations(self) -> dict[str, Any]:
        return {
            "post": _action(
                "inbox_unread",
                "Mark a message unread",
                "Doing so again changes nothing.",
                {200: done("status", "message marked as unread"), 404: not_found()},
                [path_id()],
            )
        }


class MarkAllRead(Described):
    target_class = "stored_messages.rest.views.MarkAllReadView"

    def operations(self) -> dict[str, Any]:
        return {
            "post": _action(
                "mark_all_read",
                "Mark everything read, or what was seen",
                "Without a body: everything. With one: the `ids` that were shown, and everything strictly below "
                "the position `before`, so that what arrived meanwhile stays unread.",
                {
                    200: done("message", "All messages read"),
                    400: invalid(),
                    415: problem("The body is neither JSON nor a form."),
                },
                request={
                    "application/json": SeenSerializer,
                    "application/x-www-form-urlencoded": seen_form(),
                    "multipart/form-data": seen_form(),
                },
            )
        }


def _operation(
    name: str,
    summary: str,
    description: str,
    responses: dict[int, OpenApiResponse],
    parameters: list[Any] | None = None,
    *,
    request: Any = None,
) -> Any:
    more = {
        403: problem("Nobody is signed in, or not rightly."),
        406: problem("The client accepts no JSON."),
    }
    if throttle_classes():
        more[429] = problem("Too many requests; `Retry-After` says for how many seconds.")
    return extend_schema(
        operation_id=f"stored_messages_{name}",
        summary=summary,
        description=description,
        tags=["stored_messages"],
        request=request,
        responses=dict(sorted({**responses, **more}.items())),
        parameters=parameters,
    )


def _action(
    name: str,
    summary: str,
    description: str,
    responses: dict[int, OpenApiResponse],
    parameters: list[Any] | None = None,
    *,
    request: Any = None,
) -> Any:
    refused = {409: problem("`X-Inbox-User` names another user; nothing was done.")}
    return _operation(
        name,
        summary,
        description,
        {**responses, **refused},
        [*(parameters or []), *action_headers()],
        request=request,
    )
