"""Every event name in every rule has a case that matches: one that nobody can meet looks like a door and is none."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from tests.shipped import rule_paths, shipped_cases, shipped_rules
from trailbell.cloudtrail.event_source import TWINS
from trailbell.engine.rulebook import Rule
from trailbell.rulebook.cases import Case, run_case


COMPILED = {rule.stem: rule for rule in shipped_rules()}
MATCHING = {stem: [case for case in shipped_cases(stem) if case.match] for stem in rule_paths()}

COMPARE: Mapping[str, Callable[[str, str], bool]] = {
    "eq": str.__eq__,
    "prefix": str.startswith,
    "suffix": str.endswith,
    "contains": str.__contains__,
}

Name = tuple[frozenset[str], str, str]
"""The event sources a name stands beside (none if any), how it is compared, and the name in lower case."""


def names(node: Sequence[Any], sources: frozenset[str] = frozenset()) -> Iterator[Name]:
    """The event names that a detection asks for; those under `not` are what it leaves out."""
    match node:
        case ["and" | "or" as kind, parts]:
            for part in parts if kind == "and" else ():
                sources = frozenset(values(part, "eventSource")) or sources
            for part in parts:
                yield from names(part, sources)
        case ["field", "eventName", [("prefix" | "suffix" | "contains") as how, text, *_]]:
            yield sources, how, text
        case ["field", "eventName", _]:
            for text in values(node, "eventName"):
                yield sources, "eq", text


def values(node: Sequence[Any], field: str) -> list[str]:
    match node:
        case ["field", path, ["eq", text, *_]] if path == field:
            return [text.lower()]
        case ["field", path, ["in", texts]] if path == field:
            return [text.lower() for text in texts]
    return []


def is_shown(name: Name, cases: Sequence[Case]) -> bool:
    """Whether a record of one of the cases has this name, from one of its sources."""
    sources, how, text = name
    return any(
        COMPARE[how](str(case.record["eventName"]).lower(), text)
        and (not sources or str(case.record["eventSource"]).lower() in sources)
        for case in cases
    )


@pytest.mark.parametrize("rule", COMPILED.values(), ids=lambda rule: rule.name)
def test_every_event_name_of_a_rule_has_a_case_that_matches(rule: Rule) -> None:
    """A name beside a condition that it can never meet is silent for ever, and the rule's other cases stay green."""
    unseen = sorted(
        {
            f"{how} {text}"
            for sources, how, text in names(rule.detection)
            if not is_shown((sources, how, text), MATCHING[rule.stem])
        }
    )

    assert unseen == []


@pytest.mark.parametrize("rule", COMPILED.values(), ids=lambda rule: rule.name)
def test_a_service_is_known_by_both_its_event_sources(rule: Rule) -> None:
    """The guides and the API model name different ones; a rule for the wrong one of them never matches."""
    other = {**TWINS, **{twin: source for source, twin in TWINS.items()}}
    faults = []
    for case in MATCHING[rule.stem]:
        twin = other.get(str(case.record["eventSource"]))
        if twin:
            renamed = Case(
                case.path, f"{case.name}, from {twin}", True, {**case.record, "eventSource": twin}, None, None
            )
            faults += list(run_case(rule, renamed))

    assert faults == []


def test_a_name_without_a_case_is_found() -> None:
    """The walk over a detection must see names wherever they stand, or the test above is green for nothing."""
    source = ["field", "eventSource", ["eq", "a.amazonaws.com"]]
    tree = [
        "and",
        [
            source,
            ["or", [["field", "eventName", ["in", ["x", "y"]]], ["field", "eventName", ["prefix", "z"]]]],
            ["not", ["field", "eventName", ["eq", "w"]]],
        ],
    ]

    found = list(names(tree))

    assert [(how, text) for _, how, text in found] == [("eq", "x"), ("eq", "y"), ("prefix", "z")]
    assert {sources for sources, _, _ in found} == {frozenset({"a.amazonaws.com"})}
    assert not is_shown(found[0], [])
