"""Every shipped correlation has cases that notice a change of any part: threshold, window, group, order, rules."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.shipped import shipped
from trailbell.cloudtrail.record import GATE_FIELDS, MEMBERS
from trailbell.engine.correlation import Correlation, CorrelationType, silenced
from trailbell.engine.matcher import Matcher
from trailbell.engine.prefilter.partial_eval import PartialEvaluation
from trailbell.engine.prefilter.prefilter import Prefilter
from trailbell.engine.rulebook import Level, Rulebook
from trailbell.facts.facts import derived_fields
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.cases import BASE_RECORD, CASE_SETTINGS, case_file, merged
from trailbell.rulebook.correlation_cases import CorrelationCase, load_correlation_cases, run_correlation_case


ROOT = Path(__file__).resolve().parents[2]
RULES, CASES = ROOT / "rules", ROOT / "tests" / "rules"
_Value = TypeVar("_Value")
FOUND = shipped()
PATHS = {correlation.rule.stem: document.path for document, correlation in FOUND.linked}
MATCHER = Matcher(FOUND.rules, GATE_FIELDS)
"""Of all mutants: their rules are the same."""


def rulebook(instead: Correlation) -> Rulebook:
    """All rules and correlations, one of these changed, without those that count it."""
    others = (one for one in FOUND.correlations if instead.correlation_id not in (one.correlation_id, *one.rules))
    return make_rulebook(FOUND.rules, CASE_SETTINGS, (*others, instead))


def cases(correlation: Correlation) -> list[CorrelationCase]:
    return _cases(correlation.rule.stem)


@cache
def _cases(stem: str) -> list[CorrelationCase]:
    return load_correlation_cases(case_file(PATHS[stem], RULES, CASES))


def faults(correlation: Correlation, *, of_those_without_episodes: bool = False) -> list[str]:
    book = rulebook(correlation)
    tried = [case for case in cases(correlation) if not (of_those_without_episodes and case.episodes)]
    return [fault for case in tried for fault in run_correlation_case(book, correlation, case, MATCHER)]


def mutants(one: Correlation) -> Iterator[tuple[str, Correlation]]:
    """The correlation with one thing changed, and what."""
    counts = one.kind in (CorrelationType.EVENT_COUNT, CorrelationType.VALUE_COUNT)
    if counts or one.threshold < len(one.rules):
        yield "a higher threshold", replace(one, threshold=one.threshold + 1)
    if one.threshold > 1:
        yield "a lower threshold", replace(one, threshold=one.threshold - 1)
    yield "a longer window", replace(one, timespan_seconds=one.timespan_seconds + 1)
    yield "a shorter window", replace(one, timespan_seconds=one.timespan_seconds - 1)
    if one.kind is CorrelationType.VALUE_COUNT:
        yield "events counted, not values", replace(one, kind=CorrelationType.EVENT_COUNT)
    if one.kind is CorrelationType.TEMPORAL_ORDERED:
        yield "any order", replace(one, kind=CorrelationType.TEMPORAL)
        yield "the other order", _reordered(one)
    if one.kind is CorrelationType.TEMPORAL:
        yield "this order alone", replace(one, kind=CorrelationType.TEMPORAL_ORDERED)
        yield "events counted, not rules", replace(one, kind=CorrelationType.EVENT_COUNT)
    for at, rule_id in enumerate(one.rules if len(one.rules) > 1 else ()):
        groups, values = _without(one.group_paths, at), _without(one.value_paths, at)
        mutant = replace(one, rules=_without(one.rules, at), group_paths=groups, value_paths=values)
        yield f"nothing counted of {rule_id}", mutant


def wider_groups(one: Correlation) -> Iterator[tuple[str, Correlation]]:
    """The correlation without one of the values that its events must share, and which."""
    for at, name in enumerate(one.group_by):
        paths = tuple(_without(paths, at) for paths in one.group_paths)
        yield name, replace(one, group_by=_without(one.group_by, at), group_paths=paths)


def _without(values: tuple[_Value, ...], at: int) -> tuple[_Value, ...]:
    return values[:at] + values[at + 1 :]


def _reordered(one: Correlation) -> Correlation:
    return replace(one, rules=one.rules[::-1], group_paths=one.group_paths[::-1], value_paths=one.value_paths[::-1])


@pytest.mark.parametrize("correlation", FOUND.correlations, ids=lambda one: one.rule.name)
def test_correlation_holds_its_cases(correlation: Correlation) -> None:
    """A correlation is not done without a case that comes true and cases that nearly do."""
    found = cases(correlation)

    assert faults(correlation) == []
    assert {bool(case.episodes) for case in found} == {True, False}
    assert len({case.name for case in found}) == len(found)


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(mutant, id=f"{one.rule.name}: {what}")
        for one in FOUND.correlations
        for what, mutant in mutants(one)
    ],
)
def test_cases_notice_a_change(mutant: Correlation) -> None:
    """One just below the threshold, one at both ends of the window, one just outside, one in another order."""
    assert faults(mutant) != []


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(mutant, id=f"{one.rule.name}: {name}")
        for one in FOUND.correlations
        for name, mutant in wider_groups(one)
    ],
)
def test_cases_hold_events_of_other_groups(mutant: Correlation) -> None:
    """What other actors and accounts do must not add up: there is a case that comes true only if it does."""
    assert faults(mutant, of_those_without_episodes=True) != []


@pytest.mark.parametrize("correlation", FOUND.correlations, ids=lambda one: one.rule.name)
def test_file_says_why_this_window_and_threshold(correlation: Correlation) -> None:
    """A number without a reason can be neither defended nor changed."""
    lines = PATHS[correlation.rule.stem].read_text(encoding="utf-8").splitlines()
    body = lines[lines.index("correlation:") :]
    reasons = [at for at, line in enumerate(body) if line.lstrip().startswith("#")]
    timespan = next(at for at, line in enumerate(body) if line.lstrip().startswith("timespan:"))

    assert any(at < timespan + 3 for at in reasons)


def test_what_reports_alone_still_does() -> None:
    """Whoever writes a correlation must not switch off a rule that pages somebody."""
    silent = silenced(FOUND.rules, FOUND.correlations)
    levels = {rule.name: rule.level for rule in FOUND.rules if rule.rule_id in silent}

    assert levels
    assert set(levels.values()) == {Level.INFORMATIONAL}


def everyday(source: str, name: str, **members: Any) -> dict[str, Any]:
    return merged({**BASE_RECORD, "eventSource": source, "eventName": name, "readOnly": True}, members)


STORE = {"invokedBy": "secretsmanager.amazonaws.com"}
INSTANCE = {
    "arn": "arn:aws:sts::111122223333:assumed-role/web/i-0123456789abcdef0",
    "sessionContext": {"ec2RoleDelivery": "2.0"},
}


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(everyday("kms.amazonaws.com", "Decrypt", userIdentity=STORE), id="a store decrypts"),
        pytest.param(everyday("kms.amazonaws.com", "GenerateDataKey", userIdentity=STORE), id="a store encrypts"),
        pytest.param(everyday("kms.amazonaws.com", "DescribeKey"), id="a key is described"),
        pytest.param(everyday("ssm.amazonaws.com", "GetParameter", userIdentity=INSTANCE), id="an instance starts"),
        pytest.param(everyday("ssm.amazonaws.com", "UpdateInstanceInformation", readOnly=False), id="an agent reports"),
        pytest.param(everyday("s3.amazonaws.com", "GetObject", errorCode="AccessDenied"), id="another service"),
    ],
)
def test_the_commonest_calls_are_not_read_whole_for_correlations(record: dict[str, Any]) -> None:
    """They are most of what there is: a rule that only correlations count must dismiss them at first sight."""
    counted = [rule for rule in FOUND.rules if rule.counts_only]
    derived = derived_fields(frozenset())
    evaluation = PartialEvaluation((*GATE_FIELDS, "readOnly", "errorCode"), derived)
    prefilter = Prefilter(Matcher(counted, GATE_FIELDS, dotted_root=False), derived, evaluation, MEMBERS)

    block = prefilter.read(json.dumps([record], separators=(",", ":")).encode())

    assert block
    assert [(text, [one.rule.name for one in rules]) for _, text, rules in block.to_parse] == []
