"""The REST API of the signed-in user's own inbox."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import APIException, NotFound, ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from stored_messages import api
from stored_messages.adoption import adopt
from stored_messages.exceptions import MessageDoesNotExist
from stored_messages.owners import is_owner_key
from stored_messages.rest.parsers import FormParser, JSONParser, refuse_form_without_fields
from stored_messages.rest.serializers import MessageSerializer, PageSerializer, SeenSerializer
from stored_messages.stored import Page, Summary
from stored_messages.throttling import throttle_classes

POLL_INTERVAL_SECONDS = 15

USER_HEADER = "X-Inbox-User"
CSRF_HEADER = "X-CSRFToken"


class AnotherUser(APIException):
    """The action was made for another user than the one who is signed in now."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = _("This was meant for another user than the one who is signed in.")
    default_code = "another_user"


class InboxView(APIView):
    """What all views here share: they name their own authentication, parser and renderer.

    So a project whose REST framework is set up for tokens only, or for another format, has a working bell.
    """

    permission_classes: Sequence[type[BasePermission]] = (IsAuthenticated,)
    renderer_classes = (JSONRenderer,)
    parser_classes = (JSONParser, FormParser, MultiPartParser)
    content_negotiation_class = DefaultContentNegotiation
    versioning_class = None
    throttle_classes: Sequence[type[BaseThrottle]] = ()

    def get_authenticators(self) -> list[BaseAuthentication]:
        """The session, then what the project has."""
        configured = cast(
            "Sequence[type[BaseAuthentication]]", api_settings.DEFAULT_AUTHENTICATION_CLASSES
        )
        classes: list[type[BaseAuthentication]] = [SessionAuthentication, *configured]
        return [authentication() for authentication in dict.fromkeys(classes)]

    def get_throttles(self) -> list[BaseThrottle]:
        """Those that are meant for this API: the project's others would stop a bell that asks for news."""
        return [*super().get_throttles(), *(throttle() for throttle in throttle_classes())]

    def handle_exception(self, exc: Exception) -> Response:
        """Refuse as JSON what Django would refuse with a page: too many fields, or too large."""
        if isinstance(exc, (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)):
            exc = ParseError(str(exc))
        return super().handle_exception(exc)

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        meant_for = request.headers.get(USER_HEADER)
        if (
            meant_for
            and request.method not in SAFE_METHODS
            and not is_owner_key(meant_for, request.user)
        ):
            raise AnotherUser

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        final: Response = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"] = "private, no-cache"
        patch_vary_headers(final, ["Cookie", "Authorization"])
        _say_nothing_of_lost_sessions(_django_request(request))
        return final


class InboxListView(InboxView):
    """The unread messages, newest first; 304 while nothing changed."""

    def get(self, request: Request) -> Response:
        asked = _asked_page(request)
        known = parse_etags(request.headers.get("If-None-Match", ""))
        if known:
            summary = api.summary(request.user)
            tag = _etag(request, asked, summary)
            if _is_among(tag, known):
                # What a 200 would have said to caches and clients (RFC 9110, section 15.4.5), without a body.
                headers = {**_headers(request, Page([], None, summary)), "ETag": tag}
                return Response(status=status.HTTP_304_NOT_MODIFIED, headers=headers)
        page = api.inbox(request.user, **asked)
        return _list_response(request, page, ETag=_etag(request, asked, page.summary))


class ArchiveListView(InboxView):
    """Everything the user got and did not dismiss, newest first."""

    def get(self, request: Request) -> Response:
        return _list_response(request, api.archive(request.user, **_asked_page(request)))


class InboxDetailView(InboxView):
    """One message of the inbox."""

    def get(self, request: Request, pk: str) -> Response:
        return _message_response(lambda: api.get_backend().get_unread(request.user, pk))


class ArchiveDetailView(InboxView):
    """One message, read or not."""

    def get(self, request: Request, pk: str) -> Response:
        return _message_response(lambda: api.get_backend().get(request.user, pk))

    def delete(self, request: Request, pk: str) -> Response:
        """Dismiss it."""
        if not api.dismiss(request.user, pk):
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)


class ReadView(InboxView):
    """Mark one message read; again, if somebody did so before."""

    def post(self, request: Request, pk: str) -> Response:
        _require(api.mark_read(request.user, pk), request.user, pk)
        return Response({"status": "message marked as read"})


class UnreadView(InboxView):
    """Mark one message unread again."""

    def post(self, request: Request, pk: str) -> Response:
        _require(api.mark_unread(request.user, pk), request.user, pk)
        return Response({"status": "message marked as unread"})


class MarkAllReadView(InboxView):
    """Mark everything read, or what the user had seen."""

    def post(self, request: Request) -> Response:
        refuse_form_without_fields(request)
        seen = SeenSerializer(data=request.data)
        seen.is_valid(raise_exception=True)
        api.mark_all_read(
            request.user, shown=seen.validated_data["ids"], below=seen.validated_data["before"]
        )
        return Response({"message": "All messages read"})


def _asked_page(request: Request) -> dict[str, Any]:
    asked = PageSerializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def _require(changed: bool, user: Any, pk: str) -> None:
    """404 for what changed nothing because this user has no such message."""
    if not changed:
        try:
            api.get_backend().get(user, pk)
        except MessageDoesNotExist as error:
            raise NotFound from error


def _message_response(find: Callable[[], Any]) -> Response:
    try:
        message = adopt(find())
    except MessageDoesNotExist as error:
        raise NotFound from error
    return Response(MessageSerializer(message).data)


def _list_response(request: Request, page: Page, **headers: str) -> Response:
    items = [MessageSerializer(message).data for message in page.messages]
    return Response(items, headers={**_headers(request, page), **headers})


def _etag(request: Request, asked: dict[str, Any], summary: Summary) -> str:
    """Equal summaries mean equal inboxes, and so equal pages of them."""
    parts = (api.owner_key(request.user), *summary, asked["limit"], asked["cursor"] or "")
    return f'W/"{"-".join(map(str, parts))}"'


def _is_among(tag: str, known: list[str]) -> bool:
    """Compare weakly, as RFC 9110 says: a proxy may have made a tag weak."""
    return "*" in known or tag.removeprefix("W/") in {one.removeprefix("W/") for one in known}


def _headers(request: Request, page: Page) -> dict[str, str]:
    headers = {
        USER_HEADER: api.owner_key(request.user),
        "X-Unread-Count": str(page.summary.unread),
        "X-Unread-Digest": str(page.summary.digest),
        "X-Poll-Interval": str(POLL_INTERVAL_SECONDS),
    }
    if isinstance(request.successful_authenticator, SessionAuthentication):
        # Whoever signs in by token needs none, and gets no cookie or session for one.
        headers[CSRF_HEADER] = get_token(_django_request(request))
    if page.cursor is not None:
        url = replace_query_param(request.build_absolute_uri(), "cursor", page.cursor)
        headers["Link"] = f'<{url}>; rel="next"'
    return headers


def _say_nothing_of_lost_sessions(request: HttpRequest) -> None:
    """Keep Django from taking away the cookie of a session that is no more.

    Clients ask in the background. An answer to a question from before a login may come after the login's own, and
    would take the new session's cookie away: whoever has just signed in would be signed out.
    """
    session = getattr(request, "session", None)
    if session is not None and session.is_empty():
        request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)


def _django_request(request: Request) -> HttpRequest:
    django_request: HttpRequest = request._request
    return django_request
