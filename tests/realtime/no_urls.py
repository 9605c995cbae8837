"""The URLs of a project that forgot those of the inbox."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
