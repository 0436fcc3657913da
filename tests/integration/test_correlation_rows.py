"""Contributions and episodes in the table: what is written, what is joined, what is notified, and what is bounded."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import permutations
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.crash.correlations import BASE, Event, History
from tests.unit.conftest import RULE
from tests.unit.test_episodes import correlation
from trailbell.engine.buckets import bucket_start
from trailbell.engine.contributing import Group
from trailbell.engine.contribution_code import short_identity
from trailbell.engine.correlation import Contribution, Correlation
from trailbell.errors import OutOfTimeError, TableError
from trailbell.flows.correlating import Correlating, CorrelationCounts
from trailbell.flows.correlation_state import BucketPart, CountedGroup, FoundEpisode, Merged
from trailbell.flows.overflow import GROUPS_MAX
from trailbell.hits.base_match import BaseMatch, episode_hit, hit_episode
from trailbell.hits.episode import HitEpisode
from trailbell.hits.hit import Hit
from trailbell.hits.query import HitQuery
from trailbell.store.contributions import DynamoContributions
from trailbell.store.dynamo import encode
from trailbell.store.episodes import DynamoEpisodes
from trailbell.store.query.hit_query import find_hits
from trailbell.store.rows import is_to_notify
from trailbell.store.week import DynamoWeek
from trailbell.store.workers import Workers
from trailbell.text.times import iso_seconds


ReadRows = Callable[[str], list[dict[str, Any]]]


def counting(kind: str = "event_count", threshold: int = 2, timespan: int = 60, **more: Any) -> Correlation:
    made = correlation(kind, threshold, timespan, 1)
    return replace(made, rule=replace(RULE, rule_id="counted"), group_by=("g",), group_paths=(("g",),), **more)


def event(number: int, second: int, group: Any = "g1", rule: str = "a") -> Event:
    return Event(BASE + second, f"e-{number}", (rule,), {"g": group})


class Deployment:
    """What the detector has, in a table."""

    def __init__(self, client: Any, table: str, asked: Sequence[Correlation]) -> None:
        self.asked, self.quiet, self.made = list(asked), False, 0
        self.contributions = DynamoContributions(client, table, Workers(2))
        self.episodes = DynamoEpisodes(client, table, 400, lambda seconds: None)

    def hit(self, asked: Correlation, group: Group, story: HitEpisode, came_true: str, last: BaseMatch) -> Hit:
        self.made += 1
        return replace(episode_hit(asked, group, story, came_true, last, ()), quiet=self.quiet)

    def deliver(self, name: str, *events: Event, check: Callable[[], None] = lambda: None) -> CorrelationCounts:
        """A log file with these events."""
        correlating = Correlating(self.asked, frozenset(), self.contributions, self.episodes, self.hit)
        log_file = correlating.source(name)
        for match in History(self.asked, [*events], {name: [*events]}).matches(name):
            log_file.add(match)
        return log_file.finish(check)

    def merge(self, first: int, last: int) -> Merged:
        """An episode as far as somebody saw it."""
        found = FoundEpisode(CountedGroup(self.asked[0], ("g1",)), BASE + first, BASE + last, BASE + last, 2, ())
        return self.episodes.merge(found, lambda partition, key, came_true: made_hit(came_true))


def made_hit(came_true: str) -> Hit:
    [match] = History([counting()], [], {"f": [event(1, 0)]}).matches("f")
    story = hit_episode(counting(), ("g1",), came_true, came_true, 2, [match.act])
    return episode_hit(counting(), ("g1",), story, came_true, match, ())


@pytest.fixture
def deployed(dynamodb: Any, table: str) -> Callable[..., Deployment]:
    return lambda *asked: Deployment(dynamodb, table, asked or (counting(),))


def test_a_quiet_episode_is_notified_once_somebody_delivers_its_log_files(
    deployed: Callable[..., Deployment], read_rows: ReadRows
) -> None:
    """Who may write to the queue could otherwise silence what correlations say, by a quiet replay that comes first."""
    events = [event(1, 0), event(2, 10)]
    one = deployed()
    one.quiet = True
    one.deliver("f", *events)
    one.deliver("f", *events)
    assert [row["kind"] for row in read_rows("") if row["pk"].startswith("H#")] == ["quiet"]

    one.quiet = False
    one.deliver("f", *events)
    assert [row["kind"] for row in read_rows("") if row["pk"].startswith("H#")] == ["hit"]
    made = one.made
    one.quiet = True
    one.deliver("f", *events, event(3, 20))
    [row] = [row for row in read_rows("") if row["pk"].startswith("H#")]
    assert (row["kind"], one.made) == ("hit", made)
    [episode] = read_rows("episode")
    assert (episode["first"], episode["last"], episode["isQuiet"]) == (BASE, BASE + 20, False)


def test_an_episode_whose_row_expired_has_its_hit_still(
    deployed: Callable[..., Deployment], read_rows: ReadRows, dynamodb: Any, table: str
) -> None:
    one, events = deployed(), (event(1, 0), event(2, 10))
    one.deliver("f", *events)
    [before] = read_rows("hit")
    for row in read_rows("episode"):
        dynamodb.delete_item(TableName=table, Key=encode({"pk": row["pk"], "sk": row["sk"]}))
    counts = one.deliver("f", *events)

    assert counts.episodes_new == 1
    assert read_rows("hit") == [before]
    assert len(read_rows("episode")) == 1


def test_a_late_event_joins_episodes_and_the_earlier_one_lives_on(
    deployed: Callable[..., Deployment], read_rows: ReadRows
) -> None:
    one = deployed(counting(threshold=3, timespan=10))
    one.deliver("a", *(event(number, 0) for number in range(3)))
    one.deliver("b", *(event(10 + number, 12) for number in range(3)))
    assert len(read_rows("hit")) == 2
    counts = one.deliver("late", event(20, 6))

    assert (counts.episodes_new, counts.episodes_joined) == (0, 1)
    earlier, later = sorted(read_rows("episode"), key=lambda row: str(row["sk"]))
    assert (earlier["first"], earlier["last"], earlier["joined"]) == (BASE, BASE + 12, "")
    assert later["joined"] == earlier["sk"]
    assert len(read_rows("hit")) == 2


def test_many_episodes_are_joined_in_several_transactions(
    deployed: Callable[..., Deployment], read_rows: ReadRows
) -> None:
    one = deployed()
    for number in range(45):
        assert one.merge(10 * number, 10 * number + 5) == Merged(new=1)
    assert one.merge(7, 443) == Merged(joined=43)

    live = sorted((row["first"] - BASE, row["last"] - BASE) for row in read_rows("episode") if not row["joined"])
    assert live == [(0, 5), (7, 445)]
    assert one.merge(3, 10) == Merged(joined=1)
    [whole] = [row for row in read_rows("episode") if not row["joined"]]
    assert (whole["first"] - BASE, whole["last"] - BASE) == (0, 445)


def test_who_is_overtaken_again_and_again_has_the_file_come_back(
    deployed: Callable[..., Deployment], dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = list[int]()

    def refused(**request: Any) -> Any:
        calls.append(len(request["TransactItems"]))
        reasons = [{"Code": "TransactionConflict"}, *[{"Code": "None"}] * (calls[-1] - 1)]
        raise ClientError({"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}, "t")

    monkeypatch.setattr(dynamodb, "transact_write_items", refused)
    with pytest.raises(TableError, match="changed by others"):
        deployed().merge(0, 5)
    assert 3 < len(calls) < 20


@pytest.fixture
def overtake(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Makes the next transaction come after what another detector does just before it."""
    transact = dynamodb.transact_write_items

    def overtaken_by(other: Callable[[], object]) -> None:
        def late(**request: Any) -> Any:
            monkeypatch.setattr(dynamodb, "transact_write_items", transact)
            other()
            return transact(**request)

        monkeypatch.setattr(dynamodb, "transact_write_items", late)

    return overtaken_by


def counted(dynamodb: Any, table: str) -> tuple[int, int]:
    """How many hits the weekly report counts, and how many the query finds."""
    day = datetime.fromtimestamp(BASE, UTC).replace(hour=0, minute=0, second=0)
    since, until = day - timedelta(days=1), day + timedelta(days=2)
    week = DynamoWeek(dynamodb, table).read(f"{since:%Y-%m-%d}", f"{until:%Y-%m-%d}", iso_seconds(BASE))
    return sum(one.hits for one in week.rules), len([*find_hits(dynamodb, table, HitQuery(since, until))])


def test_who_is_overtaken_leaves_no_pointers_without_a_hit(
    deployed: Callable[..., Deployment],
    overtake: Callable[[Callable[[], object]], None],
    read_rows: ReadRows,
    dynamodb: Any,
    table: str,
) -> None:
    """Another detector saw the same episode come true at another time: its hit stays, and is the only one."""
    one = deployed()
    overtake(lambda: one.merge(0, 5))
    assert one.merge(3, 8) == Merged()

    [hit] = read_rows("hit")
    assert hit["eventTime"] == iso_seconds(BASE + 5)
    assert {(row["hitPk"], row["hitSk"]) for row in read_rows("pointer")} == {(hit["pk"], hit["sk"])}
    assert counted(dynamodb, table) == (1, 1)


def test_week_counts_the_hits_of_the_query_in_whatever_order_log_files_come(
    deployed: Callable[..., Deployment], overtake: Callable[[Callable[[], object]], None], dynamodb: Any, table: str
) -> None:
    """Two detectors at once: each order of four log files, in which the second overtakes the first, and so on."""
    seconds = {"a": (0, 20), "b": (30,), "c": (50, 100), "d": (130, 150)}
    for number, order in enumerate(permutations(seconds)):
        one = deployed(counting(threshold=3, timespan=60))
        for first, second in (order[:2], order[2:]):

            def deliver(name: str, one: Deployment = one, number: int = number) -> CorrelationCounts:
                group = f"g{number}"
                return one.deliver(f"{number}{name}", *(event(100 * number + at, at, group) for at in seconds[name]))

            overtake(partial(deliver, second))
            deliver(first)
            if number % 2:
                deliver(first)
            else:
                deliver(second)

    of_week, of_query = counted(dynamodb, table)
    assert of_week == of_query >= number + 1


def test_what_is_refused_for_good_is_not_tried_again(
    deployed: Callable[..., Deployment], dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = list[int]()

    def refused(**request: Any) -> Any:
        calls.append(1)
        reasons = [{"Code": "ValidationError"}]
        raise ClientError({"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}, "t")

    monkeypatch.setattr(dynamodb, "transact_write_items", refused)
    with pytest.raises(ClientError):
        deployed().merge(0, 5)
    assert len(calls) == 1


def test_contributions_of_any_number_and_of_any_time_are_read_back(
    deployed: Callable[..., Deployment], read_rows: ReadRows
) -> None:
    one, of = deployed(), CountedGroup(counting(), ("g1",))
    start = bucket_start(of.correlation, BASE)
    many = [Contribution(start + number % 60, short_identity(str(number)), 0) for number in range(12_000)]
    one.contributions.write([BucketPart(of, start, "f", many, ())])
    assert {*one.contributions.read(of, BASE, BASE)} == {*many}
    assert len(read_rows("contributions")) == 3

    earliest = -62_135_596_800
    old = [Contribution(earliest, short_identity("old"), 0)]
    one.contributions.write([BucketPart(of, earliest - earliest % 60, "old", old, ())])
    assert one.contributions.read(of, earliest - 10**12, earliest + 60) == old
    assert one.contributions.read(of, earliest, 10**15)[0] == old[0]


def test_only_the_hit_is_notified(
    deployed: Callable[..., Deployment], dynamodb: Any, table: str, read_rows: ReadRows
) -> None:
    deployed().deliver("f", event(1, 0), event(2, 10))
    told = [row["pk"][:2] for row in read_rows("") if is_to_notify("INSERT", encode(row))]

    assert told == ["H#"]
    assert {row["kind"] for row in read_rows("")} == {
        "contributions",
        "contributed-acts",
        "episode",
        "episodes-version",
        "hit",
        "pointer",
    }


def test_the_hit_tells_of_acts_from_other_log_files_and_of_inner_episodes(
    deployed: Callable[..., Deployment], read_rows: ReadRows
) -> None:
    burst = counting(threshold=3, timespan=60)
    success = replace(
        counting("temporal_ordered", 2, 60),
        rule=replace(RULE, rule_id="then"),
        rules=("counted", "b"),
        group_paths=(("g",), ("g",)),
        value_paths=((), ()),
        depth=2,
    )
    one = deployed(burst, success)
    one.deliver("a", event(1, 0), event(2, 20))
    one.deliver("b", event(3, 50), event(4, 90, rule="b"))

    stories = {row["ruleId"]: row["episode"] for row in read_rows("hit")}
    assert [act["eventID"] for act in stories["counted"]["acts"]] == ["e-1", "e-2", "e-3"]
    assert [act["eventID"] for act in stories["then"]["acts"]] == ["e-1", "e-2", "e-3", "e-4"]
    assert (stories["then"]["first"], stories["then"]["last"]) == (iso_seconds(BASE), iso_seconds(BASE + 90))
    assert (stories["counted"]["count"], stories["counted"]["group"]) == (3, [{"name": "g", "value": "g1"}])


def test_more_groups_than_a_log_file_may_have_are_counted(
    deployed: Callable[..., Deployment], read_rows: ReadRows
) -> None:
    names = [f"g{number}" for number in range(GROUPS_MAX + 7)]
    counts = deployed().deliver(
        "f", *(event(number, 0, name) for number, name in enumerate(names)), event(999, 1, "g0")
    )

    left = counts.left_out["counted"]
    assert left.first
    assert (counts.groups, left.contributions, left.first.identity) == (GROUPS_MAX, 7, f"e-{GROUPS_MAX}")
    assert len({row["pk"] for row in read_rows("contributions")}) == GROUPS_MAX
    assert len(read_rows("hit")) == 1


def test_without_a_base_match_nothing_is_asked(deployed: Callable[..., Deployment], dynamodb: Any) -> None:
    calls = list[str]()
    dynamodb.meta.events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))
    deployed().deliver("f")

    assert calls == []


def test_time_that_is_over_ends_the_work_before_the_next_group(
    deployed: Callable[..., Deployment], read_rows: ReadRows
) -> None:
    asked = list[int]()

    def check() -> None:
        asked.append(1)
        if len(asked) == 2:
            raise OutOfTimeError("over")

    with pytest.raises(OutOfTimeError):
        deployed(counting(threshold=1)).deliver("f", *(event(n, 0, f"g{n}") for n in range(3)), check=check)
    assert len(read_rows("contributions")) == 3
    assert len(read_rows("hit")) == 1
