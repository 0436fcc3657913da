"""Every `undone_by` of every rule has a case in which it undoes, and one in which it nearly does."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from tests.rules.rule_hits import SEEN_AT
from tests.rules.undo_by_hand import BY_HAND
from tests.shipped import shipped_cases, shipped_rules
from trailbell.engine.rulebook import Rule, UndoneBy
from trailbell.hits.detect import HitDetector
from trailbell.hits.undoing import UNDONE, words_for
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.cases import CASE_SETTINGS, Case, Later
from trailbell.rulebook.undone_by import undo_rules


COMPILED = {rule.stem: rule for rule in shipped_rules()}


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


def tried(rule: Rule, entry: UndoneBy) -> Iterator[tuple[Later, bool]]:
    """Later records of cases whose act the entry is about, with whether the entry finds that they undo it."""
    found = alone(rule, entry)
    for case in cases(rule):
        hit = found.detect_record(case.record, SEEN_AT) if case.undone_by else None
        for later in case.undone_by if hit and hit.undo_links else ():
            assert hit
            undoing = found.undoing_in_record(later.record, SEEN_AT)
            yield later, bool(undoing and words_for(hit.undo_links, undoing))


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
