"""Whose message it is: nobody's, that of who signs in or out, and of two users in one view."""

import pytest
from django.contrib import auth

from tests.inbox.inboxes import archive, draft, unread

pytestmark = pytest.mark.usefixtures("backend", "iterate")

STORED = "persisted info"

needs_async_login = pytest.mark.skipif(
    not hasattr(auth, "alogin"), reason="Django has it from 5.0 on"
)


def test_nobody_is_shown_it_on_the_next_page(visit, backend, ada):
    backend.broadcast(draft("Everybody"))
    visit("add", stored=["1"], plain=["2"], tags="extra")

    assert visit("show") == [["1", f"extra {STORED}"], ["2", "extra info"]] or (visit("show") == [])
    assert archive(backend, ada) == ["Everybody"]


def test_nobody_is_shown_it_in_the_same_request(visit):
    assert visit("add_and_show", stored=["1"]) == [["1", STORED]]
    assert visit("show") == []


def test_nobody_has_no_inbox_to_look_at(visit):
    assert visit("look_without_iterating", first="1") == [0, False, False]
    assert visit("look_without_iterating", stored=["1"], first="1") == [1, True, True]


def test_what_is_added_before_signing_in_is_shown(visit, backend, ada):
    visit("add_then_sign_in", stored=["1"], **{"as": "ada"})

    assert visit("show") == [["1", STORED]]
    assert archive(backend, ada) == []


def test_what_is_added_after_signing_in_is_kept(visit, backend, ada):
    visit("sign_in_then_add", stored=["1"], **{"as": "ada"})

    assert unread(backend, ada) == ["1"]


def test_what_is_added_before_signing_out_is_kept(client, visit, backend, ada):
    client.force_login(ada)

    visit("add_then_sign_out", stored=["1"])

    assert unread(backend, ada) == ["1"]
    assert visit("show") == []


def test_what_is_added_after_signing_out_is_shown(client, visit, backend, ada):
    client.force_login(ada)

    visit("sign_out_then_add", stored=["1"])

    assert visit("show") == [["1", STORED]]
    assert archive(backend, ada) == []


def test_two_users_in_one_view_get_what_is_theirs(client, visit, backend, ada, ben):
    client.force_login(ada)

    visit("add_for_both", **{"as": "ben"})

    assert unread(backend, ada) == ["for the first"]
    assert unread(backend, ben) == ["for the second"]


def test_what_is_added_before_another_signs_in_is_its_owner_s(client, visit, backend, ada, ben):
    client.force_login(ada)

    visit("add_then_sign_in", stored=["1"], **{"as": "ben"})

    assert unread(backend, ada) == ["1"]
    assert visit("show") == archive(backend, ben) == []


def test_it_is_not_shown_to_who_signed_in_meanwhile(client, visit, backend, ada, ben):
    client.force_login(ada)
    backend.send([ben], [draft("of Ben")])

    seen = visit("add_then_sign_in_and_show", stored=["1"], plain=["2"], **{"as": "ben"})

    assert "1" not in [text for text, _ in seen]
    assert "2" in [text for text, _ in seen]
    assert unread(backend, ada) == ["1"]


@needs_async_login
def test_nor_in_async_views(visit_async, backend, ada, ben):
    visit_async.client.force_login(ada)

    assert (
        visit_async("ask_then_add_then_sign_in_and_show_async", stored=["1"], **{"as": "ben"}) == []
    )

    assert unread(backend, ada) == ["1"]


def test_it_is_shown_to_the_same_user_signed_in_again(client, visit, ada, iterate):
    client.force_login(ada)

    seen = visit("add_then_sign_in_and_show", stored=["1"], **{"as": "ada"})

    assert seen == ([["1", STORED]] if iterate == "read" else [])


@needs_async_login
def test_so_in_async_views_that_asked_who_is_there(visit_async, backend, ada, ben):
    visit_async.client.force_login(ada)

    visit_async("ask_then_add_then_sign_in_async", stored=["1"], **{"as": "ben"})

    assert unread(backend, ada) == ["1"]
    assert visit_async("aget_messages") == archive(backend, ben) == []


@needs_async_login
def test_so_before_signing_out_in_async_views(visit_async, backend, ada):
    visit_async.client.force_login(ada)

    visit_async("add_then_sign_out_async", stored=["1"])

    assert unread(backend, ada) == ["1"]
    assert visit_async("aget_messages") == []


def test_a_site_without_users_shows_what_it_adds(visit, settings):
    settings.MIDDLEWARE = [
        path for path in settings.MIDDLEWARE if not path.endswith("AuthenticationMiddleware")
    ]

    visit("add", stored=["1"], plain=["2"])
    assert visit("show") == [["1", STORED], ["2", "info"]]


def test_a_user_who_was_deleted_is_nobody(client, visit, ada):
    client.force_login(ada)
    ada.delete()

    visit("add", stored=["1"])
    assert visit("show") == [["1", STORED]]
