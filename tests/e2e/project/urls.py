from django.urls import include, path

from tests.e2e.project import views

urlpatterns = [
    path("favicon.ico", views.icon),
    path("buzz.wav", views.sound),
    path("tell/", views.tell),
    path("unread/<str:username>/", views.unread),
    path("new-password/", views.new_password),
    path("bare/", views.bare),
    path("strict/", views.strict),
    path("cached/", views.cached),
    path("several/", views.several),
    path("extras/", views.extras),
    path("swapping/<int:number>/", views.swapping),
    path("package/<path:path>", views.package),
    path("showcase/", views.showcase),
    path("embedding/", views.embedding),
    path("", include("tests.project.urls")),
]
