from __future__ import annotations

from typing import Any

import stored_messages
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from . import actions, preferences, sending
from .forms import AnnouncementForm, AssignForm, CommentForm, IssueForm, SignInForm
from .models import Issue, display_name


class Request(HttpRequest):
    """Of somebody who is signed in."""

    user: User


class SignIn(LoginView):
    """One click and you are somebody. For a demonstration only."""

    authentication_form = SignInForm
    template_name = "tracker/sign_in.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # Cookies belong to a host name: under the other one, the same browser is somebody else.
        host = self.request.get_host()
        here, there = ("localhost", "127.0.0.1")[:: 1 if host.startswith("localhost") else -1]
        return super().get_context_data(other_host=host.replace(here, there), **kwargs)


@login_required
def issues(request: Request) -> HttpResponse:
    mine = Q(is_open=True, assignee=request.user)
    tabs = {"open": Q(is_open=True), "mine": mine, "closed": Q(is_open=False)}
    show = request.GET.get("show")
    show = show if show in tabs else "open"
    counts = Issue.objects.aggregate(**{name: Count("pk", which) for name, which in tabs.items()})
    found = Issue.objects.filter(tabs[show]).select_related("author", "assignee")
    found = found.annotate(comment_count=Count("comments")).order_by("-pk")
    page = Paginator(found, 20).get_page(request.GET.get("page"))
    return render(request, "tracker/issues.html", {"page": page, "show": show, "counts": counts})


@login_required
def new_issue(request: Request) -> HttpResponse:
    form = IssueForm(request.POST or None, label_suffix="")
    if form.is_valid():
        issue = actions.open_issue(request.user, **form.cleaned_data)
        messages.success(request, "Issue opened.")
        return redirect(issue)
    return render(
        request, "tracker/form.html", {"form": form, "title": "New issue", "action": "Open issue"}
    )


@login_required
def issue(request: Request, pk: int) -> HttpResponse:
    issue = get_object_or_404(Issue.objects.select_related("author", "assignee"), pk=pk)
    form = CommentForm(request.POST or None)
    if form.is_valid():
        said = actions.comment(issue, request.user, form.cleaned_data["body"])
        messages.success(request, "Comment added.")
        return redirect(said)
    context = {
        "issue": issue,
        "comments": issue.comments.select_related("author"),
        "names": list(User.objects.order_by("username").values_list("username", flat=True)),
        "form": form,
        "assign_form": AssignForm(initial={"assignee": issue.assignee_id}, label_suffix=""),
    }
    return render(request, "tracker/issue.html", context)


@login_required
@require_POST
def assign(request: Request, pk: int) -> HttpResponse:
    issue = get_object_or_404(Issue.objects.select_related("assignee"), pk=pk)
    form = AssignForm(request.POST)
    if form.is_valid() and (assignee := form.cleaned_data["assignee"]) != issue.assignee:
        actions.assign(issue, request.user, assignee)
        if assignee == request.user:
            # For oneself, and to stay: Django's own call with a stored level is all it takes.
            text = f"#{issue.pk} is yours now: {issue.title}"
            messages.add_message(request, stored_messages.STORED_SUCCESS, text)
        else:
            name = display_name(assignee) if assignee else "nobody"
            messages.success(request, f"Assigned to {name}.")
    return redirect(issue)


@login_required
@require_POST
def set_state(request: Request, pk: int) -> HttpResponse:
    issue = get_object_or_404(Issue, pk=pk)
    actions.set_open(issue, request.user, request.POST.get("state") == "open")
    messages.success(request, "Issue reopened." if issue.is_open else "Issue closed.")
    return redirect(issue)


@login_required
def announce(request: Request) -> HttpResponse:
    if not request.user.is_staff:
        raise PermissionDenied
    form = AnnouncementForm(request.POST or None, label_suffix="")
    if form.is_valid():
        actions.announce(request.user, **form.cleaned_data)
        messages.success(request, "Everybody has been told.")
        return redirect("tracker:issues")
    context = {"form": form, "title": "Tell everybody", "action": "Announce"}
    return render(request, "tracker/form.html", context)


@login_required
def settings(request: Request) -> HttpResponse:
    if "reset" in request.POST:
        request.session.pop("preferences", None)
        messages.success(request, "Everything is as it was.")
        return redirect("tracker:settings")
    form = preferences.PreferencesForm(request.POST or None, initial=preferences.of(request))
    if form.is_valid():
        request.session["preferences"] = form.cleaned_data
        messages.success(request, "Saved.")
        return redirect("tracker:settings")
    return show_settings(request, form, sending.SendForm(request.user))


@login_required
@require_POST
def send(request: Request) -> HttpResponse:
    form = sending.SendForm(request.user, request.POST)
    if not form.is_valid():
        chosen = preferences.PreferencesForm(initial=preferences.of(request))
        return show_settings(request, chosen, form)
    sending.send(request.user, **form.cleaned_data)
    if delay := form.cleaned_data["delay"]:
        messages.success(request, f"It arrives in {delay} s, wherever you are by then.")
    return redirect("tracker:settings")


def show_settings(
    request: Request, form: preferences.PreferencesForm, send_form: sending.SendForm
) -> HttpResponse:
    return render(request, "tracker/settings.html", {"form": form, "send_form": send_form})


def bell_css(request: HttpRequest) -> HttpResponse:
    sheet = preferences.style_sheet(preferences.of(request))
    return HttpResponse(sheet, "text/css", headers={"Cache-Control": "private, no-cache"})
