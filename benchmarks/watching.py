"""What claims, following up, quiet periods, clock and canary take, counted while the product's own code makes it.

    python -m benchmarks.watching

One hour of the clock (twelve runs, one canary that goes the whole way) and one alerted hit run on moto, an AWS in this
process. Every call is counted with its bytes: the parameters as JSON, which is about what goes over the wire.
"""

import contextlib
import io
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
import botocore.client
from moto import mock_aws

from trailbell.alerts.alert import Alert
from trailbell.alerts.channels.email import SnsAlertTopic
from trailbell.alerts.over_time import group_of_alert
from trailbell.cloudtrail.origin import Place
from trailbell.facts.actor import Actor
from trailbell.flows.canary import CanaryCounters, CanaryRelay, StreamCanary
from trailbell.flows.clock import ClockCounters
from trailbell.flows.counters import DetectorCounters
from trailbell.flows.delivery import DeliveryCounters
from trailbell.flows.gathering import Gathering
from trailbell.flows.stream_batch import NotifierCounters
from trailbell.flows.tracking import HitTracking
from trailbell.handlers import clock, detector, notifier
from trailbell.handlers.metric_names import is_sent
from trailbell.hits.canary import Canary
from trailbell.hits.due import Due
from trailbell.hits.hit import ACT, Hit
from trailbell.lookback.bill import RUNS_AN_HOUR, Calls
from trailbell.store.canaries import DynamoCanaries
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.due import DynamoDueRows
from trailbell.store.periods import DUE_KIND as GATHERED
from trailbell.store.periods import DynamoPeriods
from trailbell.store.tracking import DynamoTracking


_BEGIN = datetime(2026, 11, 20, 9, tzinfo=UTC)
_NOW = "2026-11-20T09:00:00Z"
_REGION = "us-east-1"
_HIT = Hit(
    account="111122223333",
    event_id="ca7e0000-0000-4000-8000-000000000001",
    rule_id="3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e01",
    rule="aws_kms_key_disabled",
    name="kms-key-disabled",
    title="KMS Key Disabled",
    level="high",
    event_time=_NOW,
    event_source="kms.amazonaws.com",
    event_name="DisableKey",
    region=_REGION,
    partition="aws",
    outcome="success",
    actor=Actor(kind="role", text="role Deploy", key="arn:aws:iam::111122223333:role/Deploy", name="role/Deploy"),
    resources=(),
    place=Place("trail", "AWSLogs/a.json.gz", 0),
    seen_at=_NOW,
    kept_as=ACT,
)


@dataclass(frozen=True)
class Watching:
    """What one thing takes.

    claim:    of one alerted hit, beside its delivery record, which is not new.
    quiet:    one run of the clock in which nothing is due.
    tracked:  of one hit that can be undone and has a deadline: its place under the link, and three reminders.
    opened:   of one alert that opens a quiet period.
    held:     of one hit that is held in it, with the clock's run that has it delivered.
    canary:   one canary: what its hour's runs take beyond quiet ones, and its way through detector, notifier, topic.
    log_line: bytes that a run of the clock logs, metrics included.
    """

    claim: Calls
    tracked: Calls
    opened: Calls
    held: Calls
    quiet: Calls
    canary: Calls
    log_line: int


def measured() -> Watching:
    """Count. Everything runs in this process; nothing of the caller's AWS is used."""
    with _own_aws(), mock_aws():
        parts = _make_aws()
        with _counted() as claim:
            DynamoDeliveryRecords(parts["dynamodb"], "hits", 400).claim([_HIT])
        tracked, opened, held = _followed(parts["dynamodb"])
        DynamoDueRows(parts["dynamodb"], "hits").read_to(_NOW, "")  # the first run of all looks a month back
        with _counted() as hour:
            logged = _hour(parts)
        with _counted() as quiet:
            _run(59)
        clock._parts.cache_clear()  # its clients are of an AWS that ends here
    return Watching(claim, tracked, opened, held, quiet, _beyond(hour, quiet, RUNS_AN_HOUR), logged // RUNS_AN_HOUR)


def _followed(dynamodb: Any) -> tuple[Calls, Calls, Calls]:
    """What tracking a hit, opening a quiet period and holding a hit in it take."""
    periods, records = DynamoPeriods(dynamodb, "hits"), DynamoDeliveryRecords(dynamodb, "hits", 400)
    hit = replace(_HIT, undo_links=("0" * 32,), undo_until="2026-11-27 09:00:00 UTC")
    due = DynamoDueRows(dynamodb, "hits")
    tracking = HitTracking(DynamoTracking(dynamodb, "hits", 400), due, (24,), lambda: _NOW)
    with _counted() as tracked:
        tracking.plan([hit])
        tracking.track([hit], [])
    with _counted() as opened:
        periods.receive(Alert((hit,)), _NOW)
    later = replace(hit, event_id="ca7e0000-0000-4000-8000-000000000002")
    with _counted() as held:
        periods.receive(Alert((later,)), _NOW)
        Gathering(periods, records).judge(Due("2026-11-20T10:00:00Z", GATHERED, group_of_alert(Alert((hit,)))), _NOW)
        periods.held(group_of_alert(Alert((hit,))), "2026-11-20T10:00:00Z")  # as the notifier does
    return tracked, opened, held


def metric_names(*, hits: bool = True, every: bool = False) -> Mapping[str, int]:
    """How many metrics each service sends in an hour, as its handler names them; CloudWatch bills each by the hour.

    hits:  in an hour with hits; some are sent in such an hour alone.
    every: with the setting `metrics` set to "all".
    """
    names: dict[str, set[str]] = {"detector": set(), "notifier": set(), "clock": set()}

    class Named:
        def __init__(self, service: str) -> None:
            self._service = service

        def add_metric(self, name: str, value: float, **_: Any) -> None:
            if is_sent(name, value, every=every):
                names[self._service].add(name)

        def add_metadata(self, **_: Any) -> None:
            """In the log alone."""

    def of(service: str) -> Any:
        return Named(service)

    some = int(hits)
    read = DetectorCounters(objects_received=1, objects_read=1, records_read=1, records_matched=1, bytes_inflated=1)
    detector._count(of("detector"), replace(read, hits_new=some, event_to_hit_seconds_max=some))
    notified = NotifierCounters(hits_received=some, hits_notified=some, alerts_sent=some)
    notifier._count(of("notifier"), replace(notified, event_to_alert_seconds_max=some))
    notifier._count_delivery(of("notifier"), DeliveryCounters(related_read=some))
    clock._count_run(of("clock"), ClockCounters())
    clock._count_canaries(of("clock"), CanaryCounters(sent=1, returned=1, seconds=[1]))
    return {"handover": some, **{service: len(found) for service, found in names.items()}}


@contextmanager
def _own_aws() -> Iterator[None]:
    """The environment of a function whose AWS is in this process."""
    variables = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": _REGION,
        "AWS_REGION": _REGION,
        "TRAILBELL_TABLE": "hits",
        "TRAILBELL_CANARY_MINUTES": "30",
    }
    with patch.dict(os.environ, variables):
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
            os.environ.pop(name, None)
        yield


def _make_aws() -> dict[str, Any]:
    clients = {name: boto3.client(name) for name in ("dynamodb", "sns", "sqs")}
    clients["dynamodb"].create_table(
        TableName="hits",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
    )
    topic = clients["sns"].create_topic(Name="alerts")["TopicArn"]
    queue = clients["sqs"].create_queue(QueueName="canaries")["QueueUrl"]
    arn = clients["sqs"].get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    clients["sns"].subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    os.environ["TRAILBELL_OPERATIONS_TOPIC_ARN"] = clients["sns"].create_topic(Name="operations")["TopicArn"]
    os.environ["TRAILBELL_CANARY_QUEUE_URL"] = queue
    return {**clients, "topic": topic}


@contextmanager
def _counted() -> Iterator[Calls]:
    calls, make = Calls(), botocore.client.BaseClient._make_api_call

    def counting(self: Any, operation: str, given: dict[str, Any]) -> Any:
        name = f"{self.meta.service_model.service_name}.{operation}"
        calls.count[name] += 1
        calls.sent[name] += len(json.dumps(given, default=str))
        return make(self, operation, given)

    with patch.object(botocore.client.BaseClient, "_make_api_call", counting):
        yield calls


def _hour(parts: Mapping[str, Any]) -> int:
    """Run the clock for an hour, its canary's way included; the bytes that its runs log."""
    canaries, canary = DynamoCanaries(parts["dynamodb"], "hits"), Canary(f"{_BEGIN:%Y-%m-%dT%H}", "0" * 32)
    clock._parts.cache_clear()
    with patch("trailbell.flows.canary.secrets.token_hex", return_value=canary.nonce):
        logged = _run(0)
    canaries.add(canary.name, "detected", nonce=canary.nonce, eventTime=_NOW, at=_NOW)  # as the detector does
    relay = CanaryRelay(SnsAlertTopic(parts["sns"], parts["topic"]), canaries, _NoLog(), lambda: _NOW)
    relay.relay([StreamCanary("1", canary, _NOW)])
    return logged + sum(_run(minute) for minute in range(5, 60, 60 // RUNS_AN_HOUR))


def _run(minute: int) -> int:
    """One run of the clock as Lambda calls it; the bytes that it logs."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        clock.handler({"time": f"{_BEGIN + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}"}, None)
    return len(out.getvalue())


def _beyond(hour: Calls, quiet: Calls, runs: int) -> Calls:
    """What an hour takes beyond so many quiet runs."""
    count = Counter({name: number - runs * quiet.count[name] for name, number in hour.count.items()})
    sent = Counter({name: number - runs * quiet.sent[name] for name, number in hour.sent.items()})
    return Calls(+count, +sent)


class _NoLog:
    def failed(self, what: str, error: Exception) -> None:
        """Nothing fails here."""
        raise error


def main() -> None:
    """Print what was counted."""
    found = measured()
    named = {
        "claim": found.claim,
        "tracked": found.tracked,
        "opened": found.opened,
        "held": found.held,
        "quiet run": found.quiet,
        "canary": found.canary,
    }
    for name, calls in named.items():
        print(f"{name:<10} {calls.requests} requests, {calls.bytes_sent} bytes: {dict(sorted(calls.count.items()))}")
    print(f"a run logs {found.log_line} bytes; metrics: {dict(metric_names())}")


if __name__ == "__main__":
    main()
