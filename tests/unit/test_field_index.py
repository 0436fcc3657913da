"""A field's tests are found without trying each, and what is remembered of its values is bounded."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailbell.engine.condition import Node, compile_node
from trailbell.engine.prefilter import field_index
from trailbell.engine.prefilter.field_index import FieldIndex, Memo, Memos


_TEXTS = st.text("abA ", max_size=24)
_NODES = st.one_of(
    st.builds(
        lambda kind, text: ["field", "x", [kind, text.lower()]],
        st.sampled_from(["eq", "contains", "prefix", "suffix", "contains", "prefix", "suffix"]),
        _TEXTS,
    ),
    st.builds(lambda texts: ["field", "x", ["in", sorted(map(str.lower, texts))]], st.lists(_TEXTS, max_size=3)),
    st.builds(lambda text: ["not", ["field", "x", ["contains", text.lower()]]], _TEXTS),
    st.just(["field", "x", ["any"]]),
)
_VALUES = st.recursive(
    st.one_of(_TEXTS, st.none(), st.booleans(), st.integers(0, 20)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)


@settings(max_examples=examples(400), deadline=None)
@given(nodes=st.lists(_NODES, min_size=1, max_size=12), found=st.lists(st.lists(_VALUES, max_size=2), max_size=4))
def test_tests_are_found_as_when_each_is_tried(nodes: list[Node], found: list[list[Any]]) -> None:
    """Equality is looked up and a searched text is found by four of its characters, wherever it stands in a value."""
    index = FieldIndex(lambda values: (values,), Memos(), _the_only_one)
    numbers = {index.add(repr(node), node): compile_node(node, lambda path: _itself) for node in nodes}

    for values in found + found:  # the second time from memory
        assert set(index.find(values)) == {number for number, holds in numbers.items() if holds(values)}


def _the_only_one(values: list[Any]) -> Any:
    if len(values) != 1:
        raise AttributeError
    return values[0]


def _itself(values: list[Any]) -> list[Any]:
    return values


def test_memos_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values come from records, which anybody may make; many fields must not remember many times as much."""
    monkeypatch.setattr(field_index, "_MAX_REMEMBERED", 10_000)
    memos, several = Memos(), [Memo() for _ in range(10)]

    for number in range(1000):
        memos.keep(several[number % 10], f"{number:0400d}", number)
        kept = [key for memo in several for key in memo]
        assert 400 * len(kept) < 10_000
        assert kept
        if not number % 7:
            memos.forget(several[3])


@pytest.mark.parametrize("key", ["x" * 513, b"x" * 513, ("a", "x" * 513), 1, True, 1.0, ("a", 1)])
def test_long_texts_and_numbers_are_not_remembered(key: Any) -> None:
    """1 equals True, and they are different texts; a long text is mostly a forged one."""
    memo = Memo()

    Memos().keep(memo, key, ())

    assert not memo
