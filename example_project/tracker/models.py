from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.urls import reverse
from django.utils import timezone


def display_name(person: User) -> str:
    return person.get_full_name() or person.get_username()


class Issue(models.Model):
    class Kind(models.TextChoices):
        BUG = "bug"
        FEATURE = "feature"
        QUESTION = "question"

    title = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.BUG)
    body = models.TextField("description", blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    is_open = models.BooleanField(default=True, db_index=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"#{self.pk} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("tracker:issue", args=[self.pk])

    def people(self) -> models.QuerySet[User]:
        """Whoever filed it, looks after it or has said something about it."""
        commented = models.Q(pk__in=self.comments.values("author"))
        return User.objects.filter(commented | models.Q(pk__in=[self.author_id, self.assignee_id]))


class Comment(models.Model):
    issue = models.ForeignKey(Issue, models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    body = models.TextField("comment")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return f"{self.author} on {self.issue}"

    def get_absolute_url(self) -> str:
        return f"{self.issue.get_absolute_url()}#comment-{self.pk}"
