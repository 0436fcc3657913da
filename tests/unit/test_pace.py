"""Alerts keep to a pace that mail subscriptions bear, and what there is no time for comes back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from trailalert.core.alert import Alert
from trailalert.core.hit import Hit
from trailalert.flows.notifier import Notifier, StreamHit
from trailalert.flows.pace import Pace


@dataclass
class Clock:
    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def times(clock: Clock, pace: Pace, count: int) -> list[float]:
    told = []
    for _ in range(count):
        pace.wait()
        told.append(clock.now)
    return told


def test_two_alerts_need_not_wait() -> None:
    """What happens on most days: one alert, or two, seconds after the log file."""
    clock = Clock()

    assert times(clock, Pace(lambda: clock.now, clock.sleep), 2) == [100.0, 100.0]
    assert clock.slept == []


def test_many_alerts_are_two_a_second() -> None:
    """Five notifiers at once must stay within SNS's ten mails a second, or it suspends the subscription."""
    clock = Clock()

    told = times(clock, Pace(lambda: clock.now, clock.sleep), 60)

    assert max(sum(start <= moment < start + 1 for moment in told) for start in told) <= 3
    assert told[-1] - told[0] >= 29


def test_pause_is_forgotten_after_a_quiet_while() -> None:
    """Credit does not pile up either: after an hour still only two at once."""
    clock = Clock()
    pace = Pace(lambda: clock.now, clock.sleep)
    times(clock, pace, 10)
    clock.now += 3600

    told = times(clock, pace, 3)

    assert [moment - told[0] for moment in told] == [0.0, 0.0, 0.5]


@dataclass
class Topic:
    told: list[Alert] = field(default_factory=list)

    def tell(self, alert: Alert) -> None:
        self.told.append(alert)


class NoMarks:
    def told(self, hits: Sequence[Hit]) -> set[tuple[str, str, str]]:
        return set()

    def mark(self, hits: Sequence[Hit]) -> None:
        pass


class NoJournal:
    def failed(self, what: str, error: Exception) -> None:
        raise AssertionError(what)


def test_what_there_is_no_time_for_comes_back(given_hit: Callable[..., Hit]) -> None:
    """A notifier that is stopped by Lambda tells its batch again; one that stops itself gives back the rest."""
    topic = Topic()
    notifier = Notifier(topic, NoMarks(), NoJournal(), lambda: "2026-09-01T10:00:00Z", lambda: len(topic.told) < 2)
    batch = [
        StreamHit(str(number), given_hit(eventID=f"e-{number}", recipientAccountId=f"{number:012d}"))
        for number in range(5)
    ]

    failed, tally = notifier.notify(batch)

    assert len(topic.told) == tally.alerts_told == 2
    assert len(failed) == tally.hits_put_off == 3
    assert tally.hits_failed == 0
    assert tally.balanced
