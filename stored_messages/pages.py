"""The inbox as a page, where the bell leads without JavaScript."""

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from stored_messages import api


@method_decorator(never_cache, name="dispatch")
class InboxPage(LoginRequiredMixin, View):
    """Lists what is unread and marks it read; overridable template ``stored_messages/inbox.html``."""

    template_name = "stored_messages/inbox.html"
    page_size = 20

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            page = api.get_backend().page(
                request.user, before=request.GET.get("cursor") or None, limit=self.page_size
            )
        except ValueError:
            return HttpResponseRedirect(reverse("stored_messages:inbox"))
        return render(request, self.template_name, {"page": page})

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Mark read the message named ``read``, or with ``shown`` those, and all below ``below``."""
        if "read" in request.POST:
            api.mark_read(request.user, request.POST["read"])
        else:
            below = request.POST.get("below") or None
            try:
                api.mark_all_read(request.user, shown=request.POST.getlist("shown"), below=below)
            except ValueError:
                return HttpResponse("Not a position of this inbox.", status=400)
        return HttpResponseRedirect(reverse("stored_messages:inbox"))
