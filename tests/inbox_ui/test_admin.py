"""The admin of messages: the list, the content, sending and taking back."""

import re
from urllib.parse import urlencode

import django
import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from stored_messages import STORED_ERROR, STORED_INFO, STORED_WARNING, signals
from stored_messages.models import Delivery, Message
from tests.inbox_ui.sending import ago, archive, draft, inbox, sent_days_ago

LIST = "/admin/stored_messages/message/"
SEND = f"{LIST}add/"


@pytest.fixture
def staff(client, person):
    """Sign somebody in who may do this and no more, and return what they browse with."""

    def sign_in(*permissions):
        user = person(f"staff{User.objects.count()}", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def root(client, person):
    client.force_login(person("root", is_staff=True, is_superuser=True))
    return client


def listed(response):
    """Text, level, recipients and readers of each row."""
    assert response.status_code == 200
    html = response.content.decode()
    columns = ("text", "level_name", "recipients", "readers")
    found = [
        re.findall(rf'class="field-{column}[^"]*">(?:<a[^>]*>)?([^<]*)<', html)
        for column in columns
    ]
    return list(zip(*found, strict=True))


def content(**fields):
    return {"level": STORED_INFO, "title": "", "message": "Hello", "url": "", **fields}


# Looking.


def test_the_list_says_how_many_got_and_read_each(database, root, ada, ben):
    to_all = database.broadcast(draft("to all", STORED_WARNING))
    both = database.send([ada, ben], [draft("to both")])[0]
    database.send([], [draft("to nobody", STORED_ERROR)])
    database.mark_read(ada, [to_all.id, both.id])
    database.dismiss(ben, [both.id])

    assert listed(root.get(LIST)) == [
        ("to nobody", "Error", "0", "0"),
        ("to both", "Info", "2", "2"),
        ("to all", "Warning", "everybody", "1"),
    ]


def test_who_let_a_message_expire_is_no_reader(database, root, ada, configure):
    configure(INBOX_EXPIRE_DAYS=10)
    database.send([ada], [sent_days_ago(15)])
    database.cleanup()

    assert [row[2:] for row in listed(root.get(LIST))] == [("1", "0")]


def test_the_list_costs_the_same_however_long_it_is(
    database, root, ada, ben, django_assert_max_num_queries
):
    for _ in range(30):
        database.send([ada, ben], [draft()])
        database.mark_read(ada, [database.broadcast(draft()).id])
    root.get(LIST)

    with django_assert_max_num_queries(7):
        assert len(listed(root.get(LIST))) == 60


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=export", ["The export is ready"]),
        ("q=issues%2F3", ["Mentioned"]),
        ("q=urgent", ["Down"]),
        (f"level={STORED_ERROR}", ["Down"]),
        ("level=nonsense", []),
        ("broadcast__exact=1", ["Down"]),
        (urlencode({"date__lt": ago(3).isoformat()}), ["Mentioned"]),
    ],
    # Not the queries: workers must agree on the names of tests, and one has the time of day in it.
    ids=["text", "url", "tags", "level", "no level", "broadcasts", "date"],
)
def test_search_and_filters(database, root, ada, query, expected):
    database.send([ada], [draft("The export is ready")])
    database.send([ada], [draft("Mentioned", url="/issues/3/", date=ago(10))])
    database.broadcast(draft("Down", STORED_ERROR, extra_tags="urgent"))

    assert [row[0] for row in listed(root.get(f"{LIST}?{query}"))] == expected


@pytest.mark.skipif(django.VERSION < (5, 0), reason="Django has facets from 5.0 on")
def test_the_filters_show_counts(database, root, ada):
    database.send([ada], [draft("one"), draft("two", STORED_ERROR)])

    page = root.get(f"{LIST}?_facets=True")

    assert page.status_code == 200
    assert re.findall(r"(error|info)\s+\((\d+)\)", page.content.decode().lower()) == [
        ("info", "1"),
        ("error", "1"),
    ]


def test_content_is_shown_escaped_and_cannot_be_changed(database, root, ada):
    message = database.send(
        [ada], [draft("<script>alert(1)</script>", url="/x/", data={"title": "<b>T</b>"})]
    )[0]
    url = reverse("admin:stored_messages_message_change", args=[message.id])

    page = root.get(url).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page
    assert "<b>T</b>" not in page
    assert 'name="message"' not in page
    assert root.post(url, {"message": "changed"}).status_code == 403
    assert Message.objects.get().message == "<script>alert(1)</script>"


def test_what_was_sent_can_be_taken_back(database, root, ada, ben, django_assert_max_num_queries):
    sent = database.send([ada, ben], [draft("oops"), draft("fine")])
    url = reverse("admin:stored_messages_message_delete", args=[sent[0].id])

    page = root.get(url).content.decode()
    assert "Messages: 1" in page
    assert "Deliveries: 2" in page
    root.post(url, {"post": "yes"})
    assert inbox(database, ada) == archive(database, ben) == ["fine"]
    chosen = {"action": "delete_selected", "_selected_action": [sent[1].id], "post": "yes"}
    root.post(LIST, chosen)
    assert (Message.objects.count(), Delivery.objects.count()) == (0, 0)


def test_taking_back_needs_a_permission(database, staff, ada):
    sent = database.send([ada], [draft()])[0]
    url = reverse("admin:stored_messages_message_delete", args=[sent.id])

    assert staff("view_message").post(url, {"post": "yes"}).status_code == 403
    assert staff("view_message", "delete_message").post(url, {"post": "yes"}).status_code == 302
    assert not Message.objects.exists()


# Sending.


def test_sending_to_chosen_users(backend, root, ada, ben, person):
    carol = person("carol")
    told = []

    def receive(sender, user_ids, messages, **kwargs):
        told.append((user_ids, [str(message.message) for message in messages]))

    signals.messages_stored.connect(receive)
    try:
        response = root.post(
            SEND,
            content(users=[ada.pk, ben.pk], title="News", url="/news/", level=STORED_WARNING),
            follow=True,
        )
    finally:
        signals.messages_stored.disconnect(receive)

    assert "The message was sent to 2 users." in response.content.decode()
    assert told == [([ada.pk, ben.pk], ["Hello"])]
    [message] = backend.inbox_list(ada)
    assert (message.level, message.url, message.data) == (
        STORED_WARNING,
        "/news/",
        {"title": "News"},
    )
    assert inbox(backend, ben) == ["Hello"]
    assert inbox(backend, carol) == []
    entry = LogEntry.objects.get()
    assert entry.object_id == message.id
    assert entry.get_change_message() == "The message was sent to 2 users."


def test_sending_to_everybody(backend, root, ada, ben):
    told = []

    def receive(sender, message, **kwargs):
        told.append(str(message.message))

    signals.broadcast_stored.connect(receive)
    try:
        response = root.post(SEND, content(everybody="on"), follow=True)
    finally:
        signals.broadcast_stored.disconnect(receive)

    assert "The message was sent to everybody." in response.content.decode()
    assert told == ["Hello"]
    assert inbox(backend, ada) == inbox(backend, ben) == ["Hello"]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"url": "javascript:alert(1)", "everybody": "on"}, "This is neither an address"),
        ({"url": "//evil.example", "everybody": "on"}, "This is neither an address"),
        ({"message": " ", "everybody": "on"}, "This field is required."),
        ({"level": "12", "everybody": "on"}, "Select a valid choice."),
        ({"level": "many", "everybody": "on"}, "Select a valid choice."),
        ({}, "Choose the users who are to get it, or everybody."),
        ({"users": ["1"], "everybody": "on"}, "Choose the users who are to get it, or everybody."),
        ({"users": ["0"]}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_sent_is_said_in_the_form(backend, root, ada, fields, error):
    fields = {**fields, "users": [ada.pk]} if fields.get("users") == ["1"] else fields
    response = root.post(SEND, content(**fields))

    assert response.status_code == 200
    assert error in response.content.decode()
    assert inbox(backend, ada) == []


def test_other_levels_that_are_kept_are_offered(database, root, configure):
    assert '<option value="20">' not in root.get(SEND).content.decode()
    configure(STORE_LEVELS=(20,))
    assert '<option value="20">info</option>' in root.get(SEND).content.decode()


def test_who_may_only_send_to_chosen_users(database, staff, ada):
    sender = staff("add_message")

    page = sender.get(SEND).content.decode()
    assert 'name="users"' in page
    assert "everybody" not in page
    assert "Choose who is to get it." in sender.post(SEND, content(everybody="on")).content.decode()
    assert sender.post(SEND, content(users=str(ada.pk))).url == SEND
    assert inbox(database, ada) == ["Hello"]


def test_who_may_only_send_to_everybody(database, staff, ada):
    sender = staff("broadcast_message")

    page = sender.get(SEND).content.decode()
    assert 'name="users"' not in page
    assert "Choose who is to get it." in sender.post(SEND, content(users=ada.pk)).content.decode()
    assert sender.post(SEND, content(everybody="on")).status_code == 302
    assert inbox(database, ada) == ["Hello"]


def test_who_may_only_look(database, staff):
    looker = staff("view_message")

    assert "addlink" not in looker.get(LIST).content.decode()
    assert looker.get(SEND).status_code == looker.post(SEND, content()).status_code == 403


def test_who_sends_finds_the_form_from_the_start_page(database, staff):
    assert f'href="{SEND}"' in staff("broadcast_message").get("/admin/").content.decode()


def test_strangers_sign_in_first(db, client):
    for url in (LIST, SEND):
        assert client.get(url).url == f"/admin/login/?next={url}"


def test_users_are_searched_for_where_the_admin_can(database, staff, root):
    page = root.get(SEND).content.decode()
    assert "admin-autocomplete" in page
    found = root.get(
        "/admin/autocomplete/",
        {
            "app_label": "stored_messages",
            "model_name": "delivery",
            "field_name": "user",
            "term": "roo",
        },
    )
    assert [one["text"] for one in found.json()["results"]] == ["root"]
    assert "admin-autocomplete" not in staff("add_message").get(SEND).content.decode()


@pytest.mark.parametrize("key", ["x", "9" * 30, "\0", "1e3"])
def test_what_is_no_user_s_key_is_an_error_of_the_search_too(database, root, ada, key):
    refused = root.post(SEND, content(users=[ada.pk, key]))

    assert refused.status_code == 200
    assert "errorlist" in refused.content.decode()
    assert inbox(database, ada) == []


def test_users_are_named_by_their_keys_where_it_cannot(database, root, ada, ben):
    site = admin.site
    registered = site._registry.pop(User)
    try:
        assert '<input type="text" name="users"' in root.get(SEND).content.decode()
        refused = root.post(SEND, content(users=f"{ada.pk},nobody"))
        assert "errorlist" in refused.content.decode()
        for key in ("9" * 30, "\0", "1e3"):
            assert root.post(SEND, content(users=f"{ada.pk},{key}")).status_code == 200
        root.post(SEND, content(users=f" {ada.pk} , {ben.pk}"))
    finally:
        site._registry[User] = registered
    assert inbox(database, ada) == inbox(database, ben) == ["Hello"]


# Another store.


def test_the_list_says_that_the_inboxes_are_elsewhere(backend, root, request):
    said = (
        "The inboxes of this site are not kept in the database." in root.get(LIST).content.decode()
    )
    assert said == ("redis" in request.node.callspec.id)
