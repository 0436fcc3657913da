"""What an audit finds is a hit with an identity of its own: no record says it, but digests and what is missing do.

It goes the way of every hit: into the table, to the notifier, to everybody who is notified of critical hits. What it is
about is its identity, so that the same finding, found again, notifies nobody again.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from trailbell.cloudtrail.partition import partition_of
from trailbell.facts.actor import Actor
from trailbell.hits.hit import ACT, FINDING, Hit, Place, kept_resource


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


@dataclass(frozen=True, slots=True)
class _Text:
    """What a finding of one kind says, whoever it is about."""

    rule_id: str
    title: str
    short: str
    meaning: str
    check: tuple[str, ...]


_LOST = "Look for DeleteObject, PutObject and PutBucketLifecycle by anybody on the trail bucket."
_SWITCHED = "Look for StopLogging, UpdateTrail and DeleteTrail by anybody at that time, and why."
_VERIFY = "Verify the bucket from another account: trailbell audit s3://BUCKET."
_TEXTS = {
    Found.DIGEST_FORGED: _Text(
        "0a5c1f5e-5d1e-4b57-9a52-6a1d6c0f7e01",
        "CloudTrail Digest Is Not What CloudTrail Signed",
        "Digest Forged",
        "A digest file, the signed list of the log files of an hour, is not signed by CloudTrail, or is no digest. "
        "Somebody wrote it. What it lists proves nothing.",
        (_VERIFY, _LOST),
    ),
    Found.DIGEST_ALTERED: _Text(
        "0a5c1f5e-5d1e-4b57-9a52-6a1d6c0f7e02",
        "CloudTrail Digest Was Replaced",
        "Digest Replaced",
        "A digest file is not the one that the next one names, or something was added behind its end. The list of the "
        "log files of an hour was exchanged.",
        (_VERIFY, _LOST),
    ),
    Found.DIGEST_DELETED: _Text(
        "0a5c1f5e-5d1e-4b57-9a52-6a1d6c0f7e03",
        "CloudTrail Digest Was Deleted",
        "Digest Deleted",
        "A digest file that CloudTrail delivered is gone. Nothing says any more which log files it listed, so others "
        "may be gone with it.",
        (_LOST, _VERIFY),
    ),
    Found.DIGEST_OVERDUE: _Text(
        "0a5c1f5e-5d1e-4b57-9a52-6a1d6c0f7e04",
        "No CloudTrail Digest From an Account and Region",
        "Digest Overdue",
        "CloudTrail writes a digest every hour, also when nothing happened. From this account and Region there was one "
        "every hour, and now there is none: logging or validation was switched off, CloudTrail may no longer write, or "
        "its notifications do not arrive.",
        (
            "aws cloudtrail get-trail-status says whether it is logging, and in LatestDigestDeliveryError why not.",
            _SWITCHED,
        ),
    ),
    Found.CHAIN_RESTARTED: _Text(
        "0a5c1f5e-5d1e-4b57-9a52-6a1d6c0f7e05",
        "CloudTrail Logging or Validation Was Off",
        "Trail Was Off",
        "The chain of digest files begins anew: logging or log file validation was switched off, and on again. Nothing "
        "is proven of the time in between, and what happened then may not have been recorded.",
        (_SWITCHED,),
    ),
    Found.RESTART_UNEXPLAINED: _Text(
        "0a5c1f5e-5d1e-4b57-9a52-6a1d6c0f7e0b",
        "CloudTrail Logging Was Off and No Record Says Who Did It",
        "Trail Off, Unexplained",
        "The chain of digest files begins anew, and no StopLogging, DeleteTrail or UpdateTrail that was read explains "
        "it. Either the log file with that record was removed before it was read, or logging was never off, and the "
        "last digests before the gap were deleted together with what they listed.",
        (
            "Look for StopLogging, UpdateTrail and DeleteTrail in Event history, in the trail's home Region and the "
            "account that owns it: it needs no trail.",
            _LOST,
            _VERIFY,
        ),
    ),
    Found.LOG_MISSING: _Text(
        "0a5c1f5e-5d1e-4b57-9a52-6a1d6c0f7e06",
        "CloudTrail Log Files Were Never Read",
        "Log Files Missing",
        "CloudTrail delivered log files that were not read, also not when they were asked for again: nobody was "
        "notified of what they hold.",
        ("Are they still in the bucket? If so, see the dead letters: trailbell dlq.", _LOST),
    ),
    Found.LOG_ALTERED: _Text(
        "0a5c1f5e-5d1e-4b57-9a52-6a1d6c0f7e07",
        "CloudTrail Log File Was Altered",
        "Log File Altered",
        "What was read of a log file is not what CloudTrail delivered: it was replaced before it was read. Alerts were "
        "based on records that CloudTrail did not write, or are missing.",
        (_LOST, _VERIFY),
    ),
    Found.LOG_UNLISTED: _Text(
        "0a5c1f5e-5d1e-4b57-9a52-6a1d6c0f7e0a",
        "CloudTrail Log Files Are in No Digest",
        "Log Files Not Listed",
        "Log files were read that lie where CloudTrail writes, and that none of its digests lists, two days later "
        "either, though all digests of their time are proven. Somebody may have written them, so alerts may be based "
        "on records that CloudTrail never wrote. A second trail without log file validation that writes to the same "
        "bucket looks the same.",
        (
            "Has another trail that writes to this bucket no log file validation? It costs nothing: switch it on.",
            "Look for PutObject on the trail bucket by anybody but CloudTrail.",
            _VERIFY,
        ),
    ),
    Found.AUDIT_BEHIND: _Text(
        "0a5c1f5e-5d1e-4b57-9a52-6a1d6c0f7e08",
        "The Audit of CloudTrail's Log Files Is Behind",
        "Audit Behind",
        "Digest files wait in the audit's queue and for three hours none was audited, of any account. Until it has "
        "caught up, nobody is told of an account that fell silent.",
        (
            "The audit's log and its alarms say why: trailbell doctor, trailbell dlq.",
            "Look for UpdateFunctionConfiguration and UpdateEventSourceMapping by anybody on the audit's function.",
        ),
    ),
    Found.LOGS_SILENT: _Text(
        "0a5c1f5e-5d1e-4b57-9a52-6a1d6c0f7e09",
        "No CloudTrail Log Files From an Account and Region",
        "Region Silent",
        "This account and Region delivered log files day by day, and is now quiet for more than three times as long "
        "as it ever was in the five weeks before, while others deliver. Its trail may be off, may not be allowed to "
        "write, or its notifications do not arrive; or nobody works there any more.",
        (
            "aws cloudtrail get-trail-status says whether it is logging, and in LatestDeliveryError why not.",
            _SWITCHED,
            "Look at Event history in that account and Region: it needs no trail. Are there events of that time?",
        ),
    ),
}
_ACTOR = Actor(
    kind="service", text="nobody known: the audit of log files found this", key="trailbell-audit", name="the audit"
)
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


def finding_hit(finding: Finding, seen_at: str) -> Hit:
    """The hit of a finding."""
    said = _TEXTS[finding.found]
    partition = partition_of(finding.region)
    files = finding.files or ((finding.key,) if finding.key else ())
    resources = tuple(kept_resource(f"arn:{partition}:s3:::{finding.bucket}/{file}") for file in files[:_MAX_NAMED])
    more = (("more files", str(len(files) - _MAX_NAMED)),) if len(files) > _MAX_NAMED else ()
    return Hit(
        account=finding.account,
        event_id=_event_id(finding),
        rule_id=said.rule_id,
        rule=finding.found.value.replace("-", "_"),
        name=finding.found.value,
        title=said.title,
        short_title=said.short,
        level="critical",
        event_time=finding.event_time,
        event_source="cloudtrail.amazonaws.com",
        event_name=said.short.replace(" ", ""),
        event_type=FINDING,
        region=finding.region,
        partition=partition,
        outcome="success",
        actor=_ACTOR,
        resources=resources,
        place=Place(finding.bucket, finding.key, 0),
        seen_at=seen_at,
        meaning=said.meaning,
        check=said.check,
        shown=(*finding.details, *more),
        kept_as=ACT,
    )


def _event_id(finding: Finding) -> str:
    """An id like those of events, made from what the finding is about."""
    text = "\n".join(((finding.same_as or finding.found).value, finding.account, finding.region, finding.about))
    digits = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))
