"""Text as every store and every client can hold it.

PostgreSQL refuses NUL, and a lone surrogate cannot be encoded in UTF-8. Both become U+FFFD.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.safestring import SafeData, mark_safe

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

#: Far from where whoever reads it, with calls of its own below, would reach the limit of recursion.
_DEEPEST = 100
_TOO_DEEP = f"data must not be nested more than {_DEEPEST} deep."


def clean_text(value: object) -> str:
    """Return ``str(value)`` without NUL and lone surrogates; what is marked safe stays so."""
    text = str(value)
    if not _UNSTORABLE.search(text):
        return text
    cleaned = _UNSTORABLE.sub("\ufffd", text)
    # It was marked safe by its sender; one character was replaced by a harmless one.
    return mark_safe(cleaned) if isinstance(text, SafeData) else cleaned  # noqa: S308


def clean_level(level: Any) -> int:
    """Return the level as an integer. Raises ``TypeError`` or ``ValueError`` for what no column can hold."""
    number = int(level)
    if not -(2**31) <= number < 2**31:
        raise ValueError(f"level must fit into 32 bits, got {number}.")
    return number


def clean_data(data: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the application's data as plain JSON values.

    Lazy texts, dates, decimals and UUIDs become text as in Django's JSON encoder. Raises ``TypeError`` for what is
    not a mapping or cannot be written as JSON, ``ValueError`` for NaN, infinities and what is nested too deeply.
    """
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise TypeError(f"data must be a mapping, got {type(data).__name__}.")
    try:
        encoded = json.dumps(dict(data), cls=DjangoJSONEncoder, allow_nan=False)
        cleaned: dict[str, Any] = _clean(json.loads(encoded))
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    return cleaned


def _clean(value: Any, room: int = _DEEPEST) -> Any:
    if not room:
        raise ValueError(_TOO_DEEP)
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_clean(item, room - 1) for item in value]
    if isinstance(value, dict):
        return {
            _UNSTORABLE.sub("\ufffd", key): _clean(item, room - 1) for key, item in value.items()
        }
    return value
