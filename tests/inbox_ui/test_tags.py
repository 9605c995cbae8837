"""The template tags, as templates use them."""

import logging

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection, transaction
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils.safestring import mark_safe

from stored_messages.backends import DefaultBackend
from tests.inbox_ui.sending import draft, sent_days_ago

LOAD = "{% load stored_messages_tags %}"


def render(source, **context):
    return Template(LOAD + source).render(Context(context))


def items(html):
    """The texts between the tags of a list."""
    return [
        line.partition(">")[2].removesuffix("</li>") for line in html.splitlines() if "<li" in line
    ]


@pytest.fixture
def request_of():
    def make(user):
        request = RequestFactory().get("/")
        request.user = user
        return request

    return make


def test_unread_messages_newest_first(backend, ada, ben):
    read = backend.send([ada], [draft("one"), draft("two"), draft("three")])[1]
    backend.broadcast(draft("to all"))
    backend.send([ben], [draft("ben's")])
    backend.mark_read(ada, [read.id])

    html = render("{% stored_messages_list 10 %}", user=ada)
    assert items(html) == ["to all", "three", "one"]
    assert items(render("{% stored_messages_list %}", user=ada)) == items(html)
    assert items(render("{% stored_messages_list 2 %}", user=ada)) == ["to all", "three"]


@pytest.mark.parametrize("tag", ["stored_messages_list", "stored_messages_archive"])
def test_how_many_is_a_number(backend, ada, tag):
    backend.send([ada], [draft("one"), draft("two")])

    for number, expected in (('"1"', 1), ("2.7", 2), ("0", 0), ("-1", 0), ("9" * 30, 2)):
        assert len(items(render(f"{{% {tag} {number} %}}", user=ada))) == expected
    for number in ('"many"', "None", "missing"):
        with pytest.raises(TemplateSyntaxError, match="a number, not"):
            render(f"{{% {tag} {number} %}}", user=ada)


def test_the_archive_newest_first(backend, ada):
    sent = backend.send([ada], [draft(text) for text in ("one", "two", "three")])
    backend.broadcast(draft("to all"))
    backend.mark_read(ada, [sent[2].id])
    backend.dismiss(ada, [sent[0].id])

    html = render("{% stored_messages_archive 10 %}", user=ada)
    assert items(html) == ["to all", "three", "two"]
    assert items(render("{% stored_messages_archive 1 %}", user=ada)) == ["to all"]
    assert items(render("{% stored_messages_archive %}", user=ada)) == items(html)


def test_the_count(backend, ada):
    source = "{% stored_messages_count as n %}{{ n }}{% if n > 1 %}, many{% endif %}"
    assert render(source, user=ada) == "0"
    backend.send([ada], [draft(), draft()])
    backend.broadcast(draft())
    assert render(source, user=ada) == "3, many"
    backend.inbox_purge(ada)
    assert render(source, user=ada) == "0"


@pytest.fixture
def counting(settings, tmp_path):
    """A project's own template in place of the one that the tags come with."""
    folder = tmp_path / "stored_messages"
    folder.mkdir()
    (folder / "stored_messages_list.html").write_text("{{ messages|length }} of {{ count }}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]


def test_the_template_gets_the_number_of_all(backend, counting, ada, configure):
    configure(INBOX_EXPIRE_DAYS=10, MESSAGE_EXPIRE_DAYS=20)
    sent = backend.send([ada], [draft() for _ in range(3)])
    backend.send([ada], [sent_days_ago(15), sent_days_ago(25)])
    read, *_ = [backend.broadcast(draft()).id for _ in range(4)]
    backend.broadcast(sent_days_ago(15))
    backend.mark_read(ada, [read, sent[0].id])
    backend.dismiss(ada, [backend.broadcast(draft()).id])

    assert render("{% stored_messages_list 2 %}", user=ada) == "2 of 5"
    assert render("{% stored_messages_archive 2 %}", user=ada) == "2 of 9"
    assert render("{% stored_messages_archive 100 %}", user=ada) == "9 of 9"
    assert render("{% stored_messages_list 0 %}", user=ada) == "0 of 5"


@pytest.mark.parametrize("context", [{}, {"user": None}, {"user": AnonymousUser()}])
def test_anonymous_visitors_see_nothing(backend, ada, context):
    backend.broadcast(draft())

    for tag in ("stored_messages_list 10", "stored_messages_archive 10"):
        assert render(f"{{% {tag} %}}", **context).strip() == ""
    assert render("{% stored_messages_count as n %}{{ n }}", **context) == "0"


def test_a_page_about_somebody_shows_the_readers_messages(backend, ada, ben, request_of):
    backend.send([ada], [draft("ada's")])
    backend.send([ben], [draft("ben's")])

    source = "{% stored_messages_list %}"
    assert items(render(source, request=request_of(ada), user=ben)) == ["ada&#x27;s"]
    assert items(render(source, request=request_of(AnonymousUser()), user=ben)) == []
    assert items(render(source, request=RequestFactory().get("/"), user=ben)) == ["ben&#x27;s"]


def test_text_is_escaped_unless_its_sender_marked_it_safe(backend, ada):
    backend.send([ada], [draft("<b>loud</b>"), draft(mark_safe("<i>fine</i>"))])

    html = render("{% stored_messages_list %}", user=ada)
    assert items(html) == ["<i>fine</i>", "&lt;b&gt;loud&lt;/b&gt;"]
    assert html.count('class="persisted info"') == 2


def test_showing_reads_nothing(backend, ada):
    backend.send([ada], [draft()])
    render("{% stored_messages_list %}{% stored_messages_archive %}", user=ada)

    assert backend.summary(ada).unread == 1


def test_a_backend_of_1_4_0(legacy, ada):
    legacy.send([ada], [draft("one"), draft("two")])

    assert items(render("{% stored_messages_list %}", user=ada)) == ["two", "one"]
    assert items(render("{% stored_messages_archive 1 %}", user=ada)) == ["two"]
    assert render("{% stored_messages_count as n %}{{ n }}", user=ada) == "2"


class Broken(DefaultBackend):
    """One whose query fails, as while its tables are being changed."""

    def summary(self, user):
        with transaction.atomic(savepoint=False), connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column")

    page = archive_count = summary


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("tag", ["list", "archive", "count"])
def test_what_the_view_wrote_stays_when_the_inbox_cannot_be_read(configure, ada, tag, caplog):
    configure(STORAGE_BACKEND=f"{__name__}.Broken")

    with transaction.atomic():
        User.objects.create(username="written by the view")
        render(f"{{% stored_messages_{tag} %}}", user=ada)

    assert "The inbox could not be read" in caplog.text
    assert User.objects.filter(username="written by the view").exists()


def test_a_store_that_is_down_leaves_the_page_alone(redis_backend, configure, ada, caplog):
    configure(REDIS_URL="redis://127.0.0.1:1/0")

    with caplog.at_level(logging.ERROR, "stored_messages"):
        assert render("{% stored_messages_count as n %}{{ n }}", user=ada) == "0"
        assert render("{% stored_messages_list %}", user=ada).strip() == ""
    assert "The inbox could not be read" in caplog.text
