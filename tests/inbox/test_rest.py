"""The REST API: routes, bodies and headers, for a session that sends its CSRF token."""

import re
from itertools import chain

import pytest
from django.test import Client
from django.utils.safestring import mark_safe

from stored_messages import owner_key
from stored_messages.representation import represent
from tests.inbox.inboxes import archive, draft, send, unread

ODD_IDS = [
    "0",
    "-1",
    "01",
    "1.0",
    "+1",
    "%201",
    "1%0A",
    "%00",
    "1%00",
    "%D9%A1",
    "%ED%A0%80",
    "%FF",
    "%2e%2e",
    "..",
    "%2F",
    "%31%3B--",
    "9" * 18,
    "9" * 19,
    "9" * 5_000,
    "None",
    "undefined",
    "f" * 24,
]

ODD_LIMITS = ["0", "-1", "101", "1.5", "x", "%00", "9" * 5_000, "%F0%9F%94%94"]
ODD_CURSORS = ["0", "x" * 16, "f" * 16, "%00" * 16, "0007b2c3d4e5f6011", "%D9%A1" * 16]


def next_link(response):
    link = response.headers.get("Link")
    return re.fullmatch(r'<(http://testserver/[^>]+)>; rel="next"', link).group(1) if link else None


def ids(response):
    return [item["id"] for item in response.json()]


class TestLists:
    def test_newest_first_as_frames_have_them(self, tab, backend, ada):
        first, second = send(backend, [ada], "1", "2", url="/there/", data={"title": "t"})
        everybody = backend.broadcast(draft("Everybody"))

        response = tab.list()

        assert response.json() == [represent(one) for one in (everybody, second, first)]
        assert response.headers["Content-Type"] == "application/json"

    def test_an_item_has_what_1_4_0_had_and_more(self, tab, backend, ada):
        send(backend, [ada], mark_safe("<b>1 &lt; 2</b>"), extra_tags="x", url="/there/")

        [item] = tab.list().json()

        assert set(item) == {
            *("id", "message", "level", "tags", "date", "url"),
            *("text", "level_tag", "extra_tags", "data"),
            *("position", "stamp", "broadcast", "read_at"),
        }
        assert isinstance(item["id"], str)
        assert (item["message"], item["text"]) == ("<b>1 &lt; 2</b>", "1 < 2")
        assert (item["tags"], item["extra_tags"]) == ("x persisted info", "x")

    def test_markup_that_is_not_marked_safe_is_text(self, tab, backend, ada):
        send(backend, [ada], "<script>alert(1)</script>")

        [item] = tab.list().json()
        assert item["message"] == item["text"] == "<script>alert(1)</script>"

    def test_the_headers_that_the_client_needs(self, tab, backend, ada):
        send(backend, [ada], "1", "2", "3")

        headers = tab.list(limit=2).headers

        summary = backend.summary(ada)
        assert headers["X-Inbox-User"] == owner_key(ada)
        assert headers["X-Unread-Count"] == str(summary.unread) == "3"
        assert headers["X-Unread-Digest"] == str(summary.digest)
        assert headers["X-Poll-Interval"] == "15"
        assert headers["X-CSRFToken"]

    def test_links_lead_through_everything_once(self, tab, backend, ada):
        sent = [message.id for message in send(backend, [ada], *map(str, range(7)))]

        pages = [tab.list(limit=3)]
        while link := next_link(pages[-1]):
            pages.append(tab.get(link))

        assert [ids(page) for page in pages] == [sent[:3:-1], sent[3:0:-1], sent[0:1]]
        assert len({page.headers["X-Unread-Digest"] for page in pages}) == 1

    @pytest.mark.parametrize("number", [0, 2, 3])
    def test_the_last_page_has_no_link(self, tab, backend, ada, number):
        for i in range(number):
            send(backend, [ada], str(i))

        assert next_link(tab.list(limit=3)) is None

    def test_twenty_by_default(self, tab, backend, ada):
        backend.send([ada], [draft(str(i)) for i in range(21)])

        assert len(tab.list().json()) == 20
        assert len(tab.list(limit="", cursor="").json()) == 20
        assert len(tab.list(limit=100).json()) == 21

    @pytest.mark.parametrize("path", ["inbox", "archive"])
    @pytest.mark.parametrize(
        "query",
        [
            *(f"limit={limit}" for limit in ODD_LIMITS),
            *(f"cursor={cursor}" for cursor in ODD_CURSORS),
        ],
        ids=lambda query: query[:30],
    )
    def test_odd_limits_and_cursors_are_refused(self, tab, path, query):
        response = tab.get(f"/messages/{path}/?{query}")

        assert response.status_code == 400
        assert list(response.json()) == [query.partition("=")[0]]

    def test_the_archive_has_what_is_read_too(self, tab, backend, ada):
        first, second = send(backend, [ada], "1", "2")
        backend.mark_read(ada, [first.id])

        response = tab.list("/messages/archive/", limit=1)
        assert ids(response) == [second.id]
        response = tab.get(next_link(response))
        assert ids(response) == [first.id]
        assert response.json()[0]["read_at"].endswith("Z")
        assert response.headers["X-Unread-Count"] == "1"

    def test_what_did_not_change_is_not_sent_again(self, tab, backend, ada):
        message = send(backend, [ada], "1")
        before = tab.list()

        def again():
            return tab.get("/messages/inbox/", headers={"If-None-Match": before.headers["ETag"]})

        assert (again().status_code, again().content) == (304, b"")
        assert again().headers["X-Unread-Count"] == "1"
        backend.mark_read(ada, [message.id])
        assert (again().status_code, again().json()) == (200, [])
        backend.inbox_store([ada], message)
        assert again().status_code == 200

    @pytest.mark.parametrize("sent", ["{}", "{0[2:]}", '"other", {}', '"a-b" ,W/"x",{}', "*"])
    def test_tags_are_compared_weakly_and_may_be_several(self, tab, backend, ada, sent):
        send(backend, [ada], "1")
        tag = tab.list().headers["ETag"]

        header = sent.replace("{0[2:]}", tag[2:]).replace("{}", tag)
        response = tab.get("/messages/inbox/", headers={"If-None-Match": header})

        assert response.status_code == 304
        assert response.headers["ETag"] == tag

    @pytest.mark.parametrize("sent", ["", "{}x", '"', 'W/"{}"', "**", ",", "ü", "\x00"])
    def test_other_tags_are_not_it(self, tab, backend, ada, sent):
        send(backend, [ada], "1")

        response = tab.get("/messages/inbox/", headers={"If-None-Match": sent})

        assert (response.status_code, len(response.json())) == (200, 1)

    def test_another_part_of_the_list_has_another_tag(self, tab, backend, ada, ben):
        send(backend, [ada, ben], "1", "2")

        tags = [tab.list(limit=limit).headers["ETag"] for limit in (1, 2)]
        tags.append(tab.get(next_link(tab.list(limit=1))).headers["ETag"])
        tab.force_login(ben)
        tags.append(tab.list(limit=1).headers["ETag"])

        assert len(set(tags)) == 4


class TestOneMessage:
    def test_it_is_as_in_the_list(self, tab, backend, ada):
        message = send(backend, [ada], "Hello")

        for path in ("inbox", "archive"):
            response = tab.get(f"/messages/{path}/{message.id}/")
            assert (response.status_code, response.json()) == (200, represent(message))

    def test_marking_it_read_and_again(self, tab, backend, ada):
        message = send(backend, [ada], "Hello")

        for _ in range(2):
            response = tab.act(f"inbox/{message.id}/read/")
            assert response.status_code == 200
            assert response.json() == {"status": "message marked as read"}
        assert unread(backend, ada) == []
        assert tab.get(f"/messages/inbox/{message.id}/").status_code == 404
        assert tab.get(f"/messages/archive/{message.id}/").status_code == 200

    def test_marking_it_unread_and_again(self, tab, backend, ada):
        message = send(backend, [ada], "Hello")
        backend.mark_read(ada, [message.id])

        for _ in range(2):
            response = tab.act(f"inbox/{message.id}/unread/")
            assert response.status_code == 200
        assert unread(backend, ada) == ["Hello"]

    def test_dismissing_it_and_again(self, tab, backend, ada):
        message = send(backend, [ada], "Hello")

        assert tab.act(f"archive/{message.id}/", method="DELETE").status_code == 204
        assert tab.act(f"archive/{message.id}/", method="DELETE").status_code == 404
        assert archive(backend, ada) == []

    def test_a_broadcast_is_a_message_like_others(self, tab, backend, ada, ben):
        message = backend.broadcast(draft("Everybody"))

        assert tab.get(f"/messages/inbox/{message.id}/").json()["broadcast"] is True
        assert tab.act(f"inbox/{message.id}/read/").status_code == 200
        assert (unread(backend, ada), unread(backend, ben)) == ([], ["Everybody"])

    @pytest.mark.parametrize("odd", [*ODD_IDS, "foreign"], ids=lambda odd: odd[:20])
    def test_what_is_not_there_is_404(self, tab, backend, ada, ben, odd):
        send(backend, [ada], "Hello")
        if odd == "foreign":
            odd = send(backend, [ben], "for Ben").id

        responses = chain(
            (tab.get(f"/messages/{path}/{odd}/") for path in ("inbox", "archive")),
            (tab.act(f"inbox/{odd}/{action}/") for action in ("read", "unread")),
            [tab.act(f"archive/{odd}/", method="DELETE")],
        )
        assert [response.status_code for response in responses] == [404] * 5
        assert unread(backend, ada) == ["Hello"]
        if odd == "foreign":
            assert unread(backend, ben) == ["for Ben"]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"])
def test_other_methods(tab, method):
    response = tab.act("inbox/", method=method)

    assert response.status_code == (200 if method in ("HEAD", "OPTIONS") else 405)
    if method == "HEAD":
        assert response.content == b""
        assert response.headers["X-Unread-Count"] == "0"


def test_no_cache_keeps_anybody_s_messages(tab, backend, ada):
    message = send(backend, [ada], "Hello")

    responses = [
        tab.get("/messages/inbox/"),
        tab.get("/messages/archive/"),
        tab.get(f"/messages/inbox/{message.id}/"),
        tab.get("/messages/inbox/0/"),
        tab.get("/messages/inbox/?limit=x"),
        tab.act("mark_all_read/"),
        tab.act(f"inbox/{message.id}/read/"),
        Client().get("/messages/inbox/"),
    ]
    for response in responses:
        assert response.headers["Cache-Control"] == "private, no-cache"
        varies = {name.strip() for name in response.headers["Vary"].split(",")}
        assert {"Cookie", "Authorization"} <= varies
