"""The inbox of a user who is deleted goes too."""

import logging
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.db.models.signals import post_delete

from stored_messages.backends import get_backend

logger = logging.getLogger("stored_messages")


def connect() -> None:
    """Empty the inbox of each user that is deleted from now on."""
    post_delete.connect(
        _user_deleted, sender=settings.AUTH_USER_MODEL, dispatch_uid="stored_messages.user_deleted"
    )


def _user_deleted(sender: type[Model], instance: Model, **kwargs: Any) -> None:
    try:
        get_backend().forget_user(instance.pk)
    except Exception:
        logger.exception(
            "The inbox of a deleted user could not be emptied; the cleanup will do it."
        )
