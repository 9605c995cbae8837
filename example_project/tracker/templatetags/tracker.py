from collections.abc import Container
from datetime import datetime, timedelta

from django import template
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from ..mentions import highlight
from ..models import display_name

register = template.Library()
register.filter("name", display_name)


@register.filter
def ago(when: datetime) -> str:
    if timezone.now() - when < timedelta(minutes=1):
        return "just now"
    return f"{timesince(when, depth=1)} ago"


@register.filter
def mentions(text: str, names: Container[str]) -> SafeString:
    return highlight(text, names)


@register.filter
def avatar(person: User) -> SafeString:
    """A coloured disc with the person's initials; their name always stands beside it."""
    initials = "".join(word[0] for word in display_name(person).split()[:2]).upper()
    return format_html(
        '<span class="avatar hue-{}" aria-hidden="true">{}</span>', person.pk % 6, initials
    )
