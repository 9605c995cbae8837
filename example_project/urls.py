from django.contrib.auth.views import LogoutView
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.urls import include, path

from tracker.views import SignIn

urlpatterns = [
    path("", include("tracker.urls")),
    path("messages/", include("stored_messages.urls")),
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    # In development, under any server: static files without a step of their own.
    *staticfiles_urlpatterns(),
]
