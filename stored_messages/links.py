"""Which urls a message may carry: http(s), or a path of this site.

Browsers drop tabs and newlines inside a url and read a backslash as a slash (WHATWG URL Standard, "URL parsing"),
so ``/\\t/host`` and ``/\\host`` lead to another host. Whoever needs such a character writes it percent-encoded.
"""

import re
from urllib.parse import urlsplit

MAX_LENGTH = 2000

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\\\u2028\u2029\ud800-\udfff]")


def clean_url(url: object) -> str | None:
    """Return the url as text, spaces percent-encoded, ``None`` for none.

    Lazy values such as ``reverse_lazy()`` are resolved. Raises ``ValueError`` for anything but an absolute http(s)
    url with a host or a path that begins with a single slash, and for more than 2,000 characters.
    """
    if url is None:
        return None
    # A browser would do the same with the spaces of a path or a query.
    text = str(url).strip().replace(" ", "%20")
    if not text:
        return None
    if len(text) > MAX_LENGTH:
        raise ValueError(
            f"The url of a message may have at most {MAX_LENGTH} characters, got {len(text)}."
        )
    if not _FORBIDDEN.search(text) and (_is_path(text) or _is_web_url(text)):
        return text
    raise ValueError(
        f"Refused url {text[:100]!r}: a message links to http(s)://host/... or to a path of this site, '/...'."
    )


def safe_url(url: object) -> str | None:
    """Return what :func:`clean_url` accepts, ``None`` for everything else: for rows that were written elsewhere."""
    try:
        return clean_url(url)
    except ValueError:
        return None


def _is_path(text: str) -> bool:
    return text.startswith("/") and not text.startswith("//")


def _is_web_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:  # brackets that hold no address
        return False
    host = parts.hostname or "%"
    return parts.scheme in ("http", "https") and "%" not in host and "//" in text[:8]
