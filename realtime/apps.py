from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class RealtimeConfig(AppConfig):
    name = "realtime"
    verbose_name = _("Live messages")

    def ready(self) -> None:
        from realtime import receivers, sessions, status
        from realtime.checks import (
            check_channel_layer,
            check_installation,
            check_settings,
            check_urls,
        )

        receivers.connect()
        sessions.connect()
        status.connect()
        checks.register(check_settings)
        checks.register(check_installation)
        checks.register(check_urls)
        checks.register(check_channel_layer)
