"""A process that sends, as a worker would: reads commands, a line of JSON each, and answers each with a line."""

import json
import sys

import django


def main() -> None:
    django.setup()
    from benchmarks.live.sending import COMMANDS

    for line in sys.stdin:
        command, arguments = json.loads(line)
        print(json.dumps(COMMANDS[command](**arguments)), flush=True)


if __name__ == "__main__":
    main()
