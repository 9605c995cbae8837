"""The inbox page and the REST API; include it anywhere: ``path("messages/", include("stored_messages.urls"))``.

Where REST framework is not installed there is the page alone, as in 1.4.0 there was nothing.
"""

from importlib.util import find_spec

from django.apps import apps
from django.urls import path

from stored_messages.pages import InboxPage

app_name = "stored_messages"

urlpatterns = [path("", InboxPage.as_view(), name="inbox")]

if find_spec("rest_framework"):
    from stored_messages.rest.urls import urlpatterns as rest_urlpatterns

    urlpatterns += rest_urlpatterns

if apps.is_installed("drf_spectacular"):
    import stored_messages.rest.schema  # noqa: F401
