"""From 1.4.0 to here and back: nothing is lost, on SQLite and on PostgreSQL."""

from datetime import datetime, timedelta
from datetime import timezone as datetime_timezone
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError
from django.test.utils import CaptureQueriesContext

import stored_messages
from stored_messages import STORED_INFO, STORED_WARNING
from stored_messages.models import Delivery, Message
from tests.upgrade import tables
from tests.upgrade.content import AWKWARD, NOW, Content, many

OLD = ("stored_messages_message", "stored_messages_messagearchive", "stored_messages_inbox")

# Within the migration that carries the rows over.
STOPS = {
    "sqlite": (
        (
            "CREATE TRIGGER power_cut BEFORE INSERT ON {table} WHEN NEW.message_id = {message} "
            "BEGIN SELECT RAISE(ROLLBACK, 'power cut'); END"
        ),
    ),
    "postgresql": (
        (
            "CREATE FUNCTION power_cut() RETURNS trigger AS "
            "$$ BEGIN RAISE EXCEPTION 'power cut'; END $$ LANGUAGE plpgsql"
        ),
        (
            "CREATE TRIGGER power_cut BEFORE INSERT ON {table} FOR EACH ROW "
            "WHEN (NEW.message_id = {message}) EXECUTE FUNCTION power_cut()"
        ),
    ),
}
GOES_ON = {
    "sqlite": ("DROP TRIGGER power_cut",),
    "postgresql": ("DROP TRIGGER power_cut ON {table}", "DROP FUNCTION power_cut"),
}


@pytest.fixture(params=[AWKWARD, many()], ids=["awkward", "many"])
def content(request, old_database):
    request.param.create()
    return request.param


def check_new(content):
    """Everything is there as it must be after the upgrade."""
    messages = {message.pk: message for message in Message.objects.all()}
    assert {
        pk: (one.message, one.level, one.extra_tags, one.date, one.url or None)
        for pk, one in messages.items()
    } == content.kept_messages
    for one in messages.values():
        assert (one.sent_at, one.data, one.safe, one.broadcast) == (one.date, {}, False, False)
        assert 0 < one.stamp < 2**32
    # Those of as many random numbers would be as different.
    assert len({one.stamp for one in messages.values()}) > len(messages) - 3
    assert sorted(messages, key=lambda pk: messages[pk].position) == sorted(messages)

    deliveries = list(Delivery.objects.all())
    assert len(deliveries) == len(content.received)
    assert {(one.user_id, one.message_id) for one in deliveries} == content.received
    unread = {(one.user_id, one.message_id) for one in deliveries if one.read_at is None}
    assert unread == content.unread
    for one in deliveries:
        message = messages[one.message_id]
        copied = (one.position, one.stamp, one.date, one.broadcast, one.dismissed_at)
        assert copied == (message.position, message.stamp, message.date, False, None)
        assert one.read_at in (None, message.date)


def old_rows():
    """What the tables of 1.4.0 hold: messages, archived copies, unread copies."""
    messages = {}
    for pk, text, level, tags, date, url in tables.select(
        "SELECT id, message, level, tags, date, url FROM stored_messages_message"
    ):
        aware = date if date.tzinfo else date.replace(tzinfo=datetime_timezone.utc)
        messages[pk] = (text, level, tags, aware, url or None)
    copies = [
        sorted(tables.select(f"SELECT user_id, message_id FROM {table}")) for table in OLD[1:]
    ]
    return messages, *copies


def check_old(content):
    assert old_rows() == (
        content.kept_messages,
        sorted(content.received),
        sorted(content.unread),
    )


def test_forwards_and_back_and_forwards(content, migrate):
    before = {table: (tables.description(table), tables.relations(table)) for table in OLD}

    migrate()
    check_new(content)
    migrate("0002")
    check_old(content)
    assert {table: (tables.description(table), tables.relations(table)) for table in OLD} == before
    migrate()
    check_new(content)


def test_what_is_there_afterwards_is_used_at_once(content, migrate, settings):
    settings.STORED_MESSAGES = {"INBOX_EXPIRE_DAYS": None, "MESSAGE_EXPIRE_DAYS": None}
    migrate()
    user = User.objects.get(pk=1)
    unread = [message for owner, message in sorted(content.unread) if owner == 1]

    assert [int(one.id) for one in stored_messages.get_backend().inbox_list(user)] == unread
    assert stored_messages.unread_count(user) == len(unread)
    page = stored_messages.inbox(user, limit=3)
    assert [int(one.id) for one in page.messages] == unread[::-1][:3]
    assert all(one.url is None or one.url[0] in "/hH" for one in page.messages)
    sent = stored_messages.add_message_for(user, STORED_INFO, "New")
    assert int(sent.id) > max(message[0] for message in content.messages)
    assert stored_messages.inbox(user).messages[0].message == "New"
    assert stored_messages.mark_read(user, str(unread[0]))
    stored_messages.mark_all_read(user)
    assert stored_messages.unread_count(user) == 0


def test_dates_at_the_ends_of_time_can_be_shown(old_database, migrate, settings):
    settings.STORED_MESSAGES = {"INBOX_EXPIRE_DAYS": None, "MESSAGE_EXPIRE_DAYS": None}
    ends = (
        datetime(1, 1, 1, tzinfo=datetime_timezone.utc),
        datetime(9999, 12, 31, 23, 59, tzinfo=datetime_timezone.utc),
    )
    Content(
        messages=[(key, "far", 21, "", date, None) for key, date in enumerate(ends, start=1)],
        archive=[(1, 1), (2, 1)],
        inbox=[(1, 1), (2, 1)],
    ).create()

    migrate()

    first, last = stored_messages.get_backend().inbox_list(User.objects.get(pk=1))
    for message in (first, last):
        for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
            assert message.date.astimezone(ZoneInfo(zone))
    assert first.date - ends[0] == timedelta(days=1)
    assert ends[1] - last.date < timedelta(days=2)


def test_migrations_are_those_of_the_models(old_database, migrate):
    migrate()

    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize("content", [many()], indirect=True, ids=["many"])
class TestInterrupted:
    """What was carried over stays so, and running it again goes on."""

    @pytest.fixture(autouse=True)
    def _connection(self, old_database):
        self.vendor = old_database.vendor

    def stop_at(self, table, message):
        for statement in STOPS[self.vendor]:
            tables.execute(statement.format(table=table, message=message))

    def go_on(self, table):
        for statement in GOES_ON[self.vendor]:
            tables.execute(statement.format(table=table))

    def test_forwards(self, content, migrate):
        migrate("0003")
        read = {message for _, message in content.received - content.unread}
        self.stop_at(
            "stored_messages_delivery", max(read - {message for message, _ in content.inbox})
        )
        with pytest.raises(DatabaseError, match="power cut"):
            migrate()
        carried_over = Delivery.objects.count()
        assert 0 < carried_over < len(content.received)
        stamps = dict(Message.objects.values_list("pk", "stamp"))
        self.go_on("stored_messages_delivery")

        migrate()

        check_new(content)
        assert dict(Message.objects.values_list("pk", "stamp")) == stamps

    @pytest.mark.parametrize("table", OLD[1:])
    def test_backwards(self, content, migrate, table):
        migrate()
        migrate("0004")
        self.stop_at(table, content.inbox[-1][0])
        with pytest.raises(DatabaseError, match="power cut"):
            migrate("0003")
        self.go_on(table)

        migrate("0002")

        check_old(content)

    def test_backwards_at_the_very_end(self, content, migrate):
        """All is carried back, but that it was is not written down."""
        migrate()
        migrate("0003")
        tables.execute(
            "INSERT INTO django_migrations (app, name, applied) "
            "VALUES ('stored_messages', '0004_carry_over', '2020-01-01 00:00:00')"
        )

        migrate("0002")

        check_old(content)


def test_back_with_what_1_4_0_never_had(old_database, migrate):
    """Dismissed messages, broadcasts, long urls, and copies of a user who is gone."""
    AWKWARD.create()
    migrate()
    ada, ben = (User.objects.get(pk=pk) for pk in (1, 2))
    kept = stored_messages.add_message_for([ada, ben], STORED_INFO, "Kept", data={"a": 1})
    dismissed = stored_messages.add_message_for([ada, ben], STORED_INFO, "Dismissed")
    stored_messages.dismiss(ada, dismissed)
    long = stored_messages.add_message_for(ada, STORED_INFO, "Long", url="/" + "x" * 1_000)
    everybody = stored_messages.broadcast_message(STORED_WARNING, "Everybody")
    stored_messages.mark_read(ada, everybody)
    stored_messages.dismiss(ben, everybody)
    newcomer = User.objects.create(username="new", date_joined=NOW + timedelta(days=1))
    Delivery.objects.filter(message=kept.id, user=ben.pk).update(user=999_999)

    migrate("0002")

    messages, archive, inbox = old_rows()
    ids = {name: int(one.id) for name, one in locals().items() if hasattr(one, "stamp")}
    assert messages[ids["long"]][4] is None
    assert {copy for copy in archive if copy[1] == ids["kept"]} == {(1, ids["kept"])}
    assert {copy for copy in archive if copy[1] == ids["dismissed"]} == {(2, ids["dismissed"])}
    others = [3, 7, 4_000]
    got = [user for user, message in archive if message == ids["everybody"]]
    assert got == [1, *others]
    assert [user for user, message in inbox if message == ids["everybody"]] == others
    assert newcomer.pk not in got
    assert len(archive) == len(set(archive))
    assert set(inbox) <= set(archive)


@pytest.mark.parametrize("content", [many()], indirect=True, ids=["many"])
def test_rows_are_carried_over_in_few_statements(content, migrate, old_database):
    migrate("0003")

    with CaptureQueriesContext(old_database) as captured:
        migrate("0004")

    # Of messages, archived and unread copies there are 3, 3 and 2 batches; the command has its own.
    assert len(captured) < 70


def test_an_empty_project_is_upgraded_too(old_database, migrate):
    migrate()
    assert Message.objects.count() == Delivery.objects.count() == 0
    migrate("0002")
    assert old_rows() == ({}, [], [])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_copies_that_sqlite_kept_though_their_owner_is_gone(old_database, migrate):
    """Before Django 2.0 it did not look at foreign keys."""
    AWKWARD.create()
    old_database.disable_constraint_checking()
    for table in OLD[1:]:
        tables.insert(table, ("message_id", "user_id"), [(1, 9_999), (9_999, 1)])
    old_database.enable_constraint_checking()

    migrate("0005")

    check_new(AWKWARD)
