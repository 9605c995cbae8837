"""The import of the lists that 1.4.0 left in Redis."""

import io
import json
from datetime import datetime, timedelta
from datetime import timezone as datetime_timezone
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from redis import Redis

from stored_messages import mark_read
from tests.inbox.inboxes import archive, check_agreement, send, texts, unread, walk
from tests.redis.legacy import LegacyStore
from tests.services.processes import free_port


@pytest.fixture
def old(redis_url):
    """The old lists, on the server of the new keys."""
    with Redis.from_url(redis_url) as client:
        yield LegacyStore(client)


@pytest.fixture
def run(backend):
    """Run the command and return what it says."""

    def run(*arguments, stream=None, **options):
        output = stream or io.StringIO()
        call_command("stored_messages_import_redis", *arguments, stdout=output, **options)
        return output.getvalue()

    return run


class Terminal(io.StringIO):
    def isatty(self):
        return True


def ago(**time):
    return (timezone.now() - timedelta(**time)).replace(microsecond=123_000)


def test_unread_and_read_come_as_such_in_the_order_of_their_dates(backend, old, run, ada, ben):
    first, second, third = (
        old.message(text, ago(days=days)) for text, days in [("a", 9), ("b", 5), ("c", 1)]
    )
    old.archive(ada, first)
    old.inbox(ada, third, second)
    old.inbox(ben, second)

    assert "Imported 4 messages of 2 users.\n" in run()

    assert unread(backend, ada) == ["b", "c"]
    assert archive(backend, ada) == ["a", "b", "c"]
    assert unread(backend, ben) == archive(backend, ben) == ["b"]
    [read, *_] = backend.archive_list(ada)
    assert read.read_at == read.date
    check_agreement(backend, ada)


def test_a_message_keeps_what_it_had(backend, old, run, ada):
    date = ago(days=3)
    old.inbox(ada, old.message("Grüße ☃", date, level=31, tags="x y", url="/there/?a=1"))
    run()

    [message] = backend.inbox_list(ada)
    assert (message.message, message.level, message.extra_tags) == ("Grüße ☃", 31, "x y")
    assert (message.url, message.date, message.sent_at) == ("/there/?a=1", date, date)
    assert message.data == {}
    assert not message.broadcast


def test_different_messages_with_one_id_are_different(backend, old, run, ada):
    date = ago(hours=1)
    one, other = old.message("é", date), old.message("ü", date)
    assert one["id"] == other["id"]
    old.inbox(ada, one, other)
    run()

    assert sorted(unread(backend, ada)) == ["é", "ü"]


def test_what_is_in_a_list_twice_comes_once(backend, old, run, ada):
    message = old.message()
    old.inbox(ada, message, message)
    old.inbox(ada, message)

    assert "Imported 1 messages" in run()
    assert unread(backend, ada) == archive(backend, ada) == ["Hello"]


def test_a_second_run_changes_nothing(backend, old, run, ada):
    old.inbox(ada, old.message("read"), old.message("dismissed"), old.message("unread"))
    run()
    by_text = {message.message: message for message in backend.inbox_list(ada)}
    mark_read(ada, by_text["read"])
    backend.dismiss(ada, [by_text["dismissed"].id])
    before = backend.archive_list(ada)
    old.inbox(ada, old.message("new"))

    assert "Imported 1 messages of 1 users.\n3 were there already." in run()

    assert unread(backend, ada) == ["unread", "new"]
    after = backend.archive_list(ada)
    assert [message.ref for message in after][:-1] == [message.ref for message in before]
    check_agreement(backend, ada)


@pytest.mark.parametrize(
    "date",
    ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"],
)
@pytest.mark.parametrize("days", [None, 120, 3650])
def test_a_date_at_the_ends_of_time_is_one_that_can_be_shown(
    backend, old, run, ada, settings, days, date
):
    settings.STORED_MESSAGES = {
        **settings.STORED_MESSAGES,
        "INBOX_EXPIRE_DAYS": None,
        "MESSAGE_EXPIRE_DAYS": days,
    }
    old.raw(f"user:{ada.pk}:notifications", json.dumps({**old.message("far"), "date": date}))

    run()

    for message in backend.inbox_list(ada):
        for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
            assert message.date.astimezone(ZoneInfo(zone))
    assert unread(backend, ada) == ([] if days and date < "1" else ["far"])


def test_a_list_of_a_number_that_is_no_key_is_nobody_s(backend, old, run, ada):
    old.raw(f"user:{10**30}:archive", json.dumps(old.message("theirs")))
    old.raw(f"user:{ada.pk}:notifications", json.dumps(old.message("hers")))

    run()

    assert unread(backend, ada) == ["hers"]


def test_broken_entries_are_counted_and_stop_nothing(backend, old, run, ada):
    entry = old.message("good")
    broken = [
        b"",
        b"\xff\xfe",
        b"not json",
        b"[]",
        b"null",
        b"[" * 100_000,
        *(
            json.dumps({**entry, **change})
            for change in (
                {"level": "high"},
                {"level": None},
                {"level": True},
                {"message": None},
                {"tags": 7},
                {"date": None},
                {"date": "yesterday"},
                {"date": "2026-13-01T00:00:00Z"},
            )
        ),
        json.dumps({"message": "no more"}),
    ]
    old.raw(f"user:{ada.pk}:notifications", *broken, json.dumps(entry))

    said = run()

    assert f"{len(broken)} entries are no messages" in said
    assert unread(backend, ada) == ["good"]


def test_a_key_that_is_no_list_is_no_end(backend, old, run, ada):
    old.client.set("user:1:2:notifications", "something else's")
    old.client.hset(f"user:{ada.pk}:archive", "a", "b")
    old.raw(f"user:{ada.pk}:notifications", json.dumps(old.message()))

    run("--delete")

    assert unread(backend, ada) == ["Hello"]
    assert set(old.client.scan_iter("user:*")) == {
        b"user:1:2:notifications",
        f"user:{ada.pk}:archive".encode(),
    }


def test_dangerous_urls_are_dropped(backend, old, run, ada):
    old.inbox(
        ada, old.message(url="javascript:alert(1)"), old.message("fine", url="https://a.example/")
    )

    assert "1 lost a url" in run()
    # Both are of one moment, so either may come first.
    urls = {message.url for message in backend.inbox_list(ada)}
    assert urls == {None, "https://a.example/"}


def test_expired_messages_stay_behind(backend, old, run, ada):
    old.inbox(
        ada,
        old.message("gone", ago(days=121)),
        old.message("old", ago(days=31)),
        old.message("new"),
    )

    assert "1 are older than MESSAGE_EXPIRE_DAYS" in run()
    assert unread(backend, ada) == ["new"]
    assert archive(backend, ada) == ["old", "new"]


def test_dates_of_any_time_keep_their_order_below_what_is_new(old, run, ada, at, redis_url):
    backend = at(redis_url, MESSAGE_EXPIRE_DAYS=None, INBOX_EXPIRE_DAYS=None)
    dates = [datetime(year, 1, 1, tzinfo=datetime_timezone.utc) for year in range(1960, 2090, 5)]
    old.inbox(ada, *(old.message(str(date.year), date) for date in reversed(dates)))
    send(backend, [ada], "new")
    run()

    *inbox, new = backend.inbox_list(ada)
    assert str(new) == "new"
    assert texts(inbox)[3:] == [str(date.year) for date in dates][3:]
    assert sorted(texts(inbox)[:3]) == ["1960", "1965", "1970"]
    assert {message.date for message in inbox} == set(dates)


def test_lists_of_users_who_are_gone_are_left_out(backend, old, run, ada):
    old.inbox(ada, old.message())
    old.raw("user:987654:notifications", json.dumps(old.message()))
    old.raw("user:nobody:archive", json.dumps(old.message()), json.dumps(old.message()))
    old.raw(b"user:\xff:archive", json.dumps(old.message()))

    assert "4 are of users who are gone" in run()


def test_large_lists_come_in_steps(backend, old, run, ada, sent_to):
    messages = [old.message(str(number), ago(minutes=5000 - number)) for number in range(2500)]
    old.inbox(ada, *messages)
    with sent_to() as writes:
        run()

    assert unread(backend, ada) == [str(number) for number in range(2500)]
    assert [len(page.messages) for page in walk(backend, ada, limit=1000)] == [1000, 1000, 500]
    assert len(writes) < 50


def test_a_dry_run_tells_the_same_and_does_nothing(backend, old, run, ada, ben):
    message = old.message()
    old.inbox(ada, message, old.message("two"))
    old.inbox(ben, message)

    said = run("--dry-run", "--delete")

    assert archive(backend, ada) == archive(backend, ben) == []
    assert list(old.client.scan_iter("stored_messages:*")) == []
    assert said.replace("Would import", "Imported") == run()


def test_old_keys_stay(backend, old, run, ada):
    old.inbox(ada, old.message())
    before = {key: old.client.dump(key) for key in old.client.scan_iter("user:*")}
    run()

    assert {key: old.client.dump(key) for key in old.client.scan_iter("user:*")} == before
    assert len(before) == 3


def test_old_keys_go_if_told_unless_something_is_broken(backend, old, run, ada, ben):
    old.inbox(ada, old.message())
    old.inbox(ben, old.message())
    old.raw(f"user:{ben.pk}:archive", "broken")
    old.client.set("user:settings", "something else's")
    run("--delete")

    kept = {
        f"user:{ben.pk}:{part}".encode()
        for part in ("notifications", "notificationsidx", "archive")
    }
    assert set(old.client.scan_iter("user:*")) == kept | {b"user:settings"}
    assert unread(backend, ada) == unread(backend, ben) == ["Hello"]


def test_the_lists_may_be_on_another_server(at, redis_cluster_url, old, run, ada, redis_url):
    backend = at(redis_cluster_url)
    old.inbox(ada, old.message())

    assert "Imported 1 messages" in run("--from", redis_url)
    assert unread(backend, ada) == ["Hello"]


def test_it_never_asks_for_all_keys_at_once(old, run, ada):
    old.inbox(ada, old.message())
    old.client.config_resetstat()  # of what other tests did at this server
    run()

    assert "cmdstat_scan" in old.client.info("commandstats")
    assert "cmdstat_keys" not in old.client.info("commandstats")


def test_a_terminal_sees_a_bar_and_a_file_does_not(old, run, ada):
    old.inbox(ada, old.message())

    assert "100%" in run(stream=Terminal())
    assert "%" not in run()
    assert run(verbosity=0) == ""


@pytest.mark.parametrize("url", ["redis+cluster://127.0.0.1:1", "http://127.0.0.1", "nonsense"])
def test_what_cannot_have_been_1_4_0_s_server_is_refused(run, url):
    with pytest.raises(CommandError, match="--from"):
        run("--from", url)


def test_a_server_that_is_not_there_is_said(run):
    with pytest.raises(CommandError, match="does not answer"):
        run("--from", f"redis://127.0.0.1:{free_port()}")


def test_another_backend_is_refused(settings, run):
    settings.STORED_MESSAGES = {
        **settings.STORED_MESSAGES,
        "STORAGE_BACKEND": "stored_messages.backends.DefaultBackend",
    }
    with pytest.raises(CommandError, match="RedisBackend"):
        run()
