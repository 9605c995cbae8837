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
