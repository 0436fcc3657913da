"""The level of a hit: the highest of all rules it matches, then who acted, then through what."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.shipped import shipped_rules
from trailbell.cloudtrail.record import make_record
from trailbell.engine.matcher import Match
from trailbell.engine.rulebook import Level, Rule, Rulebook, RuleException
from trailbell.facts.actor import Actor
from trailbell.facts.facts import Facts
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Hit, counted
from trailbell.hits.level import highest, level_of
from trailbell.rulebook.cases import BASE_RECORD, merged


CLOUDFORMATION = "cloudformation.amazonaws.com"
MUTE = RuleException("quiet", "me", "reason", "2099-01-01", [])


@pytest.fixture(scope="module")
def shipped() -> HitDetector:
    return HitDetector(Rulebook(shipped_rules()))


def rule_of(rule: Rule, level: Level, name: str = "kms-a", precedence: int = 0) -> Rule:
    return replace(rule, level=level, name=name, rule_id=name, precedence=precedence)


def facts_of(via: str = "", kind: str = "role", key: str = "arn:aws:iam::1:role/R", role: str = "") -> Facts:
    facts = Facts(make_record({}, 0))
    facts.actor = Actor(kind, "text", key, via=via, role=role)
    return facts


def hit_of(detector: HitDetector, **changes: Any) -> Hit:
    hit = detector.detect_record(merged(BASE_RECORD, changes), "2026-09-01T10:00:00Z")
    assert hit
    return hit


def test_precedence_chooses_the_primary_rule_and_the_highest_level_wins(rule: Rule) -> None:
    """A rule that explains best is not always the one that weighs most."""
    main, other = rule_of(rule, Level.MEDIUM), rule_of(rule, Level.CRITICAL, "kms-b", -1)

    level, note = highest([Match(main), Match(other)], facts_of(), (), "DisableKey")

    assert (level, note) == (Level.CRITICAL, "raised from medium: also matches kms-b (critical)")
    assert highest([Match(other), Match(main)], facts_of(), (), "DisableKey") == (Level.CRITICAL, "")


def test_muted_rules_do_not_raise(rule: Rule) -> None:
    """Somebody has answered for it; only where all are muted do they count."""
    main, other = rule_of(rule, Level.MEDIUM), rule_of(rule, Level.CRITICAL, "kms-b")

    assert counted([Match(other, MUTE), Match(main)]) == [Match(main)]
    assert counted([Match(main, MUTE), Match(other, MUTE)]) == [Match(main, MUTE), Match(other, MUTE)]


def test_automation_lowers_each_rule_but_those_about_the_trail(rule: Rule) -> None:
    """A pipeline that stops the trail is as loud as anybody."""
    main, trail = rule_of(rule, Level.HIGH), rule_of(rule, Level.HIGH, "trail-a")
    roles = ("arn:aws:iam::1:role/R",)

    assert highest([Match(main)], facts_of(), roles, "X") == (Level.MEDIUM, "lowered from high: automation role")
    assert highest([Match(main), Match(trail)], facts_of(), roles, "X") == (Level.HIGH, "")


def test_automation_role_of_persons_is_known_by_the_role(rule: Rule) -> None:
    """A permission set for pipelines is one setting, whoever signs in with it."""
    session = "arn:aws:sts::1:assumed-role/AWSReservedSSO_P_0123456789abcdef/a"
    person = facts_of(key=session, role="arn:aws:iam::1:role/P")

    assert level_of(rule_of(rule, Level.HIGH), person, ("arn:aws:iam::1:role/P",)) is Level.MEDIUM


@pytest.mark.parametrize(
    ("level", "event", "via", "expected"),
    [
        (Level.CRITICAL, "ScheduleKeyDeletion", CLOUDFORMATION, Level.HIGH),
        (Level.HIGH, "ScheduleKeyDeletion", CLOUDFORMATION, Level.HIGH),
        (Level.HIGH, "DeleteAlias", CLOUDFORMATION, Level.MEDIUM),
        (Level.HIGH, "DeleteParameters", "cloudcontrolapi.amazonaws.com", Level.MEDIUM),
        (Level.MEDIUM, "DeregisterTaskFromMaintenanceWindow", "servicecatalog.amazonaws.com", Level.LOW),
        (Level.LOW, "DeleteAssociation", CLOUDFORMATION, Level.LOW),
        (Level.CRITICAL, "PutKeyPolicy", CLOUDFORMATION, Level.CRITICAL),
        (Level.HIGH, "UpdateAlias", CLOUDFORMATION, Level.HIGH),
        (Level.CRITICAL, "ScheduleKeyDeletion", "states.amazonaws.com", Level.CRITICAL),
        (Level.CRITICAL, "ScheduleKeyDeletion", "", Level.CRITICAL),
    ],
)
def test_teardown_of_a_stack_is_routine_and_still_said(
    rule: Rule, level: Level, event: str, via: str, expected: Level
) -> None:
    """A stack that is removed is no critical; a key whose deletion hides in one is still high."""
    assert level_of(rule_of(rule, level), facts_of(via), (), event) is expected


def test_nothing_is_lowered_twice_and_root_never(rule: Rule) -> None:
    """A pipeline's role that removes a stack is one level lower, not two."""
    critical = rule_of(rule, Level.CRITICAL)

    assert level_of(critical, facts_of(CLOUDFORMATION), ("arn:aws:iam::1:role/R",), "DeleteAlias") is Level.HIGH
    assert level_of(critical, facts_of(CLOUDFORMATION, "root"), (), "DeleteAlias") is Level.CRITICAL
    trail = rule_of(rule, Level.CRITICAL, "trail-deleted")
    assert level_of(trail, facts_of(CLOUDFORMATION), (), "DeleteTrail") is Level.CRITICAL


ROOT_USER = {"type": "Root", "arn": "arn:aws:iam::111122223333:root", "sessionContext": None}


def test_root_is_critical_whatever_it_does(shipped: HitDetector) -> None:
    """Root that opened a shell was high, root that made an alias critical."""
    shell = hit_of(
        shipped,
        eventSource="ssm.amazonaws.com",
        eventName="StartSession",
        userIdentity=ROOT_USER,
        requestParameters={"target": "i-0123456789abcdef0"},
    )

    assert (shell.name, shell.level) == ("ssm-session-started", "critical")
    assert "identity-root-write" in shell.also
    assert shell.level_note == "raised from medium: also matches identity-root-write (critical)"


def test_user_without_mfa_who_changes_a_key_policy_is_high(shipped: HitDetector) -> None:
    """It was medium, the level of the rule that speaks."""
    user = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ci", "userName": "ci", "sessionContext": None}
    statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": "*"}]})
    request = {"keyId": "k", "policyName": "default", "policy": policy}

    hit = hit_of(
        shipped,
        eventSource="kms.amazonaws.com",
        eventName="PutKeyPolicy",
        userIdentity=user,
        requestParameters=request,
    )

    assert (hit.name, hit.level) == ("kms-policy-changed", "high")
