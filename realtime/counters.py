"""What happened in this process so far, as plain numbers: counting costs nothing to speak of."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """They only grow. :mod:`realtime.metrics` says what each means and reads them."""

    sockets_opened: int = 0
    sockets_refused: int = 0
    sockets_slow: int = 0
    sockets_signed_out: int = 0
    events_received: int = 0
    events_missed: int = 0
    deliveries: int = 0
    syncs: int = 0
    fetch_hints: int = 0
    reconciles: int = 0
    channels_renewed: int = 0
    calls_given_up: int = 0
    events_published: int = 0
    publish_drops: int = 0


counters = Counters()
