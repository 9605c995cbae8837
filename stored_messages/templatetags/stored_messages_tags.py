"""Template tags that show the messages of whoever is signed in: ``{% load stored_messages_tags %}``.

That is the user of the request where the template has one, else ``user`` of its context. So a page about somebody
else, which may well call them ``user``, shows the reader's messages and not theirs. For anonymous visitors there are
none. An inbox that cannot be read just then is logged, and the page goes without it.
"""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from django import template
from django.core.exceptions import SynchronousOnlyOperation

from stored_messages import api
from stored_messages.savepoints import savepoints

register = template.Library()
logger = logging.getLogger("stored_messages")

_Result = TypeVar("_Result")

_MOST = 10_000

_TEMPLATE = "stored_messages/stored_messages_list.html"


@register.inclusion_tag(_TEMPLATE, takes_context=True)
def stored_messages_list(context: Any, num_elements: Any = 10) -> dict[str, Any]:
    """Show the unread messages, newest first.

    The template gets ``messages``, at most ``num_elements`` of them, and ``count``, how many are unread in all.
    """
    number = _number(num_elements)

    def read(user: Any) -> dict[str, Any]:
        page = api.inbox(user, limit=max(number, 1))
        return {"messages": page.messages[:number], "count": page.summary.unread}

    return _of_reader(context, read, {"messages": [], "count": 0})


@register.inclusion_tag(_TEMPLATE, takes_context=True)
def stored_messages_archive(context: Any, num_elements: Any = 10) -> dict[str, Any]:
    """Show what was ever received and not dismissed, newest first.

    The template gets ``messages``, at most ``num_elements`` of them, and ``count``, how many there are in all.
    """
    number = _number(num_elements)

    def read(user: Any) -> dict[str, Any]:
        page = api.archive(user, limit=max(number, 1))
        return {
            "messages": page.messages[:number],
            "count": api.archive_count(user),
        }

    return _of_reader(context, read, {"messages": [], "count": 0})


@register.simple_tag(takes_context=True)
def stored_messages_count(context: Any) -> int:
    """Return how many messages are unread: ``{% stored_messages_count as n %}``."""
    return _of_reader(context, api.unread_count, 0)


def _number(value: Any) -> int:
    try:
        return min(max(int(value), 0), _MOST)
    except (TypeError, ValueError, OverflowError) as error:
        raise template.TemplateSyntaxError(
            f"How many messages are to be shown is a number, not {value!r}."
        ) from error


def _of_reader(context: Any, read: Callable[[Any], _Result], nothing: _Result) -> _Result:
    request = context.get("request")
    user = getattr(request, "user", None) or context.get("user")
    try:
        with savepoints():
            return read(user) if getattr(user, "is_authenticated", False) else nothing
    except SynchronousOnlyOperation:
        raise
    except Exception:
        logger.exception("The inbox could not be read; the page goes without it.")
        return nothing
