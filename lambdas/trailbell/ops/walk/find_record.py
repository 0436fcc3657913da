"""The record of an event, looked for in the trail bucket by the event's id.

A log file is not named by what is in it, so those that were delivered at that time are read, the likeliest first.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from trailbell.aws.trail_bucket import S3TrailBucket
from trailbell.cloudtrail.digest_key import delivery_span
from trailbell.cloudtrail.inflate import inflate
from trailbell.cloudtrail.logfile import MAX_INFLATED_BYTES, MalformedRecord, read_records
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.cloudtrail.origin import Place
from trailbell.cloudtrail.record import make_record, text
from trailbell.cloudtrail.selection import Selection
from trailbell.errors import LogFileError
from trailbell.ops.log_listing import Passed, list_log_files
from trailbell.ops.record_reader import Fetched
from trailbell.store.dynamo import batches
from trailbell.text.safe_text import one_line


_FILES_AT_ONCE = 16
_LATE = timedelta(days=1)  # after that nothing is delivered but in an outage of CloudTrail's


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """Where an event's record is, and the record, or why it is none."""

    place: Place
    record: Fetched


@dataclass(slots=True)
class Search:
    """What a search came to.

    files: log files that were read; unreadable: those that could not be, with the reason.
    """

    found: FoundRecord | None = None
    files: int = 0
    unreadable: list[str] = field(default_factory=list)


def find_record(s3: Any, bucket: str, event_id: str, selection: Selection, near: datetime | None) -> Search:
    """Look for an event's record in the log files that may hold it.

    selection: when it happened, at least `since`; near: when it most likely did. Raises what botocore raises where the
    bucket cannot be listed.
    """
    refs = [one for one in list_log_files(s3, bucket, "", selection, Passed()) if _may_hold(one, selection)]
    search = Search()
    with ThreadPoolExecutor(_FILES_AT_ONCE, "search") as pool:
        for some in batches(_likeliest_first(refs, near), _FILES_AT_ONCE):
            for ref, found in zip(some, pool.map(lambda ref: _look(s3, ref, event_id), some), strict=True):
                search.files += 1
                if isinstance(found, str):
                    search.unreadable.append(f"s3://{ref.bucket}/{ref.key}: {found}")
                elif found:
                    search.found = search.found or found
            if search.found:
                break
    return search


def _may_hold(ref: ObjectRef, selection: Selection) -> bool:
    """Whether a log file was delivered at a time when it may hold a record of the selection."""
    span = delivery_span(ref.key)
    if not span:
        return True
    begins, ends = span
    too_early = selection.since is not None and ends < selection.since
    too_late = selection.until is not None and begins > selection.until + _LATE
    return not (too_early or too_late)


def _likeliest_first(refs: Sequence[ObjectRef], near: datetime | None) -> list[ObjectRef]:
    """By how soon after the event they were delivered; what was delivered before it comes last."""
    if near is None:
        return list(refs)

    def rank(ref: ObjectRef) -> tuple[bool, float]:
        span = delivery_span(ref.key)
        seconds = (span[1] - near).total_seconds() if span else 0.0
        return seconds < 0, abs(seconds)

    return sorted(refs, key=rank)


def _look(s3: Any, ref: ObjectRef, event_id: str) -> FoundRecord | str | None:
    """The record in one log file, why that cannot be read, or None."""
    try:
        if not _holds_text(S3TrailBucket(s3).read(ref), event_id.encode()):
            return None
        return _record_in(S3TrailBucket(s3).read(ref), ref, event_id)
    except (LogFileError, BotoCoreError, ClientError) as error:
        return one_line(str(error), 300)


def _holds_text(pieces: Iterable[bytes], wanted: bytes) -> bool:
    """Whether a text is anywhere in a log file: most hold it not, and need not be parsed."""
    rest = b""
    for block in inflate(pieces, MAX_INFLATED_BYTES):
        if wanted in rest + block:
            return True
        rest = (rest + block)[-len(wanted) :]
    return False


def _record_in(pieces: Iterable[bytes], ref: ObjectRef, event_id: str) -> FoundRecord | None:
    for index, record in enumerate(_records(pieces)):
        place = Place(ref.bucket, ref.key, index)
        if isinstance(record, MalformedRecord):
            if event_id.encode() in record.content:
                return FoundRecord(place, f"record {index} of the log file is malformed: {record.reason}")
        elif event_id in (text(record, "eventID"), make_record(record, index).event_id):
            return FoundRecord(place, record)
    return None


def _records(pieces: Iterable[bytes]) -> Iterator[dict[str, Any] | MalformedRecord]:
    """The records up to where a log file breaks off: what stands before that was read by the detector, too."""
    try:
        yield from read_records(pieces)
    except LogFileError:
        return
