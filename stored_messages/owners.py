"""Whose inbox it is: users as senders name them, their keys, and since when they see broadcasts."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from itertools import islice
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import F, IntegerField, Model, QuerySet
from django.db.models.lookups import In
from django.utils.crypto import salted_hmac

from stored_messages.moments import as_project_date

BATCH_SIZE = 1000


def owner_key(user: Any) -> str:
    """Return the opaque key of a user's inbox: what clients may see and compare instead of a primary key.

    ``user`` is a user or a primary key. The key depends on ``SECRET_KEY``.
    """
    return _owner_key(user, settings.SECRET_KEY)


def is_owner_key(key: str, user: Any) -> bool:
    """Whether this is the key of the user's inbox, be it made with one of the ``SECRET_KEY_FALLBACKS``."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(key == _owner_key(user, secret) for secret in secrets)


def _owner_key(user: Any, secret: Any) -> str:
    mac = salted_hmac(
        "stored_messages.owner", str(user_pk(user)), secret=secret, algorithm="sha256"
    )
    return mac.hexdigest()[:24]


def user_pk(user: Any) -> Any:
    """Return the primary key of a user, or of what is a primary key already.

    Keys are compared as the database would: ``"7"`` and ``7`` are the same user. Raises ``ValueError`` for a user that
    has none (unsaved or anonymous) and for what cannot be one, ``TypeError`` for another model's instance.
    """
    return _user_pk(get_user_model(), user)


def pk_named(name: str) -> Any:
    """Return the primary key of this text in the name of a store's key, ``None`` if no user can have it."""
    try:
        pk = user_pk(name)
    except ValueError:
        return None
    # A database may raise when it looks for a number beyond its own.
    return pk if not isinstance(pk, int) or fits_columns(pk) else None


def fits_columns(number: int) -> bool:
    """Whether a column can hold this: none has more than 64 bits."""
    return -(2**63) <= number < 2**63


def users_by_pk(users: Iterable[Any]) -> dict[Any, Any]:
    """Return users by their primary keys, ``None`` for a key that is nobody's; raises as :func:`user_pk`.

    Those that are no rows, but keys or what tokens were made into, cost one query.
    """
    model = get_user_model()
    has_numbers = is_number(model._meta.pk)
    by_pk: dict[Any, Any] = {}
    keys = []
    for user in users:
        pk = getattr(user, "pk", None)
        if not (has_numbers and type(pk) is int and isinstance(user, model)):
            pk = _user_pk(model, user)
            if not isinstance(user, Model):
                keys.append(pk)
        by_pk[pk] = user
    if keys:
        found = model._base_manager.in_bulk(keys)
        by_pk.update((pk, found.get(pk)) for pk in keys)
    return by_pk


def _user_pk(model: Any, user: Any) -> Any:
    if isinstance(user, Model) and not isinstance(user, model):
        raise TypeError(f"{user!r} is no {settings.AUTH_USER_MODEL}.")
    pk = getattr(user, "pk", user)
    if pk is None:
        raise ValueError(f"{user!r} has no inbox: not saved, or not signed in.")
    try:
        return model._meta.pk.to_python(pk)
    except ValidationError as error:
        raise ValueError(f"{user!r} is no {settings.AUTH_USER_MODEL} and no key of one.") from error


def among(model: type[Model], name: str, pks: Iterable[Any]) -> In:
    """Return the condition that this field, a user's key or a key to one, is among these: what ``__in`` is.

    On PostgreSQL it is one parameter, an array. With 5,000 users, writing as many parameters cost more than all that
    the database did.
    """
    field: Any = model._meta.get_field(name)
    keys = _Keys(pks)
    if not (is_number(field) and set(map(type, keys)) == {int}):
        keys = _Keys(map(field.get_prep_value, keys))
    return _Among(F(name), keys)


def is_number(field: Any) -> bool:
    """Whether a column has integers, or keys of rows that do: there an ``int`` is what it is everywhere.

    Not so in fields of a project's own that make something else of them.
    """
    kind = type(getattr(field, "target_field", field))
    return issubclass(kind, IntegerField) and (
        (kind.to_python, kind.get_prep_value)
        == (IntegerField.to_python, IntegerField.get_prep_value)
    )


class _Keys(list[Any]):
    """Prepared keys, and what they are as one parameter, once it was made: several queries may be about them."""

    array: Any = None


class _Among(In):
    # The column is not known yet when Django 4.2 would prepare the keys; these are.
    prepare_rhs = False

    def get_prep_lookup(self) -> Any:
        return self.rhs

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        field = self.lhs.output_field
        if self.rhs.array is None:
            prepare = field.get_db_prep_value
            self.rhs.array = as_array([prepare(key, connection, prepared=True) for key in self.rhs])
        kind = array_type(field.rel_db_type(connection))
        return f"{column} = ANY(%s::{kind})", (*params, self.rhs.array)


def array_type(db_type: str) -> str:
    """Return PostgreSQL's type for many values of a column of this type.

    Without the length of a text: values that are longer would be cut without a word, and be those of somebody else.
    """
    kind = db_type.lower().partition("(")[0].strip()
    return f"{_UNLIMITED.get(kind, db_type)}[]"


def as_array(values: list[Any]) -> Any:
    """Return the parameter for these: of numbers and words the text a driver would make, in a quarter of the time."""
    kinds = set(map(type, values))
    if kinds == {int}:
        return f"{{{','.join(map(str, values))}}}"
    if kinds == {str} and all(value.isascii() and value.isalnum() for value in values):
        return '{"' + '","'.join(values) + '"}'  # in quotes: NULL is a word, too
    return values


_UNLIMITED = {
    "varchar": "text",
    "character varying": "text",
    "char": "bpchar",
    "character": "bpchar",
    "bit varying": "varbit",
}


def joined_at(user: Any) -> datetime | None:
    """Return since when this user sees broadcasts: ``date_joined`` where the model has it, else ``None`` for ever.

    What is no row of a user, a key or what a token was made into, does not say: it costs a query.
    """
    joined = getattr(user, "date_joined", None)
    if joined is None and user is not None and not isinstance(user, Model):
        return joined_at(get_user_model()._base_manager.filter(pk=user_pk(user)).first())
    return as_project_date(joined) if isinstance(joined, datetime) else None


def joined_dates(users: Iterable[Any]) -> Iterator[datetime | None]:
    """Yield what :func:`joined_at` says of each, of thousands in a fraction of the time."""
    is_aware = settings.USE_TZ
    for user in users:
        joined = getattr(user, "date_joined", None)
        if is_aware and type(joined) is datetime and joined.tzinfo is timezone.utc:
            yield joined
        else:
            yield joined_at(user)


def pk_batches(users: Any) -> Iterator[list[Any]]:
    """Yield the distinct primary keys of ``users`` in lists of at most a thousand, in order.

    ``users`` is a user, a primary key, or any iterable, generator or queryset of them. A queryset costs one query and
    is never loaded whole. Writing in order of user is what keeps two sends from waiting for each other.
    """
    if _is_plain_user_queryset(users):
        ordered = users.order_by("pk").values_list("pk", flat=True)
        yield from _batches(_distinct(ordered.iterator(chunk_size=BATCH_SIZE)))
        return
    if isinstance(users, (Model, str)) or not isinstance(users, Iterable):
        users = [users]
    distinct = {user_pk(user) for user in cast("Iterable[Any]", users)}
    try:
        ordered_pks = sorted(distinct)
    except TypeError:
        ordered_pks = sorted(distinct, key=str)
    yield from _batches(iter(ordered_pks))


def _is_plain_user_queryset(users: Any) -> bool:
    """Whether it may be asked for primary keys in their order instead of for what it would yield."""
    return (
        isinstance(users, QuerySet)
        and issubclass(users.model, get_user_model())
        and users._result_cache is None
        and getattr(users, "_fields", None) is None  # values() and values_list() have them
        and not (users.query.is_sliced or users.query.combinator or users.query.distinct_fields)
    )


def _distinct(ordered: Iterable[Any]) -> Iterator[Any]:
    last: Any = object()
    for pk in ordered:
        if pk != last:
            yield pk
            last = pk


def _batches(pks: Iterator[Any]) -> Iterator[list[Any]]:
    while batch := list(islice(pks, BATCH_SIZE)):
        yield batch
