"""Alerts keep to a pace that mail subscriptions bear."""

from dataclasses import dataclass, field

from trailbell.flows.rate_limit import RateLimit


@dataclass
class Clock:
    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def times(clock: Clock, rate_limit: RateLimit, count: int) -> list[float]:
    notified = []
    for _ in range(count):
        rate_limit.wait()
        notified.append(clock.now)
    return notified


def test_two_alerts_need_not_wait() -> None:
    """What happens on most days: one alert, or two, seconds after the log file."""
    clock = Clock()

    assert times(clock, RateLimit(lambda: clock.now, clock.sleep), 2) == [100.0, 100.0]
    assert clock.slept == []


def test_many_alerts_are_two_a_second() -> None:
    """Five notifiers at once must stay within SNS's ten mails a second, or it suspends the subscription."""
    clock = Clock()

    notified = times(clock, RateLimit(lambda: clock.now, clock.sleep), 60)

    assert max(sum(start <= moment < start + 1 for moment in notified) for start in notified) <= 3
    assert notified[-1] - notified[0] >= 29


def test_pause_is_forgotten_after_a_quiet_while() -> None:
    """Credit does not pile up either: after an hour still only two at once."""
    clock = Clock()
    rate_limit = RateLimit(lambda: clock.now, clock.sleep)
    times(clock, rate_limit, 10)
    clock.now += 3600

    notified = times(clock, rate_limit, 3)

    assert [moment - notified[0] for moment in notified] == [0.0, 0.0, 0.5]
