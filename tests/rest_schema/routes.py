"""The routes of the REST API, as `urls.py` has them."""

import re

from rest_framework.views import APIView

from stored_messages import urls

METHODS = ("get", "post", "put", "patch", "delete")


def routes():
    """Each route with its methods: `{("GET", "inbox/{id}/"), ...}`."""
    return {
        (method.upper(), re.sub(r"<str:pk>", "{id}", str(pattern.pattern)))
        for pattern in urls.urlpatterns
        if issubclass(view := _view(pattern), APIView)
        for method in METHODS
        if hasattr(view, method)
    }


def _view(pattern):
    return getattr(pattern.callback, "view_class", None) or pattern.callback.cls
