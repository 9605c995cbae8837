"""Names of the channel layer's groups: one for each user, one for everybody."""

import re
from hashlib import sha256
from typing import Any

EVERYBODY = "realtime.everybody"

# What every layer allows. Layers want names below 100 characters and some add a prefix of their own.
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,60}", re.ASCII)


def user_group(pk: Any) -> str:
    """Return the name of the group of the user with this primary key, whatever its type."""
    text = str(pk)
    if _PLAIN.fullmatch(text):
        return f"realtime.user.{text}"
    return f"realtime.hashed.{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
