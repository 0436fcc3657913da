"""A history's alerts are counted by the code that the notifier gathers by: in lines, in a summary, in messages."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trailbell.alerts.over_time import alerts_over_time
from trailbell.alerts.quiet import QuietMinutes
from trailbell.hits.hit import Hit
from trailbell.lookback.cost import Cost, act_of


GivenHit = Callable[..., Hit]


@st.composite
def histories(draw: st.DrawFn) -> list[Any]:
    """Hits of a few rules, levels, actors and resources over some hours."""
    drawn = st.tuples(
        st.integers(0, 40),
        st.sampled_from(["r1", "r2"]),
        st.sampled_from(["high", "critical"]),
        st.one_of(st.sampled_from(["dana", "eve"]), st.integers(0, 14).map(str)),
        st.lists(st.sampled_from(["k1", "k2", "k3"]), max_size=2, unique=True).map(tuple),
    )
    return draw(st.lists(drawn, max_size=30))


def hits_of(template: Hit, history: list[Any]) -> list[Hit]:
    return [
        replace(
            template,
            event_id=f"e-{number}",
            event_time=f"2026-09-01T{7 * at // 60 % 24:02}:{7 * at % 60:02}:00Z",
            rule_id=rule,
            name=rule,
            level=level,
            actor=replace(template.actor, key=actor, name=actor),
            resources=resources,
        )
        for number, (at, rule, level, actor, resources) in enumerate(history)
    ]


def test_summary_and_alerts_say_the_same(given_hit: GivenHit) -> None:
    """Two ways of counting would disagree: 1, 288 and 20 for one day of a role that polls."""

    @given(histories(), st.sampled_from([0, 30, 60]))
    def same(history: list[Any], minutes: int) -> None:
        hits, quiet = hits_of(given_hit(), history), QuietMinutes(minutes)
        cost = Cost(quiet)
        for hit in hits:
            cost.add(act_of(hit))
        alerts = alerts_over_time(hits, quiet)

        assert sum(rule.alerts for rule in cost) == len(alerts)
        assert sorted(hit.hit_id for alert in alerts for hit in alert.hits) == sorted(hit.hit_id for hit in hits)

    same()


def test_poller_is_gathered(given_hit: GivenHit) -> None:
    """A message an hour instead of one with every log file."""
    hits = [
        replace(given_hit(), event_id=f"e-{minute}", event_time=f"2026-09-01T{minute // 60:02}:{minute % 60:02}:00Z")
        for minute in range(24 * 60)
    ]

    assert len(alerts_over_time(hits, QuietMinutes(0))) == 288
    gathered = alerts_over_time(hits, QuietMinutes(60))
    assert len(gathered) == 25
    assert [alert.gathered for alert in gathered] == [False, *[True] * 24]
