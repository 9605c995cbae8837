"""What goes around every view."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation

from . import preferences

View = Callable[[HttpRequest], HttpResponse]

# As strict as it gets: no inline script or style, no other site, and no script that writes HTML.
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)


def content_security_policy(get_response: View) -> View:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # Django's own pages about errors have inline styles.
        if not (settings.DEBUG and response.status_code in (404, 500)):
            response["Content-Security-Policy"] = POLICY
        return response

    return middleware


def language_of_notifications(get_response: View) -> View:
    """The page with all notifications speaks the language that its reader chose for the bell."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(reverse("stored_messages:inbox")):
            return get_response(request)
        with translation.override(preferences.of(request)["language"]):
            return get_response(request)

    return middleware
