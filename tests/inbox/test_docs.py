"""What docs/messages.md says is there, and its code does what it says."""

import re
import sys
from ast import literal_eval
from types import ModuleType, SimpleNamespace

import pytest
from django.core import mail

import stored_messages
from stored_messages import api, constants, signals
from stored_messages.conf import DEFAULTS
from stored_messages.signals import messages_stored
from tests.inbox.inboxes import send, unread
from tests.realtime.documents import blocks
from tests.services.server import ROOT

TEXT = (ROOT / "docs" / "messages.md").read_text()


def rows(heading):
    """The cells of the tables below a heading, without the heads of these tables."""
    text = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| `.*\|$", text, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.fixture
def run(monkeypatch):
    """Run a file of the document; others may import it."""

    def run(name):
        module = ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(blocks("messages.md")[f"{name}.py"], module.__dict__)
        return module

    return run


def test_all_settings():
    table = rows("Settings")
    assert {key.strip("`"): literal_eval(value.strip("`")) for key, value, _ in table} == DEFAULTS


def test_all_levels():
    for name, value, tag in rows("In a request"):
        level = getattr(constants, name.strip("`"))
        assert (level, constants.STORED_LEVEL_TAGS[level]) == (int(value), tag.strip("`"))
    assert len(rows("In a request")) == len(constants.STORED_LEVELS)


def test_all_functions():
    functions = {re.match(r"`(\w+)", name)[1] for name, *_ in rows("Reading and marking")}
    functions |= {"add_message_for", "broadcast_message"}
    twins = {f"a{name}" for name in functions - {"owner_key", "get_backend"}}
    assert functions | twins | {"aget_messages"} == {
        name for name in api.__all__ if name[0].islower()
    }


def test_all_signals():
    assert {name.strip("`") for name, *_ in rows("Signals")} == {
        name for name, one in vars(signals).items() if isinstance(one, type(messages_stored))
    }


def test_a_message_of_a_request(run, ada, rf, settings):
    storages = run("storages")
    settings.MESSAGE_STORAGE = "storages.Storage"
    request = rf.get("/")
    request.user, request.session = ada, {}
    request._messages = storages.Storage(request)
    request._messages.update(run("views").export(request))

    assert unread(stored_messages.get_backend(), ada) == ["Your export is ready."]
    assert [str(message) for message in storages.Storage(request)] == ["Preparing…"]


def test_messages_to_anybody(run, ada, ben):
    notify = run("notify")
    comment = SimpleNamespace(author="Ann", subject="Search", get_absolute_url=lambda: "/issues/3/")
    notify.back_soon()
    assert notify.mentioned([ben], comment).data == {"title": "Search", "actor": "Ann"}
    assert unread(stored_messages.get_backend(), ben) == ["Back at 10:00.", "Ann mentioned you."]


# Django 6.1 has a setting for it, and the default of old.
@pytest.mark.filterwarnings("ignore:Django 2028 will not have a default mailer")
def test_reminders(run, ada, person):
    ada.email = "ada@example.com"
    ada.save()
    person("ben", email="ben@example.com")
    send(stored_messages.get_backend(), [ada], "One", "Two")

    run("reminders").remind()
    assert [(sent.to, sent.body) for sent in mail.outbox] == [(["ada@example.com"], "Two\nOne")]


def test_a_receiver(run, monkeypatch, ada, django_capture_on_commit_callbacks):
    pushed = []
    notify = ModuleType("notify")
    notify.push_to_phones = lambda *told: pushed.append(told)
    monkeypatch.setitem(sys.modules, "notify", notify)
    receivers = run("receivers")
    try:
        with django_capture_on_commit_callbacks(execute=True):
            send(stored_messages.get_backend(), [ada], "Hello")
            assert pushed == []
    finally:
        messages_stored.disconnect(receivers.tell_phones)
    assert pushed == [([ada.pk], ["Hello"])]


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)", TEXT):
        assert (ROOT / "docs" / target).exists(), target


def test_every_document_is_linked_from_the_readme():
    linked = set(re.findall(r"\]\((docs/\w[\w-]*\.md)\)", (ROOT / "README.md").read_text()))
    assert linked == {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
