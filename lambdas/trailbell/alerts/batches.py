"""Many findings of one alert, sent a batch at a time, for as long as other alerts can wait.

A storm's alert has up to two thousand hits (flows/gathering.py). What a service refuses, and what there was no time
for, is counted and named: nothing is left out in silence.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from trailbell.errors import ChannelError
from trailbell.lazy_dataclass import dataclass


SECONDS = 6.0
"""After so many no further batch of an alert is begun: the alerts behind it wait as long."""

_MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class Item:
    """What is sent: its name for people, and how many bytes the service counts for it."""

    name: str
    content: Any
    size: int


Send = Callable[[Sequence[Item]], Sequence[str]]
"""Sends a batch, and says of each item that the service refused its name and why; or raises."""


def send_all(
    names: Sequence[str], items: Iterable[Item], send: Send, most: int, max_bytes: int, clock: Callable[[], float]
) -> None:
    """Send items in batches of at most so many, and of so many bytes; an item alone may be larger.

    names: of all items, which are made when it is their turn. clock: seconds that only grow. Raises ChannelError for
    what was not taken, after all else was sent; what `send` raises ends it, and is raised as it is from the only batch.
    """
    until = clock() + SECONDS
    refused, sent = list[str](), 0
    for batch in batches(items, most, max_bytes):
        if sent and clock() >= until:
            raise ChannelError(_not_sent(names, sent, f"{SECONDS:g} seconds were over", refused))
        try:
            refused += send(batch)
        except Exception as error:  # whatever it is, it is raised; here it is only said how much was sent before
            if len(batch) == len(names):
                raise
            raise ChannelError(_not_sent(names, sent, str(error), refused)) from error
        sent += len(batch)
    if refused:
        raise ChannelError(_some(refused) if len(names) == 1 else f"{len(refused)} of {len(names)}: {_some(refused)}")


def batches(items: Iterable[Item], most: int, max_bytes: int) -> Iterator[list[Item]]:
    """The items in their order, in as few batches as fit."""
    batch, taken = list[Item](), 0
    for item in items:
        if batch and (len(batch) == most or taken + item.size > max_bytes):
            yield batch
            batch, taken = [], 0
        batch.append(item)
        taken += item.size
    if batch:
        yield batch


def _not_sent(names: Sequence[str], sent: int, why: str, refused: Sequence[str]) -> str:
    besides = f"; refused before: {len(refused)}: {_some(refused)}" if refused else ""
    return f"{len(names) - sent} of {len(names)} were not sent: {why} ({_some(names[sent:])}){besides}"


def _some(names: Sequence[str]) -> str:
    more = [f"and {len(names) - _MAX_NAMED} more"] if len(names) > _MAX_NAMED else []
    return "; ".join([*names[:_MAX_NAMED], *more])
