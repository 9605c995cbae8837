"""What the pages show, to whom, and what they cost."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from tracker import actions
from tracker.models import Issue

HTML = '<script>alert("x")</script> & <b>@ada</b>\nnext line'


@pytest.fixture
def issue(ada):
    return Issue.objects.create(author=ada, title="<i>Pins</i> drift", body=HTML)


def test_html_is_shown_as_text(browser, inbox, issue, ada, ben):
    actions.comment(issue, ben, HTML)
    page = browser(ada).get(issue.get_absolute_url()).content.decode()
    assert "<script>alert" not in page
    assert "<i>Pins</i>" not in page
    escaped = "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &lt;b&gt;"
    mention = '<strong class="mention">@ada</strong>'
    assert page.count(f"{escaped}{mention}&lt;/b&gt;\nnext line") == 2
    page = browser(ada).get("/messages/").content.decode()
    assert "&lt;i&gt;Pins&lt;/i&gt; drift" in page
    assert "<script>alert" not in page
    assert "<i>Pins</i>" not in page
    [told] = browser(ada).get("/messages/inbox/").json()
    assert '<script>alert("x")</script> & <b>@ada</b> next line' in told["text"]


def test_only_people_who_exist_are_highlighted(browser, issue, ada):
    actions.comment(issue, ada, "@nobody knows, @ADA does, me@ada.example does not")
    page = browser(ada).get(issue.get_absolute_url()).content.decode()
    assert '@nobody knows, <strong class="mention">@ADA</strong> does, me@ada.example' in page


def test_an_issue_costs_the_same_however_long_it_is(
    browser, issue, ada, ben, django_assert_max_num_queries
):
    issue.assignee = ben
    issue.save()
    for number in range(30):
        actions.comment(issue, ben if number % 2 else ada, f"Comment {number} for @mira")
    signed_in = browser(ada)
    with django_assert_max_num_queries(6):
        signed_in.get(issue.get_absolute_url())


def test_the_list_costs_the_same_however_long_it_is(
    browser, ada, ben, django_assert_max_num_queries
):
    for number in range(30):
        Issue.objects.create(author=ada, assignee=ben, title=f"Issue {number}")
    signed_in = browser(ada)
    with django_assert_max_num_queries(6):
        page = signed_in.get("/").content.decode()
    assert "Page 1 of 2" in page
    assert "Issue 29" in page


def test_the_tabs(browser, ada, ben):
    Issue.objects.create(author=ada, title="Free")
    Issue.objects.create(author=ada, title="Taken", assignee=ben)
    Issue.objects.create(author=ada, title="Done", assignee=ben, is_open=False)

    def shown(query):
        return [issue.title for issue in browser(ben).get(f"/{query}").context["page"]]

    assert shown("") == shown("?show=nonsense") == ["Taken", "Free"]
    assert shown("?show=mine") == ["Taken"]
    assert shown("?show=closed") == ["Done"]


def test_an_empty_comment_is_asked_for_again(browser, issue, ada):
    page = browser(ada).post(issue.get_absolute_url(), {"body": "  "}).content.decode()
    assert "This field is required." in page
    assert not issue.comments.exists()


def test_flashes_stay_flashes(browser, inbox, issue, ada):
    page = browser(ada).post(issue.get_absolute_url(), {"body": "Hi"}, follow=True)
    assert "Comment added." in page.content.decode()
    assert "Comment added." not in browser(ada).get("/").content.decode()
    assert inbox(ada) == []


def test_the_bell_is_on_every_page_of_who_is_signed_in(browser, client, issue, ada):
    assert "<notification-bell" not in client.get("/sign-in/").content.decode()
    for url in ("/", "/issues/new/", issue.get_absolute_url()):
        assert browser(ada).get(url).content.decode().count("<notification-bell") == 1


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("/", {"GET"}),
        ("/issues/new/", {"GET", "POST"}),
        ("/issues/1/", {"GET", "POST"}),
        ("/issues/1/assign/", {"POST"}),
        ("/issues/1/state/", {"POST"}),
        ("/announce/", {"GET", "POST"}),
    ],
)
def test_strangers_sign_in_first(client, db, url, allowed):
    for method in allowed:
        response = client.generic(method, url)
        assert (response.status_code, response.url) == (302, f"/sign-in/?next={url}")


def test_reading_changes_nothing(browser, ada, issue):
    for name in ("assign", "state"):
        url = reverse(f"tracker:{name}", args=[issue.pk])
        assert browser(ada).get(url).status_code == 405


def test_one_click_signs_in_and_leads_on(client, seeded):
    page = client.get("/sign-in/?next=/announce/").content.decode()
    assert page.count('name="username"') == 3
    response = client.post("/sign-in/", {"username": "mira", "next": "/announce/"})
    assert response.url == "/announce/"
    assert client.get("/announce/").status_code == 200


def test_only_demo_accounts_are_open_to_everybody(client, seeded):
    User.objects.create_superuser("root")
    assert client.post("/sign-in/", {"username": "root"}).status_code == 200
    assert "_auth_user_id" not in client.session


def test_signing_in_needs_a_token(db):
    client = Client(enforce_csrf_checks=True)
    assert client.post("/sign-in/", {"username": "ada"}).status_code == 403


@pytest.mark.parametrize(
    ("here", "there"), [("localhost:8000", "127.0.0.1:8000"), ("127.0.0.1:8000", "localhost:8000")]
)
def test_the_other_address_is_offered(client, db, here, there):
    page = client.get("/sign-in/", headers={"host": here}).content.decode()
    assert f'href="http://{there}/"' in page
