"""The backends' exceptions, where 1.4.0 had them."""

from stored_messages.exceptions import MessageDoesNotExist, MessageTypeNotSupported

__all__ = ("MessageDoesNotExist", "MessageTypeNotSupported")
