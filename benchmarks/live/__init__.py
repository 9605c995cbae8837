"""The live part side by side with its rivals: broadcasts, single messages, sockets, servers, reconciling."""

import signal
import time

PACKAGES = (
    "Django",
    "channels",
    "channels_redis",
    "uvicorn",
    "websockets",
    "daphne",
    "hypercorn",
    "granian",
)

#: Seconds after which an unattended run that hangs ends itself.
TIME_LIMIT = 45 * 60


def run(*, quick: bool, parts: tuple[str, ...] = ()) -> None:
    from benchmarks.live.broadcasting import broadcasting, in_memory
    from benchmarks.live.connecting import connecting
    from benchmarks.live.messaging import messaging
    from benchmarks.live.reconciling import reconciling
    from benchmarks.live.report import Page
    from benchmarks.live.servers import servers
    from benchmarks.live.site import site
    from benchmarks.live.sizes import Sizes

    sizes = Sizes().quick() if quick else Sizes()
    page = Page()
    signal.alarm(TIME_LIMIT)
    with site(max(*sizes.ladder, *sizes.users, sizes.many)) as everything:
        for part in (broadcasting, messaging, connecting, in_memory, servers, reconciling):
            if parts and part.__name__ not in parts:
                continue
            began = time.monotonic()
            print(f"-- {part.__name__}", flush=True)
            with page.going_on(part.__name__):
                part(page, everything, sizes)
            print(f"-- {part.__name__}: {time.monotonic() - began:.0f} s", flush=True)
        if not quick and not parts:
            page.write(sizes.rounds, PACKAGES, everything.versions)
    if page.failed:
        raise SystemExit("\n".join(page.failed))
