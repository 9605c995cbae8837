"""Which channel layer events travel on."""

from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer

from realtime.conf import app_settings

# A hub empties its channel at once; this only has to hold what one burst of sends brings.
LOCAL_CAPACITY = 10_000


def configured_layer() -> Any | None:
    """Return the project's channel layer, or ``None`` when none is configured."""
    return get_channel_layer(app_settings.CHANNEL_LAYER)


def is_local(layer: Any | None) -> bool:
    """Whether this layer ends at the process: none configured, or the in-memory one."""
    return layer is None or isinstance(layer, InMemoryChannelLayer)


def local_layer() -> Any:
    """Return a new in-memory layer for one hub."""
    return InMemoryChannelLayer(capacity=LOCAL_CAPACITY)
