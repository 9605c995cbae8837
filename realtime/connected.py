"""Who is connected, as their hub sees them."""

from typing import TYPE_CHECKING, Any

from django.db.models import Model

from realtime.groups import user_group
from stored_messages.owners import joined_at, owner_key

if TYPE_CHECKING:
    from realtime.sockets import Socket


class ConnectedUser:
    """A user with at least one open socket here."""

    __slots__ = ("group", "joined", "key", "sockets", "state", "user")

    def __init__(self, user: Any) -> None:
        self.key = owner_key(user)
        self.group = user_group(user.pk)
        self.sockets: tuple[Socket, ...] = ()
        self.state: bool | None = bool(getattr(user, "is_active", True))
        self.user: Any = None
        self.is_now(user)

    def is_now(self, user: Any) -> None:
        """Go by the row that was read last: the date since when they see broadcasts may have been changed."""
        if isinstance(self.user, Model) and not isinstance(user, Model):
            return
        self.user = user
        # What is no row would have to be asked for.
        joined = joined_at(user) if isinstance(user, Model) else None
        self.joined = None if joined is None else joined.timestamp()
