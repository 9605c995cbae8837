"""The REST API over a backend of 1.4.0."""

import pytest

from stored_messages import STORED_INFO, add_message_for, summary
from tests.inbox.tabs import Tab


@pytest.fixture
def tab(backend, ada):
    tab = Tab(enforce_csrf_checks=True)
    tab.force_login(ada)
    return tab


@pytest.fixture
def sent(backend, ada, ben):
    return [add_message_for([ada, ben], STORED_INFO, text, "extra") for text in "12345"]


def texts(response):
    return [item["text"] for item in response.json()]


def test_lists_and_their_pages(tab, sent, ada):
    for path in ("/messages/inbox/", "/messages/archive/"):
        response = tab.list(path, limit=3)
        assert texts(response) == ["5", "4", "3"]
        assert response.headers["X-Unread-Count"] == "5"
        assert response.headers["X-Unread-Digest"] == str(summary(ada).digest)
        following = response.headers["Link"].partition("<")[2].partition(">")[0]
        assert texts(tab.get(following)) == ["2", "1"]
    item = tab.list().json()[0]
    assert (item["level_tag"], item["tags"]) == ("persisted info", "extra persisted info")
    assert item["id"] == sent[-1].id


def test_nothing_new_is_304(tab, sent):
    known = tab.list().headers["ETag"]

    assert tab.get("/messages/inbox/", headers={"If-None-Match": known}).status_code == 304
    tab.act(f"inbox/{sent[0].id}/read/")
    assert tab.get("/messages/inbox/", headers={"If-None-Match": known}).status_code == 200


def test_one_message(tab, sent):
    path = f"/messages/inbox/{sent[0].id}/"
    assert tab.get(path).json()["text"] == "1"
    assert tab.act(f"inbox/{sent[0].id}/read/").status_code == 200
    assert tab.get(path).status_code == 404
    assert tab.get(f"/messages/archive/{sent[0].id}/").json()["read_at"] is not None
    assert tab.act(f"inbox/{sent[0].id}/unread/").status_code == 200
    assert tab.get(path).json()["read_at"] is None


def test_dismissing_takes_it_out_of_the_inbox(tab, sent):
    assert tab.act(f"archive/{sent[0].id}/", method="DELETE").status_code == 204
    assert texts(tab.list()) == ["5", "4", "3", "2"]


def test_marking_all(tab, sent, backend, ben):
    page = tab.list(limit=2).json()
    body = {"ids": [page[0]["id"]], "before": page[1]["position"]}

    assert tab.act("mark_all_read/", body).json() == {"message": "All messages read"}
    assert texts(tab.list()) == ["4"]
    assert tab.act("mark_all_read/").status_code == 200
    assert texts(tab.list()) == []
    assert len(backend.inbox_list(ben)) == 5


@pytest.mark.parametrize("pk", ["unknown", "0", "-1", "99999999999999999999", "%00", "é"])
def test_ids_of_any_shape_are_404(tab, sent, pk):
    assert tab.get(f"/messages/inbox/{pk}/").status_code == 404
    assert tab.get(f"/messages/archive/{pk}/").status_code == 404
    for path in (f"inbox/{pk}/read/", f"inbox/{pk}/unread/"):
        assert tab.act(path).status_code == 404
    assert tab.act(f"archive/{pk}/", method="DELETE").status_code == 404
