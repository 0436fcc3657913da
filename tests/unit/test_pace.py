"""Alerts keep to a pace that mail subscriptions bear."""

from dataclasses import dataclass, field

from trailbell.flows.rate_limit import Pace


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
