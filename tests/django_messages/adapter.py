"""Django's own tests of its storages, with an inbox before each of them.

They run for nobody and for somebody who is signed in, with messages that are stored and that are not, in both ways to
iterate. Left out is what cannot be as in Django: ``'skip'`` hides from the page what is stored.
"""

from itertools import product
from unittest import TestSuite

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.messages import constants
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.session import SessionStorage
from django.test import TestCase, override_settings
from django.urls import reverse
from messages_tests import test_cookie, test_fallback, test_mixins, test_session

from stored_messages.backends import get_backend
from stored_messages.conf import user_settings
from stored_messages.storage import PersistentStorage, StorageMixin

EVERY_LEVEL = tuple(range(101))


class OverCookie(StorageMixin, CookieStorage):
    pass


class OverSession(StorageMixin, SessionStorage):
    pass


class Visitor:
    """Who makes the requests of a test; what they have unread counts as stored."""

    def get_request(self):
        request = super().get_request()
        request.user = self.user
        return request

    def stored_messages_count(self, storage, response):
        elsewhere = super().stored_messages_count(storage, response)
        return elsewhere + (get_backend().summary(self.user).unread if self.user.pk else 0)


class Anonymous(Visitor):
    user = AnonymousUser()


class SignedIn(Visitor):
    def setUp(self):
        super().setUp()
        self.user = User.objects.create(username="ada")
        self.client.force_login(self.user)
        self.addCleanup(get_backend()._flush)


class PersistentTests(test_fallback.FallbackTests, TestCase):
    storage_class = PersistentStorage


class CookieTests(test_cookie.CookieTests, TestCase):
    storage_class = OverCookie


class SessionTests(test_session.SessionTests):
    storage_class = OverSession


class Stored:
    """Overridden where a test looks into cookie or session for what is in the inbox instead."""

    def assert_in_the_inbox_alone(self, *sizes):
        storage, response = self.get_storage(), self.get_response()
        for size in sizes:
            storage.add(constants.INFO, "x" * size)
        assert not storage.update(response)
        assert get_backend().summary(self.user).unread == len(sizes)
        assert not response.cookies
        assert not getattr(storage.request, "session", None)


class StoredPersistentTests(Stored, PersistentTests):
    def test_no_fallback(self):
        """Django's expects five small messages in the cookie."""
        self.assert_in_the_inbox_alone(100, 200, 300, 400, 500)

    def test_session_fallback(self):
        """Django's expects four messages in the cookie and one in the session."""
        self.assert_in_the_inbox_alone(400, 400, 400, 400, 400)

    def test_session_fallback_only(self):
        """Django's expects one large message in the session."""
        self.assert_in_the_inbox_alone(5000)


class StoredCookieTests(Stored, CookieTests):
    def test_cookie_settings(self):
        """Django's expects the message in a cookie, and looks at its attributes."""
        self.assert_in_the_inbox_alone(10)

    test_cookie_setings = test_cookie_settings  # as Django 4.2 spells it

    def test_max_cookie_length(self):
        """Django's expects four messages in the cookie and one left over."""
        self.assert_in_the_inbox_alone(400, 400, 400, 400, 400)


@override_settings(MESSAGE_STORAGE="stored_messages.storage.PersistentStorage")
class SuccessTests(test_mixins.SuccessMessageMixinTests):
    """Of Django's views."""


class StoredSuccessTests(SuccessTests):
    def test_set_messages_success(self):
        """Django's expects the message in a cookie."""
        self.client.post(reverse("add_success_msg"), {"name": "John Doe", "slug": "success-msg"})
        [message] = get_backend().inbox_list(self.user)
        assert message.message == "John Doe was created successfully"


CONTRACTS = (PersistentTests, CookieTests, SessionTests, SuccessTests)
STORED_CONTRACTS = (StoredPersistentTests, StoredCookieTests, SessionTests, StoredSuccessTests)


def load_tests(loader, tests, pattern):
    """Each contract for each visitor and setting; Django's runner asks for this."""
    suite = TestSuite()

    def load(visitor, contract, iterate, **stored_messages):
        name = "_".join([visitor.__name__, contract.__name__, iterate, *stored_messages])
        case = type(name, (visitor, contract), {"__module__": __name__})
        case.__qualname__ = name
        chosen = {**user_settings(), "ITERATE": iterate, **stored_messages}
        suite.addTests(
            loader.loadTestsFromTestCase(override_settings(STORED_MESSAGES=chosen)(case))
        )

    for visitor, contract, iterate in product((Anonymous, SignedIn), CONTRACTS, ("read", "skip")):
        load(visitor, contract, iterate)
    for contract, iterate in product(CONTRACTS, ("read", "skip")):
        load(Anonymous, contract, iterate, STORE_LEVELS=EVERY_LEVEL)
    for contract in STORED_CONTRACTS:
        load(SignedIn, contract, "read", STORE_LEVELS=EVERY_LEVEL)
    return suite
