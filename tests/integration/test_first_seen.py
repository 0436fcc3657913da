"""New and habitual: sightings in any order and however often, and what they make of a hit."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.conftest import HIT
from trailbell.engine.rulebook import FirstSeen
from trailbell.flows.first_seen import FirstSeenJudge
from trailbell.hits.first_seen import HABIT_DAYS, LEARNING_DAYS, Sighting, days_before
from trailbell.hits.hit import Hit
from trailbell.store.sightings import DynamoSightings


ASKED = FirstSeen(("facts.actor.key",), days=90, habit_days=3)
HISTORIES = 60


def seen_on(day: str, key: str = "a", number: int = 0, hour: int = 10) -> Hit:
    time = f"{day}T{hour:02}:00:00Z"
    return replace(HIT, event_id=f"e-{day}-{key}-{number}", event_time=time, seen_at=time, seen_keys=(key,))


@pytest.fixture
def judge(dynamodb: Any, table: str) -> FirstSeenJudge:
    return FirstSeenJudge(DynamoSightings(dynamodb, table), {HIT.rule_id: ASKED})


def test_nothing_is_new_while_everything_is(judge: FirstSeenJudge) -> None:
    """For two weeks after the first sighting in an account the mail says that it cannot be said."""
    (hit,) = judge.judge([seen_on("2026-03-01")])

    assert hit.level == HIT.level
    assert hit.seen_note == "still learning until 2026-03-15: whether this is new cannot be said yet"


def test_what_is_new_goes_up_and_what_is_habitual_goes_down(judge: FirstSeenJudge) -> None:
    """One level each, with the reason; the same again says the same."""
    judge.judge([seen_on("2026-01-01", "other")])
    first = judge.judge([seen_on("2026-03-01")])
    again = judge.judge([seen_on("2026-03-01")])
    second = judge.judge([seen_on("2026-03-01", number=1, hour=11)])
    for day in ("2026-03-02", "2026-03-03"):
        judge.judge([seen_on(day)])
    (habit,) = judge.judge([seen_on("2026-03-04")])
    (late,) = judge.judge([seen_on("2026-07-01")])

    assert [(hit.level, hit.level_note) for hit in first] == [
        ("critical", "raised from high: first time in 59 days by role/Deploy")
    ]
    assert again == first
    assert (second[0].level, second[0].level_note, second[0].seen_note) == ("high", "", "")
    assert (habit.level, habit.level_note) == (
        "medium",
        "lowered from high: as on 3 of the 30 days before, by role/Deploy",
    )
    assert late.level == "critical"


def test_who_acted_moves_a_level_once_and_rules_about_the_alerter_never_go_down(judge: FirstSeenJudge) -> None:
    """One step at most; what is said of it is said all the same."""
    judge.judge([seen_on("2026-01-01", "other")])
    moved = replace(seen_on("2026-03-01"), level="medium", level_note="lowered from high: automation role")
    (hit,) = judge.judge([moved])
    assert (hit.level, hit.seen_note) == ("medium", "first time in 59 days by role/Deploy")

    for day in ("2026-03-02", "2026-03-03", "2026-03-04"):
        judge.judge([seen_on(day)])
    (guarded,) = judge.judge([replace(seen_on("2026-03-05"), name="trail-updated")])
    assert (guarded.level, guarded.seen_note) == ("high", "as on 4 of the 30 days before, by role/Deploy")


def naive(hit: Hit, everything: Sequence[Hit]) -> str:
    """The level of a hit, once all are known."""
    since = min(one.event_time for one in everything)[:10]
    if days_before(hit.event_time[:10], LEARNING_DAYS) < since:
        return hit.level
    own = [one for one in everything if one.seen_keys == hit.seen_keys]
    day = hit.event_time[:10]
    earlier = [one for one in own if (one.event_time, one.event_id) < (hit.event_time, hit.event_id)]
    if not any(one.event_time[:10] >= days_before(day, ASKED.days) for one in earlier):
        return "critical"
    days = {one.event_time[:10] for one in own if days_before(day, HABIT_DAYS) <= one.event_time[:10] < day}
    return "medium" if len(days) >= ASKED.habit_days else hit.level


def test_in_the_end_order_and_repetition_do_not_matter(dynamodb: Any, table: str) -> None:
    """Delivered in any order, twice, by two detectors: a second reading of every hit says what the whole history says.

    And in the order of time the first reading does.
    """
    dice, levels = random.Random("first seen"), set[str]()  # noqa: S311 (histories, no secret)
    for number in range(HISTORIES):
        days = [days_before("2026-06-01", dice.randrange(150)) for _ in range(dice.randint(1, 14))]
        hits = [
            replace(seen_on(day, dice.choice("ab"), at, dice.randrange(24)), account=f"{number:012}")
            for at, day in enumerate(days)
        ]
        judges = [FirstSeenJudge(DynamoSightings(dynamodb, table), {HIT.rule_id: ASKED}) for _ in range(2)]
        delivered = [*hits, *dice.sample(hits, len(hits) // 2)]
        in_order = dice.random() < 0.5
        delivered.sort(key=lambda hit: (hit.event_time, hit.event_id)) if in_order else dice.shuffle(delivered)
        first = {hit.event_id: hit.level for one in delivered for hit in dice.choice(judges).judge([one])}
        second = {hit.event_id: hit.level for hit in judges[0].judge(hits)}
        expected = {hit.event_id: naive(hit, hits) for hit in hits}
        assert second == expected
        if in_order:
            assert first == expected
        levels |= {*expected.values()}
    assert levels == {"critical", "high", "medium"}


def test_a_sighting_gives_way_to_an_earlier_one_of_its_day(dynamodb: Any, table: str) -> None:
    """Whoever writes second."""
    early, late = (
        Sighting("2026-03-01", "2026-03-01T08:00:00Z", "b"),
        Sighting("2026-03-01", "2026-03-01T09:00:00Z", "a"),
    )
    for order in ((early, late), (late, early)):
        key = f"key{order[0].event_id}"
        for sighting in order:
            DynamoSightings(dynamodb, table).add("1", key, sighting, 90)
        assert DynamoSightings(dynamodb, table).between("1", key, "2026-01-01", "2026-12-31") == [early]


def test_replayed_history_ends_no_learning_and_a_rule_begins_where_its_account_is_read(judge: FirstSeenJudge) -> None:
    """An old log file does not make everybody new; and the rarest call is judged from the first on."""
    judge.begin(HIT.account, "2026-02-01T00:00:00Z")
    judge.judge([replace(seen_on("2025-08-01"), seen_at="2026-02-02T00:00:00Z")])
    (early,) = judge.judge([seen_on("2026-02-10", "b")])
    (first_ever,) = judge.judge([seen_on("2026-06-30", "c")])

    assert early.seen_note.startswith("still learning until 2026-02-15")
    assert first_ever.level_note == "raised from high: first time in 90 days by role/Deploy"


def test_habit_lowers_nothing_below_what_is_mailed_and_says_what_it_is(judge: FirstSeenJudge) -> None:
    """Medium stays medium: whoever has taken a busy role's credentials is not silent."""
    judge.begin(HIT.account, "2026-01-01T00:00:00Z")
    for day in ("2026-03-01", "2026-03-02", "2026-03-03"):
        judge.judge([seen_on(day)])
    (hit,) = judge.judge([replace(seen_on("2026-03-04"), level="medium", seen_what="us-east-1")])

    assert (hit.level, hit.level_note) == ("medium", "")
    assert hit.seen_note == "as on 3 of the 30 days before, by role/Deploy (us-east-1)"


def test_seeded_history_is_learned(judge: FirstSeenJudge) -> None:
    """`scan --seed` tells a new deployment what was there before."""
    judge.keep([replace(seen_on("2026-01-01"), seen_at="2026-05-01T00:00:00Z")], learned=True)
    (hit,) = judge.judge([seen_on("2026-05-01", "b")])

    assert hit.level_note == "raised from high: first time in 90 days by role/Deploy"
