"""What `explain` says of a condition is what the matcher decides, part by part, over generated rules and records."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.unit.test_matcher import compiled
from trailbell.cloudtrail.record import GATE_FIELDS
from trailbell.engine.condition import compile_node
from trailbell.engine.explanation import Part, Why, explain
from trailbell.engine.matcher import Matcher, matching
from trailbell.engine.rulebook import Level, Rule


_NAMES = ["a", "b", "a.b", "A", "eventName", "facts.outcome", "facts.list", "facts.a.b"]
_WORDS = ["kms", "KMS", "DisableKey", "disablekey", "x*y", "", "true", "7", "7.5", "10.0.0.1", "2026-09-01T10:00:00Z"]
_PATHS = st.sampled_from(_NAMES)
_WORD = st.sampled_from(_WORDS)
_CASED = st.booleans()
_TESTS = st.one_of(
    st.builds(
        lambda kind, word, cased: [kind, word if cased else word.lower(), cased],
        st.sampled_from(["eq", "prefix", "suffix", "contains"]),
        _WORD,
        _CASED,
    ),
    st.builds(lambda words: ["in", sorted(word.lower() for word in words)], st.lists(_WORD, max_size=3)),
    st.builds(lambda word, cased: ["glob", [word[:1] if cased else word[:1].lower(), 0], cased], _WORD, _CASED),
    st.builds(lambda word: ["glob", [0, word[1:3].lower(), 1, 0]], _WORD),
    st.sampled_from([["any"], ["null"], ["exists", True], ["exists", False], ["number", 7], ["number", 7.5]]),
    st.sampled_from([["compare", "gte", 7], ["cidr", "10.0.0.0/8"], ["timepart", "hour", "eq", 10]]),
    st.builds(lambda flags: ["re", "^Dis.*Key$", flags], st.sampled_from(["", "i", "is"])),
    st.builds(lambda path, how: ["fieldref", path, how], _PATHS, st.sampled_from(["eq", "prefix", "contains"])),
)
_KEYWORDS = st.builds(lambda word: ["keyword", ["contains", word.lower()]], _WORD)
_TREES = st.recursive(
    st.builds(lambda path, test: ["field", path, test], _PATHS, _TESTS) | _KEYWORDS,
    lambda inner: st.one_of(
        st.builds(lambda kind, parts: [kind, parts], st.sampled_from(["and", "or"]), st.lists(inner, max_size=4)),
        st.builds(lambda part: ["not", part], inner),
    ),
    max_leaves=9,
)
_SCALARS = st.none() | st.booleans() | st.integers(5, 8) | st.sampled_from([*_WORDS, 7.5])
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "B", "a.b"]), inner),
    max_leaves=5,
)
_EVENTS = st.dictionaries(st.sampled_from(["a", "A", "b", "eventName", "facts"]), _VALUES, max_size=4)
_FACTS = st.fixed_dictionaries({}, optional={"outcome": _SCALARS, "list": _VALUES, "a": _VALUES})


def decide(rule: Rule, event: dict[str, Any], facts: dict[str, Any]) -> bool:
    """The matcher's own verdict, as a log file's records are decided."""
    matcher = Matcher([rule], GATE_FIELDS, dotted_root=False)
    return bool(matching(matcher.candidates(event), event, facts, "2026-09-01"))


def rule_of(tree: list[Any]) -> Rule:
    return Rule("r", "r", "s", "T", Level.LOW, "", tree)


def check_parts(part: Part) -> None:
    """Each part is what those below it come to, and says why where a test does not hold."""
    below = [one.holds for one in part.parts]
    match part.kind:
        case "and":
            assert part.holds is all(below)
        case "or":
            assert part.holds is any(below)
        case "not":
            assert part.holds is not below[0]
            assert part.parts[0].wanted is not part.wanted
        case _:
            assert (part.why is None) is part.holds
    assert (part.short_by == 0) is part.is_met
    if part.is_met:
        assert part.obstacles == ()
    for one in part.parts:
        check_parts(one)


@settings(max_examples=examples(800), deadline=None)
@given(tree=_TREES, event=_EVENTS, facts=_FACTS)
def test_explained_verdict_is_the_matchers(tree: list[Any], event: dict[str, Any], facts: dict[str, Any]) -> None:
    """Two semantics would drift apart; a wrong explanation is worse than none."""
    part = explain(tree, (event, {"facts": facts}))

    assert part.holds is decide(rule_of(tree), event, facts)
    check_parts(part)


def absent_of(node: list[Any], part: Part) -> list[tuple[str, list[Any]]]:
    return [(one.path, list(one.values)) for one in part.obstacles if one.why is Why.ABSENT]


@settings(max_examples=examples(400), deadline=None)
@given(tree=_TREES, event=_EVENTS, facts=_FACTS)
def test_what_is_absent_is_not_there(tree: list[Any], event: dict[str, Any], facts: dict[str, Any]) -> None:
    """`absent` is said of fields that a null test finds absent, and of no other."""
    part = explain(tree, (event, {"facts": facts}))

    for path, values in absent_of(tree, part):
        assert values == []
        assert compile_node(["field", path, ["exists", False]])((event, {"facts": facts}))


# From YAML: what Sigma's modifiers and conditions compile to.

_MODIFIERS = [
    *("", "|contains", "|startswith", "|endswith", "|cased", "|contains|all", "|re", "|re|i", "|exists", "|gte"),
    *("|cidr", "|expand", "|fieldref", "|contains|cased", "|neq", "|windash|contains", "|base64|contains"),
]


@st.composite
def searches(draw: st.DrawFn) -> dict[str, Any]:
    """One search identifier: a map of fields with modifiers to what they take."""
    found: dict[str, Any] = {}
    for _ in range(draw(st.integers(1, 3))):
        modifier, name = draw(st.sampled_from(_MODIFIERS)), draw(st.sampled_from(["a", "b", "facts.outcome", "a.b"]))
        word = draw(st.sampled_from(["kms", "Dis*", "x\\*y", "7", "DisableKey"]))
        values: Any = {
            "|re": "^Dis",
            "|re|i": "^dis",
            "|exists": draw(st.booleans()),
            "|gte": 7,
            "|cidr": "10.0.0.0/8",
            "|expand": "%trusted_accounts%",
            "|fieldref": "b",
            "|base64|contains": "kms",
        }.get(modifier, draw(st.sampled_from([word, [word, "kms"], [word]])))
        if modifier == "":
            values = draw(st.sampled_from([word, [word, "kms"], None, 7, "*"]))
        found[f"{name}{modifier}"] = values
    return found


_CONDITIONS = [
    *("one", "one and two", "one or not two", "not one", "1 of them", "all of them", "1 of t*", "all of t*"),
    *("one and not 1 of t*", "not all of them", "(one or two) and not three", "not (1 of t* and one)"),
]


@settings(max_examples=examples(250), deadline=None)
@given(
    parts=st.tuples(searches(), searches(), searches()),
    condition=st.sampled_from(_CONDITIONS),
    event=_EVENTS,
    facts=_FACTS,
)
def test_sigmas_modifiers_are_explained_as_they_match(
    parts: tuple[dict[str, Any], ...], condition: str, event: dict[str, Any], facts: dict[str, Any]
) -> None:
    """Modifiers, `expand`, placeholders, `1 of`, `all of` and `not`, compiled from what people write."""
    detection = {**dict(zip(("one", "two", "three"), parts, strict=True)), "condition": condition}
    rule = compiled(yaml.safe_dump(detection))

    part = explain(rule.detection, (event, {"facts": facts}))

    assert part.holds is decide(rule, event, facts)
    check_parts(part)


@pytest.mark.parametrize(
    ("test", "event", "why", "near"),
    [
        (["eq", "x"], {}, Why.ABSENT, ""),
        (["eq", "x"], {"F": "x"}, Why.OTHER_NAME_CASE, "F"),
        (["eq", "x"], {"f": None}, Why.NULL, ""),
        (["eq", "x"], {"f": "y"}, Why.OTHER_VALUE, ""),
        (["eq", "Abc", True], {"f": "aBC"}, Why.OTHER_CASE, "aBC"),
        (["glob", ["Ab", 0], True], {"f": ["q", "abc"]}, Why.OTHER_CASE, "abc"),
        (["re", "^Ab", ""], {"f": "abc"}, Why.OTHER_CASE, "abc"),
        (["eq", "x"], {"f": {"g": "x"}}, Why.OTHER_TYPE, ""),
        (["number", 7], {"f": True}, Why.OTHER_TYPE, ""),
        (["compare", "gte", 7], {"f": "many"}, Why.OTHER_TYPE, ""),
        (["number", 7], {"f": 8}, Why.OTHER_VALUE, ""),
        (["null"], {"f": "x"}, Why.PRESENT, ""),
        (["exists", False], {"f": None}, Why.PRESENT, ""),
        (["exists", True], {}, Why.ABSENT, ""),
        (["contains", "x"], {"f": {"g": "y"}}, Why.OTHER_VALUE, ""),
    ],
)
def test_says_why_a_test_does_not_hold(test: list[Any], event: dict[str, Any], why: Why, near: str) -> None:
    """Absent, another value, another case and another type lead to four different corrections."""
    part = explain(["field", "f", test], (event, {}))

    assert (part.holds, part.why, part.near) == (False, why, near)


def test_nearest_way_is_counted() -> None:
    """ "One condition short" is what a person can act on."""
    tree = ["and", [["field", "a", ["eq", "1"]], ["or", [["field", "b", ["eq", "2"]], ["field", "c", ["eq", "3"]]]]]]
    held = ["not", ["and", [["field", "a", ["eq", "1"]], ["field", "b", ["eq", "9"]]]]]

    assert explain(tree, ({"a": "1"}, {})).short_by == 1
    assert explain(tree, ({}, {})).short_by == 2
    assert explain(held, ({"a": "1", "b": "9"}, {})).short_by == 1
    assert [one.path for one in explain(tree, ({"a": "1"}, {})).obstacles] == ["b"]
