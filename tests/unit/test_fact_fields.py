"""What rules look at one by one is what stands in all of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbell.cloudtrail.record import make_record
from trailbell.engine.fields import compile_path, find
from trailbell.engine.predicates import compile_field, compile_finder, compile_value_test
from trailbell.facts.facts import facts_of
from trailbell.rulebook.cases import BASE_RECORD, merged


RECORDS: tuple[dict[str, Any], ...] = (
    {},
    {"userIdentity": None, "errorCode": 7},
    {"errorCode": "AccessDenied", "sourceIPAddress": "192.0.2.7"},
    {
        "eventName": "CreateGrant",
        "requestParameters": {"operations": ["Decrypt"], "keyId": "k", "granteePrincipal": "1" * 12},
    },
    {
        "eventName": "PutKeyPolicy",
        "requestParameters": {"policy": '{"Statement":[{"Effect":"Allow","Principal":"*"}]}'},
    },
    {"requestParameters": {"kmsKeyId": "arn:aws:kms:us-east-1:444455556666:key/a"}, "eventSource": "ec2.amazonaws.com"},
)


@pytest.mark.parametrize("changes", RECORDS)
@pytest.mark.parametrize("based", [True, False])
def test_a_member_is_the_same_alone_and_among_all(changes: dict[str, Any], based: bool) -> None:
    """A rule that finds another value, or none, because nobody asked before would miss."""
    facts = facts_of(make_record(merged(BASE_RECORD, changes) if based else changes, 0))
    whole = facts.as_fields()

    for name in (*whole, "external_keys", "grant", "external_accounts", "address_block", "nothing", "actor.kind"):
        fields = facts.fields()
        assert (name in fields) is (name in whole)
        assert facts.fields().get(name, "none") == whole.get(name, "none")
        if name in whole:
            assert facts.fields()[name] == whole[name]
        else:
            with pytest.raises(KeyError):
                facts.fields()[name]


NAMES = st.sampled_from(("a", "b", "c", "a.b", "b.c"))
EVENTS = st.recursive(
    st.none() | st.booleans() | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(event=st.dictionaries(st.just("a"), EVENTS), rest=st.lists(st.sampled_from("abc"), min_size=1, max_size=3))
def test_a_field_is_found_as_by_searching_for_it(event: dict[str, Any], rest: list[str]) -> None:
    """The short way to a member of an object must find what every way finds: lists are crossed, names may hold dots."""
    found = compile_path(".".join(("a", *rest)), dotted_root=False)(event)

    assert found == (list(find(event["a"], tuple(rest))) if "a" in event else [])


@given(
    event=st.dictionaries(st.just("a"), EVENTS),
    rest=st.lists(st.sampled_from("abc"), min_size=1, max_size=3),
    text=st.sampled_from(("", "a", "A", "true", "false", "none")) | st.text(max_size=2),
    cased=st.sampled_from(((), (False,), (True,))),
)
def test_equality_is_decided_as_on_all_values(
    event: dict[str, Any], rest: list[str], text: str, cased: tuple[bool, ...]
) -> None:
    """The short way of the test that most conditions hold must say what the test says of every value that is found."""
    test = ["eq", text, *cased]
    decide = compile_field(compile_finder(".".join(("a", *rest)), dotted_root=False), test)
    values = list(find(event["a"], tuple(rest))) if "a" in event else []

    assert decide((event, {})) is compile_value_test(test)(values)
