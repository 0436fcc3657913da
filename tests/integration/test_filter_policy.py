"""A subscription's filter policy decides as moto's SNS does, over generated policies; the unknown is not claimed."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.sns.utils import FilterPolicyMatcher

from tests.examples import examples
from trailbell.ops.walk.filter_policy import accepts


_WORD = st.sampled_from(["high", "critical", "Kms", "kms", "kms-key", "10.0.0.7", ""])
_CONDITION = st.one_of(
    _WORD,
    st.builds(lambda word: {"prefix": word}, _WORD),
    st.builds(lambda word: {"suffix": word}, _WORD),
    st.builds(lambda words: {"anything-but": words}, st.lists(_WORD, min_size=1, max_size=2)),
    st.builds(lambda word: {"anything-but": {"prefix": word}}, _WORD),
)
# moto knows `exists` alone in its list; SNS takes it beside others, too.
_CONDITIONS = st.lists(_CONDITION, min_size=1, max_size=3) | st.builds(
    lambda is_there: [{"exists": is_there}], st.booleans()
)
_POLICY = st.dictionaries(st.sampled_from(["level", "rule", "missing"]), _CONDITIONS, min_size=1, max_size=3)
_ATTRIBUTES = st.fixed_dictionaries({}, optional={"level": _WORD, "rule": _WORD})


@settings(max_examples=examples(400), deadline=None)
@given(policy=_POLICY, attributes=_ATTRIBUTES)
def test_decides_as_sns_does(policy: dict[str, Any], attributes: dict[str, str]) -> None:
    """Saying that a filter takes an alert which it does not would end the search in the wrong place."""
    as_sent = {name: {"Type": "String", "Value": value} for name, value in attributes.items()}

    decided = accepts(json.dumps(policy), "MessageAttributes", attributes)

    assert decided is FilterPolicyMatcher(policy, "MessageAttributes").matches(as_sent, "")


@pytest.mark.parametrize(
    ("policy", "decision"),
    [
        ("", True),
        ('{"level": ["high"]}', True),
        ('{"level": ["low"]}', False),
        ('{"level": [{"equals-ignore-case": "HIGH"}]}', True),  # which moto does not know
        ('{"$or": [{"level": ["low"]}, {"rule": ["kms-*", {"wildcard": "kms-*"}]}]}', True),
        ('{"$or": [{"level": ["low"]}, {"rule": ["x"]}]}', False),
        ('{"level": [{"numeric": [">", 1]}]}', None),
        ('{"level": ["low", {"numeric": [">", 1]}]}', None),
        ('{"level": ["high", {"numeric": [">", 1]}]}', True),
        ('{"level": ["low"], "rule": [{"later": "x"}]}', False),
        ('{"level": [1]}', None),
        ('{"level": "high"}', None),
        ("[]", None),
        ("{", None),
        ('{"address": [{"cidr": "10.0.0.0/8"}]}', True),
        ('{"address": [{"cidr": "11.0.0.0/8"}]}', False),
        ('{"rule": [{"wildcard": "kms-[k]*"}]}', False),
    ],
)
def test_unknown_is_not_decided(policy: str, decision: bool | None) -> None:
    """An operator of tomorrow is neither yes nor no, unless the rest decides."""
    attributes = {"level": "high", "rule": "kms-key", "address": "10.0.0.7"}

    assert accepts(policy, "", attributes) is decision


def test_scope_of_the_body_is_not_decided() -> None:
    """It is about the message's text, which is not at hand."""
    assert accepts('{"level": ["low"]}', "MessageBody", {"level": "high"}) is None
