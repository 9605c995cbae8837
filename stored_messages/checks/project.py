"""Checks of what else of a project's settings the messages need."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.messages.storage.base import BaseStorage
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.checks import CheckMessage, Error, Warning
from django.db import router
from django.utils.module_loading import import_string

_CONTEXT_PROCESSOR = "django.contrib.messages.context_processors.messages"
_TEMPLATES = "django.template.backends.django.DjangoTemplates"


def check_storage(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that ``MESSAGE_STORAGE`` is one with the mixin, and that it has its middleware."""
    found = _check_storage_class()
    if _place_of(MessageMiddleware) is None:
        found.append(
            Warning(
                "MIDDLEWARE has no MessageMiddleware: messages.add_message() cannot work.",
                hint=(
                    "Add 'django.contrib.messages.middleware.MessageMiddleware' after the "
                    "session and authentication middleware."
                ),
                id="stored_messages.W007",
            )
        )
    return found


def _check_storage_class() -> list[CheckMessage]:
    from stored_messages.storage import StorageMixin

    path = settings.MESSAGE_STORAGE
    try:
        storage: Any = import_string(path)
    except (ImportError, AttributeError) as error:  # AttributeError: what is no text
        return [
            Error(
                f"MESSAGE_STORAGE = {path!r} cannot be imported: {error}",
                hint="Use 'stored_messages.storage.PersistentStorage'.",
                id="stored_messages.E005",
            )
        ]
    is_class = isinstance(storage, type)
    if not is_class and callable(storage):
        return []  # a function that makes one, whatever it is
    if not is_class or not issubclass(storage, BaseStorage):
        return [
            Error(
                f"MESSAGE_STORAGE = {path!r} is no message storage.",
                hint=(
                    "Use 'stored_messages.storage.PersistentStorage', or a class of your own with "
                    "stored_messages.storage.StorageMixin and one of Django's storages as bases."
                ),
                id="stored_messages.E015",
            )
        ]
    if not issubclass(storage, StorageMixin):
        return [
            Warning(
                f"MESSAGE_STORAGE = {path!r} stores nothing in the inbox.",
                hint=(
                    "Use 'stored_messages.storage.PersistentStorage', or put "
                    "stored_messages.storage.StorageMixin before your storage's base."
                ),
                id="stored_messages.W006",
            )
        ]
    if storage.__mro__.index(StorageMixin) > storage.__mro__.index(BaseStorage):
        return [
            Error(
                f"MESSAGE_STORAGE = {path!r} has StorageMixin after its base, which hides it.",
                hint="Put stored_messages.storage.StorageMixin first among the bases.",
                id="stored_messages.E016",
            )
        ]
    return []


def check_installation(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Check Django's own apps, middleware and context processors around the messages."""
    found: list[CheckMessage] = []
    if not apps.is_installed("django.contrib.messages"):
        found.append(
            Warning(
                "'django.contrib.messages' is not in INSTALLED_APPS.",
                hint="Add it: this app extends it.",
                id="stored_messages.W017",
            )
        )
    configured: Any = settings.TEMPLATES
    engines = [engine for engine in configured if engine.get("BACKEND") == _TEMPLATES]
    if engines and not any(
        _CONTEXT_PROCESSOR in engine.get("OPTIONS", {}).get("context_processors", ())
        for engine in engines
    ):
        found.append(
            Warning(
                "No template engine has the context processor of the messages: "
                "{{ messages }} is empty in every template.",
                hint=f"Add {_CONTEXT_PROCESSOR!r} to the context_processors in TEMPLATES.",
                id="stored_messages.W018",
            )
        )
    return [*found, *_check_middleware(), *_check_routers()]


def _check_routers() -> list[CheckMessage]:
    models = apps.get_app_config("stored_messages").get_models()
    aliases = {model.__name__: router.db_for_write(model) for model in models}
    if len(set(aliases.values())) == 1:
        return []
    return [
        Error(
            f"DATABASE_ROUTERS send the models of 'stored_messages' to several databases: {aliases}.",
            hint="Send them to the same one: they refer to each other.",
            id="stored_messages.E027",
        )
    ]


def _check_middleware() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    messages = _place_of(MessageMiddleware)
    for middleware, id_ in (
        (SessionMiddleware, "stored_messages.W019"),
        (AuthenticationMiddleware, "stored_messages.W020"),
    ):
        name, place = middleware.__qualname__, _place_of(middleware)
        if place is None:
            found.append(
                Warning(
                    f"MIDDLEWARE has no {name}: nobody is signed in, and nobody has an inbox.",
                    hint=f"Add '{middleware.__module__}.{name}' before MessageMiddleware.",
                    id=id_,
                )
            )
        elif messages is not None and messages < place:
            found.append(
                Warning(
                    f"MIDDLEWARE has MessageMiddleware before {name}, which it needs.",
                    hint=f"Put MessageMiddleware after {name}.",
                    id="stored_messages.W021",
                )
            )
    return found


def _place_of(wanted: type) -> int | None:
    """Where in ``MIDDLEWARE`` a class or one derived from it is."""
    for place, path in enumerate(settings.MIDDLEWARE):
        try:
            found = import_string(path)
        except ImportError:
            continue  # Django says so itself, and better
        if isinstance(found, type) and issubclass(found, wanted):
            return place
    return None
