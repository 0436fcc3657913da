"""Every rule whose requests say something shows it, and every undo step is a command that exists."""

import re
import shlex

import botocore.session
import pytest
from botocore import xform_name

from tests.golden.alerts import SEEN_AT, all_rules
from tests.shipped import shipped_cases
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Hit


NOTHING_TO_SHOW = {
    **dict.fromkeys(
        ("kms-key-disabled", "kms-rotation-disabled", "kms-key-deleted", "kms-imported-material-expired"),
        "the request names the key and nothing else",
    ),
    **dict.fromkeys(
        ("trail-deleted", "trail-logging-stopped", "trail-event-data-store-deleted", "trail-event-data-store-stopped"),
        "the request names the trail or the store and nothing else",
    ),
    **dict.fromkeys(
        ("ssm-incidents-deleted", "ssm-node-deregistered", "ssm-oncall-rota-deleted", "ssm-quicksetup-deleted"),
        "the request names what is deleted and nothing else",
    ),
    "identity-denied-on-destructive": "CloudTrail records no request of a denied call",
    "watched-operation-unknown": "nobody knows yet what the operation takes",
}
RULE_LIST = [rule for rule, _ in all_rules().values()]
# The AWS CLI's own: options of every command, services by another name, and flags that botocore has as one member.
GENERAL, SERVICES, FLAGS = {"region", "output", "query"}, {"s3api": "s3"}, {"no-", "never-expires"}


@pytest.mark.parametrize("rule", RULE_LIST, ids=lambda rule: rule.name)
def test_rule_shows_what_was_asked_for(rule: Rule) -> None:
    """Who reads the mail should not have to open the record to learn which account a policy names."""
    if rule.name.startswith("audit-"):
        return  # what a finding shows is its own (hits/audit_finding.py)
    assert bool(rule.shows) != (rule.name in NOTHING_TO_SHOW), "declare `shows`, or say here why there is nothing"


def test_list_of_exceptions_is_short_and_current() -> None:
    """It is for requests that say nothing, and each is a rule."""
    assert set(NOTHING_TO_SHOW) <= {rule.name for rule in RULE_LIST}
    assert len(NOTHING_TO_SHOW) < 16


@pytest.mark.parametrize("rule", [rule for rule in RULE_LIST if rule.shows], ids=lambda rule: rule.name)
def test_rule_shows_something_of_one_of_its_cases(rule: Rule) -> None:
    """A path that no record has is a row that nobody ever sees."""
    hits = _hits(rule)

    assert any(hit.shown for hit in hits) or rule.name in UNSEEN


UNSEEN = {
    "kms-dry-run-probe": "the cases' dry runs of CreateGrant have no request",
    "identity-assumed-root-write": "no case schedules a deletion",
    "identity-no-mfa-user-write": "no case schedules a deletion with a window",
    "identity-root-write": "no case schedules a deletion with a window",
    "ssm-document-deleted": "no case deletes one version",
    "ssm-oncall-silenced": "no case stops an engagement with a reason",
    "ssm-oncall-redirected": "no case gives the channel another name",
    "trail-feed-deployed": "the cases' requests hold the bucket alone",
}


def _hits(rule: Rule) -> list[Hit]:
    cases = [case for case in shipped_cases(rule.stem) if case.match]
    hits = [HitDetector(Rulebook((rule,))).detect_record(case.record, SEEN_AT) for case in cases]
    return [hit for hit in hits if hit]


@pytest.mark.parametrize("rule", [rule for rule in RULE_LIST if rule.undo.steps], ids=lambda rule: rule.name)
def test_every_step_is_a_command_with_options_that_exist(rule: Rule) -> None:
    """`Unknown options` is no undo."""
    session = botocore.session.get_session()
    for step in rule.undo.steps:
        words = shlex.split(re.sub(r"\{[^{}]*\}", "value", step) if "'" not in step else step)
        if words[0] != "aws":
            continue
        model = session.get_service_model(SERVICES.get(words[1], words[1]))
        operations = {xform_name(name, "-"): name for name in model.operation_names}
        assert words[2] in operations, step
        shape = model.operation_model(operations[words[2]]).input_shape
        known = {xform_name(name, "-") for name in shape.members} | GENERAL if shape else GENERAL
        options = {word.removeprefix("--") for word in words if word.startswith("--")}
        assert {one for one in options if one.removeprefix("no-") not in known and one not in FLAGS} == set(), step


@pytest.mark.parametrize("rule", [rule for rule in RULE_LIST if rule.check], ids=lambda rule: rule.name)
def test_first_check_does_not_ask_what_the_record_answers(rule: Rule) -> None:
    """What the record says stands in the mail; the first minute is for what it does not say."""
    asks = re.search(
        r"requestParameters|responseElements|See the|in the request|in (?:accountIdsToAdd|iamRole)", rule.check[0]
    )

    assert asks is None, rule.check[0]
