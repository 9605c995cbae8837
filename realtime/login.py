"""Who is signed in with a session: when a socket opens, and again while it is open.

Whoever would not be signed in now has been signed out: that is the one question, and both times it is asked in the
same way. A store that fails has no answer to it, so it signs nobody out.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.contrib.sessions.backends import cache, file
from django.core.cache import caches
from django.utils.crypto import constant_time_compare, get_random_string, salted_hmac

from realtime.database import DatabaseThreads


class SignIn(Protocol):
    """What a socket was signed in with. ``digest`` stands for it between processes."""

    @property
    def digest(self) -> str: ...

    @property
    def older_digests(self) -> Sequence[str]:
        """What stands for it in processes that do not have the newest ``SECRET_KEY`` yet."""

    def user(self) -> Any | None:
        """Ask again who is signed in with it; raises what the store raises."""


class SessionSignIn:
    """A session. No session engine can be asked about one without its key, so the key is kept here.

    It never leaves the process, where the handshake's cookie has it too; what travels is a salted HMAC. ``proof`` is
    whose it was when it was last found good, and a hash of what had to be seen for that.
    """

    __slots__ = ("digest", "key", "older_digests", "proof")

    def __init__(self, key: str) -> None:
        self.key = key
        self.digest, *older = session_digests(key)
        self.older_digests: Sequence[str] = tuple(older)
        self.proof: tuple[str, bytes] | None = None

    def user(self) -> Any | None:
        return session_and_user(self.key)[1]


def session_digest(key: str, secret: Any = None) -> str:
    """Return what stands for a session key outside of its process; ``secret`` is another than ``SECRET_KEY``."""
    return salted_hmac("realtime.session", key, secret=secret, algorithm="sha256").hexdigest()


def session_digests(key: str) -> list[str]:
    """Return what stands for a session key here, and in processes that still have an old ``SECRET_KEY``."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return [session_digest(key, secret) for secret in dict.fromkeys(secrets)]


def session_store() -> Any:
    """Return the session engine's class."""
    return import_module(settings.SESSION_ENGINE).SessionStore


def session_and_user(key: str | None) -> tuple[Any, Any | None]:
    """Return a session and who is signed in with it, ``None`` if nobody is.

    Raises what the session store and the database raise, and ``ConnectionError`` where the store only seems to have
    lost the session.
    """
    session = session_store()(key)
    if not key:
        return session, None
    if SESSION_KEY not in session and _hides_failures(session):
        _require_store(session)
        session = session_store()(key)  # it may have been away just then
    return session, _user(session)


def password_unchanged(user: Any, session_hash: str) -> bool:
    """Whether a session that has this hash is still good for the user; old secret keys are respected."""
    if not hasattr(user, "get_session_auth_hash"):
        return True
    if constant_time_compare(session_hash, user.get_session_auth_hash()):
        return True
    if not hasattr(user, "get_session_auth_fallback_hash"):
        return False
    return any(
        constant_time_compare(session_hash, one) for one in user.get_session_auth_fallback_hash()
    )


def _user(session: Any) -> Any | None:
    if SESSION_KEY not in session or BACKEND_SESSION_KEY not in session:
        return None
    backend_path = session[BACKEND_SESSION_KEY]
    if backend_path not in settings.AUTHENTICATION_BACKENDS:
        return None
    user_id = get_user_model()._meta.pk.to_python(session[SESSION_KEY])
    user = load_backend(backend_path).get_user(user_id)
    if user is None or not password_unchanged(user, session.get(HASH_SESSION_KEY, "")):
        return None
    return user


def _hides_failures(session: Any) -> bool:
    """Django's engines for caches and files take whatever goes wrong for a session that is not there."""
    return isinstance(session, cache.SessionStore | file.SessionStore)


def _require_store(session: Any) -> None:
    if isinstance(session, file.SessionStore):
        if Path(session.storage_path).is_dir():
            return
    else:
        store = caches[settings.SESSION_CACHE_ALIAS]
        probe = f"realtime.probe.{get_random_string(12)}"
        store.set(probe, probe, 30)
        if store.get(probe) == probe:
            return
    raise ConnectionError("The session store does not answer.")


#: How many look up sessions at a time, how many those that are asked alone, and how many whatever else sockets are
#: signed in with.
THREADS = 2

_threads: dict[str, DatabaseThreads] = {}  # one set per process


def database_threads() -> DatabaseThreads:
    """Return the threads in which sockets are signed in by their sessions, and looked at again, many at a time."""
    return _threads_for("sessions")


def single_threads() -> DatabaseThreads:
    """Return those in which sockets are signed in by sessions of which nothing can be said in bulk.

    A project's own authentication backend may take its time. Nobody whose session is Django's waits for it.
    """
    return _threads_for("single sessions")


def token_threads() -> DatabaseThreads:
    """Return those for whatever else sockets are signed in with.

    Somebody else may have to be asked about that, and take their time. Nobody who comes without waits for it.
    """
    return _threads_for("tokens")


def _threads_for(what: str) -> DatabaseThreads:
    if what not in _threads:
        _threads[what] = DatabaseThreads(THREADS)
    return _threads[what]


def stop_threads() -> None:
    """End these threads with their connections; the next socket finds others."""
    while _threads:
        _threads.popitem()[1].stop()
