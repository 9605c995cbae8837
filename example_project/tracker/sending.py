"""“Send yourself something”: whatever the bell can show, now or when you have switched tabs."""

from __future__ import annotations

from threading import Timer
from typing import Any

import stored_messages
from django import forms
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.templatetags.static import static
from stored_messages.links import clean_url


def checked_link(link: str) -> None:
    try:
        clean_url(link)
    except ValueError as error:
        raise forms.ValidationError(str(error)) from error


class SendForm(forms.Form):
    LEVELS = [
        (stored_messages.STORED_DEBUG, "Debug"),
        (stored_messages.STORED_INFO, "Info"),
        (stored_messages.STORED_SUCCESS, "Success"),
        (stored_messages.STORED_WARNING, "Warning"),
        (stored_messages.STORED_ERROR, "Error"),
    ]
    ICONS = [
        ("", "That of the level"),
        ("🚲", "🚲 Bicycle"),
        ("🎉", "🎉 Party"),
        ("☕", "☕ Coffee"),
        ("logo", "A picture"),
    ]
    level = forms.TypedChoiceField(
        choices=LEVELS, coerce=int, initial=stored_messages.STORED_SUCCESS
    )
    icon = forms.ChoiceField(choices=ICONS, required=False)
    title = forms.CharField(required=False, max_length=120, initial="Your bike is ready")
    text = forms.CharField(
        max_length=2000,
        initial="Dock 7, harbour station. The brakes are new.",
        widget=forms.Textarea({"rows": 2}),
    )
    link = forms.CharField(required=False, max_length=2000, validators=[checked_link])
    count = forms.IntegerField(label="How many", initial=1, min_value=1, max_value=1000)
    delay = forms.IntegerField(label="Seconds from now", initial=2, min_value=0, max_value=60)
    everybody = forms.BooleanField(
        label="To everybody", required=False, help_text="Stored once, however many they are."
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        # Ids of its own: it shares its page with another form.
        super().__init__(*args, label_suffix="", auto_id="send_%s", **kwargs)
        if not user.is_staff:
            del self.fields["everybody"]


def send(
    user: User,
    *,
    level: int,
    text: str,
    title: str = "",
    link: str = "",
    icon: str = "",
    count: int = 1,
    delay: int = 0,
    everybody: bool = False,
) -> None:
    """Send it `count` times, each as a message of its own, from here or from a thread in a while."""
    data = {"title": title, "icon": static("tracker/logo.svg") if icon == "logo" else icon}
    data = {name: value for name, value in data.items() if value}

    @transaction.atomic  # a thousand commits would take their time
    def deliver() -> None:
        for number in range(1, count + 1):
            said = f"{text} ({number} of {count})" if count > 1 else text
            if everybody:
                stored_messages.broadcast_message(level, said, url=link, data=data)
            else:
                stored_messages.add_message_for([user], level, said, url=link, data=data)

    def deliver_later() -> None:
        try:
            deliver()
        finally:
            connections.close_all()  # those of this thread

    if delay:
        # Good enough for a demonstration. A task queue would survive a restart.
        timer = Timer(delay, deliver_later)
        timer.daemon = True
        timer.start()
    else:
        deliver()
