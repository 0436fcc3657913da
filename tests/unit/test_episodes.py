"""Episodes against the naive evaluator, for any contributions, in any order and repeated."""

import os
import random
from collections import Counter

import pytest

from tests.unit.naive_episodes import naive_episodes
from trailbell.engine.correlation import NO_MATCH, Contribution, Correlation, CorrelationType
from trailbell.engine.episodes import episodes_of
from trailbell.engine.rulebook import Level, Rule


HISTORIES = int(os.environ.get("TRAILBELL_HISTORIES", "1500"))
_RULE = Rule("id", "name", "stem", "Title", Level.HIGH, "", NO_MATCH)


def correlation(kind: str, threshold: int, timespan: int = 5, rules: int = 3) -> Correlation:
    return Correlation(
        _RULE,
        CorrelationType(kind),
        ("a", "b", "c", "d")[:rules],
        (),
        ((),) * rules,
        ((),) * rules,
        timespan,
        threshold,
    )


@pytest.mark.parametrize("kind", list(CorrelationType))
def test_episodes_are_those_of_the_definitions_in_any_order(kind: CorrelationType) -> None:
    dice, seen = random.Random(f"episodes {kind}"), Counter[int]()  # noqa: S311 (histories, no secret)
    for _ in range(HISTORIES):
        rules = dice.randint(1, 4)
        asked = correlation(kind, dice.randint(1, rules), dice.randint(1, 6), rules)
        times = [dice.randint(0, 14) for _ in range(7)]
        events = [dice.randrange(7) for _ in range(dice.randint(0, 8))]
        contributions = [
            Contribution(times[event], event, dice.randrange(rules), dice.randint(0, 3)) for event in events
        ]
        shuffled = [*contributions, *dice.sample(contributions, len(contributions) // 2)]
        dice.shuffle(shuffled)
        found = [(one.first, one.last, {*one.members}, {*one.firings}) for one in episodes_of(asked, shuffled)]
        expected = [
            (first, last, {*members}, times) for first, last, members, times in naive_episodes(asked, contributions)
        ]
        assert found == expected, (asked, contributions)
        seen[len(found)] += 1
    assert all(seen[number] for number in range(3)), seen
