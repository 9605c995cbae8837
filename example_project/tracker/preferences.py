"""How somebody likes the bell and the tracker: chosen on the settings page, kept in their session."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import RegexValidator
from django.http import HttpRequest
from django.utils.translation import get_language_info

COLOUR = RegexValidator(r"\A#[0-9a-fA-F]{6}\Z", "A colour as #rrggbb, please.")


class ColourField(forms.CharField):
    widget = forms.TextInput({"type": "color"})
    default_validators = [COLOUR]


class PreferencesForm(forms.Form):
    THEMES = [("auto", "System"), ("light", "Light"), ("dark", "Dark")]
    DIRECTIONS = [
        ("auto", "Automatic"),
        ("ltr", "Left to right"),
        ("rtl", "Right to left"),
    ]

    theme = forms.ChoiceField(choices=THEMES, initial="auto", widget=forms.RadioSelect)
    language = forms.ChoiceField(
        choices=settings.LANGUAGES,
        initial="en",
        help_text="Of the bell and of the page with all notifications; the tracker stays English.",
    )
    direction = forms.ChoiceField(
        label="Text direction", choices=DIRECTIONS, initial="auto", widget=forms.RadioSelect
    )
    live = forms.BooleanField(
        label="Live",
        initial=True,
        required=False,
        help_text="Through a WebSocket. Without it the bell asks every few seconds.",
    )
    toasts = forms.BooleanField(
        required=False, help_text="What arrives is shown at the edge of the page for a moment."
    )
    title = forms.BooleanField(
        label="Count in the page's title",
        required=False,
        help_text="So that a tab in the background says how many are unread.",
    )
    desktop = forms.BooleanField(
        label="On the desktop",
        required=False,
        help_text="While you look at no tab of it. The bell's panel then offers to ask your browser for permission.",
    )
    sound = forms.BooleanField(
        required=False, help_text="In one tab, when you have clicked or typed something in it."
    )
    keys = forms.BooleanField(
        label="Keyboard shortcuts",
        required=False,
        help_text="In the bell's panel: one key for each thing. Press ? there to see them.",
    )
    tabs = forms.BooleanField(
        label="One socket for all tabs",
        required=False,
        help_text="One tab has it and tells the others; what is read without a network is kept and sent later.",
    )
    own_colours = forms.BooleanField(
        label="Of my own",
        required=False,
        help_text="The bell is styled through custom properties, in an ordinary style sheet.",
    )
    accent = ColourField(initial="#7145b8")
    badge = ColourField(initial="#0c6e5a")
    radius = forms.IntegerField(label="Corners", initial=12, min_value=0, max_value=24)
    width = forms.IntegerField(initial=400, min_value=280, max_value=640)

    @property
    def behaviour(self) -> list[forms.BoundField]:
        names = ("live", "toasts", "title", "desktop", "sound", "keys", "tabs")
        return [self[name] for name in names]

    @property
    def shape(self) -> list[forms.BoundField]:
        return [self[name] for name in ("accent", "badge", "radius", "width")]


DEFAULTS = {name: field.initial or False for name, field in PreferencesForm.base_fields.items()}


def of(request: HttpRequest) -> dict[str, Any]:
    return DEFAULTS | request.session.get("preferences", {})


def context(request: HttpRequest) -> dict[str, Any]:
    """What every template knows as `look`: the preferences, and the direction that follows from them."""
    look = of(request)
    bidi = get_language_info(look["language"])["bidi"]
    by_language = "rtl" if bidi else "ltr"
    direction = by_language if look["direction"] == "auto" else look["direction"]
    schemes = "light dark" if look["theme"] == "auto" else look["theme"]
    return {"look": look | {"dir": direction, "schemes": schemes}}


def style_sheet(look: dict[str, Any]) -> str:
    """The custom properties of the bell. A strict policy allows no inline style, and needs none."""
    properties = {
        "accent": look["accent"],
        "badge": look["badge"],
        "badge-text": readable_on(look["badge"]),
        "radius": f"{look['radius']}px",
        "width": f"{look['width']}px",
    }
    lines = "".join(f"  --notification-bell-{name}: {it};\n" for name, it in properties.items())
    return f"notification-bell, .stored-inbox {{\n{lines}}}\n"


def readable_on(colour: str) -> str:
    """Black or white, whichever has more contrast (the relative luminance of WCAG)."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000" if luminance > 0.179 else "#fff"
