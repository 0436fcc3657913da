"""What an event adds to correlations, against every combination written out."""

from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailbell.engine.contributing import Contributing, Share
from trailbell.engine.correlation import NO_MATCH, Correlation, CorrelationType
from trailbell.engine.fields import members, text_of
from trailbell.engine.predicates import Roots, compile_finder
from trailbell.engine.rulebook import Level, Rule


_PATHS = st.sampled_from(["a", "b.c", "b.d", "facts.e"])
_SOME_PATHS = st.lists(_PATHS, max_size=2).map(tuple)
_SCALARS = st.sampled_from(["x", "y", "", "X", 1, True, None, 1.5])
_VALUES = st.one_of(_SCALARS, st.lists(_SCALARS | st.lists(_SCALARS, max_size=2), max_size=3), st.just({"c": "x"}))
_RECORDS = st.fixed_dictionaries(
    {}, optional={"a": _VALUES, "b": st.fixed_dictionaries({}, optional={"c": _VALUES, "d": _VALUES}) | _VALUES}
)
_FACTS = st.fixed_dictionaries({}, optional={"e": _VALUES})


def correlation(name: str, groups: list[tuple[str, ...]], values: list[tuple[str, ...]]) -> Correlation:
    rule = Rule(name, name, name, name, Level.LOW, "", NO_MATCH)
    rules = tuple(f"r{number}" for number in range(len(groups)))
    return Correlation(rule, CorrelationType.VALUE_COUNT, rules, (), tuple(groups), tuple(values), 60, 2)


_CORRELATIONS = st.builds(
    correlation,
    st.sampled_from("klm"),
    st.lists(_SOME_PATHS, min_size=2, max_size=2),
    st.lists(_SOME_PATHS, min_size=2, max_size=2),
)


def plain_shares(correlations: list[Correlation], rule_id: str, roots: Roots, most: int | None) -> list[Share]:
    found = []
    for one in correlations:
        at = one.rules.index(rule_id)
        paths = (*one.group_paths[at], *one.value_paths[at])
        texts = [list(dict.fromkeys(filter(_is_text, map(text_of, members(finder(path)(roots)))))) for path in paths]
        size = len(one.group_paths[at])
        every = [(chosen[:size], chosen[size:]) for chosen in product(*texts)]
        taken = every[:most]
        cut = len(every) > len(taken)
        found += [
            Share(one, group, at, value, cut and number == len(taken))  # type: ignore[arg-type]
            for number, (group, value) in enumerate(taken, start=1)
        ]
    return found


def finder(path: str) -> Any:
    return compile_finder(path, dotted_root=False)


def _is_text(value: object) -> bool:
    return value is not None


@settings(max_examples=examples(400), deadline=None)
@given(st.lists(_CORRELATIONS, max_size=3), _RECORDS, _FACTS, st.sampled_from([None, 1, 2, 5]))
def test_shares_are_all_combinations_of_the_fields_texts(
    correlations: list[Correlation], record: dict[str, Any], facts: dict[str, Any], most: int | None
) -> None:
    """One text a field is the usual case, and is not combined; an episode would miss acts if that were another."""
    contributing, roots = Contributing(correlations, most, dotted_root=False), (record, {"facts": facts})
    expected = [plain_shares(correlations, rule_id, roots, most) for rule_id in ("r0", "r1")]

    assert [[*contributing.shares(rule_id, roots)] for rule_id in ("r0", "r1")] == expected
    assert [*contributing.shares_of(("r0", "r1", "r2"), roots)] == [*expected[0], *expected[1]]
