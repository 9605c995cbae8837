"""Which channel layer events travel on."""

from typing import Any

from channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer

from realtime.conf import app_settings

# A hub empties its channel at once; this only has to hold what one burst of sends brings.
LOCAL_CAPACITY = 10_000


def configured_layer() -> Any | None:
    """Return the project's channel layer, or ``None`` when none is configured."""
    return get_channel_layer(app_settings.CHANNEL_LAYER)


def is_local(layer: Any | None) -> bool:
    """Whether this layer ends at the process: none configured, or the in-memory one."""
    return layer is None or isinstance(layer, InMemoryChannelLayer)


def own_layer() -> Any:
    """Return a layer to the same end as the project's, with connections that nobody else uses."""
    return channel_layers.make_backend(app_settings.CHANNEL_LAYER)


async def close_connections(layer: Any) -> None:
    """Close those of a layer that nobody else uses. The next call opens new ones.

    Layers that keep messages in a store (they say for how long) have ``close_pools`` for this, and a ``flush`` that
    would empty the store for everybody. For those that keep none, ``flush`` is the word.
    """
    if hasattr(layer, "close_pools"):
        await layer.close_pools()
    elif not hasattr(layer, "expiry"):
        await layer.flush()


def local_layer() -> Any:
    """Return a new in-memory layer for one hub."""
    return InMemoryChannelLayer(capacity=LOCAL_CAPACITY)
