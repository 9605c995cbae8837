"""System checks: each problem has an id and says what to do. They are listed in ``docs/checks.md``."""

from stored_messages.checks.configuration import check_backend, check_levels, check_settings
from stored_messages.checks.project import check_installation, check_storage
from stored_messages.checks.throttles import check_throttles

__all__ = (
    "check_backend",
    "check_installation",
    "check_levels",
    "check_settings",
    "check_storage",
    "check_throttles",
)
