"""The work of a scan on one log file, the same in one process and in many: fetch it, detect, report what came of it."""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Union

from trailbell.aws.errors import aws_errors
from trailbell.cli.scan.counted import Counted, counted_of
from trailbell.cli.scan.log_files import read_pieces
from trailbell.cli.scan.standard_input import StandardInput
from trailbell.cloudtrail.json_text import Entry
from trailbell.cloudtrail.logfile import MalformedRecord, parse_entry
from trailbell.cloudtrail.object_key import ObjectKind, classify_key
from trailbell.cloudtrail.origin import Place
from trailbell.cloudtrail.positions import ONE_BY_ONE_BYTES, read_texts_at
from trailbell.cloudtrail.selection import Selection
from trailbell.engine.rulebook import Rulebook
from trailbell.errors import LogFileError, SettingsError
from trailbell.hits.base_match import BaseMatch
from trailbell.hits.detect import FULL_PARSE_BYTES, Detected, DetectionCounts, HitDetector, Span
from trailbell.hits.hit import Hit
from trailbell.wrappings.read import log_text


if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from trailbell.aws.trail_bucket import S3TrailBucket
    from trailbell.cloudtrail.notification import ObjectRef

Source = Union[Path, StandardInput, "ObjectRef"]
"""A log file: on this machine, in a bucket, or what is piped in."""

Answer = tuple[int, "Part"]
"""A log file's number, and a part of it."""

Pieces = Callable[[], Iterable[bytes]]

AHEAD = 8
"""How many log files are fetched before their turn, by each process: what hides the time S3 takes to answer."""

CHUNK = 500
"""How many hits are told at once, at most."""

_LARGE = 8 * 1024 * 1024  # fetched in its turn, piece by piece: eight of them would be a lot of memory
_INFLATES_TO = 5  # times its size at least; log files of CloudTrail ten times and more
_COUNTED_CHUNK = 10_000
# What one process takes, roughly, on the machine of docs/performance.md: small recorded files, and large made-up ones.
_SECONDS_A_FILE = 0.0003
_SECONDS_A_BYTE = 1 / 25_000_000  # of log files, gzipped
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired", "InvalidToken"}


@dataclass(slots=True)
class Part:
    """A part of a log file: its hits, and the counts of what was read of the file since the part before.

    So whatever ends the reading, the counts are those of the records that the hits are from.

    counted: what correlations count of these records.
    outside: how many hits were not asked for; they are in no other count.
    last:    the log file is through, and counts.malformed has its malformed records.
    error:   why it could be read no further.
    foreign: it is no log file at all, and lies where no trail writes: JSON of something else.
    stop:    no other file could be read either, so the scan has to end.
    notes:   what was passed over in it, such as files of an archive.
    span:    about when the records are from that this process has read so far ("" if that is not known).
    """

    hits: list[Hit] = field(default_factory=list)
    counts: DetectionCounts = field(default_factory=DetectionCounts)
    counted: list[Counted] = field(default_factory=list)
    outside: int = 0
    last: bool = False
    error: str = ""
    foreign: bool = False
    stop: bool = False
    notes: tuple[str, ...] = ()
    span: tuple[str, str] = ("", "")


class Fetcher:
    """Reads log files; those in a bucket begin to come before their turn. The S3 client is made when needed."""

    def begin(self, source: Source) -> Pieces:
        """Begin to fetch; what is returned gives the content, and raises what fetching raised."""
        if isinstance(source, Path):
            return lambda: read_pieces(source)
        if isinstance(source, StandardInput):
            return source.pieces
        if source.size is None or source.size > _LARGE:
            return lambda: self._bucket.read(source)
        return self._threads.submit(lambda: list(self._bucket.read(source))).result

    @cached_property
    def _bucket(self) -> "S3TrailBucket":
        import boto3  # here, as files of this machine are scanned without it
        from botocore.config import Config

        from trailbell.aws.trail_bucket import S3TrailBucket
        from trailbell.cli.options.credential_process import tell_failures

        tell_failures()
        return S3TrailBucket(boto3.client("s3", config=Config(retries={"mode": "standard", "max_attempts": 5})))

    @cached_property
    def _threads(self) -> "ThreadPoolExecutor":
        from concurrent.futures import ThreadPoolExecutor

        _ = self._bucket  # made here, by one thread
        return ThreadPoolExecutor(AHEAD)


def scan_detector(rulebook: Rulebook, *, acts: bool = False, full_parse_bytes: int = FULL_PARSE_BYTES) -> HitDetector:
    """A detector as a scan needs it: what correlations count is judged over all files, so nothing of it is cut.

    acts: as HitDetector has it, for the records that are read again; full_parse_bytes: the same.
    """
    return HitDetector(rulebook, full_parse_bytes, correlating=True, shares_max=None, span=Span(), acts=acts)


def _full_parse_bytes(sources: Iterable[Source]) -> int:
    """How much is parsed in full before the prefilter is worth its import: nothing, where there will be more anyway."""
    inflated = 0
    for source in sources:  # a few tell
        inflated += size_of(source) * _INFLATES_TO
        if inflated >= FULL_PARSE_BYTES:
            return 0
    return FULL_PARSE_BYTES


def work(
    hit_detector: HitDetector, source: Source, pieces: Pieces, selection: Selection, seen_at: str
) -> Iterator[Part]:
    """A log file in parts, as its hits are found; the last one says how it ended."""
    counts, part = DetectionCounts(), Part()
    bucket, key = (
        ("", classify_key(str(source)))
        if isinstance(source, Path | StandardInput)
        else (source.bucket, source.classified)
    )
    error, foreign, stop, notes = "", False, False, list[str]()
    try:
        text = log_text(pieces())
        notes = text.notes
        for one in hit_detector.detect_all(text.pieces, bucket, key, seen_at, counts, text.max_bytes):
            _add(one, part, selection)
            if len(part.hits) == CHUNK or len(part.counted) >= _COUNTED_CHUNK:
                yield _counted(part, counts)
                part = Part()
    except LogFileError as raised:
        error, foreign = str(raised), raised.foreign and key.kind is ObjectKind.OTHER
    except _refusals() as raised:
        error, stop = str(raised), _ends_the_scan(raised)
    part = _counted(part, counts)
    part.counts.malformed = counts.malformed
    if hit_detector.span:
        part.span = hit_detector.span.first, hit_detector.span.last
    part.last, part.error, part.foreign, part.stop, part.notes = True, error, foreign, stop, tuple(notes)
    yield part


def work_alone(
    rulebook: Rulebook, sources: Sequence[Source], selection: Selection, seen_at: str, stopped: Callable[[], bool]
) -> Iterator[Answer]:
    """All log files in this process, in their order, until all are through or `stopped()`."""
    hit_detector = scan_detector(rulebook, full_parse_bytes=_full_parse_bytes(sources))
    fetcher = Fetcher()
    begun: deque[Pieces] = deque()
    for number, source in enumerate(sources):
        while len(begun) < AHEAD and number + len(begun) < len(sources):
            begun.append(fetcher.begin(sources[number + len(begun)]))
        pieces = begun.popleft()
        for answer in work(hit_detector, source, pieces, selection, seen_at):
            yield number, answer
            if stopped():
                return


def _add(found: Detected, part: Part, selection: Selection) -> None:
    """Put what a record gives into a part, if it was asked for."""
    if isinstance(found, Hit):
        if selection.holds(found.account, found.region, found.event_time):
            part.hits.append(found)
        else:
            part.outside += 1
    elif isinstance(found, BaseMatch):
        record = found.record
        if selection.holds(record.account, record.region, record.event_time):
            part.counted.extend(counted_of(found))


def base_matches_at(
    hit_detector: HitDetector, source: Source, pieces: Pieces, indexes: Sequence[int], seen_at: str
) -> dict[int, BaseMatch]:
    """What correlations count of the records at some positions of a log file; of those that are gone nothing."""
    return {index: match for index, _, match in matches_at(hit_detector, source, pieces, indexes, seen_at)}


def matches_at(
    hit_detector: HitDetector, source: Source, pieces: Pieces, indexes: Sequence[int], seen_at: str
) -> Iterator[tuple[int, Entry, BaseMatch]]:
    """The same, each with its position and text."""
    with suppress(LogFileError, *_refusals()):  # it was read a moment ago; what of it can be read still tells
        text = log_text(pieces())
        one_by_one = 0 if "msgspec" in sys.modules else ONE_BY_ONE_BYTES
        for index, entry in read_texts_at(text.pieces, indexes, _list_entries, text.max_bytes, one_by_one):
            match = base_match_of(hit_detector, source, index, entry, seen_at)
            if match:
                yield index, entry, match


def base_match_of(
    hit_detector: HitDetector, source: Source, index: int, entry: Entry, seen_at: str
) -> BaseMatch | None:
    """What correlations count of the record that stands at a position of a log file; None if nothing."""
    record = parse_entry(entry, index)
    if isinstance(record, MalformedRecord):
        return None
    bucket, key = ("", str(source)) if isinstance(source, Path | StandardInput) else (source.bucket, source.key)
    return hit_detector.base_match_in_record(record, seen_at, Place(bucket, key, index))


def _list_entries(text: bytes) -> Sequence[bytes] | None:
    from trailbell.engine.prefilter.entries import list_entries  # here, as only large log files need it

    return list_entries(text)


def _counted(part: Part, counts: DetectionCounts) -> Part:
    """A part with what was counted since the one before; of hits only those that were asked for."""
    taken = counts.take()
    taken.hits, taken.hits_muted = len(part.hits), sum(bool(hit.muted_by) for hit in part.hits)
    part.counts = taken
    return part


def _refusals() -> tuple[type[Exception], ...]:
    """What is raised where a place, rather than a log file, cannot be read."""
    return SettingsError, *aws_errors()


def _ends_the_scan(error: Exception) -> bool:
    """Whether credentials are no longer good, by the code of the answer: its text may quote anything."""
    return getattr(error, "response", {}).get("Error", {}).get("Code") in _EXPIRED


def hits_in(files: Iterable[Path], hit_detector: HitDetector, seen_at: str) -> Iterator[Hit]:
    """The hits of local log files, in their order; what cannot be read gives none."""
    fetcher, everything = Fetcher(), Selection()
    for file in files:
        for part in work(hit_detector, file, fetcher.begin(file), everything, seen_at):
            yield from part.hits


def seconds_of(source: Source) -> float:
    """How long a log file takes, roughly."""
    return _SECONDS_A_FILE + size_of(source) * _SECONDS_A_BYTE


def name_of(source: Source) -> str:
    """A log file's path or address."""
    return str(source)


def size_of(source: Source) -> int:
    """A log file's size in bytes, 0 where it is not known."""
    if not isinstance(source, Path):
        return source.size or 0
    try:
        return source.stat().st_size
    except OSError:
        return 0
