"""For each shipped rule a record it matches, and hits of that record however much it is changed."""

import copy
from collections.abc import Iterator
from typing import Any

from tests.shipped import rule_paths, shipped_cases, shipped_rules
from trailbell.cloudtrail.origin import Place
from trailbell.cloudtrail.record import make_record
from trailbell.engine.matcher import Match
from trailbell.engine.rulebook import Rule
from trailbell.facts.facts import facts_of
from trailbell.hits.hit import Hit, make_hit


Path_ = tuple[str | int, ...]

SEEN_AT = "2026-09-01T09:18:57Z"

# Members that any record may have and few of the cases do: they are there to be made hostile.
_EVERY_MEMBER = {
    "errorCode": "AccessDenied",
    "errorMessage": "User is not authorized to perform this on resource: arn:aws:kms:us-east-1:111122223333:key/k",
    "requestID": "0b6b2e3c-7a5d-4a52-a9c0-1a7c3c7d9a10",
    "sharedEventID": "5f3c9d4e-2a1b-4c6d-8e7f-9a0b1c2d3e4f",
    "vpcEndpointId": "vpce-0a1b2c3d",
    "additionalEventData": {"note": "text"},
    "resources": [{"ARN": "arn:aws:kms:us-east-1:111122223333:key/k", "accountId": "111122223333"}],
    "requestParameters": {"name": "name", "documentName": "AWS-RunShellScript", "policy": '{"Statement": []}'},
    "responseElements": {"keyId": "arn:aws:kms:us-east-1:111122223333:key/k"},
}


def matching_records() -> list[tuple[Rule, dict[str, Any]]]:
    """Every shipped rule that makes hits, with the record of its first case that matches."""
    compiled = {rule.stem: rule for rule in shipped_rules() if not rule.counts_only}
    return [
        (compiled[stem], next(copy.deepcopy(dict(case.record)) for case in shipped_cases(stem) if case.match))
        for stem in rule_paths()
        if stem in compiled
    ]


def with_every_member(record: dict[str, Any]) -> dict[str, Any]:
    """The record with the members it lacks."""
    return {**copy.deepcopy(_EVERY_MEMBER), **copy.deepcopy(record)}


def hit_of(rule: Rule, fields: dict[str, Any]) -> Hit:
    """The hit as if the rule matched, so that also what a rule looks at can be changed."""
    record = make_record(fields, 4)
    key = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/x.json.gz"
    return make_hit(record, facts_of(record), [Match(rule)], rule.level, Place("acme-trail", key, 4), SEEN_AT)


def string_places(node: Any, path: Path_ = ()) -> Iterator[Path_]:
    """The path of every string in a record."""
    if isinstance(node, str):
        yield path
    elif isinstance(node, dict):
        for name, value in node.items():
            yield from string_places(value, (*path, name))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from string_places(value, (*path, index))


def value_at(record: Any, path: Path_) -> Any:
    """What stands at a path."""
    for step in path:
        record = record[step]
    return record


def changed(record: Any, path: Path_, value: Any) -> Any:
    """The record with another value at a path; only what leads there is copied."""
    if not path:
        return value
    copied = copy.copy(record)
    copied[path[0]] = changed(record[path[0]], path[1:], value)
    return copied
