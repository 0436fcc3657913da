"""The channels: every module of this folder is one, and declares it as CHANNEL (alerts/channel.py).

The folder is the list, so that a new channel changes no other file. A list by hand would be one more place to forget.
"""

import functools
import importlib
import pkgutil

from trailbell.alerts.channel import Declaration


@functools.cache
def declared_channels() -> tuple[Declaration, ...]:
    """Every channel, the alert topic first, then by name."""
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    found: list[Declaration] = [module.CHANNEL for module in modules]
    return tuple(sorted(found, key=lambda channel: (not channel.promised, channel.name)))
