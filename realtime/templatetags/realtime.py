"""``{% load realtime %}{% notification_bell %}``"""

from typing import Any

from django import template
from django.conf import settings
from django.urls import get_script_prefix, reverse
from django.utils.html import json_script
from django.utils.translation import get_language

from realtime.conf import app_settings
from realtime.texts import bell_texts

register = template.Library()


@register.inclusion_tag("realtime/notification_bell.html")
def notification_bell(
    href: str | None = None,
    live: bool = True,
    toasts: bool = False,
    title: bool = False,
    tabs: bool = False,
    desktop: bool = False,
    sound: bool | str = False,
    keys: bool = False,
) -> dict[str, Any]:
    """Render the bell.

    ``href`` is where its link leads before there is JavaScript, and "see all" with it: the inbox page if left out.
    ``live=False`` leaves the socket out: this bell polls. ``toasts=True`` shows what arrives for a moment, and
    ``title=True`` shows the count in the page's title; both take a further script. ``tabs=True`` takes another one,
    with which the tabs of a browser share one socket, and reads that no server has answered are kept.
    ``desktop=True`` tells of arrivals on the desktop while nobody looks at the site, who allows it by a click.
    ``sound=True`` makes a sound when something arrives; an address of a file plays that.
    ``keys=True`` gives the panel keys to go through it: one for each thing that can be done to a message.
    The output depends on the project and the active language only, never on the user, so it may be cached.
    """
    texts = bell_texts()
    return {
        "href": reverse("stored_messages:inbox") if href is None else href,
        "inbox": reverse("stored_messages:inbox-list"),
        "mark_all": reverse("stored_messages:mark_all_read"),
        "socket": _socket_path() if live else None,
        "csrf_header": _csrf_header(),
        "toasts": toasts,
        "title": title,
        "tabs": tabs,
        "desktop": desktop,
        "sound": sound,
        "keys": keys,
        "language": get_language() if texts else None,
        "texts": json_script(texts) if texts else "",
    }


def _socket_path() -> str | None:
    """The path below the site's prefix; ``None`` under a server that has no sockets: the bell polls."""
    if not getattr(settings, "ASGI_APPLICATION", None):
        return None
    return get_script_prefix() + app_settings.SOCKET_PATH.lstrip("/")


def _csrf_header() -> str | None:
    """The header as browsers write it, if it is not the usual one."""
    if settings.CSRF_HEADER_NAME == "HTTP_X_CSRFTOKEN":
        return None
    return settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-").title()
