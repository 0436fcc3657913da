"""Who knows of an act, and after how long: each alarm's and the canary's figure for the link that the act cuts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.e2e.acts import times
from tests.e2e.acts.act import Act
from tests.e2e.acts.times import Alarm, Minutes, Series, Settings


# The step that a canary does not come to where a part is cut; the clock is what would miss it.
_LINKS = {
    "trail": "detected",
    "trail bucket": "detected",
    "bucket notification": "detected",
    "EventBridge rule": "detected",
    "ingest queue": "detected",
    "detector's mapping": "detected",
    "detector": "detected",
    "hit table's stream": "published",
    "notifier's mapping": "published",
    "notifier": "published",
    "notifier's role": "published",
    "alert topic": "published",
    "canaries' subscription": "returned",
    "hit table": times.TABLE,
    "clock": "clock",
    "stack": "clock",
}
_HITS = {"DeliveryFailing": 1, "HitsNotReceived": 2}
"""Alarms that no canary sets off, and how many hits do; each in a period of its own."""


@dataclass(frozen=True)
class Known:
    """When an alarm fires: minutes after the act, or after so many hits; None where AWS does not say."""

    alarm: str
    minutes: Minutes | None
    hits: int = 0

    def __str__(self) -> str:
        if self.minutes is None:
            return f"{self.alarm} (after Lambda's tries)"
        since = f" after {'a hit' if self.hits == 1 else f'{self.hits} hits'}" if self.hits else ""
        return f"{self.alarm} ({self.minutes}{since})"


class Times:
    """The figures of a deployment, from its template."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        self.settings: Settings = times.settings_of(template)
        self.alarms = times.alarms_of(template)
        self.told = cache(lambda cut: times.until_told(self.settings, cut))
        self._until = cache(self._until_alarm)
        self.canary_alarm = cache(lambda cut: self._until_canary_alarm(_LINKS[cut]))

    def known(self, act: Act) -> tuple[Known, ...]:
        """The alarms that answer an act, each with its figure."""
        link = _LINKS.get(act.cut, "")
        return tuple(self._until(name, link) for name in act.alarms if name in self.alarms)

    def canary(self, act: Act) -> Minutes | None:
        """From the act to the message to operations; None where the canary comes back, or nobody misses it."""
        link = _LINKS.get(act.cut, "clock")
        if link == "clock":
            return None
        return times.until_told(self.settings, link, 1) if act.once else self.told(link)

    def _until_canary_alarm(self, link: str) -> Minutes:
        """From an act to the alarm CanaryMissing, which counts what comes back."""
        alarm = self.alarms["CanaryMissing"]

        def returned(at: int, phase: int) -> Mapping[int, float]:
            minutes = times.drive(self.settings, link, at, phase).returned
            return {minute: float(minutes.count(minute)) for minute in minutes}

        return times.until_alarm(alarm, returned)

    def sentence(self, cut: str) -> str:
        """What operations read of a canary that is lost there."""
        return times.told(self.settings, _LINKS[cut])

    def _until_alarm(self, name: str, link: str) -> Known:
        if name == "AlertDeadLettersNotEmpty":
            return Known(name, None)
        alarm = self.alarms[name]
        if name in _HITS:
            return Known(name, _after_hits(alarm, _HITS[name]), _HITS[name])
        return Known(name, times.until_alarm(alarm, _series(name, link, self.settings)))


def _after_hits(alarm: Alarm, count: int) -> Minutes:
    """From the last of so many hits, each in a period of its own."""

    def hits(at: int, phase: int) -> Mapping[int, float]:
        return {at - back * alarm.period: 1.0 for back in range(count)}

    return times.until_alarm(alarm, hits)


def _series(name: str, link: str, settings: Settings) -> Series:
    """What an alarm's metric shows: before an act all is well, after it what the link's cut leaves of it.

    What fails behind a link fails for whatever comes there: log files before the table, canaries behind it, the clock's
    own runs where it is the clock.
    """

    def coming(phase: int) -> range:
        if name.startswith("Clock"):
            return times.every(settings.clock_minutes, phase)
        return times.canaries(phase) if link in ("published", "returned") else times.log_files(phase)

    def stopped(at: int, phase: int) -> Mapping[int, float]:
        return times.until(at, coming(phase))

    def failing(at: int, phase: int) -> Mapping[int, float]:
        return dict.fromkeys(times.after(at, coming(phase)), 1.0)

    def ageing(seconds: int) -> Series:
        def age(at: int, phase: int) -> Mapping[int, float]:
            first = times.after(at, coming(phase))[0]
            return {first + minute: minute * float(seconds) for minute in range(6 * 60)}

        return age

    def dead(at: int, phase: int) -> Mapping[int, float]:
        first = times.after(at, coming(phase))[0] + settings.dead_letter_minutes
        return {first + minute: 1.0 for minute in range(60)}

    if name in ("Silence", "ClockStopped"):
        return stopped
    special = {"OldestNotification": ageing(60), "DeliveryDelayed": ageing(60_000), "DeadLettersNotEmpty": dead}
    return special.get(name, failing)
