"""A log file is gzipped JSON, `{"Records": [...]}`; its records are read one after another, whatever its size.

A log file is at most 50 MB before compression, a record at most 256 KB.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from trailbell.cloudtrail.inflate import inflate
from trailbell.cloudtrail.json_text import Entry
from trailbell.cloudtrail.splitter import Splitter
from trailbell.lazy_dataclass import dataclass


# Reading takes the same memory for any size; what bounds it is the detector's time (infra/functions.py).
MAX_INFLATED_BYTES = 100 * 1024 * 1024
MAX_SHOWN_BYTES = 8192
"""So much of a malformed record's text is kept, for whoever looks into it."""

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MalformedRecord:
    """An entry of Records that is not a record: its position, what is wrong with it, and the start of its text."""

    index: int
    reason: str
    content: bytes = b""


def read_records(body: Iterable[bytes], max_bytes: int = MAX_INFLATED_BYTES) -> Iterator[Fields | MalformedRecord]:
    """Every record of an object's body (in pieces, gzipped or not), in file order; a broken one costs only itself.

    Raises LogFileError where the content stops being a log file: not gzip, cut off, larger than `max_bytes` once
    inflated, not JSON, or without a list of Records.
    """
    splitter, index = Splitter(inflate(body, max_bytes)), 0
    while splitter.advance():
        yield parse_entry(splitter.take(), index)
        index += 1


def parse_entry(entry: Entry, index: int) -> Fields | MalformedRecord:
    """The fields of one entry of Records, or what is wrong with it. The prefilter's `fields_of` gives the same."""
    if not entry.whole:
        return MalformedRecord(index, f"record is longer than {len(entry.text)} bytes", entry.text[:MAX_SHOWN_BYTES])
    try:
        fields = _decode(entry.text.decode())
    except RecursionError:
        reason = "record is nested too deeply to be parsed"
    except UnicodeDecodeError as error:
        reason = f"record is not valid UTF-8: {error.reason} at byte {error.start}"
    except ValueError as error:
        reason = f"record is not valid JSON: {error}"
    else:
        if isinstance(fields, dict):
            return fields
        reason = f"record is a JSON {type(fields).__name__}, not an object"
    return MalformedRecord(index, reason, entry.text[:MAX_SHOWN_BYTES])


def whole_number(digits: str) -> int | float:
    """Python refuses integers of more than 4,300 digits; one of those must not cost the record."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)


_decode = json.JSONDecoder(parse_int=whole_number).decode  # made once: json.loads makes one for each record
