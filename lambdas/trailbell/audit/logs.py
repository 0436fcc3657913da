"""Log files of an audit: those that digests list are compared with them, the others with the time that is proven."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from trailbell.audit.chain import Coverage, all_hold
from trailbell.audit.files import AuditedFile, Files, NotReadError
from trailbell.audit.verdict import Verdict
from trailbell.cloudtrail.digest_key import delivery_span
from trailbell.cloudtrail.member import hash_member
from trailbell.cloudtrail.object_key import ObjectKind, classify_key
from trailbell.errors import LogFileError


HOUR = timedelta(hours=1)

Account = tuple[str, str]
"""Which account's folder: the bucket, and the key of the folder. Trails with another prefix have another one."""


@dataclass(slots=True)
class Log:
    """A log file (None: it is not there) and the hashes that proven digests list for it; none: nothing lists it."""

    file: AuditedFile | None
    hashes: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Doubtful:
    """Log files, and times, that digests which are not proven may be about."""

    files: set[AuditedFile] = field(default_factory=set)
    spans: list[tuple[datetime, datetime]] = field(default_factory=list)


def check_log(log: Log, files: Files) -> Verdict:
    """The verdict on a log file that proven digests list (with one hash, as long as nobody forges)."""
    if not log.file:
        return Verdict.MISSING
    try:
        member = hash_member(files.read(log.file))
    except NotReadError as error:
        return error.verdict
    except LogFileError:
        return Verdict.INVALID_FORMAT
    if member.trailing:
        return Verdict.TRAILING_DATA
    return Verdict.VALID if log.hashes == {member.sha256} else Verdict.ALTERED


def is_time_proven(file: AuditedFile, coverages: Mapping[Account, Sequence[Coverage]], doubtful: Doubtful) -> bool:
    """Whether all digests are known that may list a log file, by when it was delivered; none lists one that lies where
    CloudTrail delivers nothing.
    """
    span = delivery_span(file.key)
    if file in doubtful.files:
        return False
    if not span or classify_key(file.key).kind is not ObjectKind.LOG_FILE:
        return True
    return not _overlaps(span, doubtful.spans) and all_hold(coverages.get(account_of(file), ()), *span)


def account_of(file: AuditedFile) -> Account:
    """The account's folder that a file lies in."""
    return file.bucket, file.place.rpartition("/CloudTrail")[0]


def _overlaps(span: tuple[datetime, datetime], others: Iterable[tuple[datetime, datetime]]) -> bool:
    return any(since <= span[1] and span[0] <= until for since, until in others)
