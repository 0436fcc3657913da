"""The detection language, from YAML through the compiled form to a decision on an event."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from trailbell.cloudtrail.record import GATE_FIELDS
from trailbell.engine.condition import ValueTests, paths_of, simplify
from trailbell.engine.matcher import Matcher, matching
from trailbell.engine.predicates import COMPARISONS, compile_value_test
from trailbell.engine.rulebook import Rule, Rulebook, dump_rulebook, load_rulebook
from trailbell.engine.value_tests import VALUE_TESTS
from trailbell.errors import RuleError
from trailbell.rulebook.compile import Compiler
from trailbell.rulebook.documents import Document
from trailbell.rulebook.rule import compile_rule


PLACEHOLDERS = {"trusted_accounts": ("111122223333", "444455556666"), "home_regions": ()}
TODAY = "2026-09-01"


def compiled(detection: str, **more: Any) -> Rule:
    """A rule from the YAML of its detection, sent through the rulebook's JSON as it is on its way to Lambda."""
    content = {
        "title": "T",
        "id": "3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e01",
        "logsource": {"product": "aws", "service": "cloudtrail"},
        "detection": yaml.safe_load(detection),
        **more,
    }
    rule = compile_rule(Document(Path("aws_test_rule.yml"), 1, content), Compiler(PLACEHOLDERS))
    (again,) = load_rulebook(dump_rulebook(Rulebook((rule,)))).rules
    return again


def matches(rule: Rule, event: Mapping[str, Any], facts: Mapping[str, Any] | None = None) -> bool:
    """Whether the indexed matcher finds the rule."""
    matcher = Matcher([rule], GATE_FIELDS)
    return [match.rule for match in matching(matcher.candidates(event), event, facts or {}, TODAY)] == [rule]


# The numbers D1 to D30 are decisions of the table in rules/README.md, "Where Sigma is silent".
FIELD_PROBES: list[tuple[str, Any, bool]] = [
    ("f: Abc", "aBC", True),
    ("f: abc", "abcd", False),
    ("f: [a, b]", "B", True),
    ("f: [a, b]", "c", False),
    ("f: a*c", "abbc", True),
    ("f: a*c", "a\nc", True),  # D13
    ("f: a?c", "abc", True),
    ("f: a?c", "ac", False),
    ("f: '*'", "", True),
    ("f: '*'", None, False),
    (r"f: 'a\*c'", "a*c", True),
    (r"f: 'a\*c'", "abc", False),
    ("f|contains: b", "ABC", True),
    ("f|contains: 4", "443", True),
    ("f|startswith: true", "trueish", True),
    ("f|startswith: ab", "ABC", True),
    ("f|startswith: b", "abc", False),
    ("f|endswith: bc", "ABC", True),
    ("f|endswith: '8???'", "xx8www", True),  # D14
    ("f|endswith: '8???'", "xx8ww", False),
    ("f|contains|all: [a, c]", "abc", True),
    ("f|contains|all: [a, d]", "abc", False),
    ("f|cased: Abc", "Abc", True),
    ("f|cased: Abc", "abc", False),
    ("f|contains|cased: B", "abc", False),
    ("f: ''", "", True),
    ("f: ''", None, False),
    ("f: null", None, True),  # D5
    ("f: null", "", False),
    ("f: null", [], False),
    ("f|exists: true", None, True),  # D6
    ("f|exists: false", None, False),
    ("f: true", True, True),  # D9
    ("f: true", "TRUE", True),
    ("f: true", 1, False),
    ("f: 'false'", False, True),
    ("f: 443", 443, True),  # D10
    ("f: 443", "443", True),
    ("f: 443", 443.0, True),
    ("f: 443", "443.0", False),
    ("f: '443'", 443, True),
    ("f: 1", True, False),
    ("f: '12345678901234567890123'", 12345678901234567890123, True),
    ("f: '12345678901234567890123'", 12345678901234567890124, False),
    ("f|gt: 5", 6, True),  # D11
    ("f|gt: 5", "6", True),
    ("f|gt: 5", True, False),
    ("f|lte: 7", 7, True),
    ("f|lt: 7", "seven", False),
    ("f|gte: 1", [0, 1], True),
    ("f|neq: x", "y", True),
    ("f|neq: x", "X", False),
    ("f|neq: [x, y]", "x", False),  # D8
    ("f: b", ["a", "b"], True),  # D1
    ("f: b", [["a"], ["b"]], True),
    ("f|contains: Suspended", {"VersioningConfiguration": {"Status": "Suspended"}}, True),  # D3
    ('f|contains: \'"Status":"Sus\'', {"Status": "Suspended"}, True),
    ("f: Suspended", {"Status": "Suspended"}, False),
    ("f|cidr: 10.0.0.0/8", "10.1.2.3", True),
    ("f|cidr: 10.0.0.0/8", "cloudtrail.amazonaws.com", False),  # D24
    ("f|cidr: '2001:db8::/32'", "2001:db8::1", True),
    ("f|cidr: 10.0.0.0/8", "::ffff:10.0.0.1", False),
    ("f|hour: 9", "2026-09-01T09:14:07Z", True),
    ("f|hour|gte: 10", "2026-09-01T09:14:07+02:00", False),  # D25
    ("f|week: 36", "2026-09-01T09:14:07Z", True),
    ("f|hour: 9", "nine", False),
    ("f|windash|contains: ' -x '", "a /x b", True),
    ("f|base64offset|contains: foo", "xxZm9vxx", True),
    ("f|base64offset: foo", "xxZm9vxx", True),  # D19
    ("f|utf16le|base64|contains: ab", "xYQBiAGx", False),
    ("f|utf16le|base64|contains: ab", "xYQBiAA==x", True),
    ("f|re: 'b.d'", "abcde", True),  # D15
    ("f|re: '^b'", "abc", False),
    ("f|re: B", "abc", False),
    ("f|re|i: B", "abc", True),
    ("f|re: 'a.c'", "a\nc", False),
    ("f|re|s: 'a.c'", "a\nc", True),
    ("f|re|m: '^c'", "a\nc", True),
    ("f|re: '^4+3$'", 443, True),  # D17
    ("f|re: tr", True, True),
    ("f|re: x", "\ud800x", True),
    ("f|re: Susp", {"a": {"b": "Suspended"}}, True),
    ("f|exists: yes", "x", True),
    ("f|expand: '%trusted_accounts%'", "444455556666", True),
    ("f|expand: '%trusted_accounts%'", "999999999999", False),
    ("f|expand|contains: ':%trusted_accounts%:'", "arn:aws:iam::111122223333:root", True),
    ("f|expand: '%home_regions%'", "eu-west-1", False),
    ("f|expand: '%home_regions%'", "", False),
]


@pytest.mark.parametrize(("selection", "value", "expected"), FIELD_PROBES)
def test_field_is_tested_as_published(selection: str, value: Any, expected: bool) -> None:
    """Each probe is a line of our published behaviour; negating it gives the opposite."""
    detection = f"selection:\n  {selection}\ncondition: selection"

    assert matches(compiled(detection), {"f": value}) is expected
    assert matches(compiled(detection.replace("condition: ", "condition: not ")), {"f": value}) is not expected


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("f: null", True),
        ("f|exists: true", False),
        ("f|exists: false", True),
        ("f|neq: x", True),  # D7
        ("f: '*'", False),
        ("f|contains: ''", False),
        ("f|gt: 5", False),
        ("f: ''", False),
    ],
)
def test_missing_field(selection: str, expected: bool) -> None:
    """A record lacks most fields most of the time."""
    assert matches(compiled(f"selection:\n  {selection}\ncondition: selection"), {"g": 1}) is expected


@pytest.mark.parametrize(
    ("path", "event", "expected"),
    [
        ("a.b.c", {"a": {"b": {"c": "x"}}}, True),
        ("a.b.c", {"a": [{"b": {"c": "y"}}, {"b": [{"c": "x"}]}]}, True),  # D2
        ("a.b.c", {"a": {"b.c": "x"}}, True),  # D4
        ("a.b.c", {"a.b": {"c": "x"}}, True),
        ("a.b.c", {"a.b.c": "x"}, True),
        ("a.b.c", {"a": {"b": "x"}}, False),
        ("a.b.c", {"A": {"b": {"c": "x"}}}, False),
        ("a.b", {"a": None}, False),
    ],
)
def test_path_finds_values_in_nested_fields(path: str, event: dict[str, Any], expected: bool) -> None:
    """Lists are crossed, keys may hold dots, names are case-sensitive."""
    assert matches(compiled(f"selection:\n  {path}: x\ncondition: selection"), event) is expected


@pytest.mark.parametrize(
    ("detection", "expected"),
    [
        ("a: {f: x}\nb: {g: x}\ncondition: a and b", False),
        ("a: {f: x}\nb: {g: x}\ncondition: a or b", True),
        ("a: {f: x}\nb: {g: x}\ncondition: a and not b", True),
        ("a: {f: x}\nb: {g: x}\nc: {g: y}\ncondition: b or a and c", True),
        ("a: {f: x}\nb: {g: x}\ncondition: not (a or b)", False),
        ("a1: {f: x}\na2: {g: x}\ncondition: 1 of a*", True),
        ("a1: {f: x}\na2: {g: x}\ncondition: all of a*", False),
        ("a: {f: x}\n_b: {g: x}\ncondition: all of them", True),
        ("a: {f: x, g: y}\ncondition: a", True),
        ("a: [{f: z}, {f: x, g: y}]\ncondition: a", True),
        ("a: {f: x}\nb: {g: x}\ncondition: [b, a]", True),
        ("kw: [NESTED, nope]\ncondition: kw", True),  # D12
        ("kw: {'|all': [nested, '42']}\ncondition: kw", True),
        ("kw: {'|all': [nested, nope]}\ncondition: kw", False),
        ("kw: [deep]\ncondition: kw", False),
        ("kw: ['ne*ed']\ncondition: kw", True),
        ("kw: [factual]\ncondition: kw", False),
        ("a: {f|fieldref: other}\ncondition: a", True),  # D21
        ("a: {f|fieldref: g}\ncondition: a", False),
        ("a: {f|fieldref: missing}\ncondition: a", False),
    ],
)
def test_condition(detection: str, expected: bool) -> None:
    """Conditions, keywords and references on one event."""
    event = {"f": "x", "g": "y", "other": ["q", "X"], "deep": {"list": ["has nested text", 42]}}

    assert matches(compiled(detection), event, {"secret": "factual"}) is expected


def test_facts_are_found_under_facts_and_nowhere_else() -> None:
    """A record that calls a field `facts` must not be able to answer for us."""
    rule = compiled("selection:\n  facts.outcome: success\ncondition: selection")

    assert matches(rule, {}, {"outcome": "success"})
    assert not matches(rule, {"facts": {"outcome": "success"}, "facts.outcome": "success"}, {"outcome": "failed"})


def test_gate_keeps_other_events_away_without_changing_decisions() -> None:
    """The index must agree with trying every rule on every event."""
    detections = [
        "s: {eventSource: kms.amazonaws.com, eventName: [DisableKey, EnableKey]}\ncondition: s",
        "s: {eventSource: kms.amazonaws.com}\nn: {eventName: EnableKey}\ncondition: s and not n",
        "s: {eventName: DisableKey}\nt: {eventName|startswith: Enable}\ncondition: s or t",
        "s: {errorCode: null}\ncondition: s",
        "s: {eventName|cased: DisableKey}\ncondition: s",
    ]
    rules = [compiled(text) for text in detections]
    events: list[dict[str, Any]] = [
        {"eventSource": source, "eventName": name}
        for source in ("kms.amazonaws.com", "KMS.amazonaws.com", "ssm.amazonaws.com", None, 5, ["kms.amazonaws.com"])
        for name in ("DisableKey", "disablekey", "EnableKey", "Decrypt", None, ["DisableKey", "x"], "x" * 10_000)
    ]

    for rule in rules:
        blind = replace(rule, gate={})
        for event in events:
            assert matches(rule, event) is matches(blind, event), (rule.detection, event)


def test_gates_are_what_the_rules_need() -> None:
    """A rule without a gate is tried on every record of the account."""
    assert compiled("s: {eventSource: A.b, eventName: [X, Y]}\ncondition: s").gate == {
        "eventSource": ("a.b",),
        "eventName": ("x", "y"),
    }
    assert compiled("s: {eventSource: a}\nt: {eventSource: b}\ncondition: s or t").gate == {"eventSource": ("a", "b")}
    assert compiled("s: {eventSource: a}\nt: {eventName: b}\ncondition: s or t").gate == {}
    assert compiled("s: {eventSource: a}\ncondition: not s").gate == {}


def test_strongest_rule_comes_first() -> None:
    """Precedence is looked at before the level; the first rule speaks, the others are listed."""
    text = "s: {f: x}\ncondition: s"
    rules = [
        compiled(text, id=f"3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e0{number}", name=name, level=level, precedence=precedence)
        for number, (name, level, precedence) in enumerate(
            [("low", "low", 0), ("overlay", "critical", -1), ("high", "high", 0), ("special", "low", 5)]
        )
    ]
    matcher = Matcher(rules, GATE_FIELDS)

    found = matching(matcher.candidates({"f": "x"}), {"f": "x"}, {}, TODAY)

    assert [match.rule.name for match in found] == ["special", "high", "low", "overlay"]


@pytest.mark.parametrize(
    ("detection", "message"),
    [
        ("s: {f|nosuch: x}\ncondition: s", "nosuch"),
        ("s: {f: x}\ncondition: s and", "condition"),
        ("s: {f: x}\ncondition: t", "t"),
        ("s: {f|cidr: 10.0.0.1/8}\ncondition: s", "10.0.0.1/8"),  # D23
        ("s: {f|expand: '%admins%'}\ncondition: s", "admins"),  # D26
        ("s: {f: 12345678901234567890123}\ncondition: s", "in quotes"),
        ("s: {'f[0]': x}\ncondition: s", "brackets"),
        ("s: {f|re: 'a(?=b)'}\ncondition: s", "RE2"),
        ("s: {f|re: '(a)\\1'}\ncondition: s", "RE2"),
        ("s: {f: []}\ncondition: s", "f: null"),  # D28
        ("s: {f|re|expand: '^%trusted_accounts%$'}\ncondition: s", "%trusted_accounts% cannot stand"),
        ("1: {f: x}\ncondition: '1'", "in quotes"),
        ("s: {f: [[a]]}\ncondition: s", "list or map"),
        ("s: {f: x}\ncondition: 1 of nothing*", "nothing"),  # D29
        ("s: {f: x}\ncondition: s | count() > 5", ""),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_the_files_name(detection: str, message: str) -> None:
    """A rule that silently never matches is worse than no rule."""
    with pytest.raises(RuleError, match=r"aws_test_rule\.yml") as caught:
        compiled(detection)

    assert message in str(caught.value)


def test_hostile_events_cannot_raise_or_stall() -> None:
    """Matching runs on what attackers wrote: odd types everywhere, and text that backtracking would choke on."""
    every_kind = [
        "f: a*b*c*d*e*f*g*h*z",
        "f|contains: x",
        "f|gt: 1",
        "f|cidr: 10.0.0.0/8",
        "f|hour: 1",
        "f|fieldref: g",
        "f|startswith: x",
        "f|exists: true",
        "f: null",
        "f: 5",
    ]
    odd: list[Any] = [None, True, 1e308, -(10**400), "a" * 5_000, "\ud800", {"a": {}}, [[[]]], {}, [None], "9" * 64]

    for selection in every_kind:
        rule = compiled(f"s:\n  {selection}\ncondition: s")
        for value in odd:
            matches(rule, {"f": value, "g": value})


def test_regular_expressions_are_linear_on_hostile_text() -> None:
    """Python's own re needs seconds for thirty characters of this pattern; a user agent may have a thousand."""
    rule = compiled("s:\n  f|re: '(a+)+$'\ncondition: s")

    assert not matches(rule, {"f": "a" * 100_000 + "b"})


def test_rulebook_json_is_the_same_for_the_same_rules() -> None:
    """A deployment without changes must change nothing."""
    first = compiled("s: {f: x}\ncondition: s")
    second = compiled("s: {f: y}\ncondition: s", id="3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e02")

    text = dump_rulebook(Rulebook((first, second), frozenset({"1", "2"})))

    assert text == dump_rulebook(Rulebook((second, first), frozenset({"2", "1"})))
    assert {rule.rule_id for rule in load_rulebook(text).rules} == {first.rule_id, second.rule_id}
    with pytest.raises(RuleError, match="format"):
        load_rulebook(json.dumps({"format": 0, "rules": []}))


def test_every_test_kind_is_reached_from_a_rule() -> None:
    """A kind no rule can produce would be dead code in Lambda."""
    kinds = {*VALUE_TESTS, *COMPARISONS}
    produced = set()
    for selection in [probe[0] for probe in FIELD_PROBES] + ["f|fieldref: g"]:
        text = json.dumps(compiled(f"s:\n  {selection}\ncondition: s").detection)
        produced |= {kind for kind in kinds if f'["{kind}"' in text}

    assert produced == kinds


def test_a_comparison_of_two_fields_is_never_decided_by_one() -> None:
    """Partial evaluation that took it for decided would miss silently whatever the other field says."""
    assert not COMPARISONS.keys() & VALUE_TESTS.keys()
    for kind in COMPARISONS:
        node = ["field", "errorCode", [kind, "eventName", "eq"]]

        assert simplify(node, {"errorCode": ["x"], "eventName": ["x"]}, ValueTests()) is node
        assert paths_of(node) is None


def test_value_tests_are_given_nothing_but_the_values() -> None:
    """A test that looks at a second field cannot be put into the table of those that are decided early."""
    node = ["field", "a", ["eq", "x"]]

    assert compile_value_test(node[2])(["x"]) is True
    with pytest.raises(TypeError):
        compile_value_test(node[2])(["x"], ({}, {}))  # type: ignore[call-arg]
    assert simplify(node, {"a": ["x"]}, ValueTests()) is True
