from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class StoredMessagesConfig(AppConfig):
    name = "stored_messages"
    verbose_name = _("Messages")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from stored_messages import checks as own_checks
        from stored_messages import user_deletion

        for name in own_checks.__all__:
            checks.register(getattr(own_checks, name))
        user_deletion.connect()
