"""Who is still signed in, asked for many at a time.

These answers are only ever "certainly": about everybody else the sign-in itself is asked, as it was when the socket
opened. So a project's own engines, backends and users are treated as everywhere else, only not in bulk.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends import cached_db, db
from django.core.exceptions import ValidationError
from django.db import connections
from django.utils import timezone

from realtime.login import SessionSignIn, SignIn, password_unchanged, session_store
from stored_messages.owners import among

BATCH = 5000


def active_users(users: Iterable[Any]) -> dict[str, bool]:
    """Return whether they are active of those users who still exist, by primary key as text.

    One query for up to five thousand, where the database takes so many parameters, and a second one if not all of them
    are active. Users of another kind than the project's model are none of its business: they are active.
    """
    model = get_user_model()
    users = list(users)
    found = {str(user.pk): True for user in users if not isinstance(user, model)}
    names = {field.name for field in model._meta.concrete_fields}
    can_be_inactive = "is_active" in names
    for pks in _batches([user.pk for user in users if isinstance(user, model)]):
        people = model._default_manager.filter(among(model, model._meta.pk.name, pks))
        active = people.filter(is_active=True) if can_be_inactive else people
        if active.count() == len(pks):
            found.update((str(pk), True) for pk in pks)
            continue
        rows = people.values_list("pk", "is_active" if can_be_inactive else "pk")
        found.update((str(pk), bool(value) or not can_be_inactive) for pk, value in rows)
    return found


def certain_owners(sign_ins: Iterable[SignIn]) -> dict[str, str]:
    """Return who is certainly signed in: the primary key as text, by digest of the sign-in."""
    sessions = [one for one in sign_ins if isinstance(one, SessionSignIn)]
    found = certain_sign_ins([one.key for one in sessions])
    return {one.digest: str(found[one.key][1].pk) for one in sessions if one.key in found}


def certain_sign_ins(keys: Iterable[str]) -> dict[str, tuple[Mapping[str, Any], Any]]:
    """Return what is in these sessions and who is certainly signed in with them, by session key.

    Two queries for sessions in the database; elsewhere one look for each, and one query.
    """
    contents = _contents(list(keys))
    pks = {key: pk for key, content in contents.items() if (pk := _user_pk(content)) is not None}
    users: dict[Any, Any] = {}
    for batch in _batches(set(pks.values())):
        users.update(get_user_model()._default_manager.in_bulk(batch))
    found = {}
    for key, pk in pks.items():
        content, user = contents[key], users.get(pk)
        if user is None or not getattr(user, "is_active", True):
            continue
        if password_unchanged(user, content.get(HASH_SESSION_KEY, "")):
            found[key] = content, user
    return found


def _contents(keys: list[str]) -> Mapping[str, Mapping[str, Any]]:
    store = session_store()
    if store.load not in {db.SessionStore.load, cached_db.SessionStore.load}:
        return {key: dict(store(key).items()) for key in keys}
    reader, model = store(), store.get_model_class()
    found = {}
    for batch in _batches(keys):
        rows = model.objects.filter(session_key__in=batch, expire_date__gt=timezone.now())
        for key, data in rows.values_list("session_key", "session_data"):
            found[key] = reader.decode(data)
    return found


def _user_pk(content: Mapping[str, Any]) -> Any | None:
    """Whom this session is for, if Django's own rules decide whether that user may sign in."""
    path = content.get(BACKEND_SESSION_KEY, "")
    if SESSION_KEY not in content or path not in settings.AUTHENTICATION_BACKENDS:
        return None
    backend = type(load_backend(path))
    if (
        getattr(backend, "get_user", None) is not ModelBackend.get_user
        or getattr(backend, "user_can_authenticate", None) is not ModelBackend.user_can_authenticate
    ):
        return None
    try:
        return get_user_model()._meta.pk.to_python(content[SESSION_KEY])
    except ValidationError:
        return None


def _batches(values: Iterable[Any]) -> Iterator[list[Any]]:
    values = list(values)
    manager = get_user_model()._default_manager
    limit = connections[manager.db].features.max_query_params or BATCH
    for start in range(0, len(values), min(limit, BATCH)):
        yield values[start : start + min(limit, BATCH)]
