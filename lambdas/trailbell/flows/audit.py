"""The audit: what CloudTrail says it delivered against what was read, digest by digest.

A digest is taken up a while after it came, because its log files may still wait in the queue. What is missing then is
sent through the ingest queue again, and the digest taken up again; what is still missing after some tries is told, and
looked for another day, so that its row heals. A digest is also compared with the one before: with what the bucket has
(it may come late), and with what we remember of it.

Findings are hits: kept before a digest's row and before its message is done, so that a crash anywhere tells them once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any

from trailbell.audit.files import AuditedFile, Files
from trailbell.audit.judge import Judge
from trailbell.audit.newest import AuditedDigest, Newest
from trailbell.audit.public_keys import Keys
from trailbell.audit.read_digest import ReadDigest, read_digest
from trailbell.audit.settling import SETTLE_SECONDS
from trailbell.audit.verdict import PROVEN, Verdict
from trailbell.cloudtrail.digest import DigestDocument
from trailbell.cloudtrail.digest_key import DigestKey, delivery_span, parse_digest_key
from trailbell.cloudtrail.object_key import ObjectKind, classify_key, split_root
from trailbell.errors import LogFileError, Unreadable
from trailbell.flows.audit_findings import (
    file_mark,
    how_known,
    of_chain,
    of_content,
    of_digest,
    of_files,
    restarted,
    row_end,
)
from trailbell.flows.audit_parts import Audits, Ledger, Outbox, Queues, Switches
from trailbell.flows.unlisted import Unlisted, hours_between
from trailbell.hits.audit_finding import Finding, FindingHits, Found
from trailbell.hits.ledger import LedgerHour
from trailbell.lazy_dataclass import dataclass
from trailbell.text.times import iso_time


TRIES = 4
"""How often a digest is taken up before what is missing is told: three quarters of an hour after the first time."""

HEALING_TRIES = 96
"""How often a digest comes back after that, with what is missing told: for a day."""

_HEALING_EVERY = 4
"""Which of those times it is looked at: once an hour. SQS delays no message for longer than a quarter."""

OVERDUE = timedelta(hours=3)
"""A digest comes every hour; how long after its end is not documented."""

FORGOTTEN = timedelta(days=3)
"""For so long it is told that a chain stopped; nobody is told of it twice, but somebody asks every hour."""

BEHIND_SECONDS = 90 * 60
"""A digest that waited for longer says that the audit is behind. Tried five times it waits for 75 minutes."""

_MAX_TOLD = 2_000
"""Files of one digest that are remembered as told of; of more, somebody may be told twice."""

_SWITCHED_BEFORE = timedelta(hours=2)
"""So long before the end of a chain's last digest may the call have been that ended it."""

_MOMENT = timedelta(seconds=1)

_DENIED = "not allowed, or the digest's key is not usable: s3:GetObject on the trail bucket"


@dataclass(frozen=True, slots=True)
class AuditTask:
    """A digest to be audited; tries: how often it was taken up before; waited_seconds: since it was sent."""

    bucket: str
    key: str
    tries: int = 0
    waited_seconds: int = 0


@dataclass(slots=True)
class AuditCounters:
    """What was done. log files: listed by the digests that were taken up; repaired: asked for again."""

    digests: int = 0
    log_files: int = 0
    repaired: int = 0
    findings: int = 0


@dataclass(slots=True)
class _Files:
    """The log files of a digest: read as listed, read otherwise, not read, and delivered before the ledger began.

    rows: of the ledger, by key, also of others of the same hours.
    """

    listed: int
    read: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    repaired: int = 0
    rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


@dataclass(slots=True)
class Audit:
    """The flow with everything it needs. unlisted: what is read and in no digest."""

    files: Files
    keys: Keys
    ledger: Ledger
    audits: Audits
    outbox: Outbox
    queues: Queues
    unlisted: Unlisted
    switches: Switches
    findings: FindingHits
    counters: AuditCounters = field(default_factory=AuditCounters)

    def take_up(self, task: AuditTask, now: str) -> None:
        """Audit a digest; raises what keeps it from that, and is then to be called again."""
        key = parse_digest_key(task.key)
        if not key:
            return  # a file in the digests' folder that CloudTrail did not name
        if task.tries >= TRIES and (task.tries - TRIES + 1) % _HEALING_EVERY:
            self._again(task)
            return
        self._audit(key, task, now)
        if task.waited_seconds > BEHIND_SECONDS:
            self.audits.mark_behind(now)  # not before: what fails again and again is old, and says nothing of others

    def overdue(self, now: str) -> None:
        """Tell of chains whose next digest should have come by now; each once for the digest it stopped at.

        What was not audited because the audit was off or behind is nobody's silence: three hours count from then on.
        Where every chain stopped and digests wait, it is the audit that stopped.
        """
        moment = datetime.fromisoformat(now)
        begun = max(self.audits.since(now), self.audits.behind())
        chains = [chain for chain in self.audits.chains() if not chain.backfill]
        late = [
            chain for chain in chains if OVERDUE < moment - max(chain.end, datetime.fromisoformat(begun)) < FORGOTTEN
        ]
        if late and all(moment - chain.end > OVERDUE for chain in chains) and self.queues.digests_wait():
            self._tell([of_chain(Found.AUDIT_BEHIND, max(chains, key=lambda chain: (chain.end, chain.trail)))], now)
            self.audits.mark_behind(now)
            return
        self._tell([self._overdue(chain, moment) for chain in late], now)

    def _overdue(self, chain: Newest, now: datetime) -> Finding:
        key = parse_digest_key(chain.key)
        first, anybodys = chain.end - _SWITCHED_BEFORE, bool(key and key.organisation)
        return of_chain(Found.DIGEST_OVERDUE, chain, self.switches.between(chain.trail, first, now, anybodys=anybodys))

    def _audit(self, key: DigestKey, task: AuditTask, now: str) -> None:
        since = datetime.fromisoformat(self.audits.since(now))
        self.counters.digests += 1
        place = (task.bucket, task.key)
        digest = read_digest(AuditedFile(split_root(task.key)[1], task.key, task.bucket), self.files)
        if digest.not_read is Verdict.MISSING:
            self._tell([of_digest(Found.DIGEST_DELETED, key, place, "it was notified of, and is gone")], now)
            return
        if digest.not_read:
            raise LogFileError(f"s3://{task.bucket}/{task.key}: {_DENIED}", Unreadable.DENIED)
        judge = Judge(self.files, self.keys)
        before = self._before(digest) if judge.is_signed(digest) else []  # what others write leads nowhere
        verdicts = judge.judge([digest, *before])
        verdict = verdicts[digest.file]
        if verdict is Verdict.NO_KEY and task.tries + 1 < TRIES:
            # A key that CloudTrail has just begun to use may not be listed yet.
            self._again(task)
            return
        known = self.audits.audited(key)
        if verdict not in PROVEN or not digest.document:
            was = (("before", how_known(known)),) if known and known["sha256"] else ()
            self._tell([of_content(Found.DIGEST_FORGED, key, place, verdict.value, digest.sha256, was)], now)
            self._keep(key, self._forged_members(task, verdict, now, known))
            return
        document = digest.document
        late = self._is_late(task, document, before, since)
        findings = [] if late else [*self._previous(key, task, document, before, since)]
        if verdict is not Verdict.VALID:
            findings.append(of_content(Found.DIGEST_ALTERED, key, place, verdict.value))
        documents = _proven_hours(key, document, before, verdicts)
        found = self._log_files(document, since, _hours(key, documents))
        self.counters.log_files += found.listed
        if found.missing and task.tries + 1 < TRIES:
            self.queues.repair(task.bucket, found.missing)
            self.counters.repaired += len(found.missing)
        comes_again = late or bool(found.missing and task.tries + 1 < TRIES + HEALING_TRIES)
        if comes_again:
            self._again(task)
        told = [str(mark) for mark in (known or {}).get("told", ())]
        if task.tries + 1 >= TRIES:
            findings += _not_told(Found.LOG_MISSING, key, place, found.missing, told)
        findings += _not_told(Found.LOG_ALTERED, key, place, found.altered, told)
        self._tell(findings, now)
        self._keep(key, _members(task, verdict, now, found, digest) | {"told": told[-_MAX_TOLD:]})
        self.unlisted.doubt(documents, found.rows, now)
        # After its own row is there: of two that are audited at the same time, one sees the other's.
        self._tell_restarts(key, task, document, now, comes_again=comes_again)

    def _tell_restarts(
        self, key: DigestKey, task: AuditTask, document: DigestDocument, now: str, *, comes_again: bool
    ) -> None:
        """Tell that a chain began anew; of what no record explains, only when the last of them should have been read.

        comes_again: whether the digest is taken up again anyway.
        """
        restarts = [*self._restarts(key, task, document)]
        if any(one.found is Found.RESTART_UNEXPLAINED for one in restarts) and task.tries + 1 < TRIES:
            # The log file that says who did it may still wait.
            if not comes_again:
                self._again(task)
            restarts = [one for one in restarts if one.found is not Found.RESTART_UNEXPLAINED]
        self._tell(restarts, now)

    def _again(self, task: AuditTask) -> None:
        self.queues.take_up(task.bucket, task.key, task.tries + 1, SETTLE_SECONDS)

    def _before(self, digest: ReadDigest) -> list[ReadDigest]:
        """The digest that a digest names, as far as it can be read."""
        previous = digest.document.previous if digest.document else None
        file = self.files.named(previous.bucket, previous.key, digest.file) if previous else None
        return [read_digest(file, self.files)] if file else []

    def _is_late(
        self, task: AuditTask, document: DigestDocument, before: Sequence[ReadDigest], since: datetime
    ) -> bool:
        """Whether the digest before is not there, was never seen, and may still come."""
        previous = parse_digest_key(document.previous.key) if document.previous else None
        gone = any(one.not_read is Verdict.MISSING for one in before)
        waits = gone and task.tries + 1 < TRIES
        return bool(waits and previous and previous.end > since and not self._proven(previous))

    def _proven(self, key: DigestKey) -> Mapping[str, Any] | None:
        """What is remembered of a digest if CloudTrail had signed it."""
        known = self.audits.audited(key)
        return known if known and known["sha256"] else None

    def _previous(
        self,
        key: DigestKey,
        task: AuditTask,
        document: DigestDocument,
        before: Sequence[ReadDigest],
        since: datetime,
    ) -> Iterator[Finding]:
        """What a digest says of the one before, beside what we remember."""
        previous = parse_digest_key(document.previous.key) if document.previous else None
        if not document.previous or not previous:
            return
        place = (document.previous.bucket, document.previous.key)
        known = self._proven(previous)
        if any(one.not_read is Verdict.MISSING for one in before):
            if known or previous.end > since:
                last = self.audits.neighbour(previous, previous.end - _MOMENT, later=False)
                hours = (("nothing is proven", f"{row_end(last)} to {document.start_text}"),) if last else ()
                yield of_digest(Found.DIGEST_DELETED, previous, place, how_known(known), hours)
        elif known is None and previous.end > since:
            # Its notification was lost: it is taken up now, and leads on to the one before it.
            self.queues.take_up(*place, 0, 0)
        elif known and document.previous.sha256 not in ("", known["sha256"]):
            why = "the one before was another when it was audited"
            yield of_content(Found.DIGEST_ALTERED, key, (task.bucket, task.key), why)

    def _restarts(self, key: DigestKey, task: AuditTask, document: DigestDocument) -> Iterator[Finding]:
        """That the chain began anew at this digest, or at the next one: whichever of the two is audited second says so.

        What nobody remembers a digest before is the trail's first, or older than the deployment.
        """
        if key.backfill or not document.start:
            return
        last = None if document.previous else self.audits.neighbour(key, document.start, later=False)
        if last and row_end(last) < iso_time(document.start):
            yield self._restarted(key, (task.bucket, task.key), row_end(last), document.start_text)
        following = self.audits.neighbour(key, key.end, later=True)
        after = parse_digest_key(str(following["key"])) if following and following.get("starting") else None
        if following and after and str(following["start"]) > iso_time(key.end):
            there = (str(following["bucket"]), str(following["key"]))
            yield self._restarted(after, there, iso_time(key.end), str(following["start"]))

    def _restarted(self, key: DigestKey, place: tuple[str, str], since: str, until: str) -> Finding:
        """That a chain began anew at a digest, with the records that explain it; without any it is worse."""
        first, last = datetime.fromisoformat(since) - _SWITCHED_BEFORE, datetime.fromisoformat(until)
        switches = self.switches.between(key.trail, first, last, anybodys=bool(key.organisation))
        return restarted(key, place, since, until, switches)

    def _log_files(self, document: DigestDocument, since: datetime, hours: Iterable[LedgerHour]) -> _Files:
        listed = {log.key: log.sha256 for log in document.logs or ()}
        # Others are never read, so that the ledger does not have them.
        hashes = {key: sha256 for key, sha256 in listed.items() if classify_key(key).kind is ObjectKind.LOG_FILE}
        found = _Files(listed=len(hashes))
        for name in [name for name in hashes if _delivered_before(name, since)]:
            found.before.append(name)
            del hashes[name]
        rows = found.rows = self.ledger.read(list(hashes), hours)
        for name, sha256 in hashes.items():
            read = {str(row["sha256"]) for row in rows.get(name, ())}
            found.repaired += any(row.get("repaired") for row in rows.get(name, ()))
            (found.missing if not read else found.read if read == {sha256} else found.altered).append(name)
        return found

    def _tell(self, findings: Sequence[Finding], now: str) -> None:
        if findings:
            self.counters.findings += self.outbox.keep([self.findings.hit(one, now) for one in findings])

    def _keep(self, key: DigestKey, members: dict[str, Any]) -> None:
        self.audits.keep(AuditedDigest(key, str(members["bucket"]), str(members["key"]), members))

    def _forged_members(
        self, task: AuditTask, verdict: Verdict, now: str, known: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """What was found of a digest that proves nothing; what it was before somebody wrote over it is remembered."""
        if known and known["sha256"]:
            return {**known, "verdict": verdict.value, "at": now}
        return _members(task, verdict, now, _Files(0), None)


def _members(task: AuditTask, verdict: Verdict, now: str, found: _Files, proven: ReadDigest | None) -> dict[str, Any]:
    document = proven.document if proven else None
    return {
        "bucket": task.bucket,
        "key": task.key,
        "verdict": verdict.value,
        "sha256": proven.sha256 if proven else "",
        "start": document.start_text if document else "",
        "starting": bool(document and not document.previous),
        "listed": found.listed,
        "read": len(found.read),
        "repaired": found.repaired,
        "altered": len(found.altered),
        "missing": len(found.missing),
        "before": len(found.before),
        "tries": task.tries + 1,
        "at": now,
    }


def _not_told(
    found: Found, key: DigestKey, place: tuple[str, str], files: Sequence[str], told: list[str]
) -> Iterator[Finding]:
    """A finding of those files that nobody was told of yet; their marks are added to `told`."""
    marks = {file_mark(found, file): file for file in files}
    new = [mark for mark in marks if mark not in set(told)]
    if new:
        told += new
        yield of_files(found, key, place, [marks[mark] for mark in new])


def _proven_hours(
    key: DigestKey, document: DigestDocument, before: Sequence[ReadDigest], verdicts: Mapping[AuditedFile, Verdict]
) -> list[DigestDocument]:
    """A digest and the one before it, as far as they are proven; none of a backfill digest, which is of no hour."""
    if key.backfill:
        return []
    return [document, *(one.document for one in before if one.document and verdicts[one.file] in PROVEN)]


def _hours(key: DigestKey, documents: Sequence[DigestDocument]) -> list[LedgerHour]:
    """The hours that are named by log files of some digests, which follow each other."""
    starts, ends = [one.start for one in documents if one.start], [one.end for one in documents if one.end]
    account, region = key.trail.account, key.trail.region
    return [*hours_between(account, region, min(starts), max(ends))] if starts and ends else []


def _delivered_before(key: str, since: datetime) -> bool:
    """Whether a log file may have been delivered before the ledger began."""
    span = delivery_span(key)
    return bool(span and span[0] < since)
