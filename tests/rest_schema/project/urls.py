from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView

from tests.project import views

urlpatterns = [
    path("schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path("sign-in/<str:username>/", views.sign_in, name="sign-in"),
    path("", views.home, name="home"),
    path("messages/", include("stored_messages.urls")),
]
