"""The REST API's actions on more than one message, and what refuses them."""

import json

import pytest

from stored_messages import owner_key
from tests.inbox.inboxes import check_agreement, draft, send, unread

ODD_BODIES = {
    "no JSON": "{",
    "a list": "[]",
    "a list of ids": '["1"]',
    "null": "null",
    "a text": '"x"',
    "a number": "1",
    "ids: null": '{"ids": null}',
    "ids: a text": '{"ids": "1"}',
    "ids: an object": '{"ids": {"0": "1"}}',
    "ids: nested": '{"ids": [["1"]]}',
    "ids: objects": '{"ids": [{"id": "1"}]}',
    "ids: null among them": '{"ids": [null]}',
    "ids: true among them": '{"ids": [true]}',
    "ids: NaN": '{"ids": [NaN]}',
    "ids: too many": json.dumps({"ids": ["1"] * 5_001}),
    "ids: a huge number": '{"ids": [' + "9" * 5_000 + "]}",
    "before: a number": '{"before": 1}',
    "before: empty": '{"before": ""}',
    "before: no position": '{"before": "x"}',
    "before: NUL": '{"before": "\\u0000"}',
    "before: a surrogate": '{"before": "\\ud800"}',
    "before: a list": '{"before": []}',
    "deep": "[" * 100_000,
    "deep ids": '{"ids": ' + "[" * 50_000 + "]" * 50_000 + "}",
    "no UTF-8": b'{"ids": ["\xff"]}',
}


def part(name, value):
    return f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'


class TestMarkAllRead:
    PATH = "mark_all_read/"

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("application/json", ""),
            ("application/json", "{}"),
            ("application/x-www-form-urlencoded", ""),
            ("multipart/form-data; boundary=x", "--x--\r\n"),
        ],
    )
    def test_an_empty_body_means_everything(self, tab, backend, ada, ben, content_type, body):
        send(backend, [ada, ben], "1", "2")
        backend.broadcast(draft("3"))

        response = tab.act(self.PATH, body, content_type=content_type)

        assert response.status_code == 200
        assert response.json() == {"message": "All messages read"}
        assert unread(backend, ada) == []
        assert unread(backend, ben) == ["1", "2", "3"]

    def test_a_misspelt_name_does_not_mean_everything(self, tab, backend, ada):
        message = send(backend, [ada], "1")

        response = tab.act(self.PATH, {"id": [message.id]})

        assert response.status_code == 400
        assert response.json() == {"id": ["Unknown."]}
        assert unread(backend, ada) == ["1"]

    @pytest.mark.parametrize("form", [False, True])
    def test_what_was_seen(self, tab, backend, ada, form):
        sent = send(backend, [ada], "1", "2", "3", "4", "5")
        shown, before = [sent[4].id, sent[2].id], sent[1].position

        if form:
            response = tab.act(
                self.PATH,
                f"ids={shown[0]}&ids={shown[1]}&before={before}",
                content_type="application/x-www-form-urlencoded",
            )
        else:
            response = tab.act(self.PATH, {"ids": shown, "before": before})

        assert response.status_code == 200
        assert unread(backend, ada) == ["2", "4"]
        check_agreement(backend, ada)

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("application/json", '{"ids": []}'),
            ("application/json", '{"ids": [], "before": null}'),
            ("application/json", '{"before": null}'),
            ("application/json", '{"ids": ["unknown", "-1", 7], "before": null}'),
            ("application/x-www-form-urlencoded", "before="),
            ("application/x-www-form-urlencoded", "ids=unknown&before="),
            ("application/x-www-form-urlencoded", "ids="),
        ],
    )
    def test_nothing_seen_is_nothing_read(self, tab, backend, ada, ben, content_type, body):
        send(backend, [ben], *map(str, range(8)))
        send(backend, [ada], "1")

        assert tab.act(self.PATH, body, content_type=content_type).status_code == 200
        assert unread(backend, ada) == ["1"]

    def test_somebody_else_s_ids_change_nothing(self, tab, backend, ada, ben):
        foreign = send(backend, [ben], "for Ben")

        assert tab.act(self.PATH, {"ids": [foreign.id]}).status_code == 200
        assert unread(backend, ben) == ["for Ben"]

    @pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES)
    def test_odd_bodies_are_refused(self, tab, backend, ada, body):
        send(backend, [ada], "1")

        assert tab.act(self.PATH, body).status_code == 400
        assert unread(backend, ada) == ["1"]

    @pytest.mark.parametrize(
        ("content_type", "status"),
        [
            ("text/plain", 415),
            ("application/xml", 415),
            ("nonsense", 415),
            ("multipart/form-data", 400),
        ],
    )
    def test_other_types_of_body_are_refused(self, tab, backend, ada, content_type, status):
        send(backend, [ada], "1")

        assert tab.act(self.PATH, "x", content_type=content_type).status_code == status
        assert unread(backend, ada) == ["1"]

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("application/x-www-form-urlencoded", "ids=1&" * 1_001),
            ("application/x-www-form-urlencoded", "ids=" + "1" * 3_000_000),
            ("multipart/form-data; boundary=x", part("ids", "1") * 1_001 + "--x--\r\n"),
            ("multipart/form-data; boundary=x", part("ids", "1" * 3_000_000) + "--x--\r\n"),
            ("multipart/form-data; boundary=x", 'ids=1&before=""'),
            ("multipart/form-data; boundary=x", part("id", "1") + "--x--\r\n"),
            ("application/json", '{"ids": ["' + "1" * 3_000_000 + '"]}'),
        ],
        ids=[
            *("many fields", "a large form", "many parts", "a large part"),
            *("no part", "a misspelt part", "large JSON"),
        ],
    )
    def test_broken_and_large_bodies_are_refused(self, tab, backend, ada, content_type, body):
        send(backend, [ada], "1")

        response = tab.act(self.PATH, body, content_type=content_type)

        assert response.status_code == 400
        assert response.headers["Content-Type"] == "application/json"
        assert unread(backend, ada) == ["1"]


class TestMeantForAnotherUser:
    ACTIONS = (
        ("POST", "inbox/{}/read/"),
        ("POST", "inbox/{}/unread/"),
        ("DELETE", "archive/{}/"),
        ("POST", "mark_all_read/"),
    )

    @pytest.mark.parametrize(("method", "path"), ACTIONS)
    def test_actions_are_refused(self, tab, backend, ada, ben, method, path):
        message = send(backend, [ada], "Hello")

        for key in (owner_key(ben), "nonsense", "ü"):
            response = tab.act(path.format(message.id), method=method, **{"X-Inbox-User": key})
            assert response.status_code == 409
            assert "another user" in response.json()["detail"]
        assert unread(backend, ada) == ["Hello"]

    @pytest.mark.parametrize(("method", "path"), ACTIONS)
    def test_one_s_own_are_not(self, tab, backend, ada, method, path):
        message = send(backend, [ada], "Hello")

        response = tab.act(
            path.format(message.id), method=method, **{"X-Inbox-User": owner_key(ada)}
        )
        assert response.status_code in (200, 204)

    def test_one_s_own_from_before_the_secret_key_changed(self, tab, backend, ada, ben, settings):
        keys = [owner_key(ada), owner_key(ben)]
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another"
        tab.force_login(ada)

        statuses = [tab.act("mark_all_read/", **{"X-Inbox-User": key}).status_code for key in keys]
        assert statuses == [200, 409]

    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
    def test_looking_is_no_action(self, tab, ben, method):
        response = tab.generic(method, "/messages/inbox/", headers={"X-Inbox-User": owner_key(ben)})

        assert response.status_code == 200
