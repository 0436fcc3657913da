"""Events of any kind in whatever they come in: records of CloudTrail are unwrapped, all else stays as it stands."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trailbell.errors import LogFileError
from trailbell.wrappings.envelopes import records_in
from trailbell.wrappings.items import Items
from trailbell.wrappings.layers import peeled
from trailbell.wrappings.lines import MOST_LINE, is_lines
from trailbell.wrappings.stream import Guard, Stream


Event = Mapping[str, Any]


def events_in(pieces: Iterable[bytes]) -> Iterator[tuple[int, Event]]:
    """Every event of a file, with its line (from 0), or its position where a line is no event.

    Raises LogFileError for a line or an item that is no JSON object.
    """
    guard = Guard()
    stream = peeled(Stream(guard.counted(pieces)), guard)
    if is_lines(stream):
        texts: Iterable[tuple[str, bytes]] = (
            (f"line {at}", line) for at, line in enumerate(stream.lines(MOST_LINE), 1)
        )
    else:
        texts = ((f"item {at}", item.text) for at, item in enumerate(Items(iter(stream)), 1))
    for index, (place, text) in enumerate(texts):
        if text.strip():
            yield from ((index, event) for event in _unwrapped(place, text))


def _unwrapped(place: str, text: bytes) -> list[Event]:
    try:
        event = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise LogFileError(f"{place} is not JSON: {error}") from None
    if not isinstance(event, dict):
        raise LogFileError(f"{place} is no JSON object")
    return [record for record in records_in(event) if record is not None] or [event]
