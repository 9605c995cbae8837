"""Who is still signed in, asked for many at a time.

These answers are only ever "certainly": about everybody else the sign-in itself is asked, as it was when the socket
opened. So a project's own engines, backends and users are treated as everywhere else, only not in bulk.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends import cached_db, db
from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from realtime.login import SessionSignIn, password_unchanged, session_store
from stored_messages.owners import among, is_number

BATCH = 5000

T = TypeVar("T")
R = TypeVar("R")


def unless_one_fails(
    look: Callable[[Sequence[T]], dict[str, R]], things: Sequence[T]
) -> dict[str, R]:
    """Return what is certain, nothing if that fails: because of one of them, perhaps. Asked alone, it fails alone.

    Raises where the database fails: it would be the same for each of them.
    """
    try:
        return look(things)
    except (InterfaceError, OperationalError):
        raise
    except Exception:
        return {}


def active_users(users: Iterable[Any]) -> dict[str, bool]:
    """Return whether they are active of those users who still exist, by primary key as text.

    One query for up to five thousand, where the database takes so many parameters, and a second one if not all of them
    are active. Users of another kind than the project's model are none of its business: they are active.
    """
    model = get_user_model()
    pks, found = [], {}
    for user in users:
        if isinstance(user, model):
            pks.append(user.pk)
        else:
            found[str(user.pk)] = True
    names = {field.name for field in model._meta.concrete_fields}
    can_be_inactive = "is_active" in names
    for batch in _batches(pks):
        people = model._default_manager.filter(among(model, model._meta.pk.name, batch))
        active = people.filter(is_active=True) if can_be_inactive else people
        if active.count() == len(batch):
            found.update(dict.fromkeys(map(str, batch), True))
            continue
        rows = people.values_list("pk", "is_active" if can_be_inactive else "pk")
        found.update((str(pk), bool(value) or not can_be_inactive) for pk, value in rows)
    return found


def certain_owners(sign_ins: Iterable[SessionSignIn]) -> dict[str, str | None]:
    """Return who is certainly signed in: the primary key as text, ``None`` for nobody, by digest of the sign-in.

    For sessions in the database two queries, and a third for those of which something has changed since they were found
    good: only these are decoded. Elsewhere one look for each, and one query.
    """
    sessions = {one.key: one for one in sign_ins}
    if not _are_rows():
        found = _judged(_contents(sessions))
        return {
            sessions[key].digest: None if user is None else str(user.pk)
            for key, (_, user) in found.items()
        }
    rows = _rows(sessions)
    owners: dict[str, str | None] = {**_proven_owners(sessions, rows)}
    changed = {key: data for key, data in rows.items() if sessions[key].digest not in owners}
    for key, (_, user) in _judged(_decoded(changed)).items():
        owner = None if user is None else str(user.pk)
        owners[sessions[key].digest] = owner
        if user is not None and owner is not None and _password_decides(type(user)):
            sessions[key].proof = owner, _evidence(rows[key], user.password)
    if _has_only_rows():
        # Not of one that was never found: a replica may not have it yet.
        known = (one for key, one in sessions.items() if key not in rows and one.proof is not None)
        owners.update((one.digest, None) for one in known)
    return owners


def certain_sign_ins(keys: Iterable[str]) -> dict[str, tuple[Mapping[str, Any], Any]]:
    """Return what is in these sessions and who is certainly signed in with them, by session key.

    Two queries for sessions in the database; elsewhere one look for each, and one query.
    """
    found = _judged(_decoded(_rows(keys)) if _are_rows() else _contents(keys))
    return {key: (content, user) for key, (content, user) in found.items() if user is not None}


def _judged(
    contents: Mapping[str, Mapping[str, Any]],
) -> dict[str, tuple[Mapping[str, Any], Any | None]]:
    """Return what is in these sessions with who is signed in, if anybody, by session key: where Django's rules hold."""
    pks = {key: pk for key, content in contents.items() if (pk := _user_pk(content)) is not None}
    users: dict[Any, Any] = {}
    for batch in _batches(set(pks.values())):
        users.update(get_user_model()._default_manager.in_bulk(batch))
    found: dict[str, tuple[Mapping[str, Any], Any | None]] = {}
    has_numbers = is_number(get_user_model()._meta.pk)
    for key, pk in pks.items():
        content, user = contents[key], users.get(pk)
        is_active = getattr(user, "is_active", True)
        if user is None:
            if has_numbers:  # others may come back from the database in another form
                found[key] = content, None
        elif is_active and password_unchanged(user, content.get(HASH_SESSION_KEY, "")):
            found[key] = content, user
        elif is_active is not None:  # which some versions of Django take for active
            found[key] = content, None
    return found


def _contents(keys: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    store = session_store()
    return {key: dict(store(key).items()) for key in keys}


def _are_rows() -> bool:
    return session_store().load in {db.SessionStore.load, cached_db.SessionStore.load}


def _has_only_rows() -> bool:
    """Whether there is no session that is not in the database: in a cache too, or under another name."""
    store, usual = session_store(), db.SessionStore
    return store.load is usual.load and store._get_session_from_db is getattr(
        usual, "_get_session_from_db", None
    )


def _rows(keys: Iterable[str]) -> dict[str, str]:
    """Return the sessions that have not expired, by key, as they are in the database."""
    found: dict[str, str] = {}
    model = session_store().get_model_class()
    sessions = model.objects.filter(expire_date__gt=timezone.now())
    for batch in _batches(keys):
        rows = sessions.filter(among(model, "session_key", batch))
        # Some collations find what is written in other letters, too.
        asked = set(batch)
        pairs = rows.values_list("session_key", "session_data")
        found.update((key, data) for key, data in pairs if key in asked)
    return found


def _decoded(rows: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    reader = session_store()()
    return {key: reader.decode(data) for key, data in rows.items()}


def _proven_owners(
    sessions: Mapping[str, SessionSignIn], rows: Mapping[str, str]
) -> dict[str, str]:
    """Return who was found good before, where the session and the password are what they were then."""
    model = get_user_model()
    proofs = {key: proof for key in rows if (proof := sessions[key].proof) is not None}
    passwords: dict[str, str] = {}
    if proofs and _password_decides(model):
        active = model._default_manager.filter(is_active=True)
        for batch in _batches({owner for owner, _ in proofs.values()}):
            people = active.filter(among(model, model._meta.pk.name, batch))
            passwords.update(
                (str(pk), password) for pk, password in people.values_list("pk", "password")
            )
    return {
        sessions[key].digest: owner
        for key, (owner, evidence) in proofs.items()
        if owner in passwords and _evidence(rows[key], passwords[owner]) == evidence
    }


def _password_decides(model: Any) -> bool:
    """Whether a session is good for as long as these columns say so: the password, and whether the user is active."""
    names = {field.name for field in model._meta.concrete_fields}
    return {"password", "is_active"} <= names and (
        model.get_session_auth_hash is AbstractBaseUser.get_session_auth_hash
    )


def _evidence(session_data: str, password: str) -> bytes:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return hashlib.blake2b(
        repr((session_data, password, secrets)).encode(), digest_size=16
    ).digest()


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
