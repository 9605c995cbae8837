"""The smallest site that has users, pages with a bell, and a way to send."""

from django.contrib import messages
from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

import stored_messages


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "home.html")


def plain(request: HttpRequest) -> HttpResponse:
    """A page that touches neither the session nor the messages."""
    return HttpResponse("plain")


def sign_in(request: HttpRequest, username: str) -> HttpResponse:
    """Signs in without a password, creating the account if need be."""
    user, _ = get_user_model().objects.get_or_create(username=username)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("home")


@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Adds a message for oneself, or for the user named in `to`."""
    text = request.POST["text"]
    if to := request.POST.get("to"):
        user = get_user_model().objects.get(username=to)
        stored_messages.add_message_for([user], stored_messages.STORED_INFO, text)
    else:
        messages.add_message(request, stored_messages.STORED_INFO, text)
    return redirect("home")
