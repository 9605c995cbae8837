"""The project that the other tests stand on."""

from django.core.management import call_command


def test_the_project_has_no_findings():
    call_command("check", fail_level="WARNING")
