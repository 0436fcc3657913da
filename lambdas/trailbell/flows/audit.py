"""The audit: what CloudTrail says it delivered against what was read, digest by digest.

A digest is taken up a while after it came, because its log files may still wait in the queue. What is missing then is
sent through the ingest queue again, and the digest taken up again; what is still missing after some tries is told. A
digest is also compared with the one before: with what the bucket has, and with what we remember of it.

Findings are hits: kept before a digest's row and before its message is done, so that a crash anywhere tells them once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from trailbell.audit.files import AuditedFile, Files
from trailbell.audit.judge import Judge
from trailbell.audit.newest import AuditedDigest, Newest
from trailbell.audit.public_keys import Keys
from trailbell.audit.read_digest import ReadDigest, read_digest
from trailbell.audit.settling import SETTLE_SECONDS
from trailbell.audit.verdict import PROVEN, Verdict
from trailbell.cloudtrail.digest import DigestDocument
from trailbell.cloudtrail.digest_key import DigestKey, delivery_span, parse_digest_key
from trailbell.cloudtrail.object_key import split_root
from trailbell.errors import LogFileError, Unreadable
from trailbell.hits.audit_finding import Finding, Found, finding_hit
from trailbell.hits.hit import Hit
from trailbell.text.times import iso_time


TRIES = 4
"""How often a digest is taken up before what is missing is told: three quarters of an hour after the first time."""

OVERDUE = timedelta(hours=3)
"""A digest comes every hour; how long after its end is not documented."""

FORGOTTEN = timedelta(days=3)
"""A chain that stopped so long ago was told of then, or when nothing was audited."""

_MOMENT = timedelta(seconds=1)

_DENIED = "not allowed, or the digest's key is not usable: s3:GetObject on the trail bucket"


@dataclass(frozen=True, slots=True)
class AuditTask:
    """A digest to be audited; tries: how often it was taken up before."""

    bucket: str
    key: str
    tries: int = 0


class Ledger(Protocol):
    """Which log files were read."""

    def read(self, keys: Sequence[str]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """What was read of log files, by key."""


class Audits(Protocol):
    """What is remembered of digests."""

    def since(self, now: str) -> str:
        """Since when the ledger is kept; from now on where nobody has asked yet."""

    def keep(self, audited: AuditedDigest) -> None:
        """Write what was found about a digest."""

    def audited(self, key: DigestKey) -> Mapping[str, Any] | None:
        """What was found about a digest before; None if it was not audited."""

    def neighbour(self, key: DigestKey, moment: datetime, *, later: bool) -> Mapping[str, Any] | None:
        """Of a chain's audited digests the last that ended by a moment, or the first that ended after it."""

    def chains(self) -> Iterator[Newest]:
        """The newest digest of every chain."""


class Outbox(Protocol):
    """Where findings are kept until everybody is notified."""

    def keep(self, hits: Sequence[Hit]) -> int:
        """Keep hits, each identity once; how many were new."""


class Queues(Protocol):
    """Where work is sent."""

    def repair(self, bucket: str, keys: Sequence[str]) -> None:
        """Have log files read (again)."""

    def take_up(self, bucket: str, key: str, tries: int, seconds: int) -> None:
        """Have a digest audited after some seconds."""


@dataclass(slots=True)
class AuditCounters:
    """What was done. log files: listed by the digests that were taken up; repaired: asked for again."""

    digests: int = 0
    log_files: int = 0
    repaired: int = 0
    findings: int = 0


@dataclass(slots=True)
class _Files:
    """The log files of a digest: read as listed, read otherwise, not read, and delivered before the ledger began."""

    read: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    repaired: int = 0


@dataclass(slots=True)
class Audit:
    """The flow with everything it needs."""

    files: Files
    keys: Keys
    ledger: Ledger
    audits: Audits
    outbox: Outbox
    queues: Queues
    counters: AuditCounters = field(default_factory=AuditCounters)

    def take_up(self, task: AuditTask, now: str) -> None:
        """Audit a digest; raises what keeps it from that, and is then to be called again."""
        key = parse_digest_key(task.key)
        if not key:
            return  # a file in the digests' folder that CloudTrail did not name
        since = datetime.fromisoformat(self.audits.since(now))
        self.counters.digests += 1
        digest = read_digest(AuditedFile(split_root(task.key)[1], task.key, task.bucket), self.files)
        if digest.not_read is Verdict.MISSING:
            self._tell([_finding(Found.DIGEST_DELETED, key, task, "it was notified of, and is gone")], now)
            return
        if digest.not_read:
            raise LogFileError(f"s3://{task.bucket}/{task.key}: {_DENIED}", Unreadable.DENIED)
        before = self._before(digest)
        verdict = Judge(self.files, self.keys).judge([digest, *before])[digest.file]
        if verdict is Verdict.NO_KEY and task.tries + 1 < TRIES:
            # A key that CloudTrail has just begun to use may not be listed yet.
            self.queues.take_up(task.bucket, task.key, task.tries + 1, SETTLE_SECONDS)
            return
        if verdict not in PROVEN or not digest.document:
            self._tell([_finding(Found.DIGEST_FORGED, key, task, verdict.value)], now)
            self._keep(key, task, verdict, now, _Files(), digest)
            return
        findings = [*self._chain(key, task, digest, digest.document, before, verdict, since)]
        found = self._log_files(digest.document, since)
        self.counters.log_files += len(digest.document.logs or ())
        if found.missing and task.tries + 1 < TRIES:
            self.queues.repair(task.bucket, found.missing)
            self.queues.take_up(task.bucket, task.key, task.tries + 1, SETTLE_SECONDS)
            self.counters.repaired += len(found.missing)
        elif found.missing:
            findings.append(_of_files(Found.LOG_MISSING, key, task, found.missing))
        if found.altered:
            findings.append(_of_files(Found.LOG_ALTERED, key, task, found.altered))
        self._tell(findings, now)
        self._keep(key, task, verdict, now, found, digest)

    def overdue(self, now: str) -> None:
        """Tell of chains whose next digest should have come by now; each once for the digest it stopped at."""
        moment = datetime.fromisoformat(now)
        self.audits.since(now)
        late = [
            chain for chain in self.audits.chains() if not chain.backfill and OVERDUE < moment - chain.end < FORGOTTEN
        ]
        self._tell([_overdue(chain) for chain in late], now)

    def _before(self, digest: ReadDigest) -> list[ReadDigest]:
        """The digest that a digest names, as far as it can be read."""
        previous = digest.document.previous if digest.document else None
        file = self.files.named(previous.bucket, previous.key, digest.file) if previous else None
        return [read_digest(file, self.files)] if file else []

    def _chain(
        self,
        key: DigestKey,
        task: AuditTask,
        digest: ReadDigest,
        document: DigestDocument,
        before: Sequence[ReadDigest],
        verdict: Verdict,
        since: datetime,
    ) -> Iterator[Finding]:
        """What a digest says of the one before, beside what we remember."""
        if verdict is not Verdict.VALID:
            yield _finding(Found.DIGEST_ALTERED, key, task, verdict.value)
        yield from self._restarts(key, task, document)
        if not document.previous:
            return
        previous = parse_digest_key(document.previous.key)
        known = self.audits.audited(previous) if previous else None
        if previous and any(one.not_read is Verdict.MISSING for one in before):
            if known or previous.end > since:
                gone = AuditTask(document.previous.bucket, document.previous.key)
                last = self.audits.neighbour(previous, previous.end - _MOMENT, later=False)
                hours = (("nothing is proven", f"{_end(last)} to {document.start_text}"),) if last else ()
                yield _finding(Found.DIGEST_DELETED, previous, gone, _how_known(known), hours)
        elif previous and known is None and previous.end > since:
            # Its notification was lost: it is taken up now, and leads on to the one before it.
            self.queues.take_up(document.previous.bucket, document.previous.key, 0, 0)
        elif known and known.get("sha256") not in ("", document.previous.sha256):
            yield _finding(Found.DIGEST_ALTERED, key, task, "the one before was another when it was audited")

    def _restarts(self, key: DigestKey, task: AuditTask, document: DigestDocument) -> Iterator[Finding]:
        """That the chain began anew at this digest, or at the next one: whichever of the two is audited second says so.

        What nobody remembers a digest before is the trail's first, or older than the deployment.
        """
        if key.backfill or not document.start:
            return
        last = None if document.previous else self.audits.neighbour(key, document.start, later=False)
        if last and _end(last) < iso_time(document.start):
            yield _restarted(key, task, _end(last), document.start_text)
        following = self.audits.neighbour(key, key.end, later=True)
        after = parse_digest_key(str(following["key"])) if following and following.get("starting") else None
        if following and after and str(following["start"]) > iso_time(key.end):
            there = AuditTask(str(following["bucket"]), str(following["key"]))
            yield _restarted(after, there, iso_time(key.end), str(following["start"]))

    def _log_files(self, document: DigestDocument, since: datetime) -> _Files:
        found, hashes = _Files(), {log.key: log.sha256 for log in document.logs or ()}
        for name in [name for name in hashes if _delivered_before(name, since)]:
            found.before.append(name)
            del hashes[name]
        rows = self.ledger.read(list(hashes))
        for name, sha256 in hashes.items():
            read = {str(row["sha256"]) for row in rows.get(name, ())}
            found.repaired += any(row.get("repaired") for row in rows.get(name, ()))
            (found.missing if not read else found.read if read == {sha256} else found.altered).append(name)
        return found

    def _tell(self, findings: Sequence[Finding], now: str) -> None:
        if findings:
            self.counters.findings += self.outbox.keep([finding_hit(one, now) for one in findings])

    def _keep(
        self, key: DigestKey, task: AuditTask, verdict: Verdict, now: str, found: _Files, digest: ReadDigest
    ) -> None:
        document = digest.document if verdict in PROVEN else None
        members = {
            "bucket": task.bucket,
            "key": task.key,
            "verdict": verdict.value,
            "sha256": digest.sha256 if document else "",
            "start": document.start_text if document else "",
            "starting": bool(document and not document.previous),
            "listed": len(document.logs or ()) if document else 0,
            "read": len(found.read),
            "repaired": found.repaired,
            "altered": len(found.altered),
            "missing": len(found.missing),
            "before": len(found.before),
            "tries": task.tries + 1,
            "at": now,
        }
        self.audits.keep(AuditedDigest(key, task.bucket, task.key, members))


def _delivered_before(key: str, since: datetime) -> bool:
    """Whether a log file may have been delivered before the ledger began."""
    span = delivery_span(key)
    return bool(span and span[0] < since)


def _restarted(key: DigestKey, task: AuditTask, since: str, until: str) -> Finding:
    return _finding(Found.CHAIN_RESTARTED, key, task, "", (("nothing is proven", f"{since} to {until}"),))


def _end(row: Mapping[str, Any]) -> str:
    """When an audited digest ended."""
    return str(row["sk"]).partition("#")[0]


def _how_known(known: Mapping[str, Any] | None) -> str:
    if not known:
        return "it was never audited: the log files that it lists are not known"
    return f"it was audited before: {known['read']} of its {known['listed']} log files were read"


def _finding(
    found: Found, key: DigestKey, task: AuditTask, why: str, more: tuple[tuple[str, str], ...] = ()
) -> Finding:
    trail = key.trail
    details = (("trail", trail.trail), ("digest of the hour until", iso_time(key.end)))
    said = (("why", why),) if why else ()
    about, end = f"{task.bucket}/{task.key}", iso_time(key.end)
    return Finding(found, trail.account, trail.region, about, end, task.bucket, task.key, (), (*details, *said, *more))


def _of_files(found: Found, key: DigestKey, task: AuditTask, files: Sequence[str]) -> Finding:
    trail = key.trail
    details = (
        ("trail", trail.trail),
        ("digest of the hour until", iso_time(key.end)),
        ("log files", str(len(files))),
    )
    about, end = f"{task.bucket}/{task.key}", iso_time(key.end)
    return Finding(found, trail.account, trail.region, about, end, task.bucket, task.key, tuple(files), details)


def _overdue(chain: Newest) -> Finding:
    end = iso_time(chain.end)
    about = f"{chain.trail.trail}@{chain.trail.home} {end}"
    details = (("trail", chain.trail.trail), ("last digest of the hour until", end))
    account, region = chain.trail.account, chain.trail.region
    return Finding(Found.DIGEST_OVERDUE, account, region, about, end, chain.bucket, chain.key, (), details)
