"""No rule can be walked around by having a service make the call, and none fires on what a service does by itself."""

import copy
from typing import Any

import pytest

from tests.rules.rule_hits import matching_records
from trailbell.engine.condition import conjuncts
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.hits.detect import HitDetector


SEEN_AT = "2026-09-01T10:00:00Z"
SERVICES = ("states", "scheduler", "events", "apigateway", "ssm", "config", "codepipeline", "fis", "lambda", "appsync")
LINKED = {
    "type": "AssumedRole",
    "arn": "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForConfig/config",
    "accountId": "111122223333",
    "sessionContext": {
        "sessionIssuer": {
            "arn": "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
            "userName": "AWSServiceRoleForConfig",
        }
    },
}


def of_callers() -> list[tuple[Rule, dict[str, Any]]]:
    """Rules that ask for a direct call, each with a record of its cases that has a caller."""
    return [
        (rule, record)
        for rule, record in matching_records()
        if ["field", "facts.direct", ["eq", "true"]] in map(list, conjuncts(rule.detection))
        and (record.get("userIdentity") or {}).get("type")
    ]


@pytest.mark.parametrize(("rule", "record"), of_callers(), ids=lambda one: one.name if isinstance(one, Rule) else "")
def test_a_service_with_the_customers_role_is_no_way_around_a_rule(rule: Rule, record: dict[str, Any]) -> None:
    """One state machine hid eighteen rules."""
    hit_detector = HitDetector(Rulebook((rule,)))
    for service in SERVICES:
        through = copy.deepcopy(record)
        through["userIdentity"]["invokedBy"] = f"{service}.amazonaws.com"
        assert hit_detector.detect_record(through, SEEN_AT), service


@pytest.mark.parametrize(("rule", "record"), of_callers(), ids=lambda one: one.name if isinstance(one, Rule) else "")
def test_a_service_linked_role_is_the_service_itself(rule: Rule, record: dict[str, Any]) -> None:
    """What AWS tidies up is not anybody's act."""
    assert not HitDetector(Rulebook((rule,))).detect_record({**record, "userIdentity": LINKED}, SEEN_AT)
