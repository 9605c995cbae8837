"""What people see is in the language of the page."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.translation import override

import stored_messages

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client: Client) -> Client:
    user = User.objects.create_superuser("root")
    stored_messages.add_message_for([user], stored_messages.STORED_WARNING, "Hello", url="/x/")
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("language", "frame", "texts"),
    [
        (
            "de",
            'lang="de" dir="ltr"',
            ["Benachrichtigungen", "Öffnen", "Alle als gelesen markieren"],
        ),
        ("es", 'lang="es" dir="ltr"', ["Notificaciones", "No leídas", 'aria-label="Advertencia"']),
        ("fr", 'lang="fr" dir="ltr"', ["Non lues", "Toutes", "Tout marquer comme lu"]),
        ("it", 'lang="it" dir="ltr"', ["Notifiche", "Non lette", "Rimuovi"]),
        ("zh-hans", 'lang="zh-hans" dir="ltr"', ["通知", "未读", "全部标为已读"]),
        ("ar", 'lang="ar" dir="rtl"', ["الإشعارات", "تعليم الكل كمقروء", 'aria-label="تحذير"']),
    ],
)
def test_the_inbox_page(root: Client, language: str, frame: str, texts: list[str]) -> None:
    with override(language):
        html = root.get("/messages/").content.decode()
    assert frame in html
    assert [text for text in texts if text not in html] == []


def test_one_message_is_not_many(root: Client) -> None:
    """The tab is about notifications, the mark about one of them: some languages tell the two apart."""
    with override("fr"):
        html = root.get("/messages/?all=1").content.decode()
    assert "Non lues <span" in html
    assert '<span class="inbox-state">Non lue</span>' in html


def test_the_admin(root: Client) -> None:
    with override("fr"):
        rows = root.get("/admin/stored_messages/message/").content.decode()
        form = root.get("/admin/stored_messages/message/add/").content.decode()
        wrong = root.post("/admin/stored_messages/message/add/", {"url": "x"}).content.decode()
    assert "Avertissement" in rows
    assert "destinataires" in rows.lower()
    assert "Envoyer un message" in form
    assert "Niveau" in form
    assert "ni une adresse en http" in wrong


def test_how_many_got_it_is_said_with_the_plural_of_the_language(root: Client) -> None:
    people = [str(User.objects.create(username=name).pk) for name in ("ada", "ben")]
    with override("ar"):
        response = root.post(
            "/admin/stored_messages/message/add/",
            {"users": people, "level": stored_messages.STORED_INFO, "message": "Hi"},
            follow=True,
        )
    assert "أُرسلت الرسالة إلى مستخدمَين." in response.content.decode()
