"""The audit of one account and region: its digests first, then the log files that they list and those that they do not.

Everything that is named is answered for: a digest or a log file that is not there has a verdict, too.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from trailbell.audit.chain import Coverage, Gap, Proven, gaps
from trailbell.audit.files import AuditedFile, Files
from trailbell.audit.judge import Judge
from trailbell.audit.logs import HOUR, Account, Doubtful, Log, account_of, check_log, is_time_proven
from trailbell.audit.public_keys import Keys
from trailbell.audit.read_digest import ReadDigest, read_digest
from trailbell.audit.verdict import PROVEN, Verdict
from trailbell.cloudtrail.digest_key import DigestKey, Trail, parse_digest_key
from trailbell.cloudtrail.object_key import split_root
from trailbell.text.times import shifted


@dataclass(frozen=True, slots=True)
class AuditedRegion:
    """What is there of one account and region.

    since:   digests that ended before are not followed; None: all are.
    earlier: the names of those, as far as they are there.
    """

    account: str
    region: str
    digests: Sequence[AuditedFile] = ()
    logs: Sequence[AuditedFile] = ()
    since: datetime | None = None
    earlier: Sequence[DigestKey] = ()


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """The verdict on a file; key: from AWSLogs/ on. listed: whether a proven digest names it."""

    key: str
    verdict: Verdict
    digest: bool = False
    listed: bool = False


class Work(Protocol):
    """Does something for each of many things, several at once; what comes of it is in their order."""

    def __call__(self, function: Callable[[Any], Any], things: Sequence[Any], /) -> Iterator[Any]:
        """The function's answers; raises what it raises."""


class RegionAudit:
    """Audits one account and region."""

    def __init__(self, region: AuditedRegion, files: Files, keys: Keys, work: Work) -> None:
        self._region, self._files, self._work = region, files, work
        self._judge = Judge(files, keys)
        self._digests: dict[AuditedFile, ReadDigest] = {}
        self._verdicts: Mapping[AuditedFile, Verdict] = {}
        self._absent: Mapping[str, None] = {}

    def verdicts(self) -> Iterator[FileVerdict | Gap]:
        """Digests by key, gaps by trail and time, log files by key."""
        self._read_digests()
        self._verdicts = self._judge.judge(self._digests.values())
        self._absent = self._named_and_absent()
        yield from sorted(self._on_digests(), key=lambda found: found.key)
        proven = self._proven_periods()
        for trail in sorted(proven):
            yield from gaps(trail, proven[trail])
        yield from self._on_logs(self._coverages(proven))

    def _read_digests(self) -> None:
        """Read the digests that are there, and those in other buckets or under other prefixes that they lead to."""
        waiting = list(self._region.digests)
        known = {(file.bucket, file.root) for file in waiting}
        while waiting:
            found = list(self._work(lambda file: read_digest(file, self._files), waiting))
            self._digests |= {digest.file: digest for digest in found}
            waiting = self._leads(found, known)

    def _leads(self, digests: Iterable[ReadDigest], known: set[tuple[str, str]]) -> list[AuditedFile]:
        leads: dict[AuditedFile, None] = {}
        for digest in digests:
            file = self._judge.previous_file(digest)
            if not file or file in self._digests or not self._is_followed(file) or not self._judge.is_signed(digest):
                continue
            leads[file] = None
            if (file.bucket, file.root) not in known:
                known.add((file.bucket, file.root))
                leads |= dict.fromkeys(one for one in self._files.beside(file) if self._is_followed(one))
        return [file for file in leads if file not in self._digests]

    def _is_followed(self, file: AuditedFile) -> bool:
        key = parse_digest_key(file.key)
        if not key or (key.trail.account, key.trail.region) != (self._region.account, self._region.region):
            return False
        return not self._is_earlier(key)

    def _is_earlier(self, key: DigestKey | None) -> bool:
        """Whether a digest ended before the time that is asked for."""
        return key is not None and self._region.since is not None and key.end < self._region.since

    def _proven(self) -> Iterator[ReadDigest]:
        return (digest for file, digest in self._digests.items() if self._verdicts[file] in PROVEN)

    def _on_digests(self) -> Iterator[FileVerdict]:
        """On those that are there, and on those that proven ones name and that are not."""
        listed = set(self._region.digests)
        for file in self._digests:
            # One that was listed and then not there is told even if nobody names it.
            if self._verdicts[file] is not Verdict.MISSING or (file in listed and file.key not in self._absent):
                yield FileVerdict(file.key, self._verdicts[file], digest=True)
        for key in self._absent:
            yield FileVerdict(key, Verdict.MISSING if self._has_older(key) else Verdict.BEYOND, digest=True)

    def _named_and_absent(self) -> dict[str, None]:
        """The digests that proven ones name and that are not there, of the time that is asked for."""
        named: dict[str, None] = {}
        for digest in self._proven():
            previous = digest.document.previous if digest.document else None
            file = self._judge.previous_file(digest)
            if not previous or self._is_earlier(parse_digest_key(previous.key)):
                continue
            if file is None or self._verdicts.get(file, Verdict.MISSING) is Verdict.MISSING:
                named[split_root(previous.key)[1]] = None
        return named

    def _has_older(self, key: str) -> bool:
        """Whether the audited time goes back further than a digest: another one of its trail is as old."""
        missing = parse_digest_key(key)
        if not missing:
            return True
        there = [digest.key for file, digest in self._digests.items() if self._verdicts[file] is not Verdict.MISSING]
        return any(
            key.trail == missing.trail
            and (key.end < missing.end or (key.end == missing.end and key.backfill != missing.backfill))
            for key in (*there, *self._region.earlier)
            if key
        )

    def _proven_periods(self) -> dict[Trail, list[Proven]]:
        """The periods of each trail that has standard digests here; none of those it has may be proven."""
        found: dict[Trail, list[Proven]] = {}
        for file, digest in self._digests.items():
            if not digest.key or digest.key.backfill or self._verdicts[file] in (Verdict.MOVED, Verdict.MISSING):
                continue
            periods = found.setdefault(digest.key.trail, [])
            document = digest.document
            if document and document.start and document.end and self._verdicts[file] in PROVEN:
                before = self._judge.previous_file(digest)
                linked = before is not None and self._verdicts.get(before) in PROVEN
                periods.append(Proven(document.start, document.end, document.previous is None, linked))
        return found

    def _coverages(self, proven: Mapping[Trail, Sequence[Proven]]) -> dict[Account, list[Coverage]]:
        """What the trails of each account's folder cover: those with digests in it, and those that list logs in it."""
        trails: dict[Account, set[Trail]] = {}
        for file, digest in self._digests.items():
            if digest.key and digest.key.trail in proven:
                trails.setdefault(account_of(file), set()).add(digest.key.trail)
        for digest in self._proven():
            for log in digest.document.logs or () if digest.document else ():
                listed = digest.names(self._files, log.bucket, log.key)
                if listed and digest.key and digest.key.trail in proven:
                    trails.setdefault(account_of(listed), set()).add(digest.key.trail)
        coverage = {trail: Coverage(periods) for trail, periods in proven.items()}
        return {account: [coverage[trail] for trail in sorted(of_it)] for account, of_it in trails.items()}

    def _on_logs(self, coverages: Mapping[Account, Sequence[Coverage]]) -> Iterator[FileVerdict]:
        logs, doubtful = self._logs(), self._doubtful()
        in_order = sorted(logs, key=lambda name: (name[0], str(name[1])))
        to_check = [logs[name] for name in in_order if logs[name].hashes]
        checked: Iterator[Verdict] = self._work(lambda log: check_log(log, self._files), to_check)
        for name in in_order:
            log = logs[name]
            if log.hashes:
                yield FileVerdict(name[0], next(checked), listed=True)
            elif log.file:
                is_proven = is_time_proven(log.file, coverages, doubtful)
                yield FileVerdict(name[0], Verdict.UNLISTED if is_proven else Verdict.UNPROVEN)

    def _doubtful(self) -> Doubtful:
        """Log files that digests list which are not proven, and the hours of backfill digests that are not there."""
        found = Doubtful()
        keys = [parse_digest_key(key) for key in self._absent if self._has_older(key)]
        for file, digest in self._digests.items():
            if self._verdicts[file] in PROVEN:
                continue
            keys.append(digest.key if self._verdicts[file] is not Verdict.MOVED else None)
            for log in (digest.document.logs or ()) if digest.document else ():
                listed = digest.names(self._files, log.bucket, log.key)
                if listed:
                    found.files.add(listed)
        found.spans.extend((shifted(key.end, -HOUR), key.end) for key in keys if key and key.backfill)
        return found

    def _logs(self) -> dict[tuple[str, AuditedFile | None], Log]:
        """Every log file that is there or that a proven digest lists."""
        logs: dict[tuple[str, AuditedFile | None], Log] = {(file.key, file): Log(file) for file in self._region.logs}
        for digest in self._proven():
            for listed in digest.document.logs or () if digest.document else ():
                file = digest.names(self._files, listed.bucket, listed.key)
                name = (file.key if file else split_root(listed.key)[1], file)
                logs.setdefault(name, Log(file)).hashes.add(listed.sha256)
        return logs
