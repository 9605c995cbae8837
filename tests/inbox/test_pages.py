"""The inbox as a page that works without JavaScript."""

import re

import pytest
from django.test import Client
from django.utils.safestring import mark_safe

from stored_messages.pages import InboxPage
from tests.inbox.inboxes import draft, send, unread

URL = "/messages/"


@pytest.fixture
def page(backend, ada, monkeypatch):
    """Ada's page of two messages at a time, and forms that carry what it says."""
    monkeypatch.setattr(InboxPage, "page_size", 2)
    client = Client()
    client.force_login(ada)

    def page(url=URL):
        response = client.get(url)
        assert response.status_code == 200
        return response.content.decode()

    page.client = client
    return page


def texts(html):
    """Of the messages alone: in the tokens of the forms, which are random, there may be any short word."""
    return re.findall(r'<div class="inbox-text">(.*)</div>', html)


def submit(page, **fields):
    response = page.client.post(URL, fields)
    assert (response.status_code, response.headers["Location"]) == (302, URL)


def test_it_lists_what_is_unread_newest_first(page, backend, ada):
    send(backend, [ada], "first", url="/there/?a=1&b=2", data={"title": "Title"}, extra_tags="x")
    backend.broadcast(draft("second"))

    html = page()

    assert texts(html) == ["second", "first"]
    assert 'name="open"' in html
    assert "Title" in html
    assert 'class="x persisted info unread"' in html


def test_texts_are_escaped_unless_they_are_marked_safe(page, backend, ada):
    send(backend, [ada], "<b>text</b>", data={"title": "<i>title</i>"})
    send(backend, [ada], mark_safe("<b>markup</b>"))

    html = page()
    assert "&lt;b&gt;text&lt;/b&gt;" in html
    assert "&lt;i&gt;title&lt;/i&gt;" in html
    assert "<b>markup</b>" in html


def test_it_leads_through_everything(page, backend, ada):
    send(backend, [ada], "one", "two", "three")

    html = page()
    assert texts(html) == ["three", "two"]
    [cursor] = re.findall(r"\?cursor=([0-9a-f]{16})", html)
    html = page(f"{URL}?cursor={cursor}")
    assert texts(html) == ["one"]
    assert "cursor=" not in html


def test_nothing_new(page):
    assert "All caught up" in page()


@pytest.mark.parametrize("cursor", ["x", "f" * 16, "%00"])
def test_an_odd_cursor_leads_to_the_first_page(page, cursor):
    response = page.client.get(f"{URL}?cursor={cursor}")

    assert (response.status_code, response.headers["Location"]) == (302, URL)


def test_marking_one_read(page, backend, ada):
    message, _ = send(backend, [ada], "1", "2")

    submit(page, read=message.id)
    submit(page, read="unknown")

    assert unread(backend, ada) == ["2"]


def test_marking_all_read_leaves_what_arrived_since(page, backend, ada):
    send(backend, [ada], "1", "2", "3")
    html = page()
    shown = re.findall(r'name="shown" value="([^"]+)"', html)
    [below] = re.findall(r'name="below" value="([^"]*)"', html)
    send(backend, [ada], "4")

    submit(page, shown=shown, below=below)

    assert unread(backend, ada) == ["4"]


def test_marking_nothing_read(page, backend, ada):
    send(backend, [ada], "1")

    submit(page, below="")

    assert unread(backend, ada) == ["1"]


def test_what_is_no_position_is_refused(page, backend, ada):
    message = send(backend, [ada], "1")

    response = page.client.post(URL, {"shown": [message.id], "below": "x"})

    assert response.status_code == 400
    assert unread(backend, ada) == ["1"]


def test_the_forms_need_their_csrf_token(backend, ada):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    message = send(backend, [ada], "1")

    assert client.post(URL, {"read": message.id}).status_code == 403
    html = client.get(URL).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', html).group(1)
    response = client.post(URL, {"read": message.id, "csrfmiddlewaretoken": token})
    assert response.status_code == 302
    assert unread(backend, ada) == []


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_is_asked_to_sign_in(backend, method):
    response = getattr(Client(), method)(URL)

    assert response.status_code == 302
    assert response.headers["Location"].startswith("/login/")


def test_no_cache_keeps_it(page):
    assert "no-store" in page.client.get(URL).headers["Cache-Control"]
