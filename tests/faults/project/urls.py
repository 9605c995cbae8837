from django.urls import include, path

from tests.faults.project import views

urlpatterns = [
    path("perform/", views.perform_here),
    path("perform-async/", views.perform_async),
    path("forget/", views.forget),
    path("", include("tests.project.urls")),
]
