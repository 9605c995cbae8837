import uuid

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models


class NamedReader(AbstractBaseUser):
    name = models.CharField(max_length=600, primary_key=True)
    USERNAME_FIELD = "name"


class NumberedReader(AbstractBaseUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=50, unique=True)
    USERNAME_FIELD = "name"


class PrefixedField(models.IntegerField):
    """A number that is "usr_7" in Python."""

    def from_db_value(self, value, expression, connection):
        return value if value is None else f"usr_{value}"

    def to_python(self, value):
        return value if value is None or str(value).startswith("usr_") else f"usr_{value}"

    def get_prep_value(self, value):
        return value if value is None else int(str(value).removeprefix("usr_"))


class PrefixedReader(AbstractBaseUser):
    id = PrefixedField(primary_key=True)
    name = models.CharField(max_length=50, unique=True)
    USERNAME_FIELD = "name"


class ReaderByAddress(AbstractBaseUser):
    id = models.GenericIPAddressField(primary_key=True)
    USERNAME_FIELD = "id"
