"""The admin: what the database keeps, to look at, and a form to send with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.helpers import AdminForm
from django.contrib.admin.widgets import AutocompleteSelectMultiple, ManyToManyRawIdWidget
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.forms import Widget
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from stored_messages.api import get_backend
from stored_messages.backends.database import DefaultBackend
from stored_messages.backends.database_queries import left_unread
from stored_messages.forms import SendForm, level_choices, level_name
from stored_messages.models import Delivery, Message

if TYPE_CHECKING:
    _MessageAdmin = admin.ModelAdmin[Message]
else:
    _MessageAdmin = admin.ModelAdmin

_BROADCAST = "stored_messages.broadcast_message"


class _UsersSearch(AutocompleteSelectMultiple):
    """Django's, which looks up the chosen keys to show them again, and raises where one of them cannot be a key."""

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        try:
            return super().optgroups(name, value, attr)
        except (OverflowError, ValueError, ValidationError):
            return super().optgroups(name, [], attr)


class LevelFilter(admin.SimpleListFilter):
    """Levels by their names, without asking the table which there are."""

    title = _("level")
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        return [*level_choices()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        level = self.value()
        if level is None:
            return queryset
        # Of the request it is a text; for the facets it is a level.
        chosen: QuerySet[Any] = queryset.none()
        if str(level) in {str(known) for known, _ in level_choices()}:
            chosen = queryset.filter(level=level)
        return chosen


@admin.register(Message)
class MessageAdmin(_MessageAdmin):
    """Messages with how many got them and read them. Adding one is sending it; deleting one takes it from everybody."""

    list_display = ["text", "level_name", "date", "recipients", "readers"]
    list_filter = [LevelFilter, "broadcast", "date"]
    search_fields = ["message", "extra_tags", "url"]
    ordering = ["-pk"]
    show_full_result_count = False
    fields = [
        "message",
        "level_name",
        "extra_tags",
        "url",
        "data",
        "safe",
        "broadcast",
        "date",
        "sent_at",
        "recipients",
        "readers",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        deliveries = Delivery.objects.filter(message=OuterRef("pk")).order_by()
        read = Q(read_at__isnull=False) & ~Q(read_at=left_unread())
        messages: QuerySet[Message] = super().get_queryset(request)
        counted: QuerySet[Message] = messages.annotate(
            number_of_recipients=_count(deliveries), number_of_readers=_count(deliveries, read)
        )
        return counted

    @admin.display(description=_("message"))
    def text(self, message: Message) -> str:
        return Truncator(message.message).chars(80) or "-"

    @admin.display(description=_("level"))
    def level_name(self, message: Message) -> str:
        return level_name(message.level)

    @admin.display(description=_("recipients"))
    def recipients(self, message: Any) -> Any:
        return _("everybody") if message.broadcast else message.number_of_recipients

    @admin.display(description=_("readers"))
    def readers(self, message: Any) -> Any:
        return message.number_of_readers

    # What was sent is not changed.

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) or request.user.has_perm(_BROADCAST)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Count the deliveries that go too, which Django would load and list one by one."""
        messages = list(objs)
        deliveries = Delivery.objects.filter(message__in=messages).count()
        options = Message._meta
        counts = {
            str(options.verbose_name_plural): len(messages),
            str(Delivery._meta.verbose_name_plural): deliveries,
        }
        allowed = self.has_delete_permission(request)
        missing = set() if allowed else {str(options.verbose_name)}
        return [self.text(message) for message in messages], counts, missing, []

    # Where another store keeps the inboxes, this list would mislead.

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        kept_elsewhere = not isinstance(get_backend(), DefaultBackend)
        context = {"kept_elsewhere": kept_elsewhere, **(extra_context or {})}
        return super().changelist_view(request, context)

    # Sending.

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Send a message to chosen users or to everybody."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = SendForm(
            request.POST or None,
            users_widget=self._users_widget(request),
            to_users=super().has_add_permission(request),
            to_everybody=request.user.has_perm(_BROADCAST),
        )
        if request.method == "POST" and form.is_valid():
            self._tell_what_was_sent(request, form)
            return HttpResponseRedirect(self._next_url(request))
        fields = [*form.recipients, "level", "title", "message", "url"]
        any_form: Any = form  # nothing of a ModelForm is needed
        adminform = AdminForm(any_form, [(None, {"fields": fields})], {}, model_admin=self)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Send a message"),
            "opts": Message._meta,
            "adminform": adminform,
            "errors": form.errors,
            "media": self.media + form.media,
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/stored_messages/message/send.html", context)

    def _tell_what_was_sent(self, request: HttpRequest, form: SendForm) -> None:
        sent = form.send()
        number = len(form.cleaned_data.get("users", ()))
        if form.cleaned_data.get("everybody"):
            said = gettext("The message was sent to everybody.")
        else:
            said = ngettext(
                "The message was sent to %(number)d user.",
                "The message was sent to %(number)d users.",
                number,
            ) % {"number": number}
        if sent is not None:
            # In another store there is no such row, but who sent what is worth a line in any case.
            self.log_addition(request, Message(pk=sent.id, message=str(sent.message)), said)
        self.message_user(request, said)

    def _next_url(self, request: HttpRequest) -> str:
        name = "changelist" if self.has_view_permission(request) else "add"
        return reverse(f"admin:stored_messages_message_{name}", current_app=self.admin_site.name)

    def _users_widget(self, request: HttpRequest) -> Widget:
        """A search where the project's admin of users has one and the sender may use it, else primary keys."""
        user_field: Any = Delivery._meta.get_field("user")
        user_admin = self.admin_site._registry.get(get_user_model())
        if (
            user_admin
            and user_admin.get_search_fields(request)
            and user_admin.has_view_permission(request)
        ):
            return _UsersSearch(user_field, self.admin_site)
        return ManyToManyRawIdWidget(user_field.remote_field, self.admin_site)


def _count(deliveries: QuerySet[Delivery], *conditions: Q) -> Coalesce:
    """Count in a subquery of its own: one statement for the whole page, and each message found by an index."""
    grouped = deliveries.filter(*conditions).values("message").annotate(number=Count("pk"))
    return Coalesce(Subquery(grouped.values("number")), 0)
