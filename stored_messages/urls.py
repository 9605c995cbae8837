"""The REST API and the inbox page; include it anywhere: ``path("messages/", include("stored_messages.urls"))``."""

from django.urls import path

from stored_messages.pages import InboxPage
from stored_messages.rest.views import (
    InboxDetailView,
    InboxListView,
    MarkAllReadView,
    ReadView,
)

app_name = "stored_messages"

urlpatterns = [
    path("", InboxPage.as_view(), name="inbox"),
    path("inbox/", InboxListView.as_view(), name="inbox-list"),
    path("inbox/<str:pk>/", InboxDetailView.as_view(), name="inbox-detail"),
    path("inbox/<str:pk>/read/", ReadView.as_view(), name="inbox-read"),
    path("mark_all_read/", MarkAllReadView.as_view(), name="mark_all_read"),
]
