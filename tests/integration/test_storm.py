"""Ten thousand acts within a minute: every hit told, in a handful of alerts with true counts, well below SNS's limits.

Time is played: hits are written as fast as a new on-demand table takes them, and each of its four shards gives
batches to the notifier as infra/functions.py asks of it. Adapters, grouping, mail and the notifier are the real ones.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.crash.aws import FakeDynamo
from tests.crash.faults import Faults, nothing
from trailbell.alerts.alert import Alert
from trailbell.alerts.channels.email import SnsAlertTopic
from trailbell.alerts.quiet import QuietMinutes
from trailbell.flows.notifier import Notifier
from trailbell.flows.rate_limit import RateLimit
from trailbell.flows.stream_batch import NotifierCounters, StreamHit
from trailbell.handlers import notifier as handler
from trailbell.hits.hit import Hit
from trailbell.hits.related import Related
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.dynamo import encode
from trailbell.store.follow_ups import DynamoFollowUps
from trailbell.store.periods import DynamoPeriods
from trailbell.store.rows import hit_row
from trailbell.store.states import DynamoHitStates


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html: a new table takes
# 4,000 write units a second on four partitions; a hit's row takes 4 of them, its pointers 6, which makes 400 hits.
HITS_A_SECOND, SHARDS = 400, 4
BATCH, WINDOW, PAYLOAD = 2000, 2.0, 6_000_000
CALL = 0.05  # seconds for a request to SNS or DynamoDB, longer than it takes

GivenHit = Callable[..., Hit]


@dataclass
class CountingSns:
    """Takes messages as SNS does; when each came, for how many hits."""

    now: float = 0.0
    notified: list[tuple[float, int]] = field(default_factory=list)

    def publish(self, **request: Any) -> None:
        sizes = [len(request[name].encode()) for name in ("Message", "Subject")]
        assert sum(sizes) < 256 * 1024
        assert len(request["Subject"]) <= 100
        self.now += CALL
        self.notified.append((self.now, json.loads(json.loads(request["Message"])["default"])["count"]))


class SilentJournal:
    def failed(self, what: str, error: Exception) -> None:
        raise error


def play(hits: list[Hit]) -> tuple[list[tuple[float, int]], FakeDynamo]:
    """Write the hits and tell them; when each alert was told, for how many hits; and the table with its marks."""
    dynamo, notified = FakeDynamo(Faults(nothing)), list[tuple[float, int]]()
    size = len(json.dumps(encode(hit_row(hits[0], 1)))) + 500  # and what the stream says around it
    most = min(BATCH, PAYLOAD // size)
    for shard in range(SHARDS):
        waiting = [(number / HITS_A_SECOND, hit) for number, hit in enumerate(hits)][shard::SHARDS]
        sns = CountingSns()
        told_by = Notifier(
            SnsAlertTopic(sns, "topic"),
            DynamoDeliveryRecords(dynamo, "hits", 400),
            SilentJournal(),
            lambda: hits[0].seen_at,
        )
        while waiting:
            begun = max(sns.now, waiting[0][0])
            batch = [hit for came, hit in waiting if came <= begun + WINDOW][:most]
            full = len(batch) == most
            waiting = waiting[len(batch) :]
            sns.now = begun if full else begun + WINDOW
            failed, counters = told_by.notify(StreamHit(str(n), hit) for n, hit in enumerate(batch))
            assert not failed
            sns.now += len(batch) / 25 * CALL + pause_after(counters)
        notified += sns.notified
    return sorted(notified), dynamo


def pause_after(counters: NotifierCounters) -> float:
    return handler._STORM_PAUSE if counters.hits_in_alert_max >= handler._STORM_HITS else 0.0


@pytest.mark.parametrize("actors", [1, 1000])
def test_storm_is_a_handful_of_alerts_with_true_counts(given_hit: GivenHit, actors: int) -> None:
    """A person reads all of them, and SNS, which mails ten messages a second to an address, drops none."""
    hits = [given_hit(number, actor=f"arn:aws:iam::111122223333:user/{number % actors}") for number in range(10_000)]

    notified, dynamo = play(hits)

    seconds = Counter(int(when) for when, _ in notified)
    assert sum(count for _, count in notified) == len(dynamo.rows) == 10_000
    assert len(notified) <= 16
    assert max(seconds.values()) <= SHARDS
    assert notified[0][0] < WINDOW + 1, "the first is told as fast as ever"
    times = f"the first after {notified[0][0]:.1f} s, the last after {notified[-1][0]:.0f} s"
    sys.stdout.write(f"10,000 hits of {actors} actors: {len(notified)} alerts, {times}\n")


def test_storm_does_not_hide_another_act(given_hit: GivenHit) -> None:
    """An attacker makes a storm to bury what matters: that has an alert of its own, in time."""
    hits = [given_hit(number) for number in range(2000)]
    hits[1000] = replace(given_hit(5000, actor="arn:aws:iam::111122223333:user/other"), level="critical")

    notified, _ = play(hits)

    (single,) = [when for when, count in notified if count == 1]
    assert single < 1000 / HITS_A_SECOND + WINDOW + handler._STORM_PAUSE + 5


class NobodyElse:
    def before(self, alert: Alert) -> Related:
        return Related()


class Context:
    def __init__(self, milliseconds: int) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@pytest.mark.parametrize(("left", "pause"), [(120_000, 20.0), (25_000, 15.0), (5_000, 0.0)])
def test_pause_after_a_storm_ends_before_the_time_out(left: int, pause: float) -> None:
    """A function that runs out of time is asked again for all it did."""
    assert handler._pause(Context(left)) == pause


@pytest.mark.parametrize(
    ("hits", "source", "slept"),
    [
        pytest.param(50, {"eventSourceARN": "arn:of:the:stream"}, [20.0], id="storm"),
        pytest.param(49, {"eventSourceARN": "arn:of:the:stream"}, [], id="a-few-hits"),
        pytest.param(50, {}, [], id="told-by-dlq-redrive"),
    ],
)
def test_notifier_waits_after_a_storm_from_the_stream_alone(
    given_hit: GivenHit, monkeypatch: pytest.MonkeyPatch, hits: int, source: dict[str, str], slept: list[float]
) -> None:
    """A few hits wait for nothing, and neither does whoever runs `trailbell dlq redrive`."""
    pauses, sns = list[float](), CountingSns()
    marks = DynamoDeliveryRecords(FakeDynamo(Faults(nothing)), "hits", 400)
    parts = SimpleNamespace(
        topic=SnsAlertTopic(sns, "topic"),
        related=NobodyElse(),
        channels=(),
        delivery_records=marks,
        follow_ups=DynamoFollowUps(FakeDynamo(Faults(nothing)), "hits"),
        states=DynamoHitStates(FakeDynamo(Faults(nothing)), "hits"),
        periods=DynamoPeriods(FakeDynamo(Faults(nothing)), "hits"),
        canaries=None,
        event_log=SilentJournal(),
        rate_limit=RateLimit(),
        runbook="",
        where="",
        quiet=QuietMinutes(),
    )
    monkeypatch.setattr(handler, "_parts", lambda: parts)
    monkeypatch.setattr("trailbell.handlers.notifier.time.sleep", pauses.append)
    changes = [
        {
            "eventName": "INSERT",
            "dynamodb": {"SequenceNumber": str(n), "NewImage": encode(hit_row(given_hit(n), 1))},
            **source,
        }
        for n in range(hits)
    ]

    assert handler.handler({"Records": changes}, Context(120_000)) == {"batchItemFailures": []}

    assert pauses == slept
    assert [count for _, count in sns.notified] == [hits]
