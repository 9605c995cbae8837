"""The routes of the REST API, which :mod:`stored_messages.urls` includes."""

from django.urls import path

from stored_messages.rest.views import (
    ArchiveDetailView,
    ArchiveListView,
    InboxDetailView,
    InboxListView,
    MarkAllReadView,
    ReadView,
    UnreadView,
)

urlpatterns = [
    path("inbox/", InboxListView.as_view(), name="inbox-list"),
    path("inbox/<str:pk>/", InboxDetailView.as_view(), name="inbox-detail"),
    path("inbox/<str:pk>/read/", ReadView.as_view(), name="inbox-read"),
    path("inbox/<str:pk>/unread/", UnreadView.as_view(), name="inbox-unread"),
    path("archive/", ArchiveListView.as_view(), name="archive-list"),
    path("archive/<str:pk>/", ArchiveDetailView.as_view(), name="archive-detail"),
    path("mark_all_read/", MarkAllReadView.as_view(), name="mark_all_read"),
]
