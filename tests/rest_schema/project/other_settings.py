"""The same project with settings of its own that the schema has to follow."""

from tests.rest_schema.project.settings import *  # noqa: F403

CSRF_HEADER_NAME = "HTTP_X_XSRF_TOKEN"
REST_FRAMEWORK = {**REST_FRAMEWORK, "SCHEMA_COERCE_PATH_PK": False}  # noqa: F405
STORED_MESSAGES = {
    **STORED_MESSAGES,  # noqa: F405
    "THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
}
