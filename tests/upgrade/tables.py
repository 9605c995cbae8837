"""The tables of 1.4.0 as Django created them, with the rows that say so."""

from django.db import connections, transaction

ALIAS = "old"

SQLITE = (
    (
        'CREATE TABLE "stored_messages_message" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, '
        '"message" text NOT NULL, "level" integer NOT NULL, "tags" text NOT NULL, '
        '"date" datetime NOT NULL, "url" varchar(200) NULL)'
    ),
    (
        'CREATE TABLE "stored_messages_messagearchive" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, '
        '"message_id" integer NOT NULL REFERENCES "stored_messages_message" ("id") DEFERRABLE INITIALLY DEFERRED, '
        '"user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED)'
    ),
    (
        'CREATE TABLE "stored_messages_inbox" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, '
        '"message_id" integer NOT NULL REFERENCES "stored_messages_message" ("id") DEFERRABLE INITIALLY DEFERRED, '
        '"user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED)'
    ),
)

# Before Django 4.1 numbers were of type `serial`; identity columns came later and are easier to change.
POSTGRESQL = (
    (
        'CREATE TABLE "stored_messages_message" ("id" serial NOT NULL PRIMARY KEY, '
        '"message" text NOT NULL, "level" integer NOT NULL, "tags" text NOT NULL, '
        '"date" timestamp with time zone NOT NULL, "url" varchar(200) NULL)'
    ),
    (
        'CREATE TABLE "stored_messages_messagearchive" ("id" serial NOT NULL PRIMARY KEY, '
        '"message_id" integer NOT NULL, "user_id" integer NOT NULL)'
    ),
    (
        'CREATE TABLE "stored_messages_inbox" ("id" serial NOT NULL PRIMARY KEY, '
        '"message_id" integer NOT NULL, "user_id" integer NOT NULL)'
    ),
    (
        'ALTER TABLE "stored_messages_messagearchive" '
        'ADD CONSTRAINT "stored_messages_mess_message_id_b0d7ea4d_fk_stored_me" '
        'FOREIGN KEY ("message_id") REFERENCES "stored_messages_message" ("id") DEFERRABLE INITIALLY DEFERRED'
    ),
    (
        'ALTER TABLE "stored_messages_messagearchive" '
        'ADD CONSTRAINT "stored_messages_messagearchive_user_id_a1f0c1cd_fk_auth_user_id" '
        'FOREIGN KEY ("user_id") REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED'
    ),
    (
        'ALTER TABLE "stored_messages_inbox" '
        'ADD CONSTRAINT "stored_messages_inbo_message_id_5c4b0a0f_fk_stored_me" '
        'FOREIGN KEY ("message_id") REFERENCES "stored_messages_message" ("id") DEFERRABLE INITIALLY DEFERRED'
    ),
    (
        'ALTER TABLE "stored_messages_inbox" '
        'ADD CONSTRAINT "stored_messages_inbox_user_id_4d8f0b3e_fk_auth_user_id" '
        'FOREIGN KEY ("user_id") REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED'
    ),
)

INDEXES = tuple(
    f'CREATE INDEX "stored_messages_{table}_{column}_{suffix}" ON "stored_messages_{table}" ("{column}")'
    for table, column, suffix in (
        ("messagearchive", "message_id", "b0d7ea4d"),
        ("messagearchive", "user_id", "a1f0c1cd"),
        ("inbox", "message_id", "5c4b0a0f"),
        ("inbox", "user_id", "4d8f0b3e"),
    )
)

APPLIED = (
    "INSERT INTO django_migrations (app, name, applied) VALUES "
    "('stored_messages', '0001_initial', '2015-01-01 00:00:00'), "
    "('stored_messages', '0002_message_url', '2020-01-01 00:00:00')"
)


def create():
    statements = SQLITE if connections[ALIAS].vendor == "sqlite" else POSTGRESQL
    for statement in (*statements, *INDEXES, APPLIED):
        execute(statement)


def execute(statement, *parameters):
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(statement, parameters)


def insert(table, columns, rows):
    """Insert rows; let the table's numbers go on above those that were given."""
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join(["%s"] * len(columns))
    with transaction.atomic(using=ALIAS), connections[ALIAS].cursor() as cursor:
        cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)
    if columns[0] == "id" and connections[ALIAS].vendor == "postgresql":
        execute(
            f"""SELECT setval(pg_get_serial_sequence('"{table}"', 'id'), (SELECT max(id) FROM "{table}"))"""
        )


def select(statement):
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def description(table):
    """Columns of a table: name, type and whether it may be null."""
    connection = connections[ALIAS]
    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, table)
        return {
            column.name: (
                connection.introspection.get_field_type(column.type_code, column),
                column.null_ok,
            )
            for column in columns
        }


def relations(table):
    """The columns that refer to other tables, and which."""
    connection = connections[ALIAS]
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, table)
    return {
        (tuple(one["columns"]), one["foreign_key"])
        for one in constraints.values()
        if one["foreign_key"]
    }
