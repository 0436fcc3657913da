"""Every `undone_by` of every rule has a case in which it undoes, and one in which it nearly does."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from tests.rules.rule_hits import SEEN_AT
from tests.rules.undo_by_hand import BY_HAND
from tests.shipped import shipped_cases, shipped_rules
from trailbell.cloudtrail.record import make_record
from trailbell.engine.condition import compile_node
from trailbell.engine.rulebook import Level, Rule, UndoneBy
from trailbell.facts.facts import facts_of
from trailbell.hits.detect import HitDetector
from trailbell.hits.undo import is_section
from trailbell.hits.undo_values import parts_of
from trailbell.hits.undoing import UNDONE, words_for
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.cases import CASE_SETTINGS, Case, Later
from trailbell.rulebook.undone_by import undo_rules


COMPILED = {rule.stem: rule for rule in shipped_rules()}
ARN = re.compile(r"(arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:)(?:[a-z0-9-]+[/:])?(.+)")


def cases(rule: Rule) -> tuple[Case, ...]:
    return shipped_cases(rule.stem)


@cache
def whole_rulebook() -> HitDetector:
    rules = tuple(COMPILED.values())
    return HitDetector(make_rulebook((*rules, *undo_rules(rules)), CASE_SETTINGS), undoings=True)


def alone(rule: Rule, entry: UndoneBy) -> HitDetector:
    """The rule with that one of its entries."""
    one = replace(rule, undone_by=(entry,))
    return HitDetector(make_rulebook((one, *undo_rules((one,))), CASE_SETTINGS), undoings=True)


def tried(rule: Rule, entry: UndoneBy, among: Iterable[Case] | None = None) -> Iterator[tuple[Later, bool]]:
    """Later records of cases whose act the entry is about, with whether the entry finds that they undo it."""
    found = alone(rule, entry)
    for case in cases(rule) if among is None else among:
        hit = found.detect_record(case.record, SEEN_AT) if case.undone_by else None
        for later in case.undone_by if hit and hit.undo_links else ():
            assert hit
            undoing = found.undoing_in_record(later.record, SEEN_AT)
            yield later, bool(undoing and words_for(hit.undo_links, undoing))


def of_another_type(record: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """The record, with a dashboard of the same name in the place of each thing that it names: in every ARN, and in what
    these paths name without one.
    """
    parts = {part for path in paths for part in parts_of(path)}
    bare = {part.split(".")[1] for part in parts if is_section(part)}
    if any(part.startswith("resource.") for part in parts):
        bare |= {"keyId", "name", "trailName"}  # of which the facts make ARNs

    def changed(node: Any, name: str) -> Any:
        match node:
            case dict():
                return {member: changed(value, member) for member, value in node.items()}
            case list():
                return [changed(item, name) for item in node]
            case str() if ARN.fullmatch(node):
                return ARN.sub(r"\g<1>dashboard/\g<2>", node)
            case str() | int() if name in bare and not isinstance(node, bool):
                return f"arn:aws:cloudwatch:us-east-1:111122223333:dashboard/{node}"
        return node

    members = ("requestParameters", "responseElements", "additionalEventData", "resources")
    return {**record, **{name: changed(record[name], name) for name in members if name in record}}


def is_asked_for(entry: UndoneBy, record: Mapping[str, Any]) -> bool:
    """Whether a record is what the entry asks of the later call, whatever it names."""
    facts = facts_of(make_record(record, 0))
    return compile_node(entry.detection)((record, {"facts": facts.as_fields()}))


def events_of(node: Any) -> set[str]:
    """The event names that a later record must have."""
    match node:
        case ["field", "eventName", ["eq", name]]:
            return {name}
        case ["field", "eventName", ["in", names]]:
            return set(names)
        case ["and" | "or", parts]:
            return set().union(*map(events_of, parts))
    return set()


ENTRIES = [
    pytest.param(rule, entry, id=f"{rule.name}-{number}")
    for rule in COMPILED.values()
    for number, entry in enumerate(rule.undone_by, 1)
]


@pytest.mark.parametrize(("rule", "entry"), ENTRIES)
def test_entry_has_a_case_and_a_near_miss(rule: Rule, entry: UndoneBy) -> None:
    """A follow-up that is not true is worse than none; one that never comes is no better."""
    found = list(tried(rule, entry))
    names = events_of(entry.detection)
    undone = {later.record["eventName"].lower() for later, undoes in found if undoes and later.word == entry.word}
    missed = [later for later, undoes in found if not undoes and later.record["eventName"].lower() in names]

    assert undone == names
    assert [later for later in missed if not later.word]


@pytest.mark.parametrize(("rule", "entry"), ENTRIES)
def test_thing_of_another_type_with_the_same_name_is_another_thing(rule: Rule, entry: UndoneBy) -> None:
    """An event data store is not back because a dashboard of its name is."""
    if all(part == "region" for path in entry.undo for part in parts_of(path)):
        pytest.skip("a setting of a Region, which has no name")
    found = alone(rule, entry)
    tries = 0
    for case in cases(rule):
        hit = found.detect_record(case.record, SEEN_AT)
        for later, undoes in tried(rule, entry, [case]):
            if not undoes:
                continue
            assert hit
            other = of_another_type(later.record, entry.undo)
            undoing = found.undoing_in_record(other, SEEN_AT)
            assert other != later.record
            assert is_asked_for(entry, other)
            assert not (undoing and words_for(hit.undo_links, undoing)), f"{case.name}: {later.record['eventName']}"
            tries += 1

    assert tries


def in_the_other_spelling(record: Mapping[str, Any], paths: Iterable[str], resource_type: str) -> dict[str, Any]:
    """The record, with ARN for name and name for ARN in what the first part of these paths names."""
    named = {parts_of(path)[0].rpartition(".")[2] for path in paths}
    service, kind = resource_type.split(":")

    def changed(name: str, value: Any) -> Any:
        if name not in named or not isinstance(value, str):
            return value
        found = re.fullmatch(rf"arn:aws:{service}:us-east-1:111122223333:{kind}/(.+)", value)
        return found[1] if found else f"arn:aws:{service}:us-east-1:111122223333:{kind}/{value.lstrip('/')}"

    request = {name: changed(name, value) for name, value in record["requestParameters"].items()}
    return {**record, "requestParameters": request}


TYPED = [
    pytest.param(rule, entry, id=f"{rule.name}-{number}")
    for rule in COMPILED.values()
    for number, entry in enumerate(rule.undone_by, 1)
    if entry.resource_type
]


@pytest.mark.parametrize(("rule", "entry"), TYPED)
def test_thing_is_the_same_in_either_spelling(rule: Rule, entry: UndoneBy) -> None:
    """Where a type is given, a call may take a name as well as an ARN."""
    found = alone(rule, entry)
    tries = 0
    for case in cases(rule):
        hit = found.detect_record(case.record, SEEN_AT)
        for later, undoes in tried(rule, entry, [case]):
            if undoes:
                other = in_the_other_spelling(later.record, entry.undo, entry.resource_type)
                undoing = found.undoing_in_record(other, SEEN_AT)
                assert hit
                assert other != later.record
                assert undoing
                assert words_for(hit.undo_links, undoing) == {entry.word}
                tries += 1

    assert tries


@pytest.mark.parametrize("rule", COMPILED.values(), ids=lambda rule: rule.name)
def test_rule_says_what_undoes_it_or_why_not(rule: Rule) -> None:
    """A rule that offers commands and never notices that they were run would keep its hit open for ever."""
    by_hand = bool(rule.undo.steps and not rule.undone_by)

    assert by_hand is (rule.name in BY_HAND)


def test_by_hand_names_rules_that_are_there() -> None:
    """A reason for a rule that was renamed explains nothing."""
    assert BY_HAND.keys() <= {rule.name for rule in COMPILED.values()}


LATER = [
    pytest.param(case, later, id=f"{rule.name}: {case.name}: {number}")
    for rule in COMPILED.values()
    for case in cases(rule)
    for number, later in enumerate(case.undone_by, 1)
]


@pytest.mark.parametrize(("case", "later"), LATER)
def test_no_other_rule_says_that_an_act_is_undone(case: Case, later: Later) -> None:
    """One rule's undo may leave what another rule reports of the same act: then the act is not undone."""
    whole = whole_rulebook()
    hit = whole.detect_record(case.record, SEEN_AT)
    undoing = whole.undoing_in_record(later.record, SEEN_AT)
    assert hit

    words = words_for(hit.undo_links, undoing) if undoing else set()

    assert UNDONE not in words or later.word == UNDONE


ROOT = {
    "type": "Root",
    "principalId": "111122223333",
    "arn": "arn:aws:iam::111122223333:root",
    "accountId": "111122223333",
    "sessionContext": {"attributes": {"mfaAuthenticated": "true"}},
}
BY_ROOT = [
    pytest.param(case, later, id=f"{rule.name}: {case.name}: {number}")
    for rule in COMPILED.values()
    for case in cases(rule)
    for number, later in enumerate(case.undone_by, 1)
    if later.word == UNDONE and "invokedBy" not in case.record["userIdentity"]
]


@pytest.mark.parametrize(("case", "later"), BY_ROOT)
def test_act_of_the_root_user_is_not_undone_with_what_it_did(case: Case, later: Later) -> None:
    """The key is enabled again; whoever has the root password still has it."""
    whole = whole_rulebook()
    hit = whole.detect_record({**case.record, "userIdentity": ROOT}, SEEN_AT)
    undoing = whole.undoing_in_record(later.record, SEEN_AT)
    assert hit
    if "identity-root-write" not in (hit.name, *hit.also):
        pytest.skip("no service whose use by the root user is reported for itself")
    by_name = {one.name: one for one in COMPILED.values()}
    others = [by_name[name].level for name in (hit.name, *hit.also) if by_name[name].undone_by]

    words = words_for(hit.undo_links, undoing) if undoing else set()

    assert UNDONE not in words or max(others) == Level.CRITICAL
