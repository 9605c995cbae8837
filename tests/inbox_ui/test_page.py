"""The inbox page, as somebody without JavaScript uses it."""

import re
from datetime import datetime, timedelta, timezone
from html import unescape
from html.parser import HTMLParser

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils.safestring import mark_safe

from stored_messages import (
    STORED_DEBUG,
    STORED_ERROR,
    STORED_INFO,
    STORED_SUCCESS,
    STORED_WARNING,
)
from tests.inbox_ui.sending import archive, draft, inbox, sent_days_ago
from tests.inbox_ui.signs import NOT_ONE_SIGN, ONE_SIGN

URL = "/messages/"


class Reader(HTMLParser):
    """What a page offers: links by their text, forms with what they send, texts of the messages, headings."""

    def __init__(self, html):
        super().__init__()
        self.links, self.forms, self.current, self._open = {}, [], None, []
        self.tags = []
        self._into = None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag == "a":
            self._into = ("a", attrs, "")
        elif tag == "form":
            self.forms.append({"fields": {}, "buttons": {}})
        elif tag == "input" and self.forms:
            self.forms[-1]["fields"].setdefault(attrs["name"], []).append(attrs.get("value", ""))
        elif tag == "button":
            self._into = ("button", attrs, "")

    def handle_data(self, data):
        if self._into:
            tag, attrs, text = self._into
            self._into = (tag, attrs, text + data)

    def handle_endtag(self, tag):
        if self._into and self._into[0] == tag:
            _, attrs, text = self._into
            text = " ".join(text.split())
            self._into = None
            if tag == "a":
                self.links[text] = attrs["href"]
                self.current = text if attrs.get("aria-current") else self.current
            else:
                self.forms[-1]["buttons"][text] = (attrs.get("name"), attrs.get("value"))


class Browser:
    """Follows links, and presses buttons as a browser does: to the same address, with all that the form has."""

    def __init__(self, client):
        self.client = client
        self.url = URL
        self.open(URL)

    def open(self, url):
        response = self.client.get(url, follow=True)
        assert response.status_code == 200
        if response.redirect_chain:
            url = response.redirect_chain[-1][0]
        self.url = url
        self.html = response.content.decode()
        self.page = Reader(self.html)
        return self

    def follow(self, text):
        href = self.page.links[text]
        return self.open(URL + href if href.startswith("?") else href)

    def press(self, button, number=0):
        """Press the button of this text, of several the one of this number; return where it leads."""
        form = [form for form in self.page.forms if button in form["buttons"]][number]
        fields = dict(form["fields"])
        name, value = form["buttons"][button]
        if name:
            fields[name] = [value]
        response = self.client.post(self.url, fields)
        assert response.status_code == 302
        if response.url.startswith(URL):
            self.open(response.url)
        return response.url

    @property
    def texts(self):
        return [
            unescape(text)
            for text in re.findall(r'<div class="inbox-text">(.*?)</div>', self.html, re.S)
        ]

    @property
    def buttons(self):
        """What can be done to each message."""
        forms = [form["buttons"] for form in self.page.forms]
        return [list(buttons) for buttons in forms if "Dismiss" in buttons]


@pytest.fixture
def browse(client):
    """Sign somebody in, with their cookies and tokens checked."""

    def browse(user):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(user)
        return Browser(strict)

    return browse


def many(backend, user, number):
    backend.send([user], [draft(f"message {i}") for i in range(number)])


def numbers(start, stop):
    return [f"message {i}" for i in range(start, stop, -1)]


def test_strangers_sign_in_first(db, client):
    response = client.get(f"{URL}?all=1")
    assert (response.status_code, response.url) == (302, "/login/?next=/messages/%3Fall%3D1")
    assert client.post(URL, {"read": "1"}).status_code == 302


def test_nothing_new(backend, ada, browse):
    browser = browse(ada)
    assert "All caught up" in browser.html
    assert "Nothing here yet" in browser.follow("All").html
    assert browser.page.forms == []


def test_unread_and_all(backend, ada, ben, browse):
    read = backend.send([ada], [draft("one"), draft("two")])[0]
    backend.broadcast(draft("to all"))
    backend.send([ben], [draft("ben's")])
    backend.mark_read(ada, [read.id])

    browser = browse(ada)
    assert browser.texts == ["to all", "two"]
    assert browser.page.current == "Unread 2"
    assert browser.follow("All").texts == ["to all", "two", "one"]
    assert browser.page.current == "All"
    assert browser.buttons == [
        ["Mark as read", "Dismiss"],
        ["Mark as read", "Dismiss"],
        ["Mark as unread", "Dismiss"],
    ]
    assert browser.follow("Unread 2").texts == ["to all", "two"]


def test_what_left_the_inbox_can_only_be_dismissed(backend, ada, browse, configure):
    configure(INBOX_EXPIRE_DAYS=10)
    backend.send([ada], [sent_days_ago(15, "old")])

    browser = browse(ada)
    assert browser.texts == []
    assert browser.follow("All").buttons == [["Dismiss"]]
    assert "Mark all" not in browser.html


def test_reading_unreading_dismissing_stays_on_the_page(backend, ada, browse):
    many(backend, ada, 25)
    browser = browse(ada).follow("All").follow("Older")
    here = browser.url
    assert browser.texts == numbers(4, -1)

    assert browser.press("Mark as read", 1) == here
    assert browser.buttons[1] == ["Mark as unread", "Dismiss"]
    assert "message 3" not in inbox(backend, ada)
    assert browser.press("Mark as unread") == here
    assert "message 3" in inbox(backend, ada)
    assert browser.press("Dismiss", 4) == here
    assert browser.texts == numbers(4, 0)
    assert "message 0" not in archive(backend, ada)


def test_older_and_newer(backend, ada, browse):
    many(backend, ada, 65)
    browser = browse(ada)
    assert "Newer" not in browser.page.links
    seen = [browser.texts]
    while "Older" in browser.page.links:
        seen.append(browser.follow("Older").texts)
    assert seen == [numbers(64, 44), numbers(44, 24), numbers(24, 4), numbers(4, -1)]
    for expected in seen[-2::-1]:
        assert browser.follow("Newer").texts == expected
    assert "Newer" not in browser.page.links


def test_many_pages_back(backend, ada, browse, monkeypatch):
    monkeypatch.setattr("stored_messages.pages.InboxPage.page_size", 1)
    many(backend, ada, 30)
    browser = browse(ada)
    for _ in range(29):
        browser.follow("Older")
    assert browser.texts == ["message 0"]
    assert len(browser.url) < 600
    steps = 0
    while "Newer" in browser.page.links:
        browser.follow("Newer")
        steps += 1
    assert browser.texts == ["message 29"]
    assert steps == 21


def test_the_last_message_of_the_last_page_leads_to_the_page_before(backend, ada, browse):
    many(backend, ada, 21)
    browser = browse(ada).follow("Older")
    assert browser.texts == ["message 0"]

    browser.press("Mark as read")
    assert browser.url.rstrip("?") == URL
    assert browser.texts == numbers(20, 0)


def test_marking_all_read_leaves_what_arrived_meanwhile(backend, ada, browse):
    many(backend, ada, 25)
    backend.broadcast(draft("to all"))
    browser = browse(ada)
    backend.send([ada], [draft("meanwhile")])

    browser.press("Mark all as read")
    assert browser.texts == inbox(backend, ada) == ["meanwhile"]


def test_marking_all_read_further_down_leaves_what_is_above(backend, ada, browse):
    many(backend, ada, 45)
    browser = browse(ada).follow("Older")

    browser.press("Mark these and older as read")
    assert browser.texts == numbers(44, 24)
    assert backend.summary(ada).unread == 20


def test_marking_all_read_in_the_list_of_all(backend, ada, browse):
    many(backend, ada, 45)
    browser = browse(ada).follow("All")

    browser.press("Mark all as read")
    assert browser.page.current == "All"
    assert len(browser.texts) == 20
    assert inbox(backend, ada) == []
    assert "Mark all" not in browser.html


def test_opening_a_link_reads_its_message(backend, ada, browse):
    backend.send([ada], [draft("there", url="/there/?b=c#d"), draft("no link")])
    browser = browse(ada)
    assert browser.buttons == [["Mark as read", "Dismiss"], ["Open", "Mark as read", "Dismiss"]]

    assert browser.press("Open") == "/there/?b=c#d"
    assert inbox(backend, ada) == ["no link"]


def test_a_link_to_another_site_is_no_form(backend, ada, browse):
    """Browsers hold the redirect of a form to the `form-action` of a Content-Security-Policy."""
    backend.send([ada], [draft("there", url="https://example.com/a?b=c#d")])
    browser = browse(ada)

    assert browser.page.links["Open"] == "https://example.com/a?b=c#d"
    assert browser.buttons == [["Mark as read", "Dismiss"]]


@pytest.mark.parametrize("msg_id", ["0", "x", "", "\x00", "9" * 40, "a" * 24])
def test_opening_what_is_not_ones_own_leads_nowhere(backend, ada, ben, client, msg_id):
    theirs = backend.send([ben], [draft(url="https://example.com/")])[0]
    client.force_login(ada)

    for one in (msg_id, theirs.id):
        response = client.post(f"{URL}?all=1", {"open": one})
        assert (response.status_code, response.url) == (302, f"{URL}?all=1")
    assert backend.summary(ben).unread == 1


def test_links_of_a_backend_of_1_4_0_are_checked(legacy, ada, client):
    for url in ("javascript:alert(1)", "//evil.example", "/fine/"):
        message = legacy.create_message(21, "old", url=url)
        legacy.archive_store([ada], message)
        legacy.inbox_store([ada], message)
    client.force_login(ada)

    ids = [message.id for message in legacy.inbox_list(ada)]
    urls = [client.post(URL, {"open": msg_id}).url for msg_id in ids]
    assert urls == [URL, URL, "/fine/"]
    assert legacy.inbox_list(ada) == []


def test_what_was_meant_for_another_inbox_is_not_done(backend, ada, ben, client):
    backend.broadcast(draft("to all"))
    client.force_login(ada)
    owner = client.get(URL).context["owner"]
    client.force_login(ben)

    for action in ({"below": "7" * 16}, {"dismiss": backend.inbox_list(ben)[0].id}):
        assert client.post(URL, {"owner": owner, **action}).url == URL
    assert inbox(backend, ben) == ["to all"]


def test_what_was_shown_before_the_secret_key_changed_is_done(backend, ada, client, settings):
    backend.broadcast(draft("to all"))
    client.force_login(ada)
    owner = client.get(URL).context["owner"]
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"

    client.post(URL, {"owner": owner, "dismiss": backend.inbox_list(ada)[0].id})
    assert inbox(backend, ada) == []


@pytest.mark.parametrize("query", ["cursor=nonsense", "cursor=%00", "all&cursor=9999999999999999"])
def test_a_cursor_that_is_none_leads_to_the_first_page(backend, ada, client, query):
    many(backend, ada, 1)
    client.force_login(ada)

    response = client.get(f"{URL}?{query}", follow=True)
    [(url, _)] = response.redirect_chain
    assert url == (f"{URL}?all=1" if "all" in query else URL)


def test_a_position_that_is_none_is_refused(backend, ada, client):
    many(backend, ada, 1)
    client.force_login(ada)

    assert client.post(URL, {"below": "nonsense"}).status_code == 400
    assert client.post(URL).status_code == 302
    assert backend.summary(ada).unread == 1


@pytest.mark.parametrize("title", ["   ", "", None, 7, ["x"]])
def test_what_says_nothing_is_no_heading(backend, ada, browse, title):
    backend.send([ada], [draft("Hello", data={"title": title})])

    assert "<h2" not in browse(ada).html


def test_texts_are_escaped(backend, ada, browse):
    evil = "<script>alert('x')</script>"
    data = {"title": evil, "actor": evil}
    backend.send(
        [ada], [draft(evil, data=data, extra_tags='"><script>'), draft(mark_safe("<i>i</i>"))]
    )

    browser = browse(ada)
    assert "<script" not in browser.html
    assert browser.html.count("&lt;script&gt;alert(") == 3
    assert "<i>i</i>" in browser.html


def test_the_page_suits_a_strict_content_security_policy(backend, ada, browse):
    backend.send([ada], [draft("broken", STORED_ERROR, url="/x/")])

    tags = browse(ada).page.tags
    names = [name for name, _ in tags]
    assert not {"script", "style"} & set(names)
    assert not [attrs for _, attrs in tags if "style" in attrs or any(a[:2] == "on" for a in attrs)]
    [sheet] = [attrs["href"] for name, attrs in tags if name == "link"]
    assert sheet == "/static/stored_messages/inbox.css"
    assert finders.find("stored_messages/inbox.css")


def test_what_assistive_technology_is_told(backend, ada, browse):
    many(backend, ada, 25)

    tags = browse(ada).page.tags
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    described = [attrs["aria-describedby"] for name, attrs in tags if "aria-describedby" in attrs]
    assert len(described) == 40
    assert set(described) <= set(ids)
    assert [attrs["lang"] for name, attrs in tags if name == "html"] == ["en-us"]
    assert len([name for name, _ in tags if name in ("h1", "main")]) == 2
    assert all(attrs.get("aria-label") for name, attrs in tags if name == "nav")
    assert all(attrs.get("datetime") for name, attrs in tags if name == "time")


WARNING_SIGN = '<path d="M12 4 2.5 20h19Z"/>'


@pytest.mark.parametrize(
    ("icon", "shown"),
    [
        *((icon, f">\n{icon}\n</span>") for icon in ONE_SIGN),
        *((icon, WARNING_SIGN) for icon in NOT_ONE_SIGN),
        ("/static/bike.svg?a=1&b=2", 'src="/static/bike.svg?a=1&amp;b=2" alt=""'),
        ("https://example.com/bike.png", 'src="https://example.com/bike.png"'),
        ("//evil.example/x.png", WARNING_SIGN),
        ("javascript:alert(1)", WARNING_SIGN),
        ("/a b.png", 'src="/a%20b.png"'),
        (["🚲"], WARNING_SIGN),
        ("", WARNING_SIGN),
    ],
)
def test_the_senders_sign_or_that_of_the_level(backend, ada, browse, icon, shown):
    backend.send([ada], [draft("one", STORED_WARNING, data={"icon": icon})])
    browser = browse(ada)
    assert shown in browser.html
    assert (shown == WARNING_SIGN) == (WARNING_SIGN in browser.html)
    # The level is told in any case.
    assert [
        attrs["aria-label"] for _, attrs in browser.page.tags if attrs.get("role") == "img"
    ] == ["Warning"]


@pytest.mark.parametrize(
    ("level", "kind", "label"),
    [
        (STORED_ERROR, "error", "Error"),
        (STORED_WARNING, "warning", "Warning"),
        (STORED_SUCCESS, "success", "Success"),
        (STORED_INFO, "info", None),
        (STORED_DEBUG, "debug", None),
        (5, "debug", None),
        (99, "error", "Error"),
    ],
)
def test_levels_are_told_to_eye_and_ear(backend, ada, browse, level, kind, label):
    backend.send([ada], [draft("one", level)])
    browser = browse(ada)
    assert f"inbox-{kind}" in browser.html
    [sign] = [attrs for _, attrs in browser.page.tags if "inbox-icon" in attrs.get("class", "")]
    assert sign.get("aria-label") == label
    assert ("aria-hidden" in sign) == (label is None)


def test_near_dates_are_short(backend, ada, browse, monkeypatch):
    now = datetime(2026, 3, 5, 12, tzinfo=timezone.utc)
    dates = [now - timedelta(hours=hours) for hours in (1, 13, 24 * 80)]
    backend.send([ada], [draft(str(date), date=date) for date in dates])
    monkeypatch.setattr("stored_messages.rows.timezone.now", lambda: now)

    html = browse(ada).follow("All").html
    shown = re.findall(r'<time [^>]*title="([^"]+)">([^<]+)</time>', html)
    assert [short for _, short in shown] == ["Dec. 15, 2025", "March 4", "11 a.m."]
    assert shown[2][0] == "March 5, 2026, 11 a.m."


def test_the_page_is_kept_nowhere(backend, ada, client):
    client.force_login(ada)
    assert "no-store" in client.get(URL)["Cache-Control"]


def test_it_costs_the_same_however_long_it_is(database, ada, client, django_assert_max_num_queries):
    client.force_login(ada)
    for _ in range(2):
        many(database, ada, 30)
        database.broadcast(draft())
        for url in (URL, f"{URL}?all=1"):
            with django_assert_max_num_queries(6):
                assert client.get(url).status_code == 200


def test_a_project_gives_it_its_own_frame(backend, ada, client, settings, tmp_path):
    (tmp_path / "stored_messages").mkdir()
    (tmp_path / "stored_messages" / "base.html").write_text(
        "<h1>Mine</h1>{% block content %}{% endblock %}"
    )
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    many(backend, ada, 1)
    client.force_login(ada)

    html = client.get(URL).content.decode()
    assert html.startswith("<h1>Mine</h1>")
    assert "message 0" in html
