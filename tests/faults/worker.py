"""A worker that sends: `python -m tests.faults.worker` performs what it reads, line by line."""

import json
import sys

import django
from django.db import close_old_connections

if __name__ == "__main__":
    django.setup()
    from tests.faults.operations import perform

    for line in sys.stdin:
        asked = json.loads(line)
        close_old_connections()
        try:
            answer = {"done": perform(asked)}
        except Exception as error:
            answer = {"error": repr(error)}
        close_old_connections()
        sys.stdout.write(json.dumps({"id": asked["id"], **answer}) + "\n")
        sys.stdout.flush()
