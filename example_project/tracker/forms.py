from __future__ import annotations

from typing import Any

import stored_messages
from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from .demo import ACCOUNTS
from .models import Comment, Issue, display_name


class PersonField(forms.ModelChoiceField):
    def label_from_instance(self, person: User) -> str:
        return display_name(person)


def everybody() -> QuerySet[User]:
    return User.objects.filter(is_active=True).order_by("first_name", "username")


class SignInForm(forms.Form):
    """Takes the name of a demo account, and no password: for a demonstration only."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        accounts = everybody().filter(username__in=[account["username"] for account in ACCOUNTS])
        self.fields["username"] = forms.ModelChoiceField(accounts, to_field_name="username")

    def get_user(self) -> User:
        return self.cleaned_data["username"]


class IssueForm(forms.ModelForm):
    assignee = PersonField(everybody(), required=False, empty_label="Nobody yet")

    class Meta:
        model = Issue
        fields = ["title", "kind", "body", "assignee"]
        widgets = {"body": forms.Textarea({"rows": 7})}


class CommentForm(forms.ModelForm):
    class Meta:
        model = Comment
        fields = ["body"]
        widgets = {"body": forms.Textarea({"rows": 4})}


class AssignForm(forms.Form):
    assignee = PersonField(everybody(), required=False, empty_label="Nobody")


class AnnouncementForm(forms.Form):
    LEVELS = [
        (stored_messages.STORED_INFO, "For information"),
        (stored_messages.STORED_SUCCESS, "Good news"),
        (stored_messages.STORED_WARNING, "Please note"),
        (stored_messages.STORED_ERROR, "Something is broken"),
    ]
    level = forms.TypedChoiceField(label="What is it", choices=LEVELS, coerce=int)
    text = forms.CharField(label="What everybody should know", max_length=300)
