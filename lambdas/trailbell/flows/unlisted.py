"""Log files that were read and that no digest lists: nobody but CloudTrail should write there, and it did not.

A file may be listed by a backfill digest that comes days later, or by another trail's digest. So an hour in which there
is such a file is only doubted at first, and judged two days later: by all digests of its time, of every trail that had
any then, and by every backfill digest since. What no proven digest speaks of is not judged: its digest may not have
come, and if it never does, that is told by itself.

An hour is doubted when a digest is audited, for its own hour and the one before; and when a log file is read that is
older than that, or that had something else in it when it was read before (store/ledger.py): what is exchanged after its
digest was audited is told by this alone.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, Protocol

from trailbell.audit.chain import Coverage, Proven, all_hold
from trailbell.audit.files import AuditedFile, Files
from trailbell.audit.read_digest import read_digest
from trailbell.audit.verdict import Verdict
from trailbell.cloudtrail.digest import DigestDocument
from trailbell.cloudtrail.digest_key import delivery_span
from trailbell.cloudtrail.object_key import split_root
from trailbell.errors import LogFileError, Unreadable
from trailbell.flows.audit_findings import file_mark
from trailbell.hits.audit_finding import Finding, FindingHits, Found
from trailbell.hits.hit import Hit
from trailbell.hits.ledger import LedgerHour
from trailbell.lazy_dataclass import dataclass
from trailbell.text.times import iso_time


_NEAR = timedelta(hours=3)
"""A trail with a digest that ended so near to a time had one for it, or lacks it."""

_OLDEST = timedelta(days=60)
"""What is named so long ago is not judged: any time can stand in a name, and every month is asked for."""

_FOLDER = "CloudTrail"
"""Whose log files are judged. Of those of network activity it is not documented that digests list them."""

Row = Mapping[str, Any]


class Ledger(Protocol):
    """Which log files were read, and which hours of them are in doubt."""

    def of_hour(self, hour: LedgerHour) -> Sequence[Row]:
        """What was read of the log files that are named in an hour."""

    def doubt(self, hour: LedgerHour, now: str) -> None:
        """Have an hour judged two days later."""

    def doubted(self, now: str) -> Iterator[tuple[LedgerHour, str]]:
        """The hours to be judged by now, and since when."""

    def settle(self, hour: LedgerHour, due: str) -> None:
        """An hour was judged."""


class Audits(Protocol):
    """What is remembered of digests."""

    def ended(self, account: str, region: str, first: datetime, last: datetime) -> Iterator[Row]:
        """What was found about the digests of an account and Region that ended between two moments."""


class Outbox(Protocol):
    """Where findings are kept until everybody is notified."""

    def keep(self, hits: Sequence[Hit]) -> int:
        """Keep hits, each identity once; how many were new."""


class UnlistedLog(Protocol):
    """Where the flow writes what a person may want to read later."""

    def failed(self, what: str, error: Exception) -> None:
        """Something could not be done and will be tried again."""


@dataclass(slots=True)
class UnlistedCounters:
    """judged, of the hours in doubt; failed, which are judged in an hour; left, for which there was no time."""

    judged: int = 0
    failed: int = 0
    left: int = 0
    findings: int = 0


@dataclass(frozen=True, slots=True)
class Unlisted:
    """The flow with everything it needs."""

    files: Files
    ledger: Ledger
    audits: Audits
    outbox: Outbox
    findings: FindingHits
    counters: UnlistedCounters = field(default_factory=UnlistedCounters)

    def doubt(self, documents: Sequence[DigestDocument], rows: Mapping[str, Sequence[Row]], now: str) -> None:
        """Doubt the hours in which log files were read that digests should list and do not.

        documents: proven ones of one trail, each after the one before; rows: of the ledger, by key.
        """
        listed = {log.key for one in documents for log in one.logs or ()}
        proven = Coverage(_proven(one.start, one.end) for one in documents if one.start and one.end)
        others = [key for key, read in rows.items() if read and key not in listed and _is_held(key, [proven])]
        for hour in sorted({LedgerHour.of(key) for key in others}, key=str):
            # Another trail's digest may list them; then there is nothing to wait for.
            if self._compared(hour, now).unlisted:
                self.ledger.doubt(hour, now)

    def judge(self, now: str, is_time_left: Callable[[], bool], event_log: UnlistedLog) -> None:
        """Tell of what is in no digest in the hours that were doubted two days ago, as far as there is time.

        Raises what reading the hours in doubt raises.
        """
        for hour, due in self.ledger.doubted(now):
            if not is_time_left():
                self.counters.left += 1
                continue
            try:
                self._tell(hour, self._compared(hour, now), now)
                self.ledger.settle(hour, due)
            except Exception as error:  # the boundary: logged, counted, and judged in an hour
                self.counters.failed += 1
                event_log.failed(f"hour {hour}", error)
            else:
                self.counters.judged += 1

    def _tell(self, hour: LedgerHour, compared: "_Compared", now: str) -> None:
        found = ((Found.LOG_UNLISTED, compared.unlisted), (Found.LOG_ALTERED, compared.altered))
        findings = [hour_finding(kind, hour, rows) for kind, rows in found if rows]
        self.counters.findings += self.outbox.keep([self.findings.hit(one, now) for one in findings])

    def _compared(self, hour: LedgerHour, now: str) -> "_Compared":
        """What was read in an hour and is in no digest, though every trail's digests of its time are proven; and what
        had something else in it than its digest says, if nobody was told when that was audited.
        """
        rows = self.ledger.of_hour(hour)
        spans = [span for row in rows if (span := delivery_span(str(row["key"])))]
        moment = datetime.fromisoformat(now)
        if not spans or not moment - _OLDEST < spans[0][0] < moment:
            return _Compared([], [])  # nothing is proven of such a time
        known = self._known(hour, min(one for one, _ in spans), max(one for _, one in spans), now)
        coverages = [*map(Coverage, known.by_trail.values())]
        others = {str(row["key"]): row for row in rows if row["key"] not in known.hashes}
        altered = [
            row
            for row in rows
            if row["sha256"] not in known.hashes.get(row["key"], {row["sha256"]})
            and file_mark(Found.LOG_ALTERED, str(row["key"])) not in known.told
        ]
        return _Compared([others[key] for key in sorted(others) if _is_held(key, coverages)], altered)

    def _known(self, hour: LedgerHour, first: datetime, last: datetime, now: str) -> "_Known":
        """What digests say of the time between two moments, those of backfills that came later included."""
        known = _Known()
        for row in self.audits.ended(hour.account, hour.region, first - _NEAR, datetime.fromisoformat(now)):
            end, trail, is_backfill = _end_and_trail(row)
            if not row["sha256"] or (end > last + _NEAR and not is_backfill):
                continue
            proven = known.by_trail.setdefault(trail, []) if not is_backfill else []
            start = datetime.fromisoformat(str(row["start"]))
            document = self._read(row) if is_backfill or (start < last and end > first) else None
            if document:
                known.told |= set(row.get("told", ()))
                proven.append(_proven(start, end))
                for log in document.logs or ():
                    known.hashes.setdefault(log.key, set()).add(log.sha256)
        return known

    def _read(self, row: Row) -> DigestDocument | None:
        """An audited digest's document; None where it is not there any more as it was audited.

        Raises LogFileError where that cannot be known.
        """
        bucket, key = str(row["bucket"]), str(row["key"])
        digest = read_digest(AuditedFile(split_root(key)[1], key, bucket), self.files)
        if digest.not_read and digest.not_read is not Verdict.MISSING:
            raise LogFileError(f"s3://{bucket}/{key}: {digest.not_read}", Unreadable.DENIED)
        return digest.document if digest.sha256 == row["sha256"] else None


@dataclass(slots=True)
class _Known:
    """What digests say of a time: the hashes of log files by key, the times they prove by trail, and what was told."""

    hashes: dict[str, set[str]] = field(default_factory=dict)
    by_trail: dict[str, list[Proven]] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Compared:
    """Rows of the ledger that no digest lists, and those with another content than listed."""

    unlisted: list[Row]
    altered: list[Row]


def hour_finding(found: Found, hour: LedgerHour, rows: Sequence[Row]) -> Finding:
    """The finding of log files of an hour, the same for the same files and contents."""
    keys = list(dict.fromkeys(str(row["key"]) for row in rows))
    contents = "\n".join(f"{row['key']} {row['sha256']}" for row in rows)
    names = hashlib.sha256(contents.encode("utf-8", "surrogatepass")).hexdigest()
    details = (
        ("log files", str(len(keys))),
        ("records in them", str(sum(int(row["records"]) for row in rows))),
        ("read first", min(str(row["readAt"]) for row in rows)),
    )
    span, bucket = delivery_span(keys[0]), str(rows[0]["bucket"])
    at = iso_time(span[0]) if span else str(rows[0]["readAt"])
    about = f"{hour} {names}"
    return Finding(found, hour.account, hour.region, about, at, bucket, keys[0], tuple(keys), details)


def _is_held(key: str, coverages: Sequence[Coverage]) -> bool:
    """Whether every trail's digests of a log file's time are proven, and are about such files at all."""
    span = delivery_span(key)
    return span is not None and key.split("/")[-6] == _FOLDER and all_hold(coverages, *span)


def _proven(start: datetime, end: datetime) -> Proven:
    return Proven(start, end, starting=False, linked=True)


def _end_and_trail(row: Row) -> tuple[datetime, str, bool]:
    """When an audited digest ended, by which trail, and whether it is a backfill digest."""
    end, trail, kind = str(row["sk"]).split("#")
    return datetime.fromisoformat(end), trail, kind == "backfill"


def hours_between(account: str, region: str, first: datetime, last: datetime) -> Iterator[LedgerHour]:
    """The hours from one moment to another, both included."""
    moment = first.replace(minute=0, second=0, microsecond=0)
    while moment <= last:
        yield LedgerHour(account, region, iso_time(moment)[:13])
        moment += timedelta(hours=1)
