"""Two people whose messages can be told apart, in a project of its own process."""

import json
from dataclasses import dataclass

from tests.services.server import Project

_FILL = """
import json
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.authtoken.models import Token
from stored_messages import STORED_ERROR, STORED_INFO, add_message_for, owner_key
from stored_messages.api import mark_read

people = {}
for name in ("ada", "ben"):
    user = User.objects.create_user(
        name, password=name, date_joined=timezone.now() - timedelta(days=1)
    )
    sent = [
        add_message_for(
            [user],
            STORED_ERROR if i % 2 else STORED_INFO,
            f"secret of {name} {i}",
            extra_tags="" if i % 3 else "extra",
            url=None if i % 2 else "/there/",
            data={"actor": f"secret of {name}", "n": [i]} if i % 2 else None,
        )
        for i in range(NUMBER)
    ]
    for message in sent[::5]:
        mark_read(user, message)
    people[name] = {
        "name": name,
        "token": Token.objects.create(user=user).key,
        "key": owner_key(user),
        "ids": [message.id for message in sent],
    }
print(json.dumps(people))
"""


@dataclass(frozen=True)
class Person:
    """Somebody with messages, and what they sign in with."""

    name: str
    token: str
    key: str
    ids: list[str]

    @property
    def secret(self) -> str:
        """What is in each of their messages and in nobody else's."""
        return f"secret of {self.name}"


def fill(project: Project, number: int = 30) -> tuple[Person, Person]:
    """Give two people that many messages each, some of them read."""
    printed = project.shell(_FILL.replace("NUMBER", str(number)))
    ada, ben = json.loads(printed.splitlines()[-1]).values()
    return Person(**ada), Person(**ben)
