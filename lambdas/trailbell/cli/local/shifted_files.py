"""Files of a trail bucket moved in time: every time in their names and contents by as much, and all else as it was."""

import gzip
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from trailbell.cli.scan.log_files import read_pieces
from trailbell.cloudtrail.inflate import inflate
from trailbell.cloudtrail.logfile import MAX_INFLATED_BYTES


_HOUR = timedelta(hours=1)
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
# As records, keys, digest files and AWS's answers write times, and the days of keys and of Lambda's log streams.
_TIME = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"(?P<iso>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?=Z))"
    r"|(?P<second>\d{8}T\d{6}(?=Z))"
    r"|(?P<minute>\d{8}T\d{4}(?=Z))"
    rf"|(?P<answered>(?:{_MONTHS}) \d{{1,2}}, \d{{4}}, \d{{1,2}}:\d{{2}}:\d{{2}} [AP]M)"
    r"|(?P<day>\d{4}/\d{2}/\d{2}(?=/))"
    r")"
)
_EVENT_TIME = re.compile(r'"eventTime":\s*"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})Z"')
_DELIVERED = re.compile(r"_(\d{8}T\d{4})Z_")
_FORMS = {
    "iso": "%Y-%m-%dT%H:%M:%S",
    "second": "%Y%m%dT%H%M%S",
    "minute": "%Y%m%dT%H%M",
    "answered": "%b %d, %Y, %I:%M:%S %p",
    "day": "%Y/%m/%d",
}


def answered_time(at: datetime) -> str:
    """A time as KMS, Systems Manager and CloudHSM answer it: Nov 27, 2026, 9:31:02 AM."""
    return f"{at:%b} {at.day}, {at.year}, {at.hour % 12 or 12}:{at:%M:%S %p}"


def shifted(text: str, shift: timedelta, days: timedelta) -> str:
    """A text with every time moved by `shift`, and every day that stands alone by whole `days`; what only looks like a
    time (a 13th month) stays.
    """

    def moved(match: re.Match[str]) -> str:
        form, written = match.lastgroup or "", match.group()
        try:
            at = datetime.strptime(written, _FORMS[form]).replace(tzinfo=UTC)
            later = at + (days if form == "day" else shift)
        except (ValueError, OverflowError):
            return written
        return answered_time(later) if form == "answered" else later.strftime(_FORMS[form])

    return _TIME.sub(moved, text)


def this_morning(first: datetime, last: datetime, now: datetime) -> tuple[timedelta, timedelta]:
    """By how much to move times from `first` to `last`, both of one day, so that they have just passed; and their day.

    To today, at the hour they were. If that is still to come, so many whole hours before it; if the day is too young
    even for that, to yesterday. So all are of one day again, and of the last 24 hours.
    """
    days = timedelta(days=(now.date() - last.date()).days)
    hours = max(-((now - last - days) // _HOUR), 0) * _HOUR
    if (first + days - hours).date() == now.date():
        return days - hours, days
    yesterday = days - timedelta(days=1)
    return yesterday, yesterday


def shift_to_this_morning(root: Path, files: Iterable[Path], target: Path, now: datetime) -> list[Path]:
    """Write gzipped log files and digest files of one morning, which are below `root`, as gzipped files below `target`,
    moved to this morning in names and contents. Returns them, in the same order; raises LogFileError for one that
    cannot be read. A digest file keeps telling the hashes of its log files' contents.
    """
    texts = {file: b"".join(inflate(read_pieces(file), MAX_INFLATED_BYTES)).decode() for file in files}
    shift, days = this_morning(*_span(texts), now)
    moved = {file: shifted(text, shift, days) for file, text in texts.items()}
    hashes = {_hash(text): _hash(moved[file]) for file, text in texts.items()}
    written = []
    for file, text in moved.items():
        place = target / shifted(file.relative_to(root).as_posix(), shift, days)
        place.parent.mkdir(parents=True, exist_ok=True)
        proven = re.sub("[0-9a-f]{64}", lambda match: hashes.get(match.group(), match.group()), text)
        place.write_bytes(gzip.compress(proven.encode(), mtime=0))
        written.append(place)
    return written


def _span(texts: Mapping[Path, str]) -> tuple[datetime, datetime]:
    """From the first event to the last delivery."""
    events = [at for text in texts.values() for at in _times(_EVENT_TIME, text, "iso")]
    delivered = [at for file in texts for at in _times(_DELIVERED, file.name, "minute")]
    return min(events), max(events + delivered)


def _times(pattern: re.Pattern[str], text: str, form: str) -> Iterator[datetime]:
    return (datetime.strptime(one, _FORMS[form]).replace(tzinfo=UTC) for one in pattern.findall(text))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
