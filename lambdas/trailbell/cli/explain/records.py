"""The record that somebody points at, in whatever a file holds records in (wrappings/read.py); `-` reads stdin."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trailbell.cloudtrail.logfile import MalformedRecord
from trailbell.cloudtrail.origin import Place
from trailbell.cloudtrail.record import make_record, text
from trailbell.errors import LogFileError
from trailbell.text.safe_text import one_line
from trailbell.wrappings.read import wrapped_records


Found = tuple[Mapping[str, Any], Place]


def pick_record(name: str, event_id: str, index: int | None) -> Found:
    """The record of a file by its event's id, by its position from 0, or the only one.

    Raises LogFileError where there is none, and where there are several and nothing says which.
    """
    records = _records(name)
    places = [(record, Place("", name, at)) for at, record in enumerate(records)]
    if index is not None:
        if index >= len(places):
            raise LogFileError(f"{name}: has {len(places)} records, the last one is --index {len(places) - 1}")
        chosen = [places[index]]
    elif event_id:
        chosen = [one for one in places if event_id in _ids(*one)]
        if not chosen:
            raise LogFileError(f"{name}: none of its {len(places)} records has the event id {one_line(event_id, 80)}")
    else:
        chosen = places
    if len(chosen) > 1 and not event_id:
        raise LogFileError(
            f"{name}: has {len(chosen)} records; say which: --event ID, or --index 0 to {len(chosen) - 1}"
        )
    if not chosen:
        raise LogFileError(f"{name}: holds no record")
    record, place = chosen[0]
    if isinstance(record, MalformedRecord):
        raise LogFileError(
            f"{name}: record {record.index} is malformed, and was matched against no rule: {record.reason}"
        )
    return record, place


def _ids(record: Mapping[str, Any] | MalformedRecord, place: Place) -> tuple[str, ...]:
    if isinstance(record, MalformedRecord):
        return ()
    return text(record, "eventID"), make_record(record, place.index).event_id


def _records(name: str) -> list[Mapping[str, Any] | MalformedRecord]:
    content = sys.stdin.buffer.read() if name == "-" else _read(Path(name))
    try:
        return list(wrapped_records([content]))
    except LogFileError as error:
        raise LogFileError(f"{name}: {error}") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LogFileError(f"{path}: {error.strerror or error}") from error
