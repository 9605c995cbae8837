"""The inbox of a user who is deleted goes too."""

import logging
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Model
from django.db.models.signals import post_delete

from stored_messages.backends import get_backend

logger = logging.getLogger("stored_messages")


def connect() -> None:
    """Empty the inbox of each user that is deleted from now on."""
    post_delete.connect(
        _user_deleted, sender=settings.AUTH_USER_MODEL, dispatch_uid="stored_messages.user_deleted"
    )


def _user_deleted(sender: type[Model], instance: Model, using: str, **kwargs: Any) -> None:
    pk = instance.pk
    if getattr(get_backend(), "using", None) == using:
        _forget(pk)
    else:
        # A store that knows nothing of this transaction, which may be rolled back.
        transaction.on_commit(lambda: _forget(pk), using=using)


def _forget(pk: Any) -> None:
    try:
        get_backend().forget_user(pk)
    except Exception:
        logger.exception(
            "The inbox of a deleted user could not be emptied; the cleanup will do it."
        )
