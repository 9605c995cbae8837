from django.apps import AppConfig
from django.core import checks


class StoredMessagesConfig(AppConfig):
    name = "stored_messages"
    verbose_name = "Messages"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from stored_messages.checks import check_settings, check_storage
        from stored_messages.owners import connect_user_deletion

        checks.register(check_settings)
        checks.register(check_storage)
        connect_user_deletion()
