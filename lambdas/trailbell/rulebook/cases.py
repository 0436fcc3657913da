"""A rule's cases: records it must match and records it must not, kept apart from the rule, under the same path.

    rules/kms/aws_kms_key_disabled.yml   →   tests/rules/kms/aws_kms_key_disabled.yml

A case file is a list of maps: `name` (a sentence), `match` (true or false), `record` (what differs from
BASE_RECORD, merged into it; null removes nothing but is written as null), and for a matching case optionally
`undo` and `resources`, as the hit must hold them, and `undone_by`: later records (what differs from an ordinary call to
the same service about the same resources), each with whether it undoes the act. rules/README.md explains the format.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.errors import RuleError
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Hit
from trailbell.hits.undoing import UNDONE, words_for
from trailbell.rulebook.lines import line_of
from trailbell.rulebook.members import CASES
from trailbell.rulebook.misfits import Keys, Misfit, misfits
from trailbell.rulebook.placeholders import Placeholders
from trailbell.rulebook.record_fields import fault_of_field
from trailbell.rulebook.source import load_yaml
from trailbell.rulebook.undone_by import undo_rules


BASE_RECORD: Mapping[str, Any] = {
    "eventVersion": "1.11",
    "userIdentity": {
        "type": "AssumedRole",
        "principalId": "AROAEXAMPLEEXAMPLE123:alice@example.com",
        "arn": "arn:aws:sts::111122223333:assumed-role/Admin/alice@example.com",
        "accountId": "111122223333",
        "accessKeyId": "ASIAEXAMPLEEXAMPLE12",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAEXAMPLEEXAMPLE123",
                "arn": "arn:aws:iam::111122223333:role/Admin",
                "accountId": "111122223333",
                "userName": "Admin",
            },
            "attributes": {"creationDate": "2026-09-01T08:00:00Z", "mfaAuthenticated": "false"},
        },
    },
    "eventTime": "2026-09-01T09:14:07Z",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "198.51.100.23",
    "userAgent": "aws-cli/2.31.0",
    "requestParameters": None,
    "responseElements": None,
    "requestID": "22222222-0000-4000-8000-000000000042",
    "eventID": "11111111-0000-4000-8000-000000000042",
    "readOnly": False,
    "eventType": "AwsApiCall",
    "managementEvent": True,
    "recipientAccountId": "111122223333",
    "eventCategory": "Management",
}

# What a later record of a case has in common with the act's, and what it never has.
_SHARED = ("eventSource", "awsRegion", "recipientAccountId", "resources")
_LATER: Mapping[str, Any] = {
    "eventName": "",
    "eventTime": "2026-09-01T09:26:40Z",
    "requestID": "22222222-0000-4000-8000-000000000043",
    "eventID": "11111111-0000-4000-8000-000000000043",
}

_SEEN_AT = "2026-09-01T09:18:57Z"

CASE_SETTINGS: Placeholders = {
    "trusted_accounts": (),
    "trail_buckets": ("example-trail-logs",),
    "trail_keys": ("arn:aws:kms:us-east-1:111122223333:key/7a11a11a-0000-4000-8000-000000000001",),
    "home_regions": ("us-east-1", "eu-central-1"),
    "automation_roles": (),
    "own_resources": ("trailbell",),
    "trails": ("main",),
    "trail_prefixes": ("",),
    "deployer_roles": ("arn:*:iam::*:role/cdk-*",),
}
"""The settings that cases are written for."""


@dataclass(frozen=True, slots=True)
class Later:
    """A record after that of a case, and the word for what becomes of the act; "" if it has nothing to do with it."""

    name: str
    record: Mapping[str, Any]
    word: str


@dataclass(frozen=True, slots=True)
class Case:
    """One case of one rule; `undo` and `resources` are None where the case does not ask for them.

    index: its position in the file, from 0.
    """

    path: Path
    name: str
    match: bool
    record: Mapping[str, Any]
    undo: list[str] | None
    resources: list[str] | None
    index: int = 0
    undone_by: tuple[Later, ...] = ()

    @property
    def line(self) -> int:
        """The line of the file in which it begins."""
        return line_of(self.path, 1, (self.index,))


def case_file(rule_path: Path, rules: Path, cases: Path) -> Path:
    """Where the cases of a rule stand: the same path below another folder."""
    return cases / rule_path.relative_to(rules)


def load_cases(path: Path) -> list[Case]:
    """Read a case file. Raises RuleError when it is missing, empty, or a case has not the members it needs."""
    if not path.is_file():
        raise RuleError(f"{path}: missing; a rule needs cases that match and cases that do not")
    (content, *_) = load_yaml(path) or [None]
    if not isinstance(content, list) or not content:
        raise RuleError(f"{path}: holds no list of cases")
    faults = [
        f"line {line_of(path, 1, one.keys)}: {one.problem}"
        for one in (*misfits(CASES, content), *_odd_members(content))
    ]
    if faults:
        raise RuleError(f"{path}: {'; '.join(faults)}")
    return [_case(path, index, entry) for index, entry in enumerate(content)]


def run_case(rule: Rule, case: Case) -> Iterator[str]:
    """Run one rule on one case and yield what is wrong, nothing if the case holds.

    A rule that makes no hits, since only correlations count it, is tried as if it made some.
    """
    detector = HitDetector(Rulebook((replace(rule, counts_only=False), *undo_rules((rule,)))), undoings=True)
    hit = detector.detect_record(case.record, _SEEN_AT)
    if bool(hit) is not case.match:
        expected = "match" if case.match else "not match"
        yield f"{case.path}: {case.name}: {rule.name} should {expected}"
    if hit:
        yield from _differences(hit, case)
        yield from (f"{case.path}: {case.name}: {fault}" for fault in _faults_of_later(detector, hit, case))


def _differences(hit: Hit, case: Case) -> Iterator[str]:
    for what, expected, got in (("undo", case.undo, hit.undo), ("resources", case.resources, hit.resources)):
        if expected is not None and list(got) != expected:
            yield f"{case.path}: {case.name}: {what} is {list(got)}, not {expected}"


def _faults_of_later(detector: HitDetector, hit: Hit, case: Case) -> Iterator[str]:
    for number, later in enumerate(case.undone_by, 1):
        undoing = detector.undoing_in_record(later.record, _SEEN_AT)
        words = words_for(hit.undo_links, undoing) if undoing else set()
        expected = {later.word} if later.word else set()
        if words != expected:
            shown = later.name or f"number {number}, {later.record['eventName']}"
            made = " and ".join(sorted(words)) or "left alone"
            yield f"undone_by, {shown}: the act is {made}, not {later.word or 'to be left alone by it'}"


def fault_of_member(name: str) -> str:
    """Why no record of a case has a member of that name, "" if one may."""
    return fault_of_field(name) if name != "facts" else "facts are derived, not recorded"


def _odd_members(content: list[Any]) -> Iterator[Misfit]:
    """Members that no record has, in records that are maps."""
    for index, entry in enumerate(content):
        if isinstance(entry, dict):
            yield from _odd_members_of(entry.get("record"), (index, "record"))
            later = entry.get("undone_by")
            for at, one in enumerate(later if isinstance(later, list) else ()):
                yield from _odd_members_of(
                    one.get("record") if isinstance(one, dict) else None, (index, "undone_by", at, "record")
                )
            if later and entry.get("match") is False:
                yield Misfit((index, "undone_by"), "undone_by is for cases that match")


def _odd_members_of(record: Any, keys: Keys) -> Iterator[Misfit]:
    for name in record if isinstance(record, dict) else ():
        if fault := fault_of_member(str(name)):
            yield Misfit((*keys, name), fault)


def _case(path: Path, index: int, entry: dict[str, Any]) -> Case:
    record = merged(BASE_RECORD, entry["record"])
    later = tuple(_later(one, record) for one in entry.get("undone_by", []))
    return Case(
        path, str(entry["name"]), entry["match"], record, entry.get("undo"), entry.get("resources"), index, later
    )


def _later(entry: dict[str, Any], act: Mapping[str, Any]) -> Later:
    shared = {name: act[name] for name in _SHARED if name in act}
    record = merged({**BASE_RECORD, **_LATER, **shared}, entry["record"])
    undone = entry["undone"]
    return Later(str(entry.get("name", "")), record, undone if isinstance(undone, str) else UNDONE if undone else "")


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it, objects merged member by member, everything else replaced."""
    result = dict(base)
    for name, value in changes.items():
        old = result.get(name)
        result[name] = merged(old, value) if isinstance(value, dict) and isinstance(old, Mapping) else value
    return result
