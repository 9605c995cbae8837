"""From signals to events: after the commit, and never to the sender's harm."""

import json
import logging

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from pytest_django import Settings

import stored_messages
from realtime.groups import everybody, user_group
from realtime.publisher import flush
from tests.realtime.layers import RecordingLayer
from tests.services.waiting import CEILING


def send(*users: User, text: str = "hello") -> None:
    stored_messages.add_message_for(users, stored_messages.STORED_INFO, text)


def loggers(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Who has logged something; not asyncio, of what another test left, when that is collected."""
    return [record.name for record in caplog.records if record.name != "asyncio"]


def frames(event: dict[str, object]) -> list[dict[str, object]]:
    return [json.loads(frame) for frame in event["frames"]]  # type: ignore[attr-defined]


def test_a_message_goes_to_its_users_group(user: User, recorded: RecordingLayer) -> None:
    send(user)
    [(group, event)] = recorded.wait_for(1)
    assert group == user_group(user.pk)
    assert event["to"] == [str(user.pk)]
    [frame] = frames(event)
    assert frame["type"] == "stored"
    assert frame["message"]["text"] == "hello"  # type: ignore[index]


def test_nothing_is_told_before_the_commit(user: User, recorded: RecordingLayer) -> None:
    with transaction.atomic():
        send(user)
        assert flush(CEILING)
        assert recorded.sent == []
    assert len(recorded.wait_for(1)) == 1


def test_a_rollback_tells_nothing(user: User, recorded: RecordingLayer) -> None:
    with transaction.atomic():
        send(user)
        transaction.set_rollback(True)
    send(user, text="after")
    assert frames(recorded.wait_for(1)[0][1])[0]["message"]["text"] == "after"  # type: ignore[index]


def test_a_broadcast_is_one_event_for_everybody(
    user: User, other: User, recorded: RecordingLayer
) -> None:
    message = stored_messages.broadcast_message(stored_messages.STORED_INFO, "to all")
    [(group, event)] = recorded.wait_for(1)
    assert (group, event["to"]) == (everybody(), None)
    assert message is not None
    assert event["sent_at"] == message.sent_at.timestamp()


def test_many_recipients_are_named_in_a_few_events(
    transactional_db: None, recorded: RecordingLayer
) -> None:
    users = User.objects.bulk_create([User(username=f"user-{i}") for i in range(2020)])
    send(*users)
    sent = recorded.wait_for(3)
    assert flush(CEILING)
    assert [group for group, _ in sent] == [everybody()] * 3
    assert sorted(pk for _, event in sent for pk in event["to"]) == sorted(
        str(one.pk) for one in users
    )


def test_reading_is_told(user: User, recorded: RecordingLayer) -> None:
    message = stored_messages.add_message_for([user], stored_messages.STORED_INFO, "hello")
    assert message is not None
    stored_messages.mark_read(user, message)
    send(user)
    stored_messages.mark_all_read(user)
    told = [frame for _, event in recorded.wait_for(4) for frame in frames(event)]
    assert [frame["type"] for frame in told] == ["stored", "read", "stored", "read_all"]
    assert told[1]["messages"] == [
        {"id": message.id, "stamp": message.stamp, "position": message.position}
    ]
    assert told[3]["up_to"] == told[2]["message"]["position"]  # type: ignore[index]


def test_a_broken_layer_does_not_concern_the_request(
    user: User, settings: Settings, caplog: pytest.LogCaptureFixture, client: Client
) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.realtime.layers.RaisingLayer"}}
    client.force_login(user)
    with caplog.at_level(logging.WARNING):
        assert client.post("/send/", {"text": "hello"}).status_code == 302
        assert client.post("/send/", {"text": "hello again"}).status_code == 302
        assert flush(CEILING)
    assert stored_messages.api.summary(user).unread == 2
    assert loggers(caplog) == ["realtime"]


def test_a_layer_that_cannot_be_made_does_not_concern_the_sender(
    user: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.realtime.layers.NoSuchLayer"}}
    send(user)
    send(user)
    assert stored_messages.api.summary(user).unread == 2
    assert loggers(caplog) == ["realtime"]


def test_without_autocommit_nobody_is_told_and_nothing_breaks(
    user: User, recorded: RecordingLayer
) -> None:
    transaction.set_autocommit(False)
    try:
        send(user)
        transaction.rollback()
    finally:
        transaction.set_autocommit(True)
    assert flush(CEILING)
    assert recorded.sent == []
