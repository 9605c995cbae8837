"""What open sockets are signed in with."""

from collections.abc import Iterator

from realtime.login import SessionSignIn, SignIn
from realtime.sockets import Socket


class Held:
    """A sign-in with the open sockets of one user. ``due`` is when to look at it again, ``is_suspect``: before others.

    The same session or token may be several users': what else a project looks at may decide whose inbox it opens.
    ``is_alone``: no look at many can say anything about it now. ``took``: seconds, when it was last asked alone.
    """

    __slots__ = (
        "due",
        "is_alone",
        "is_plain",
        "is_session",
        "is_suspect",
        "owner",
        "sign_in",
        "sockets",
        "took",
    )

    def __init__(self, sign_in: SignIn, owner: str, due: float) -> None:
        self.sign_in = sign_in
        self.is_session = isinstance(sign_in, SessionSignIn)
        # A project's own kind of session is asked itself: it may look at more.
        self.is_plain = type(sign_in) is SessionSignIn
        self.is_alone = not self.is_plain
        self.owner = owner
        self.due = due
        self.is_suspect = False
        self.took = 0.0
        self.sockets: tuple[Socket, ...] = ()


class HeldSignIns:
    """Those of all open sockets, by digest: one for each user."""

    def __init__(self) -> None:
        self._by_digest: dict[str, tuple[Held, ...]] = {}
        #: Digests by those that a process with an older SECRET_KEY knows.
        self._newest: dict[str, str] = {}

    def __contains__(self, digest: str | None) -> bool:
        return digest in self._by_digest

    def all(self) -> Iterator[Held]:
        """Yield all. From any thread."""
        return (held for users in list(self._by_digest.values()) for held in users)

    def of(self, digest: str) -> tuple[Held, ...]:
        return self._by_digest.get(self._newest.get(digest, digest), ())

    def add(self, socket: Socket, sign_in: SignIn, due: float) -> None:
        users = self._by_digest.get(sign_in.digest, ())
        held = next((one for one in users if one.owner == socket.owner), None)
        if held is None:
            held = Held(sign_in, socket.owner, due)
            self._by_digest[sign_in.digest] = (*users, held)
            self._newest.update(dict.fromkeys(sign_in.older_digests, sign_in.digest))
        held.sockets += (socket,)

    def remove(self, socket: Socket) -> None:
        """Forget this socket. Harmless for one that is not among these."""
        if socket.session is None or socket.session not in self._by_digest:
            return
        users = self._by_digest[socket.session]
        for held in users:
            held.sockets = tuple(one for one in held.sockets if one is not socket)
        left = tuple(held for held in users if held.sockets)
        if left:
            self._by_digest[socket.session] = left
        else:
            del self._by_digest[socket.session]
            for digest in users[0].sign_in.older_digests:
                self._newest.pop(digest, None)
