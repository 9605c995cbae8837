"""The inbox as a page, where the bell leads without JavaScript."""

from typing import Any, NamedTuple

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from stored_messages import api
from stored_messages.exceptions import MessageDoesNotExist
from stored_messages.owners import is_owner_key
from stored_messages.rows import rows_of

#: How many pages somebody can go back one by one; from further down they go back to the first.
_TRAIL_LENGTH = 20


class Place(NamedTuple):
    """Where in the list somebody is, as the query string of the page says it.

    ``trail`` holds the cursors of the pages before this one, without the first page, which has none.
    """

    everything: bool
    cursor: str | None
    trail: list[str]

    @classmethod
    def of(cls, query: QueryDict) -> "Place":
        return cls("all" in query, query.get("cursor") or None, query.getlist("newer"))

    def first(self) -> "Place":
        """The first page of the same list."""
        return Place(self.everything, None, [])

    def newer(self) -> "Place":
        """The page before this one."""
        if not self.trail:
            return self.first()
        return Place(self.everything, self.trail[-1], self.trail[:-1])

    def older(self, cursor: str) -> "Place":
        """The page after this one."""
        trail = [*self.trail, self.cursor] if self.cursor else []
        return Place(self.everything, cursor, trail[-_TRAIL_LENGTH:])

    @property
    def query(self) -> str:
        """The query string, with its question mark."""
        query = QueryDict(mutable=True)
        if self.everything:
            query["all"] = "1"
        if self.cursor:
            query["cursor"] = self.cursor
        query.setlist("newer", self.trail)
        return f"?{query.urlencode()}"


@method_decorator(never_cache, name="dispatch")
class InboxPage(LoginRequiredMixin, View):
    """Lists what is unread, or with ``?all`` everything that was not dismissed, and changes it.

    The template is ``stored_messages/inbox.html``, in the frame of ``stored_messages/base.html``. It gets ``page``
    (:class:`~stored_messages.stored.Page`), ``rows`` (:class:`~stored_messages.rows.Row`), ``everything``, the
    addresses ``newer`` and ``older`` where there is such a page, and ``owner``, whose inbox it is.
    """

    template_name = "stored_messages/inbox.html"
    page_size = 20

    def get(self, request: HttpRequest) -> HttpResponse:
        place = Place.of(request.GET)
        read = api.archive if place.everything else api.inbox
        try:
            page = read(request.user, limit=self.page_size, cursor=place.cursor)
        except ValueError:
            return _redirect_to(place.first())
        if place.cursor and not page.messages:
            # The last message of the last page was just marked read, or dismissed.
            return _redirect_to(place.newer())
        context = {
            "page": page,
            "rows": rows_of(page),
            "everything": place.everything,
            "newer": place.newer().query if place.cursor else None,
            "older": place.older(page.cursor).query if page.cursor else None,
            "owner": api.owner_key(request.user),
        }
        return render(request, self.template_name, context)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Do one thing to one message, or mark all read that was seen; then show the same page again.

        ``open`` (marks read and leads to its link), ``read``, ``unread`` and ``dismiss`` name a message. Else ``shown``
        are read, and all below ``below``. What was meant for the inbox of another ``owner`` is not done.
        """
        here = Place.of(request.GET)
        owner = request.POST.get("owner")
        if owner and not is_owner_key(owner, request.user):
            return _redirect_to(here.first())
        if "open" in request.POST:
            return self._open(request.user, request.POST["open"]) or _redirect_to(here)
        for name, change in (
            ("read", api.mark_read),
            ("unread", api.mark_unread),
            ("dismiss", api.dismiss),
        ):
            if name in request.POST:
                change(request.user, request.POST[name])
                return _redirect_to(here)
        below = request.POST.get("below") or None
        try:
            api.mark_all_read(request.user, shown=request.POST.getlist("shown"), below=below)
        except ValueError:
            return HttpResponse("Not a position of this inbox.", status=400)
        return _redirect_to(here)

    def _open(self, user: Any, msg_id: str) -> HttpResponse | None:
        """Lead to the link of a message of this user, and to no other place."""
        try:
            message = api.get_backend().get(user, msg_id)
        except MessageDoesNotExist:
            return None
        api.mark_read(user, message)
        return HttpResponseRedirect(message.url) if message.url else None


def _redirect_to(place: Place) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("stored_messages:inbox") + place.query.removesuffix("?"))
