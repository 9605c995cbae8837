"""Authentication of projects' own."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib.auth.backends import ModelBackend
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed


class Bouncer(ModelBackend):
    """Lets nobody in who is banned, whatever their account says."""

    banned: ClassVar[set[Any]] = set()

    def get_user(self, user_id: Any) -> Any:
        return None if user_id in self.banned else super().get_user(user_id)


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
