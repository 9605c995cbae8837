from django.urls import path

from . import views

app_name = "tracker"
urlpatterns = [
    path("", views.issues, name="issues"),
    path("issues/new/", views.new_issue, name="new-issue"),
    path("issues/<int:pk>/", views.issue, name="issue"),
    path("issues/<int:pk>/assign/", views.assign, name="assign"),
    path("issues/<int:pk>/state/", views.set_state, name="state"),
    path("announce/", views.announce, name="announce"),
    path("settings/", views.settings, name="settings"),
    path("settings/send/", views.send, name="send"),
    path("settings/bell.css", views.bell_css, name="bell-css"),
]
