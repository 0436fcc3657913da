"""What `explain` says of whole records is what the detector makes of them, for every shipped rule and case."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from tests.shipped import rule_paths, shipped, shipped_cases
from tests.unit.conftest import RULE
from trailbell.engine.rulebook import Level, Rule, Rulebook, RuleException
from trailbell.hits.detect import HitDetector
from trailbell.hits.explained import Explained, Explainer, Standing
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.canary import canary_rule
from trailbell.rulebook.cases import BASE_RECORD, CASE_SETTINGS, merged
from trailbell.rulebook.undone_by import undo_rules


SEEN = "2026-09-01T09:18:57Z"
RECORD: dict[str, Any] = merged(BASE_RECORD, {"eventSource": "kms.amazonaws.com", "eventName": "DisableKey"})
MUTE = RuleException("nightly", "ops", "Planned.", "2026-12-31", ["not", ["field", "userAgent", ["contains", "cli"]]])


@cache
def whole_rulebook() -> Rulebook:
    rules = shipped().rules
    return make_rulebook((*rules, canary_rule(), *undo_rules(rules)), CASE_SETTINGS, shipped().correlations)


@cache
def explainer() -> Explainer:
    return Explainer(whole_rulebook(), SEEN)


def records() -> Iterator[dict[str, Any]]:
    for stem in rule_paths():
        for case in shipped_cases(stem):
            yield dict(case.record)


def explained(record: dict[str, Any], *rules: Rule, now: str = SEEN) -> Explained:
    return Explainer(Rulebook(rules), now).explain(record)


@pytest.mark.slow
def test_every_shipped_case_is_explained_as_it_is_detected() -> None:
    """Over a thousand records: the verdict on each rule, and which of them reports it, are the detector's own."""
    detector, seen = HitDetector(whole_rulebook()), 0
    for record in records():
        found = explainer().explain(record, nearest=0)
        hit = detector.detect_record(record, SEEN)
        speaking = [one.rule.rule_id for one in found.rules if one.standing in (Standing.PRIMARY, Standing.CANARY)]
        also = {one.rule.name for one in found.rules if one.standing is Standing.ALSO}

        assert found.hit == hit
        assert speaking == ([hit.rule_id] if hit else [])
        assert also == (set(hit.also) if hit else set())
        assert all(one.matches and not one.gate for one in found.rules)
        seen += 1
    assert seen > 500


@pytest.mark.slow
def test_rule_of_a_case_that_does_not_match_is_explained_by_what_stands_against_it() -> None:
    """Each negative case of a rule names at least one part of its condition, or the gate."""
    by_stem = {rule.stem: rule for rule in shipped().rules}
    explained_cases = 0
    for stem in rule_paths():
        for case in (case for case in shipped_cases(stem) if not case.match):
            (one,) = explainer().explain(case.record, [by_stem[stem].rule_id]).rules
            if one.matches:  # of a file with several rules another one is meant
                continue
            assert one.condition.obstacles
            assert one.condition.short_by == len(one.condition.obstacles)
            explained_cases += 1
    assert explained_cases > 200


def test_nearest_rule_comes_first() -> None:
    """Who asks why nothing fired is shown the rule that is one condition short, not two hundred others."""
    about_key = replace(RULE, detection=["and", [RULE.detection, ["field", "errorCode", ["exists", True]]]])
    other_call = replace(
        RULE, rule_id="b", name="b", gate={"eventName": ("enablekey",)}, detection=["field", "x", ["any"]]
    )

    found = explained(RECORD, other_call, about_key)

    assert [one.rule.name for one in found.rules] == ["kms-key-disabled"]
    assert found.rules[0].condition.short_by == 1
    assert found.watched
    assert found.hit is None


def test_gate_that_keeps_a_rule_out_is_named() -> None:
    """A rule that is not looked at is kept out by the event's source or name."""
    found = Explainer(Rulebook((RULE,)), SEEN).explain({**RECORD, "eventName": "EnableKey"}, [RULE.rule_id])

    ((fault,),) = (one.gate for one in found.rules)
    assert (fault.field, fault.value, fault.wanted) == ("eventName", "EnableKey", ("disablekey",))
    assert not found.watched


@pytest.mark.parametrize(("now", "standing"), [(SEEN, Standing.MUTED), ("2027-01-01T00:00:00Z", Standing.PRIMARY)])
def test_exception_is_named_and_so_is_one_that_has_expired(now: str, standing: Standing) -> None:
    """An exception past its last day is shown, and mutes nothing."""
    found = explained(RECORD, replace(RULE, exceptions=(MUTE,)), now=now)

    (one,) = found.rules
    assert one.standing is standing
    assert [each.mutes for each in one.exceptions] == [standing is Standing.MUTED]
    assert bool(found.hit and found.hit.muted_by) is (standing is Standing.MUTED)


def test_outranked_rule_names_the_one_that_reports() -> None:
    """Two rules match, one mail goes out."""
    weaker = replace(RULE, rule_id="weaker", name="weaker", level=Level.LOW)

    found = explained(RECORD, weaker, RULE)

    assert [(one.standing, one.outranked_by) for one in found.rules] == [
        (Standing.PRIMARY, ""),
        (Standing.ALSO, "kms-key-disabled"),
    ]


def test_record_that_repeats_another_is_said_to() -> None:
    """A network activity event stands beside the call's own record."""
    found = explained({**RECORD, "eventCategory": "NetworkActivity"}, RULE)

    assert [one.standing for one in found.rules] == [Standing.REPEATED]
    assert found.hit is None


def test_canary_is_no_hit() -> None:
    """Its own harmless act comes back each hour."""
    record = merged(
        RECORD,
        {
            "eventSource": "ssm.amazonaws.com",
            "eventName": "DeleteParameter",
            "errorCode": "ParameterNotFound",
            "requestParameters": {"name": "/trailbell/canary/2026-11-29T01/" + "0" * 32},
        },
    )

    found = explained(record, canary_rule())

    assert [one.standing for one in found.rules] == [Standing.CANARY]
    assert found.is_canary


def test_counted_only_rule_is_silent() -> None:
    """What only a correlation counts alerts nobody by itself."""
    found = explained(RECORD, replace(RULE, counts_only=True))

    assert [one.standing for one in found.rules] == [Standing.SILENT]
    assert found.hit is None
