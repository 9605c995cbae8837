"""The tables of the database backend: a message once, and one row per user who got it.

Applications go through :mod:`stored_messages.api` or the backend, which know broadcasts, expiry and signals.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Message(models.Model):
    """The content, stored once however many people get it."""

    message = models.TextField(_("message"))
    level = models.IntegerField(_("level"))
    extra_tags = models.TextField(_("extra tags"), blank=True, default="")
    url = models.TextField(_("URL"), null=True, blank=True)
    date = models.DateTimeField(_("date"))
    sent_at = models.DateTimeField(_("sent at"))
    data = models.JSONField(_("data"), default=dict, blank=True)
    safe = models.BooleanField(_("marked safe"), default=False)
    broadcast = models.BooleanField(_("to everybody"), default=False)
    position = models.BigIntegerField(editable=False)
    stamp = models.BigIntegerField(editable=False)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        permissions = [("broadcast_message", "Can send messages to everybody")]
        indexes = [
            models.Index(fields=["date"], name="stored_msg_date"),
            models.Index(
                fields=["position"], name="stored_msg_broadcasts", condition=Q(broadcast=True)
            ),
        ]

    def __str__(self) -> str:
        return self.message


class Delivery(models.Model):
    """One user's copy. A broadcast has none until its reader reads or dismisses it.

    The user has no database constraint: a user deleted meanwhile must not fail the commit of a sender, and users may
    live in another database. Position, stamp, date and broadcast repeat those of the message, so that summaries need
    no join; position and stamp are new when the message is stored again after it was read. A dismissed message is
    always read too: what is unread is ``read_at IS NULL``, everywhere.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    message = models.ForeignKey(
        Message,
        verbose_name=_("message"),
        on_delete=models.CASCADE,
        db_index=False,
        related_name="deliveries",
    )
    position = models.BigIntegerField(editable=False)
    stamp = models.BigIntegerField(editable=False)
    date = models.DateTimeField(editable=False)
    broadcast = models.BooleanField(editable=False, default=False)
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    dismissed_at = models.DateTimeField(_("dismissed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        # The message first, so that there is no index of the message alone: until the statistics of a table know a
        # message that was just sent to many, PostgreSQL would take that one to find a single user's copy of it.
        constraints = [
            models.UniqueConstraint(fields=["message", "user"], name="stored_messages_one_copy"),
        ]
        indexes = [
            models.Index(fields=["date"], name="stored_messages_date"),
            models.Index(
                fields=["user", "position", "stamp", "date"],
                name="stored_messages_unread",
                condition=Q(read_at__isnull=True),
            ),
            models.Index(
                fields=["user", "position"],
                name="stored_messages_archive",
                condition=Q(dismissed_at__isnull=True),
            ),
            models.Index(
                fields=["user", "date", "stamp"],
                name="stored_messages_broadcasts",
                condition=Q(broadcast=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} to {self.user_id}"
