"""`make faults`: minutes of faults, another seed each time. `--seed` replays one.

One of the clients is the bell of a page in Chromium, all others are its inbox client in Node.
"""

import argparse
import asyncio
import random
import secrets
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.deployment import LAYERS, production
from tests.faults.run import Run
from tests.faults.watching import Watcher
from tests.services.browser import launched


async def main(seed: str, minutes: float, interval: float) -> None:
    generator = random.Random(f"{seed}/story")
    layer = generator.choice(list(LAYERS))
    print(f"seed {seed}, layer {layer}", flush=True)
    with tempfile.TemporaryDirectory(prefix="stored-messages-faults-") as directory:
        async with (
            launched() as browser,
            production(
                Path(directory),
                layer=layer,
                interval=interval,
                generator=random.Random(f"{seed}/network"),
            ) as deployment,
        ):
            watcher = Watcher(await browser.new_page())
            run = Run(deployment, seed, look=watcher.what_is_wrong)
            try:
                await run.begin(before_looking=lambda: watcher.visit(deployment.url, "ada"))
                faults = list(run.harm.faults)
                until = time.monotonic() + minutes * 60
                for fault in faults:
                    await _round(run, [fault])
                while time.monotonic() < until:
                    await _round(run, generator.sample(faults, generator.randint(2, len(faults))))
                await run.finish()
            except BaseException:
                for name, log in deployment.logs.items():
                    print(f"--- {name}\n{log[-6000:]}", file=sys.stderr)
                print(f"failed: --seed {seed}", file=sys.stderr)
                raise
            finally:
                await run.writers.stop()
            print(run.report)


async def _round(run: Run, faults: list[str]) -> None:
    began = time.monotonic()
    await run.round(faults)
    print(
        f"{time.monotonic() - began:5.1f} s  {' + '.join(faults)}; "
        f"so far up after {run.report.longest_up:.1f} s, right after {run.report.longest_converging:.1f} s",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", default=secrets.token_hex(4))
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--interval", type=float, default=3.0)
    options = parser.parse_args()
    asyncio.run(main(options.seed, options.minutes, options.interval))
