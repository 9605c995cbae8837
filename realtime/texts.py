"""The bell's texts in the language of the page. English is built into the bell."""

from collections.abc import Callable
from typing import Any, cast

from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

#: A number of each plural category of Unicode's CLDR. gettext finds its form by a number, a browser by the category.
EXAMPLES = {"zero": 0, "one": 1, "two": 2, "few": 3, "many": 11, "other": 100}
#: Where another number is needed, of all languages that Django has.
EXAMPLES_OF = {
    **{code: {"many": 1_000_000} for code in ("br", "ca", "es", "fr", "it", "pt")},
    "cy": {"many": 6},
    "ga": {"many": 7},
    "lv": {"other": 2},
}


def bell_texts() -> dict[str, Any] | None:
    """Return the texts in the active language, or ``None`` where the bell needs none.

    A text with a number in it is an object with a form for each plural category in which the language has another.
    """
    language = cast("str | None", get_language())
    if language is None or language.split("-")[0] == "en":
        return None
    return {
        "notifications": _("Notifications"),
        "unread": _counted(lambda number: ngettext("{count} unread", "{count} unread", number)),
        "mark_all_read": _("Mark all as read"),
        "mark_read": _("Mark as read"),
        "load_more": _("Load more"),
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
        "arrived_many": _counted(
            lambda number: ngettext("{count} new notification", "{count} new notifications", number)
        ),
        "success": _("Success"),
        "warning": _("Warning"),
        "problem": _("Error"),
        "tab_unread": pgettext("notifications", "Unread"),
        "tab_all": pgettext("notifications", "All"),
        "mark_unread": _("Mark as unread"),
        "dismiss": pgettext("notification", "Dismiss"),
        "dismissed": pgettext("notification", "Dismissed"),
        "undo": _("Undo"),
        "close": pgettext("notification", "Close"),
        "desktop": _("Show notifications on the desktop?"),
        "desktop_on": _("Turn on"),
        "desktop_off": _("No, thanks"),
        "keys": _("Keyboard shortcuts"),
        "keys_move": _("Next, previous"),
        "keys_open": pgettext("notification", "Open"),
        "empty_all": _("Nothing here yet"),
        "empty_all_hint": _("Every notification you get is kept here."),
    }


def _counted(text_for: Callable[[int], str]) -> str | dict[str, str]:
    """The forms of a text by plural category, without those that are like the last; a mere text where all are alike."""
    language = get_language().split("-")[0]
    examples = EXAMPLES | EXAMPLES_OF.get(language, {})
    forms = {category: text_for(number) for category, number in examples.items()}
    other = forms["other"]
    distinct = {category: text for category, text in forms.items() if text != other}
    return {**distinct, "other": other} if distinct else other
