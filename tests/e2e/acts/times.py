"""How long until somebody knows: the clock driven through hours of minutes, and alarms evaluated by their definitions.

Nothing here waits. The canary's part is the product's own flow (flows/clock.py, flows/canary.py) around a chain that
breaks at one link; an alarm's part is its definition in the deployed template, on what its metric would show.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from trailbell.flows.canary import DUE_KIND, CanaryWatch
from trailbell.flows.clock import Clock
from trailbell.hits.canary import Canary, Returned
from trailbell.hits.due import Due


CLOUDTRAIL_MINUTES = 5
"""From a call to its log file: AWS's "average of about 5 minutes", which it does not promise.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""

STEPS = ("detected", "published", "returned")
"""What a canary passes after it was sent; a link that is cut keeps it from one of them."""

TABLE = "table"
"""The link that nothing of a canary can do without: its rows."""

_BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
_HOUR = 60
_ACT_HOUR = 10 * _HOUR  # acts are done in this hour: all before is quiet, and every window is full
_LAST = 24 * _HOUR


@dataclass(frozen=True)
class Minutes:
    """From the act until somebody knows: at least and at most, over when in the hour it is done."""

    least: int
    most: int

    def __str__(self) -> str:
        return f"{self.least}-{self.most} min" if self.least < self.most else f"{self.least} min"


@dataclass(frozen=True)
class Settings:
    """Of the deployment: minutes between two runs of the clock, those a canary may take, and its queue's tries."""

    clock_minutes: int
    canary_minutes: int
    dead_letter_minutes: int


@dataclass
class Chain:
    """Everything around the clock: CloudTrail, detector, notifier, topic and table, with one link cut at a time.

    cut: the step that no canary comes to from minute `at` on, or the table; for `minutes` long.
    """

    cut: str
    at: int
    minutes: int = _LAST
    now: int = 0
    rows: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    under_way: list[tuple[int, str]] = field(default_factory=list)
    queue: list[Returned] = field(default_factory=list)
    notified: list[tuple[int, str]] = field(default_factory=list)

    def is_cut(self, step: str) -> bool:
        return self.cut == step and self.at <= self.now < self.at + self.minutes

    def check_table(self) -> None:
        if self.is_cut(TABLE):
            raise OSError("the table refuses")

    # The clock's ports.
    def steps(self, name: str) -> Mapping[str, Mapping[str, Any]]:
        self.check_table()
        return dict(self.rows[name])

    def add(self, name: str, step: str, **members: str | int) -> bool:
        self.check_table()
        if step in self.rows[name]:
            return False
        self.rows[name][step] = dict(members)
        return True

    def done(self, returned: Returned) -> None:
        self.queue.remove(returned)

    def receive(self) -> list[Returned]:
        return list(self.queue)

    def notify(self, subject: str, text: str) -> None:
        self.notified.append((self.now, text))

    def failed(self, what: str, error: Exception) -> None:
        """A task or a due row fails, and is tried again."""

    def act(self, parameter: str) -> None:
        """CloudTrail has the call; its log file comes later."""
        self.under_way.append((self.now + CLOUDTRAIL_MINUTES, parameter))

    def pass_on(self) -> None:
        """What arrives in this minute goes as far as the chain is whole."""
        for due_at, parameter in [one for one in self.under_way if one[0] == self.now]:
            self.under_way.remove((due_at, parameter))
            name, nonce = parameter.rsplit("/", 2)[1:]
            for step in STEPS:
                if self.is_cut(step) or self.is_cut(TABLE):
                    break
                if step == "returned":
                    self.queue.append(Returned(Canary(name, nonce), time_of(self.now), time_of(self.now), parameter))
                else:
                    self.rows[name][step] = {"at": time_of(self.now)}


@dataclass
class DueRows:
    """What is to be done at a time, in the chain's table."""

    chain: Chain
    rows: set[Due] = field(default_factory=set)

    def add(self, due: Due) -> None:
        self.chain.check_table()
        self.rows.add(due)

    def until(self, now: str) -> Iterator[Due]:
        self.chain.check_table()
        yield from sorted((one for one in self.rows if one.due_at <= now), key=lambda one: one.due_at)

    def done(self, due: Due) -> bool:
        self.rows.discard(due)
        return True

    def read_to(self, now: str, first_left: str) -> None:
        self.chain.check_table()


def time_of(minute: int) -> str:
    """A minute of the driven day as the clock is told it."""
    return f"{_BEGIN + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class Drive:
    """What came of a driven day: when operations were notified first and of what, and when canaries returned."""

    known: int | None
    said: str
    returned: tuple[int, ...]


@cache
def drive(settings: Settings, cut: str, at: int, phase: int, minutes: int = _LAST) -> Drive:
    """Drive the clock through a day in which a link is cut at a minute; phase: the minute of its first run."""
    chain, returned = Chain(cut, at, minutes), list[int]()
    due = DueRows(chain)
    for minute in range(_LAST if minutes == _LAST else at + 4 * _HOUR):
        chain.now = minute
        chain.pass_on()
        if minute % settings.clock_minutes == phase:
            watch = CanaryWatch(chain, chain, chain, due, chain.act, settings.canary_minutes)
            try:
                Clock(due, {"canary": watch.run}, {DUE_KIND: watch.judge}, chain).run(time_of(minute))
            except OSError:
                continue  # Lambda counts an error; the next run tries again
            returned += [minute] * watch.counters.returned
        if minutes == _LAST and chain.notified and minute > at + 4 * _HOUR:
            break
    known = next(((when, text) for when, text in chain.notified if when >= at), (None, ""))
    return Drive(known[0], known[1], tuple(returned))


def until_told(settings: Settings, cut: str, minutes: int = _LAST) -> Minutes | None:
    """From an act to the message to operations, over all minutes of an hour and of the clock; None if none comes."""
    found = [
        driven.known - at
        for at in range(_ACT_HOUR, _ACT_HOUR + _HOUR)
        for phase in range(settings.clock_minutes)
        if (driven := drive(settings, cut, at, phase, minutes)).known is not None
    ]
    return Minutes(min(found), max(found)) if found else None


def told(settings: Settings, cut: str) -> str:
    """What operations read of a canary that is lost there: the sentence that names the link."""
    text = drive(settings, cut, _ACT_HOUR, 0).said
    return text.split("\n\n")[2] if text else ""


_STATISTICS: dict[str, Callable[[list[float]], float]] = {"Sum": sum, "Maximum": max, "Minimum": min}


@dataclass(frozen=True)
class Alarm:
    """An alarm as the template defines it. Minutes; `missing`: whether a period without a value counts as breaching.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
    """

    name: str
    period: int
    periods: int
    breaching: int
    threshold: float
    statistic: str
    below: bool
    missing: bool

    def fires_after(self, series: Mapping[int, float], at: int) -> int:
        """Minutes from `at` to the end of the first period at which it fires, on its metric's values by minute."""
        buckets: dict[int, list[float]] = defaultdict(list)
        for minute, value in series.items():
            buckets[minute // self.period].append(value)
        last = -(-at // self.period)
        for end in range(last if at % self.period else last + 1, _LAST // self.period):
            window = range(end - self.periods, end)
            if sum(self._breaches(buckets.get(one)) for one in window) >= self.breaching:
                return end * self.period - at
        raise AssertionError(f"{self.name} does not fire")

    def _breaches(self, values: list[float] | None) -> bool:
        if not values:
            return self.missing
        value = _STATISTICS[self.statistic](values)
        return value < self.threshold if self.below else value >= self.threshold


def alarms_of(template: Mapping[str, Any]) -> dict[str, Alarm]:
    """The alarms of a template, by their names in ops/advice.toml."""
    found = {}
    for logical, resource in template["Resources"].items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            name, given = logical[len("Watch") : -8], resource["Properties"]
            periods = int(given["EvaluationPeriods"])
            found[name] = Alarm(
                name,
                int(given["Period"]) // 60,
                periods,
                int(given.get("DatapointsToAlarm", periods)),
                float(given["Threshold"]),
                given["Statistic"],
                given["ComparisonOperator"].startswith("Less"),
                given["TreatMissingData"] == "breaching",
            )
    return found


def settings_of(template: Mapping[str, Any]) -> Settings:
    """What the template says of the clock, the canary and the ingest queue."""
    resources = template["Resources"]

    def one(name: str) -> Any:
        (found,) = (part["Properties"] for logical, part in resources.items() if logical[:-8] == name)
        return found

    queue, clock = one("IngestQueue"), one("ClockFunction")["Environment"]["Variables"]
    tries = int(queue["RedrivePolicy"]["maxReceiveCount"])
    rate = one("ClockSchedule")["ScheduleExpression"].removeprefix("rate(").split(" ")
    assert rate[1].startswith("minute"), rate
    return Settings(int(rate[0]), int(clock["TRAILBELL_CANARY_MINUTES"]), tries * int(queue["VisibilityTimeout"]) // 60)


Series = Callable[[int, int], Mapping[int, float]]
"""An alarm's metric by minute, for an act at a minute and a phase of what comes every five minutes."""


def until_alarm(alarm: Alarm, series: Series) -> Minutes:
    """From an act to an alarm, over all minutes of an hour, and of what comes every five minutes."""
    found = [
        alarm.fires_after(series(at, phase), at)
        for at in range(_ACT_HOUR, _ACT_HOUR + _HOUR)
        for phase in range(CLOUDTRAIL_MINUTES)
    ]
    return Minutes(min(found), max(found))


def every(minutes: int, phase: int) -> range:
    """The minutes of a day at which something comes."""
    return range(phase, _LAST, minutes)


def log_files(phase: int) -> range:
    """When log files come to an account in which something always happens."""
    return every(CLOUDTRAIL_MINUTES, phase)


def canaries(phase: int) -> range:
    """When canaries come to detector and notifier: each hour's is sent by its first run of the clock."""
    return every(_HOUR, phase + CLOUDTRAIL_MINUTES)


def after(at: int, minutes: range) -> list[int]:
    """Those from a minute on."""
    return [minute for minute in minutes if minute >= at]


def until(at: int, minutes: range) -> Mapping[int, float]:
    """One for each before a minute."""
    return {minute: 1.0 for minute in minutes if minute < at}
