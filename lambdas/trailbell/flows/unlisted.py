"""Log files that were read and that no digest lists: nobody but CloudTrail should write there, and it did not.

A file may be listed by a backfill digest that comes days later, or by another trail's digest. So an hour in which there
is such a file is only doubted at first, and judged two days later: by all digests of its time, of every trail that had
any then, and by every backfill digest since. What no proven digest speaks of is not judged: its digest may not have
come, and if it never does, that is told by itself.

An hour is doubted when a digest is audited, for its own hour and the one before; and when a log file is read that is
older than that (store/ledger.py).
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
from trailbell.hits.audit_finding import Finding, FindingHits, Found
from trailbell.hits.hit import Hit
from trailbell.hits.ledger import LedgerHour
from trailbell.text.times import iso_time


_NEAR = timedelta(hours=3)
"""A trail with a digest that ended so near to a time had one for it, or lacks it."""

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
            if self._unlisted(hour, now):
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
                self._tell(hour, self._unlisted(hour, now), now)
                self.ledger.settle(hour, due)
            except Exception as error:  # the boundary: logged, counted, and judged in an hour
                self.counters.failed += 1
                event_log.failed(f"hour {hour}", error)
            else:
                self.counters.judged += 1

    def _tell(self, hour: LedgerHour, rows: Sequence[Row], now: str) -> None:
        if rows:
            self.counters.findings += self.outbox.keep([self.findings.hit(unlisted_finding(hour, rows), now)])

    def _unlisted(self, hour: LedgerHour, now: str) -> list[Row]:
        """What was read in an hour and is in no digest, though every trail's digests of its time are proven."""
        rows = {str(row["key"]): row for row in self.ledger.of_hour(hour)}
        spans = [span for key in rows if (span := delivery_span(key))]
        if not spans:
            return []
        listed, by_trail = self._known(hour, min(one for one, _ in spans), max(one for _, one in spans), now)
        coverages = [*map(Coverage, by_trail.values())]
        return [rows[key] for key in sorted(rows) if key not in listed and _is_held(key, coverages)]

    def _known(
        self, hour: LedgerHour, first: datetime, last: datetime, now: str
    ) -> tuple[set[str], dict[str, list[Proven]]]:
        """The log files that digests list between two moments or later, and by trail the times that they prove."""
        listed: set[str] = set()
        by_trail: dict[str, list[Proven]] = {}
        for row in self.audits.ended(hour.account, hour.region, first - _NEAR, datetime.fromisoformat(now)):
            end, trail, is_backfill = _end_and_trail(row)
            if not row["sha256"] or (end > last + _NEAR and not is_backfill):
                continue
            proven = by_trail.setdefault(trail, []) if not is_backfill else []
            start = datetime.fromisoformat(str(row["start"]))
            document = self._read(row) if is_backfill or (start < last and end > first) else None
            if document:
                listed |= {log.key for log in document.logs or ()}
                proven.append(_proven(start, end))
        return listed, by_trail

    def _read(self, row: Row) -> DigestDocument | None:
        """An audited digest's document; None where it is not there any more as it was audited.

        Raises LogFileError where that cannot be known.
        """
        bucket, key = str(row["bucket"]), str(row["key"])
        digest = read_digest(AuditedFile(split_root(key)[1], key, bucket), self.files)
        if digest.not_read and digest.not_read is not Verdict.MISSING:
            raise LogFileError(f"s3://{bucket}/{key}: {digest.not_read}", Unreadable.DENIED)
        return digest.document if digest.sha256 == row["sha256"] else None


def unlisted_finding(hour: LedgerHour, rows: Sequence[Row]) -> Finding:
    """The finding of log files of an hour, the same for the same files."""
    keys = [str(row["key"]) for row in rows]
    names = hashlib.sha256("\n".join(keys).encode("utf-8", "surrogatepass")).hexdigest()
    details = (
        ("log files", str(len(rows))),
        ("records in them", str(sum(int(row["records"]) for row in rows))),
        ("read first", min(str(row["readAt"]) for row in rows)),
    )
    span, bucket = delivery_span(keys[0]), str(rows[0]["bucket"])
    at = iso_time(span[0]) if span else str(rows[0]["readAt"])
    about = f"{hour} {names}"
    return Finding(Found.LOG_UNLISTED, hour.account, hour.region, about, at, bucket, keys[0], tuple(keys), details)


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
