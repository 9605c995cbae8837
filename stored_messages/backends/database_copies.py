"""Copies of one message for many users: one statement and one parameter for all of them.

Django's ``bulk_create()`` makes an object of each row and prepares each of its values: for thousands of recipients,
that took three quarters of the time of a send, and more statements than wanted where a database allows only few
parameters.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.db import connections

from stored_messages.models import Delivery
from stored_messages.owners import array_type, as_array, fits_columns


class _Dialect(NamedTuple):
    """How a database makes a table of one column out of a parameter, and a column of another one.

    ``carries`` says whether a key can be part of the parameter; ``combined`` is what makes it of them.
    """

    table: str
    column: str
    carries: Callable[[Any], bool]
    combined: Callable[[list[Any]], Any]


def _is_carried_by_json(key: Any) -> bool:
    """Whether SQLite reads this as it was: longer numbers would be inexact, and texts end at a NUL."""
    if isinstance(key, int):
        return fits_columns(key)
    return isinstance(key, str) and not re.search("[\0\ud800-\udfff]", key)


_DIALECTS = {
    # It does not guess the types of parameters that are selected.
    "postgresql": _Dialect(
        "unnest(%s::{array}) AS users(value)", "%s::{type}", lambda key: True, as_array
    ),
    "sqlite": _Dialect("json_each(%s)", "%s", _is_carried_by_json, json.dumps),
}


def insert_copies(
    using: str, user_ids: Sequence[Any], copy: Delivery, *, ignore_conflicts: bool = False
) -> None:
    """Insert ``copy`` for each of these users instead of its own.

    With ``ignore_conflicts`` nothing happens to those who have one. One query on PostgreSQL and SQLite; elsewhere, and
    for keys that JSON cannot carry to SQLite, as many as ``bulk_create()`` takes.
    """
    connection = connections[using]
    owner, *others = [field for field in Delivery._meta.concrete_fields if not field.primary_key]
    keys = [owner.get_db_prep_save(user_id, connection) for user_id in user_ids]
    values = {field.attname: getattr(copy, field.attname) for field in others}
    dialect = _DIALECTS.get(connection.vendor)
    if dialect is None or not all(map(dialect.carries, keys)):
        Delivery.objects.using(using).bulk_create(
            [Delivery(user_id=user_id, **values) for user_id in user_ids],
            ignore_conflicts=ignore_conflicts,
        )
        return
    quoted = connection.ops.quote_name
    columns = ", ".join(quoted(str(field.column)) for field in (owner, *others))
    selected = ", ".join(dialect.column.format(type=field.db_type(connection)) for field in others)
    table = dialect.table.format(array=array_type(str(owner.db_type(connection))))
    conflicts = "ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    params = [field.get_db_prep_save(values[field.attname], connection) for field in others]
    with connection.cursor() as cursor:
        # The condition is for SQLite, which would take ON CONFLICT for that of a join.
        cursor.execute(
            f"INSERT INTO {quoted(Delivery._meta.db_table)} ({columns})"  # noqa: S608 - names of our own
            f" SELECT value, {selected} FROM {table} WHERE true {conflicts}",
            [*params, dialect.combined(keys)],
        )
