"""The records of hits, fetched from where they stand in the trail bucket."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from trailbell.aws.trail_bucket import S3TrailBucket
from trailbell.cloudtrail.logfile import MalformedRecord, read_records
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.cloudtrail.origin import Place
from trailbell.errors import LogFileError
from trailbell.text.safe_text import one_line


_FILES_AT_ONCE = 16

_NOT_FILED = "a live event brought it, and its log file was not read yet: CloudTrail takes about five minutes"

Fetched = Mapping[str, Any] | str
"""A record, or why it cannot be had."""


def fetch_record(s3: Any, place: Place) -> Mapping[str, Any]:
    """The record at a place. Raises LogFileError where it cannot be had, and what botocore raises."""
    if not place.is_known:
        raise LogFileError(_NOT_FILED)
    pieces = S3TrailBucket(s3).read(ObjectRef(place.bucket, place.key))
    return _checked(next(islice(read_records(pieces), place.index, None), None), place.index)


def fetch_records(s3: Any, places: Iterable[Place]) -> dict[Place, Fetched]:
    """What stands at each place: each log file is read once, as far as needed, several at a time."""
    by_file: dict[tuple[str, str], set[Place]] = {}
    found: dict[Place, Fetched] = {}
    for place in places:
        if place.is_known:
            by_file.setdefault((place.bucket, place.key), set()).add(place)
        else:
            found[place] = _NOT_FILED
    if not by_file:
        return found
    with ThreadPoolExecutor(min(len(by_file), _FILES_AT_ONCE), "records") as pool:
        for records in pool.map(lambda wanted: _of_file(s3, wanted), by_file.values()):
            found |= records
    return found


def _of_file(s3: Any, places: set[Place]) -> dict[Place, Fetched]:
    """The records at places of one log file; one that breaks off behind some of them gives those."""
    wanted, found = {place.index: place for place in places}, dict[Place, Fetched]()
    one = next(iter(places))
    missing = ""
    try:
        pieces = S3TrailBucket(s3).read(ObjectRef(one.bucket, one.key))
        for index, record in enumerate(islice(read_records(pieces), max(wanted) + 1)):
            if index in wanted:
                found[wanted[index]] = _record_or_reason(record, index)
    except (LogFileError, BotoCoreError, ClientError) as error:
        missing = one_line(str(error), 300)
    return {place: found.get(place) or missing or _replaced(place.index) for place in places}


def _record_or_reason(record: Mapping[str, Any] | MalformedRecord, index: int) -> Fetched:
    try:
        return _checked(record, index)
    except LogFileError as error:
        return str(error)


def _checked(found: Mapping[str, Any] | MalformedRecord | None, index: int) -> Mapping[str, Any]:
    if found is None:
        raise LogFileError(_replaced(index))
    if isinstance(found, MalformedRecord):
        raise LogFileError(f"record {index} of the log file is broken: {found.reason}")
    return found


def _replaced(index: int) -> str:
    return f"the log file has no record {index}: it was replaced since"
