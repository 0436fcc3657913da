"""What is too much for a correlation is told once for each cause, whichever source brings it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.crash.correlations import BASE, Event, History
from tests.unit.conftest import RULE
from tests.unit.test_episodes import correlation
from trailbell.flows.overflow import GROUPS_MAX, Overflows
from trailbell.hits.hit import Hit


COUNTING = replace(
    correlation("event_count", 2, 60, 1),
    rule=replace(RULE, rule_id="counted"),
    group_by=("g",),
    group_paths=(("g",),),
)


def event(number: int, group: str | list[str]) -> Event:
    return Event(BASE + number, f"e-{number}", ("a",), {"g": group})


def told(source: str, events: Sequence[Event]) -> list[Hit]:
    """The hits of a source, whose first groups are followed."""
    overflows, followed = Overflows(), set[tuple[str, ...]]()
    for match in History([COUNTING], [*events], {source: [*events]}).matches(source):
        alone = overflows.record(match)
        for share in match.shares:
            if share.group in followed or len(followed) < GROUPS_MAX:
                followed.add(share.group)
            else:
                overflows.leave_out(share, match, alone="counted" in alone)
    return [hit for left in overflows.left_out().values() for hit in left.hits(source)]


HUGE = event(5, [f"h{number}" for number in range(GROUPS_MAX + 50)])
FEW, MANY = ([event(100 + number, f"m{number}") for number in range(most)] for most in (30, GROUPS_MAX + 1))


@pytest.mark.parametrize("is_last", [False, True])
@pytest.mark.parametrize(
    ("others", "more"), [([], 0), (FEW, 0), (MANY, 1)], ids=["alone", "others lack room by it", "too many others"]
)
def test_record_that_is_too_much_by_itself_is_known_by_itself(
    others: Sequence[Event], more: int, is_last: bool
) -> None:
    """Live and in log files, wherever it stands; that others are too many is told for each log file."""
    [live] = told("live", [HUGE])
    found = [told(name, [*others, HUGE] if is_last else [HUGE, *others]) for name in ("f", "g")]

    assert all(hits[0].identity == live.identity and len(hits) == 1 + more for hits in found)
    assert len({hit.identity for hits in found for hit in hits}) == 1 + 2 * more


def test_records_that_are_too_many_together_are_known_by_their_log_file() -> None:
    assert len({hit.identity for name in ("f", "g", "f") for hit in told(name, MANY)}) == 2
    assert told("f", FEW) == []
