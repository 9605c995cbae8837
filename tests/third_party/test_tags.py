"""The template tags over a backend of 1.4.0."""

import pytest
from django.template import Context, Template

from stored_messages import STORED_INFO, add_message_for, mark_read


@pytest.fixture
def render(rf, backend, ada):
    def render(source):
        request = rf.get("/")
        request.user = ada
        template = Template("{% load stored_messages_tags %}" + source)
        return template.render(Context({"request": request, "user": ada}))

    return render


def test_count_list_and_archive(render, ada):
    first, *_ = [add_message_for(ada, STORED_INFO, text) for text in ("one", "two", "three")]
    mark_read(ada, first)

    assert render("{% stored_messages_count as n %}{{ n }}") == "2"
    inbox = render("{% stored_messages_list 10 %}")
    archive = render("{% stored_messages_archive 10 %}")
    assert "one" not in inbox
    assert inbox.index("three") < inbox.index("two")
    assert archive.index("three") < archive.index("two") < archive.index("one")
