"""What this package raises, beyond ``ValueError`` and ``TypeError`` for bad arguments.

::

    StoredMessagesError
    ├── MessageDoesNotExist       no such unread message in this user's inbox
    └── MessageTypeNotSupported   an object that the backend cannot store

A wrong setting is Django's ``ImproperlyConfigured``.
"""


class StoredMessagesError(Exception):
    """Base of every exception of this package."""


class MessageDoesNotExist(StoredMessagesError):
    """The user has no such message: unknown id, somebody else's, or no longer there."""


class MessageTypeNotSupported(StoredMessagesError):
    """The backend cannot store an object of this type."""
