"""The bell's texts in the language of the page. English is built into the bell."""

from typing import Any, cast

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _


def bell_texts() -> dict[str, Any] | None:
    """Return the texts in the active language, or ``None`` where the bell needs none."""
    language = cast("str | None", get_language())
    if language is None or language.split("-")[0] == "en":
        return None
    return {
        "notifications": _("Notifications"),
        "unread": _("{count} unread"),
        "mark_all_read": _("Mark all as read"),
        "mark_read": _("Mark as read"),
        "load_more": _("Load more"),
        "more": _("and {count} more"),
        "see_all": _("See all notifications"),
        "loading": _("Loading…"),
        "empty": _("All caught up"),
        "empty_hint": _("New notifications appear here by themselves."),
        "offline": _("No connection. Trying again…"),
        "polling": _("Not live. Checking every few seconds."),
        "signed_out": _("You are signed out"),
        "signed_out_hint": _("Sign in to see your notifications."),
        "sign_in": _("Sign in"),
        "error": _("Notifications could not be loaded"),
        "error_hint": _("This is tried again by itself."),
        "retry": _("Try again"),
        "refused": _("That did not work. Please try again."),
        "arrived": _("New notification: {text}"),
        "arrived_many": {
            "one": ngettext("{count} new notification", "{count} new notifications", 1),
            "other": ngettext("{count} new notification", "{count} new notifications", 100),
        },
        "success": _("Success"),
        "warning": _("Warning"),
        "problem": _("Error"),
        "tab_unread": _("Unread"),
        "tab_all": _("All"),
        "mark_unread": _("Mark as unread"),
        "dismiss": _("Dismiss"),
        "dismissed": _("Dismissed"),
        "undo": _("Undo"),
        "empty_all": _("Nothing here yet"),
        "empty_all_hint": _("Every notification you get is kept here."),
    }
