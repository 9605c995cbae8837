"""Names of the channel layer's groups: one for each user, one for everybody.

Sites may share a Redis, and its pub/sub knows no database numbers. So the names are those of one site: of one
``SECRET_KEY``, from which nothing can be told of the key.
"""

import re
from functools import lru_cache
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac

# What every layer allows. Layers want names below 100 characters and some add a prefix of their own.
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,60}", re.ASCII)


def everybody() -> str:
    """Return the name of the group of all."""
    return f"realtime.{_site()}.everybody"


def user_group(pk: Any) -> str:
    """Return the name of the group of the user with this primary key, whatever its type."""
    text = str(pk)
    if _PLAIN.fullmatch(text):
        return f"realtime.{_site()}.user.{text}"
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"realtime.{_site()}.hashed.{digest[:56]}"


def _site() -> str:
    # The oldest key: while a new one is rolled out, the processes that do not have it yet are of this site, too.
    fallbacks = settings.SECRET_KEY_FALLBACKS
    return _of_key(fallbacks[-1] if fallbacks else settings.SECRET_KEY)


@lru_cache(maxsize=16)
def _of_key(secret: Any) -> str:
    return salted_hmac("realtime.site", "", secret=secret, algorithm="sha256").hexdigest()[:12]
