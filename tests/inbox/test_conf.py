"""Settings are read when they are asked for."""

import pytest
from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from stored_messages import (
    STORED_DEBUG,
    STORED_ERROR,
    STORED_INFO,
    STORED_SUCCESS,
    STORED_WARNING,
    get_backend,
)
from stored_messages.backends.base import StoredMessagesBackend
from stored_messages.backends.database import DefaultBackend
from stored_messages.conf import app_settings


class OwnBackend(StoredMessagesBackend):
    pass


@pytest.mark.parametrize("nothing", [{}, None])
def test_defaults(settings, nothing):
    settings.STORED_MESSAGES = nothing

    assert (
        *(STORED_DEBUG, STORED_INFO, STORED_SUCCESS, STORED_WARNING, STORED_ERROR),
    ) == app_settings.STORE_LEVELS
    assert app_settings.STORAGE_BACKEND == "stored_messages.backends.DefaultBackend"
    assert app_settings.REDIS_URL is None
    assert app_settings.INBOX_EXPIRE_DAYS == 30
    assert app_settings.MESSAGE_EXPIRE_DAYS == 120
    assert app_settings.ITERATE == "read"


def test_without_the_setting(settings):
    del settings.STORED_MESSAGES

    assert app_settings.ITERATE == "read"


def test_overriding_works_at_any_time():
    with override_settings(STORED_MESSAGES={"STORE_LEVELS": (messages.INFO,)}):
        assert app_settings.STORE_LEVELS == (messages.INFO,)
        with override_settings(STORED_MESSAGES={"ITERATE": "skip"}):
            assert app_settings.ITERATE == "skip"
            assert STORED_INFO in app_settings.STORE_LEVELS
    assert STORED_INFO in app_settings.STORE_LEVELS


def test_changing_the_dict_itself_works_too(settings):
    settings.STORED_MESSAGES = {}
    settings.STORED_MESSAGES["ITERATE"] = "skip"

    assert app_settings.ITERATE == "skip"


def test_unknown_keys_are_no_attributes():
    with pytest.raises(AttributeError, match="COLOUR"):
        _ = app_settings.COLOUR


def test_the_backend_follows_the_settings():
    assert isinstance(get_backend(), DefaultBackend)
    with override_settings(STORED_MESSAGES={"STORAGE_BACKEND": f"{__name__}.OwnBackend"}):
        assert isinstance(get_backend(), OwnBackend)
    assert isinstance(get_backend(), DefaultBackend)


@pytest.mark.parametrize("path", ["nowhere.Backend", "Backend", "builtins.dict", "", None, 5])
def test_what_is_no_backend_is_a_configuration_error(settings, path):
    settings.STORED_MESSAGES = {"STORAGE_BACKEND": path}

    with pytest.raises(ImproperlyConfigured, match="STORAGE_BACKEND"):
        get_backend()


def test_redis_needs_an_address(settings, ada):
    settings.STORED_MESSAGES = {"STORAGE_BACKEND": "stored_messages.backends.RedisBackend"}

    with pytest.raises(ImproperlyConfigured, match="REDIS_URL"):
        get_backend().inbox_list(ada)
