"""The form with which staff send messages."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.messages.storage.base import LEVEL_TAGS
from django.utils.translation import gettext_lazy as _

from stored_messages import api
from stored_messages.conf import app_settings
from stored_messages.constants import (
    STORED_DEBUG,
    STORED_ERROR,
    STORED_INFO,
    STORED_LEVELS,
    STORED_SUCCESS,
    STORED_WARNING,
)
from stored_messages.links import MAX_LENGTH, clean_url
from stored_messages.owners import pk_named
from stored_messages.stored import StoredMessage

_LEVEL_NAMES = {
    STORED_DEBUG: _("Debug"),
    STORED_INFO: _("Info"),
    STORED_SUCCESS: _("Success"),
    STORED_WARNING: _("Warning"),
    STORED_ERROR: _("Error"),
}

if TYPE_CHECKING:
    _UsersField = forms.ModelMultipleChoiceField[Any]
else:
    _UsersField = forms.ModelMultipleChoiceField


class UsersField(_UsersField):
    """Users by their primary keys, typed by hand perhaps."""

    def clean(self, value: Any) -> Any:
        keys = [str(key).strip() for key in value or ()]
        # What no column holds is an error of the form, and none of the database.
        if any(pk_named(key) is None or "\0" in key for key in keys):
            raise forms.ValidationError(self.error_messages["invalid_list"])
        return super().clean(keys)


class SendForm(forms.Form):
    """A message to chosen users or to everybody, as far as the sender may do either.

    ``users_widget`` is what the users are chosen with.
    """

    users = UsersField(
        queryset=None, label=_("Users"), required=False, help_text=_("Who is to get it.")
    )
    everybody = forms.BooleanField(
        label=_("Everybody"),
        required=False,
        help_text=_("Send it to all users there are now, instead of to chosen ones."),
    )
    level = forms.TypedChoiceField(label=_("Level"), coerce=int, initial=STORED_INFO)
    title = forms.CharField(
        label=_("Title"), required=False, max_length=200, help_text=_("Stands above the message.")
    )
    message = forms.CharField(
        label=_("Message"), widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"})
    )
    url = forms.CharField(
        label=_("Link"),
        required=False,
        max_length=MAX_LENGTH,
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
        help_text=_("An address that begins with http:// or https://, or a path of this site."),
    )

    def __init__(
        self,
        *args: Any,
        users_widget: forms.Widget,
        to_users: bool = True,
        to_everybody: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["level"].choices = level_choices()  # type: ignore[attr-defined]
        users: Any = self.fields["users"]
        users.widget = users_widget
        users.queryset = get_user_model()._default_manager.all()
        for name, allowed in (("users", to_users), ("everybody", to_everybody)):
            if not allowed:
                del self.fields[name]

    def clean_url(self) -> str | None:
        try:
            return clean_url(self.cleaned_data["url"])
        except ValueError as error:
            raise forms.ValidationError(
                _("This is neither an address with http:// or https:// nor a path of this site.")
            ) from error

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        if bool(cleaned.get("users")) == bool(cleaned.get("everybody")):
            raise forms.ValidationError(
                _("Choose the users who are to get it, or everybody.")
                if len(self.recipients) > 1
                else _("Choose who is to get it.")
            )
        return cleaned

    @property
    def recipients(self) -> list[str]:
        """The fields with which recipients are chosen."""
        return [name for name in ("users", "everybody") if name in self.fields]

    def send(self) -> StoredMessage | None:
        """Send what was filled in: as from any other code, with its signals."""
        cleaned = self.cleaned_data
        content = {
            "level": cleaned["level"],
            "message_text": cleaned["message"],
            "url": cleaned["url"],
            "data": {"title": cleaned["title"]} if cleaned["title"] else {},
        }
        if cleaned.get("everybody"):
            return api.broadcast_message(**content)
        return api.add_message_for(cleaned["users"], **content)


def level_choices() -> list[tuple[int, str]]:
    """The levels that are kept, by their names."""
    levels = sorted({*STORED_LEVELS, *app_settings.STORE_LEVELS})
    return [(level, level_name(level)) for level in levels]


def level_name(level: int) -> str:
    """The project's own tag of a level if it has one, else its name in the active language, or its number."""
    tag = getattr(settings, "MESSAGE_TAGS", {}).get(level)
    return str(tag or _LEVEL_NAMES.get(level) or LEVEL_TAGS.get(level) or level)
