"""What a message may say: texts, tags, dates and data, from the sender to the reader."""

import json
import math
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

import pytest
from django.utils import timezone as django_timezone
from django.utils import translation
from django.utils.functional import lazystr
from django.utils.safestring import SafeData, mark_safe
from django.utils.translation import gettext_lazy

from stored_messages import (
    STORED_DEBUG,
    STORED_ERROR,
    STORED_INFO,
    STORED_SUCCESS,
    STORED_WARNING,
    add_message_for,
    broadcast_message,
)
from stored_messages.representation import represent

TEXTS = {
    "plain": ("Hello", "Hello"),
    "empty": ("", ""),
    "markup": ("<b>1 & 2</b>", "<b>1 & 2</b>"),
    "unicode": ("Grüße 🔔 \u202e\ufeff", "Grüße 🔔 \u202e\ufeff"),
    "newlines": ("a\r\nb\tc", "a\r\nb\tc"),
    "long": ("x" * 100_000, "x" * 100_000),
    "NUL": ("a\x00b", "a\ufffdb"),
    "lone surrogate": ("a\ud83db\udc00", "a\ufffdb\ufffd"),
    "lazy": (lazystr("later"), "later"),
    "number": (42, "42"),
    "exception": (ValueError("went wrong"), "went wrong"),
}

DATA = {
    "none": (None, {}),
    "empty": ({}, {}),
    "nested": ({"a": [1, 2.5, None, True, {"b": "c"}]}, {"a": [1, 2.5, None, True, {"b": "c"}]}),
    "mapping": (MappingProxyType({"a": 1}), {"a": 1}),
    "lazy": ({"title": lazystr("later")}, {"title": "later"}),
    "tuple": ({"a": (1, 2)}, {"a": [1, 2]}),
    "integer key": ({1: 2}, {"1": 2}),
    "NUL": ({"a\x00": "b\x00"}, {"a\ufffd": "b\ufffd"}),
    "lone surrogate": ({"a\ud800": ["b\udfff"]}, {"a\ufffd": ["b\ufffd"]}),
    "dates and numbers": (
        {
            "on": date(2026, 1, 2),
            "at": datetime(2026, 1, 2, tzinfo=timezone.utc),
            "price": Decimal("1.50"),
            "key": UUID(int=1),
        },
        {
            "on": "2026-01-02",
            "at": "2026-01-02T00:00:00Z",
            "price": "1.50",
            "key": "00000000-0000-0000-0000-000000000001",
        },
    ),
}

CIRCLE = {}
CIRCLE["itself"] = CIRCLE

NO_DATA = {
    "list": [],
    "text": "{}",
    "number": 1,
    "pairs": [("a", 1)],
    "NaN": {"a": math.nan},
    "infinity": {"a": [math.inf]},
    "object": {"a": object()},
    "set": {"a": {1}},
    "bytes": {"a": b"1"},
    "tuple as key": {(1, 2): 3},
    "circle": CIRCLE,
}


@pytest.fixture
def read(backend, ada):
    """The only message of Ada's inbox, as the backend hands it out."""

    def read():
        [message] = backend.inbox_list(ada)
        assert represent(message) == represent(backend.get(ada, message.id))
        return message

    return read


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS)
def test_texts_and_tags_arrive_as_any_store_can_hold_them(ada, read, text, expected):
    sent = add_message_for([ada], STORED_INFO, text, extra_tags=text)

    message = read()
    assert message.message == sent.message == expected
    assert message.extra_tags == sent.extra_tags == expected
    assert str(message) == expected
    assert not isinstance(message.message, SafeData)
    json.dumps(represent(message)).encode()


@pytest.mark.parametrize("extra_tags", [None, ""])
def test_no_extra_tags(ada, read, extra_tags):
    add_message_for([ada], STORED_INFO, "Hello", extra_tags=extra_tags)

    assert read().extra_tags == ""
    assert read().tags == "persisted info"


@pytest.mark.parametrize("text", ["<b>Hello</b> &amp; more", "<b>NUL\x00</b>"])
def test_what_is_marked_safe_stays_so(ada, read, text):
    add_message_for([ada], STORED_INFO, mark_safe(text))

    assert isinstance(read().message, SafeData)
    assert read().message == text.replace("\x00", "\ufffd")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("<b>1 &lt; 2</b>", "<b>1 &lt; 2</b>"),
        (mark_safe("<b>1 &lt; 2</b> &amp; <i>more</i>"), "1 < 2 & more"),
        (mark_safe("&lt;script&gt;alert(1)&lt;/script&gt;"), "<script>alert(1)</script>"),
        (mark_safe("<a href='javascript:alert(1)'>x</a>"), "x"),
    ],
)
def test_the_plain_text_is_what_a_reader_would_see(ada, read, message, text):
    add_message_for([ada], STORED_INFO, message)

    assert represent(read())["message"] == str(message)
    assert represent(read())["text"] == text


@pytest.mark.parametrize("markup", ["<" * 5_000, "<a " * 2_000, "</" * 500, "&" * 5_000])
def test_markup_that_nobody_can_parse_is_shown_somehow(ada, read, markup):
    add_message_for([ada], STORED_INFO, mark_safe(markup))

    assert isinstance(represent(read())["text"], str)


def test_texts_are_in_the_sender_s_language(ada, read):
    with translation.override("de"):
        add_message_for([ada], STORED_INFO, gettext_lazy("Yes"))

    assert read().message == "Ja"


@pytest.mark.parametrize(("data", "expected"), DATA.values(), ids=DATA)
def test_data_arrives_as_json(ada, read, data, expected):
    add_message_for([ada], STORED_INFO, "Hello", data=data)

    assert read().data == expected


def test_data_is_a_copy(ada, read):
    data = {"actor": {"name": "Ben"}}
    sent = add_message_for([ada], STORED_INFO, "Hello", data=data)
    data["actor"]["name"] = "somebody else"

    assert sent.data == read().data == {"actor": {"name": "Ben"}}


@pytest.mark.parametrize("data", NO_DATA.values(), ids=NO_DATA)
def test_what_is_no_json_object_is_refused(backend, ada, data):
    with pytest.raises((TypeError, ValueError)):
        add_message_for([ada], STORED_INFO, "Hello", data=data)

    assert backend.inbox_list(ada) == []


@pytest.mark.parametrize(
    ("level", "tag"),
    [
        (STORED_DEBUG, "persisted debug"),
        (STORED_INFO, "persisted info"),
        (STORED_SUCCESS, "persisted success"),
        (STORED_WARNING, "persisted warning"),
        (STORED_ERROR, "persisted error"),
        (20, "info"),
        (7, ""),
        ("21", "persisted info"),
    ],
)
def test_levels_and_their_tags(ada, read, level, tag):
    add_message_for([ada], level, "Hello", extra_tags="extra")

    message = read()
    assert (message.level, message.level_tag) == (int(level), tag)
    assert message.tags == f"extra {tag}".strip()


def test_the_project_s_level_tags_win(ada, read, settings):
    add_message_for([ada], STORED_INFO, "Hello")

    settings.MESSAGE_TAGS = {STORED_INFO: "alert-info"}
    assert read().level_tag == read().tags == represent(read())["level_tag"] == "alert-info"
    settings.MESSAGE_TAGS = {}
    assert read().level_tag == "persisted info"


@pytest.mark.parametrize("level", ["info", None, object()], ids=["text", "None", "object"])
def test_what_is_no_level_is_refused(ada, level):
    with pytest.raises((TypeError, ValueError)):
        add_message_for([ada], level, "Hello")


def test_the_sender_may_set_the_date_but_not_when_it_was_sent(ada, read):
    yesterday = django_timezone.now() - timedelta(days=1)
    before = django_timezone.now()

    add_message_for([ada], STORED_INFO, "Hello", date=yesterday)

    assert read().date == yesterday
    assert before <= read().sent_at <= django_timezone.now()


def test_without_a_date_it_is_that_of_sending(ada, read):
    add_message_for([ada], STORED_INFO, "Hello")

    assert read().date == read().sent_at


def test_dates_are_told_in_utc(ada, read):
    when = datetime(2100, 1, 2, 3, 4, 5, 678_901, tzinfo=timezone(timedelta(hours=2)))
    add_message_for([ada], STORED_INFO, "Hello", date=when)

    assert represent(read())["date"] == "2100-01-02T01:04:05.678901Z"


def test_a_naive_date_is_in_the_current_time_zone(ada, read):
    with django_timezone.override("Asia/Tokyo"):
        add_message_for([ada], STORED_INFO, "Hello", date=datetime(2100, 1, 2, 12))  # noqa: DTZ001

    assert represent(read())["date"] == "2100-01-02T03:00:00Z"


@pytest.mark.parametrize("when", ["2026-01-02", date(2026, 1, 2), 0, 1e9])
def test_what_is_no_datetime_is_refused(ada, when):
    with pytest.raises(TypeError, match="datetime"):
        add_message_for([ada], STORED_INFO, "Hello", date=when)


def test_a_broadcast_carries_the_same(backend, ada, read):
    sent = broadcast_message(
        STORED_ERROR, mark_safe("<b>x</b>"), "extra", url="/there/", data={"title": "t"}
    )

    message = read()
    assert represent(message) == represent(sent)
    assert message.broadcast is True
    assert (message.tags, message.url, message.data) == (
        "extra persisted error",
        "/there/",
        {"title": "t"},
    )
    assert isinstance(message.message, SafeData)


def test_equality_is_that_of_ids_among_stored_messages(backend, ada, read):
    sent = add_message_for([ada], STORED_INFO, "Hello")
    other = add_message_for([ada], STORED_INFO, "Hello")

    assert backend.get(ada, sent.id) == sent
    assert hash(backend.get(ada, sent.id)) == hash(sent)
    assert sent != other
    assert len({sent, other, backend.get(ada, sent.id)}) == 2
    assert sent != "Hello"
