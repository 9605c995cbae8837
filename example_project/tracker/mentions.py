"""@mentions: who is meant, and how they look in a page."""

import re
from collections.abc import Container

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

# Not within a word, so that an email address mentions nobody.
MENTION = re.compile(r"(?<![\w@.+-])@(\w+(?:[.+-]\w+)*)")


def mentioned(text: str) -> set[str]:
    """The user names mentioned in a text, in lower case, whether such users exist or not."""
    return {name.lower() for name in MENTION.findall(text)}


def highlight(text: str, names: Container[str]) -> SafeString:
    """The text as HTML, with the mentions of these people marked."""

    def mark(name: str) -> str:
        known = name.lower() in names
        return format_html('<strong class="mention">@{}</strong>', name) if known else f"@{name}"

    # Every other piece is a mentioned name.
    pieces = MENTION.split(text)
    return format_html_join(
        "", "{}", ((mark(piece) if odd % 2 else piece,) for odd, piece in enumerate(pieces))
    )
