"""What somebody chooses about the bell, what they send themselves, and the policy around all pages."""

import re

import pytest

from stored_messages import STORED_ERROR, STORED_SUCCESS, unread_count

CHOSEN = {
    "theme": "dark",
    "language": "ar",
    "direction": "auto",
    "own_colours": "on",
    "accent": "#aa3300",
    "badge": "#ffee00",
    "radius": "4",
    "width": "500",
}
SENT = {"level": STORED_SUCCESS, "text": "Ready", "count": "1", "delay": "0"}


def tag(html, name):
    """The attributes of the first such tag."""
    return re.search(rf"<{name}\b([^>]*)>", html)[1]


def page_of(somebody, url="/"):
    return somebody.get(url).content.decode()


def test_who_chose_nothing_has_the_bell_as_it_comes(browser, ada):
    html = page_of(browser(ada))
    assert tag(html, "html") == ' lang="en" dir="ltr" class="auto"'
    assert 'socket="/ws/inbox/"' in tag(html, "notification-bell")
    assert "/settings/bell.css" not in html


def test_what_was_chosen_is_kept_and_shown(browser, ada, ben):
    signed_in = browser(ada)
    assert signed_in.post("/settings/", CHOSEN).url == "/settings/"
    html = page_of(signed_in)
    assert tag(html, "html") == ' lang="en" dir="rtl" class="dark"'
    assert ' lang="ar"' in tag(html, "notification-bell")
    assert "socket" not in tag(html, "notification-bell")
    assert '<link rel="stylesheet" href="/settings/bell.css">' in html
    form = page_of(signed_in, "/settings/")
    assert re.search(r'value="dark"[^>]* checked', form)
    assert 'value="#aa3300"' in form
    assert ' class="auto"' in tag(page_of(browser(ben)), "html")


def test_the_direction_can_be_turned_round(browser, ada):
    signed_in = browser(ada)
    signed_in.post("/settings/", CHOSEN | {"direction": "ltr"})
    assert ' dir="ltr"' in tag(page_of(signed_in), "html")


def test_the_page_with_all_notifications_speaks_the_language(browser, ada):
    signed_in = browser(ada)
    signed_in.post("/settings/", CHOSEN)
    html = page_of(signed_in, "/messages/")
    assert '<div lang="ar">' in html
    assert ' lang="en"' in tag(html, "html")


def test_toasts_and_the_count_in_the_title_are_switched_on(browser, ada):
    signed_in = browser(ada)
    assert "toasts" not in tag(page_of(signed_in), "notification-bell")
    signed_in.post("/settings/", CHOSEN | {"toasts": "on", "title": "on"})
    attributes = tag(page_of(signed_in), "notification-bell").split()
    assert {"toasts", "count-in-title"} <= set(attributes)


def test_ids_are_given_once(browser, mira):
    ids = re.findall(r'\bid="([^"]+)"', page_of(browser(mira), "/settings/"))
    assert len(ids) == len(set(ids))


def test_colours_and_shape_are_a_style_sheet(browser, ada):
    signed_in = browser(ada)
    signed_in.post("/settings/", CHOSEN)
    response = signed_in.get("/settings/bell.css")
    assert response["Content-Type"] == "text/css"
    assert response["Cache-Control"] == "private, no-cache"
    assert response.content.decode() == (
        "notification-bell, .stored-inbox {\n"
        "  --notification-bell-accent: #aa3300;\n"
        "  --notification-bell-badge: #ffee00;\n"
        "  --notification-bell-badge-text: #000;\n"
        "  --notification-bell-radius: 4px;\n"
        "  --notification-bell-width: 500px;\n"
        "}\n"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"accent": "red; } body { display: none"},
        {"accent": "#aa3300\n"[:-1] + "00"},
        {"radius": "25"},
        {"language": "tlh"},
        {"theme": "<script>"},
    ],
)
def test_nonsense_is_asked_for_again(browser, ada, wrong):
    signed_in = browser(ada)
    response = signed_in.post("/settings/", CHOSEN | wrong)
    assert response.status_code == 200
    assert 'class="errorlist"' in response.content.decode()
    assert ' class="auto"' in tag(page_of(signed_in), "html")


def test_starting_over(browser, ada):
    signed_in = browser(ada)
    signed_in.post("/settings/", CHOSEN)
    signed_in.post("/settings/", {"reset": "1"})
    assert tag(page_of(signed_in), "html") == ' lang="en" dir="ltr" class="auto"'


def test_somebody_sends_themselves_something(browser, inbox, ada, ben):
    fields = {"level": STORED_ERROR, "title": "Flat", "icon": "🚲", "link": "/issues/1/?a=1#c"}
    assert browser(ada).post("/settings/send/", SENT | fields).url == "/settings/"
    [told] = inbox(ada)
    assert (str(told.message), told.level, told.url) == ("Ready", STORED_ERROR, "/issues/1/?a=1#c")
    assert told.data == {"title": "Flat", "icon": "🚲"}
    assert inbox(ben) == []


def test_a_picture_for_an_icon(browser, inbox, ada):
    browser(ada).post("/settings/send/", SENT | {"icon": "logo"})
    assert inbox(ada)[0].data == {"icon": "/static/tracker/logo.svg"}


def test_many_at_once(browser, inbox, ada):
    browser(ada).post("/settings/send/", SENT | {"count": "12"})
    assert [str(told.message) for told in inbox(ada)[-2:]] == [
        "Ready (11 of 12)",
        "Ready (12 of 12)",
    ]
    assert unread_count(ada) == 12


def test_only_staff_send_to_everybody(browser, inbox, ada, ben, mira):
    assert 'name="everybody"' not in page_of(browser(ada), "/settings/")
    browser(ada).post("/settings/send/", SENT | {"everybody": "on"})
    assert inbox(ben) == []
    assert 'name="everybody"' in page_of(browser(mira), "/settings/")
    browser(mira).post("/settings/send/", SENT | {"everybody": "on"})
    assert inbox(ben)[0].broadcast


@pytest.mark.parametrize(
    "wrong",
    [
        {"link": "javascript:alert(1)"},
        {"link": "//evil.example/"},
        {"link": "https://"},
        {"link": "/\\evil.example"},
        {"count": "1001"},
        {"delay": "-1"},
        {"level": "7"},
        {"text": ""},
    ],
)
def test_what_cannot_be_sent_is_asked_for_again(browser, inbox, ada, wrong):
    response = browser(ada).post("/settings/send/", SENT | wrong)
    assert response.status_code == 200
    assert 'class="errorlist"' in response.content.decode()
    assert inbox(ada) == []


def test_every_page_comes_with_a_strict_policy(browser, client, ada):
    for somebody, url in ((client, "/sign-in/"), (browser(ada), "/"), (browser(ada), "/messages/")):
        response = somebody.get(url)
        policy = response["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        html = response.content.decode()
        assert not re.search(r"<style|\sstyle=|\son\w+=", html)
        assert all(
            " src=" in attributes or "application/json" in attributes
            for attributes in re.findall(r"<script([^>]*)>", html)
        )
