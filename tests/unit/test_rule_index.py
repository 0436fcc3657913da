"""The indexed matcher against a naive evaluator of the same rules: trying every rule on every event."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailbell.cloudtrail.record import GATE_FIELDS
from trailbell.engine.condition import compile_node
from trailbell.engine.matcher import Matcher, matching
from trailbell.engine.rulebook import Level, Rule
from trailbell.rulebook.compile import gate_of


_SOURCES = ["kms.amazonaws.com", "KMS.amazonaws.com", "ssm.amazonaws.com"]
_CALLS = ["DisableKey", "disablekey", "EnableKey", "Decrypt"]
_FIELDS = st.sampled_from(["eventSource", "eventName", "userAgent", "a.b"])
_TEXTS = st.sampled_from([*(text.lower() for text in _SOURCES + _CALLS), "x", "y"])
_TESTS = st.one_of(
    st.builds(lambda text: ["eq", text], _TEXTS),
    st.builds(lambda texts: ["in", texts], st.lists(_TEXTS, max_size=3)),
    st.builds(lambda text: ["prefix", text[:3]], _TEXTS),
    st.builds(lambda text: ["contains", text[1:4]], _TEXTS),
    st.just(["any"]),
    st.just(["null"]),
    st.builds(lambda flag: ["exists", flag], st.booleans()),
)
_LEAVES = st.builds(lambda path, test: ["field", path, test], _FIELDS, _TESTS)
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda parts: ["and", parts], st.lists(inner, max_size=3)),
        st.builds(lambda parts: ["or", parts], st.lists(inner, max_size=3)),
        st.builds(lambda part: ["not", part], inner),
    ),
    max_leaves=8,
)
_VALUES = st.one_of(
    st.sampled_from([*_SOURCES, *_CALLS, "x", "Y"]),
    st.none(),
    st.integers(0, 3),
    st.lists(st.sampled_from(_CALLS), max_size=2),
)
_EVENTS = st.dictionaries(
    st.sampled_from(["eventSource", "eventName", "userAgent", "a"]),
    _VALUES | st.dictionaries(st.just("b"), _VALUES, max_size=1),
    max_size=4,
)


@settings(max_examples=examples(600), deadline=None)
@given(trees=st.lists(_TREES, min_size=1, max_size=6), events=st.lists(_EVENTS, min_size=1, max_size=6))
def test_index_finds_what_trying_every_rule_finds(trees: list[list[Any]], events: list[dict[str, Any]]) -> None:
    """A gate that keeps a rule from an event it matches would be a silent miss."""
    rules = [
        Rule(f"r-{number}", f"r-{number}", "s", "T", Level.LOW, "", tree, gate_of(tree))
        for number, tree in enumerate(trees)
    ]
    matcher = Matcher(rules, GATE_FIELDS)
    for event in events + events:  # the second time plans come from the cache
        naive = {rule.rule_id for rule in rules if compile_node(rule.detection)((event, {}))}

        found = {match.rule.rule_id for match in matching(matcher.candidates(event), event, {}, "")}

        assert found == naive
