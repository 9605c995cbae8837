"""Django's messages with an inbox behind them, through views: what is kept, what is shown, what is read."""

import pytest
from django.contrib import messages
from django.contrib.messages import constants
from django.contrib.messages.storage import base

from stored_messages import STORED_ERROR, STORED_INFO, STORED_WARNING
from tests.inbox.inboxes import archive, draft, send, unread

PLAIN = "info"
STORED = "persisted info"


@pytest.fixture(autouse=True)
def _signed_in(backend, client, ada):
    client.force_login(ada)


@pytest.mark.usefixtures("iterate")
def test_stored_levels_are_kept_and_others_are_not(visit, backend, ada):
    visit("add", stored=["1", "2"], plain=["3"], tags="extra")

    assert unread(backend, ada) == ["1", "2"]
    [message, _] = backend.inbox_list(ada)
    assert (message.level, message.extra_tags) == (STORED_INFO, "extra")
    assert message.tags == "extra persisted info"


@pytest.mark.usefixtures("iterate")
@pytest.mark.parametrize("page", ["add", "add_async"])
def test_sync_and_async_views_under_a_sync_server(visit, backend, ada, page):
    visit(page, stored=["1"], plain=["2"])

    assert unread(backend, ada) == ["1"]
    assert ["2", PLAIN] in visit("show")


@pytest.mark.usefixtures("iterate")
@pytest.mark.parametrize("page", ["add", "add_async"])
def test_sync_and_async_views_under_an_async_server(visit_async, backend, ada, page):
    visit_async.client.force_login(ada)
    visit_async(page, stored=["1"], plain=["2"])

    assert unread(backend, ada) == ["1"]
    assert ["2", PLAIN] in visit_async("show")


@pytest.mark.usefixtures("skip_mode")
def test_an_async_view_may_iterate_where_that_asks_no_database(visit_async, backend, ada):
    visit_async.client.force_login(ada)
    visit_async("add_async", stored=["1"], plain=["2"])

    assert visit_async("show_async") == [["2", PLAIN]]
    assert unread(backend, ada) == ["1"]


def test_nothing_to_say_is_nothing_to_keep(visit, backend, ada):
    visit("add_nothing")

    assert archive(backend, ada) == []


@pytest.mark.usefixtures("iterate")
def test_only_the_levels_of_the_settings_are_kept(visit, backend, ada, settings):
    settings.STORED_MESSAGES = {**settings.STORED_MESSAGES, "STORE_LEVELS": (messages.INFO,)}

    visit("add", stored=["not any more"], plain=["kept"])

    assert unread(backend, ada) == ["kept"]
    assert ["not any more", STORED] in visit("show")


@pytest.mark.usefixtures("read_mode")
class TestReadMode:
    """Iterating shows what is in the inbox, and reads exactly that."""

    def test_what_was_kept_is_shown_once_and_archived(self, visit, backend, ada):
        visit("add", stored=["1", "2"], plain=["3"])

        assert visit("show") == [["1", STORED], ["2", STORED], ["3", PLAIN]]
        assert visit("show") == []
        assert unread(backend, ada) == []
        assert archive(backend, ada) == ["1", "2"]

    def test_what_was_sent_by_others_and_to_everybody_is_shown(self, visit, backend, ada, ben):
        send(backend, [ada, ben], "Hello")
        backend.broadcast(draft("Everybody"))

        assert visit("show") == [["Hello", STORED], ["Everybody", STORED]]
        assert unread(backend, ada) == []
        assert unread(backend, ben) == ["Hello", "Everybody"]

    def test_a_page_that_shows_nothing_reads_nothing(self, visit, backend, ada):
        visit("add", stored=["1"], plain=["2"])
        visit("ignore")
        visit("look_without_iterating", first="1")

        assert unread(backend, ada) == ["1"]
        assert visit("show") == [["1", STORED], ["2", PLAIN]]

    def test_what_is_shown_in_the_same_request_is_kept_as_read(
        self, visit, backend, ada, sent_signals
    ):
        assert visit("add_and_show", stored=["1"], plain=["2"]) == [["1", STORED], ["2", PLAIN]]

        assert unread(backend, ada) == []
        assert archive(backend, ada) == ["1"]
        assert [name for name, _ in sent_signals] == ["archive_stored"]
        assert visit("show") == []

    def test_what_is_added_after_the_showing_stays_for_the_next_page(self, visit, backend, ada):
        send(backend, [ada], "before")

        assert visit("show_and_add", stored=["after"], plain=["too"]) == [["before", STORED]]
        assert unread(backend, ada) == ["after"]
        assert visit("show") == [["after", STORED], ["too", PLAIN]]

    def test_a_page_that_shows_the_first_one_reads_the_first_one(self, visit, backend, ada):
        send(backend, [ada], "1", "2", "3")

        assert visit("show_first") == [["1", STORED]]
        assert unread(backend, ada) == ["2", "3"]
        assert visit("show_first") == [["2", STORED]]

    def test_what_arrives_while_the_page_is_made_stays_unread(self, visit, backend, ada):
        send(backend, [ada], "seen")

        assert visit("show_while_another_arrives") == [["seen", STORED]]
        assert unread(backend, ada) == ["arrived meanwhile"]

    def test_a_storage_that_is_said_to_be_unused_reads_nothing(self, visit, backend, ada):
        visit("add", stored=["1"], plain=["2"])

        assert visit("show_but_keep") == visit("show_but_keep") == visit("show")
        assert visit("show") == []

    def test_what_was_handed_out_is_read_though_the_page_fails_as_in_django(
        self, visit, backend, ada
    ):
        visit("add", stored=["1"], plain=["2"])

        visit("show_and_fail", status=500)

        assert unread(backend, ada) == []
        assert visit("show") == []

    def test_how_many_any_and_whether_this_one(self, visit, backend, ada):
        send(backend, [ada], "inbox")

        assert visit("look_without_iterating", first="inbox") == [1, True, True]
        assert visit("look_without_iterating", stored=["a"], plain=["b"], first="a") == [
            3,
            True,
            True,
        ]
        assert visit("look_without_iterating", first="unknown") == [3, True, False]
        assert unread(backend, ada) == ["inbox", "a"]

    def test_what_was_read_elsewhere_is_not_shown(self, visit, backend, ada):
        first, _ = send(backend, [ada], "1", "2")
        backend.mark_read(ada, [first.id])

        assert visit("show") == [["2", STORED]]


@pytest.mark.usefixtures("skip_mode")
class TestSkipMode:
    """Iterating leaves the inbox alone: stored messages live in the bell."""

    def test_only_what_is_not_kept_is_shown(self, visit, backend, ada):
        visit("add", stored=["1"], plain=["2"])

        assert visit("show") == [["2", PLAIN]]
        assert visit("show") == []
        assert unread(backend, ada) == ["1"]

    def test_reloading_a_page_leaves_the_bell_alone(self, client, visit, backend, ada):
        visit("add", stored=["in the bell"], plain=["on the page"])
        before = backend.summary(ada)

        pages = [client.get("/home/").content.decode() for _ in range(3)]

        assert pages == ['<ul>\n<li class="info">on the page</li>\n</ul>', "", ""]
        assert backend.summary(ada) == before

    def test_what_is_added_and_iterated_in_one_request_stays_unread(self, visit, backend, ada):
        assert visit("add_and_show", stored=["1"], plain=["2"]) == [["2", PLAIN]]
        assert unread(backend, ada) == ["1"]

    def test_it_is_neither_counted_nor_found(self, visit, backend, ada):
        send(backend, [ada], "inbox")

        assert visit("look_without_iterating", stored=["a"], first="a") == [0, False, False]
        assert unread(backend, ada) == ["inbox", "a"]


@pytest.mark.usefixtures("iterate")
def test_the_project_s_minimum_level_is_respected(visit, backend, ada, settings):
    settings.MESSAGE_LEVEL = STORED_WARNING

    visit("add", stored=["1"], plain=["2"])
    assert archive(backend, ada) == []
    visit("set_level")
    assert unread(backend, ada) == ["high enough"]


@pytest.mark.usefixtures("read_mode")
def test_the_project_s_tags_are_respected(visit, settings):
    settings.MESSAGE_TAGS = {STORED_INFO: "mine", messages.INFO: "ours"}

    visit("add", stored=["1"], plain=["2"], tags="extra")
    assert visit("show") == [["1", "extra mine"], ["2", "ours"]]


@pytest.mark.usefixtures("read_mode")
def test_our_own_names_do_the_same(visit, backend, ada):
    assert visit("through_our_names") == [["stored", STORED], ["plain", PLAIN]]
    assert archive(backend, ada) == ["stored"]


def test_nothing_of_django_s_is_changed(visit, settings):
    visit("add_and_show", stored=["1"])

    django_s = {10: "debug", 20: "info", 25: "success", 30: "warning", 40: "error"}
    assert django_s == constants.DEFAULT_TAGS == dict(base.LEVEL_TAGS)
    assert not settings.is_overridden("MESSAGE_TAGS")
    assert STORED_ERROR not in base.LEVEL_TAGS
