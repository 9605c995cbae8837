from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.contrib.staticfiles.views import serve
from django.urls import include, path, re_path

from tests.project import views

urlpatterns = [
    path("", views.home, name="home"),
    path("plain/", views.plain, name="plain"),
    path("send/", views.send, name="send"),
    path("sign-in/<str:username>/", views.sign_in, name="sign-in"),
    path("login/", LoginView.as_view(template_name="login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("messages/", include("stored_messages.urls")),
    # Any server, also with DEBUG off: the tests are about the files, not about who serves them.
    re_path(r"^static/(?P<path>.*)$", serve, {"insecure": True}),
]
