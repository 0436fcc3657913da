"""What an audit finds is a hit with an identity of its own: no record says it, but digests and what is missing do.

It goes the way of every hit: into the table, to the notifier, to everybody who is notified of critical hits. What it is
about is its identity, so that the same finding, found again, notifies nobody again.
"""

import hashlib
from dataclasses import replace
from enum import StrEnum
from typing import Any

from trailbell.cloudtrail.origin import Place
from trailbell.cloudtrail.partition import partition_of
from trailbell.engine.rulebook import Level, Rule, Rulebook
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import ACT, FINDING, Hit, kept_resource
from trailbell.lazy_dataclass import dataclass


class Found(StrEnum):
    """A kind of finding; the value is the slug that alerts name it by."""

    DIGEST_FORGED = "audit-digest-forged"
    DIGEST_ALTERED = "audit-digest-altered"
    DIGEST_DELETED = "audit-digest-deleted"
    DIGEST_OVERDUE = "audit-digest-overdue"
    CHAIN_RESTARTED = "audit-chain-restarted"
    RESTART_UNEXPLAINED = "audit-restart-unexplained"
    LOG_MISSING = "audit-log-missing"
    LOG_ALTERED = "audit-log-altered"
    LOG_UNLISTED = "audit-log-unlisted"
    AUDIT_BEHIND = "audit-behind"
    LOGS_SILENT = "audit-logs-silent"


EVENT_NAMES = {
    Found.DIGEST_FORGED: "DigestForged",
    Found.DIGEST_ALTERED: "DigestReplaced",
    Found.DIGEST_DELETED: "DigestDeleted",
    Found.DIGEST_OVERDUE: "DigestOverdue",
    Found.CHAIN_RESTARTED: "TrailWasOff",
    Found.RESTART_UNEXPLAINED: "TrailOffUnexplained",
    Found.LOG_MISSING: "LogFilesMissing",
    Found.LOG_ALTERED: "LogFileAltered",
    Found.LOG_UNLISTED: "LogFilesNotListed",
    Found.AUDIT_BEHIND: "AuditBehind",
    Found.LOGS_SILENT: "RegionSilent",
}
"""What a finding is called where a call has its name: what its rule, in rules/audit/, asks for."""

_MAX_NAMED = 50  # files of one finding


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    about:   what it is of, for its identity: the same again is the same finding.
    digest:  bucket and key of the digest, "" where there is none.
    files:   keys of the files that are missing or altered; else of the digest.
    details: label and value of what is known.
    same_as: the kind in its identity, where that is not its own: what was told as either is not told as the other.
    """

    found: Found
    account: str
    region: str
    about: str
    event_time: str
    bucket: str = ""
    key: str = ""
    files: tuple[str, ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    same_as: Found | None = None


class FindingHits:
    """Makes hits of findings, by the rules that are about them: texts, level and exceptions are theirs.

    A rule matches a finding as it does a record (`finding_fields`). A kind that no rule is about any more is reported
    all the same, as critical.
    """

    def __init__(self, rulebook: Rulebook) -> None:
        rules = tuple(rule for rule in rulebook.rules if _named_in(rule))
        self._rules = HitDetector(replace(rulebook, rules=rules, correlations=()))
        self._others = HitDetector(Rulebook(tuple(map(_plain_rule, Found))))

    def hit(self, finding: Finding, seen_at: str) -> Hit:
        """The hit of a finding. seen_at: when it was found, UTC, ISO 8601 with Z."""
        fields, place = finding_fields(finding), Place(finding.bucket, finding.key, 0)
        hit = self._rules.detect_record(fields, seen_at, place) or self._others.detect_record(fields, seen_at, place)
        assert hit  # each kind has a plain rule
        files = finding.files or ((finding.key,) if finding.key else ())
        more = (("more files", str(len(files) - _MAX_NAMED)),) if len(files) > _MAX_NAMED else ()
        shown = (*finding.details, *more)
        return replace(hit, place=place, resources=_resources(finding), acted_on=(), shown=shown, kept_as=ACT, once="")


def finding_fields(finding: Finding) -> dict[str, Any]:
    """A finding in the form of a record, which is what rules and exceptions are about."""
    return {
        "eventType": FINDING,
        "eventSource": "cloudtrail.amazonaws.com",
        "eventName": EVENT_NAMES[finding.found],
        "eventID": finding_id(finding),
        "eventTime": finding.event_time,
        "awsRegion": finding.region,
        "recipientAccountId": finding.account,
        "resources": [{"ARN": arn} for arn in _resources(finding)],
        "additionalEventData": dict(finding.details),
    }


def _resources(finding: Finding) -> tuple[str, ...]:
    partition = partition_of(finding.region)
    files = finding.files or ((finding.key,) if finding.key else ())
    return tuple(kept_resource(f"arn:{partition}:s3:::{finding.bucket}/{file}") for file in files[:_MAX_NAMED])


def _named_in(rule: Rule) -> set[str]:
    """The kinds of findings that a rule is about, as its gate has them."""
    return {name.lower() for name in EVENT_NAMES.values()} & set(rule.gate.get("eventName", ()))


def _plain_rule(found: Found) -> Rule:
    name = EVENT_NAMES[found]
    gate = {"eventName": (name.lower(),)}
    return Rule(
        *(found.value, found.value, found.value.replace("-", "_"), f"The Audit Found: {name}", Level.CRITICAL),
        description="No rule is about this kind of finding; docs/audit.md says what it means.",
        detection=["field", "eventName", ["eq", name.lower()]],
        gate=gate,
    )


def finding_id(finding: Finding) -> str:
    """An id like those of events, made from what the finding is about."""
    text = "\n".join(((finding.same_as or finding.found).value, finding.account, finding.region, finding.about))
    digits = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))
