"""How PostgreSQL carries out the statements of the inbox: by which index, and how many rows it looks at."""

import json
from contextlib import contextmanager
from typing import NamedTuple

from django.db import connection

TABLES = ("stored_messages_message", "stored_messages_delivery")


class Scan(NamedTuple):
    """One way into a table, with all the rows that it touched, wanted or not."""

    kind: str
    table: str
    index: str
    rows: int
    sql: str

    def __repr__(self):
        return f"{self.kind} {self.table} {self.index}: {self.rows} rows in {self.sql}"


@contextmanager
def recorded_scans():
    """Yield a list that gets the scans of every statement; what a statement does is done once all the same."""
    scans = []

    def explain(execute, sql, params, many, context):
        if sql.startswith(("SELECT", "UPDATE", "DELETE")) and any(name in sql for name in TABLES):
            scans.extend(_explain(sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield scans


def _explain(sql, params):
    with connection.connection.cursor() as cursor:
        cursor.execute("SAVEPOINT before_explaining")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
        (plan,) = cursor.fetchone()
        cursor.execute("ROLLBACK TO SAVEPOINT before_explaining")
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return list(_scans(plan[0]["Plan"], sql))


def _scans(node, sql):
    if "Scan" in node["Node Type"] and (
        node.get("Relation Name") in TABLES or "Index Name" in node
    ):
        rows = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        index, table = node.get("Index Name", ""), node.get("Relation Name", "")
        yield Scan(node["Node Type"], table, index, round(rows), sql)
    for child in node.get("Plans", ()):
        yield from _scans(child, sql)
