"""Names that every layer takes, for every type of primary key."""

from typing import Any
from uuid import UUID

import pytest
from channels.layers import BaseChannelLayer
from pytest_django import Settings

from realtime.groups import everybody, user_group

KEYS = [
    7,
    -7,
    10**30,
    UUID("12345678-1234-5678-1234-567812345678"),
    "alice",
    "Alice",
    "alice@example.com",
    "alice smith",
    "zoë",
    "٣",
    "alice\n",
    "a" * 60,
    "a" * 61,
    "a" * 500,
    "",
    "\ud800",
    "hashed",
    "../../etc",
]


@pytest.mark.parametrize("key", KEYS, ids=ascii)
def test_every_layer_takes_it(key: Any) -> None:
    name = user_group(key)
    assert BaseChannelLayer().require_valid_group_name(name)
    assert name.isascii()
    assert len(name) < 90


def test_other_sites_have_other_names(settings: Settings) -> None:
    """On one Redis: its pub/sub knows no database numbers."""
    ours = everybody(), user_group(7), user_group("zoë")
    key = settings.SECRET_KEY
    settings.SECRET_KEY = "another site"
    assert not {everybody(), user_group(7), user_group("zoë")} & set(ours)
    # While a key is replaced, processes with and without the new one are one site.
    settings.SECRET_KEY_FALLBACKS = [key]
    assert (everybody(), user_group(7), user_group("zoë")) == ours


def test_names_tell_users_apart() -> None:
    names = {user_group(key) for key in KEYS} | {everybody()}
    assert len(names) == len(KEYS) + 1


def test_a_key_and_its_text_are_the_same_user() -> None:
    assert user_group(7) == user_group("7")
