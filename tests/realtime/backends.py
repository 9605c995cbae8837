"""Authentication of projects' own."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed


class Bouncer(ModelBackend):
    """Lets nobody in who is banned, whatever their account says."""

    banned: ClassVar[set[Any]] = set()

    def get_user(self, user_id: Any) -> Any:
        return None if user_id in self.banned else super().get_user(user_id)


class Slow(ModelBackend):
    """Asks somebody else who takes their time."""

    #: Called before each answer.
    wait: ClassVar[Callable[[], object]] = staticmethod(lambda: None)

    def get_user(self, user_id: Any) -> Any:
        self.wait()
        return super().get_user(user_id)


class OnBehalf(BaseAuthentication):
    """One key for all; another header says whose inbox it is about."""

    def authenticate(self, request: Any) -> Any:
        if request.headers.get("Authorization") != "Service key":
            return None
        name = request.headers["X-User"]
        user = get_user_model()._default_manager.filter(username=name, is_active=True).first()
        if user is None:
            raise AuthenticationFailed("No such user.")
        return user, None


class Keys(BaseAuthentication):
    """``Authorization: Key ...``, good until it is revoked."""

    users: ClassVar[dict[str, Any]] = {}
    broken: ClassVar[bool] = False
    #: Called before each look.
    wait: ClassVar[Callable[[], object] | None] = None

    def authenticate(self, request: Any) -> Any:
        scheme, _, key = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme != "Key":
            return None
        if Keys.wait is not None:
            Keys.wait()
        if self.broken:
            raise ConnectionError("the database is away")
        if key not in self.users or not self.users[key].is_active:
            raise AuthenticationFailed("No such key.")
        return self.users[key], None
