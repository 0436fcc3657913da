"""Thirty days of a generated account, played through notifier and clock with a driven time: messages with and without
quiet periods, and what gathering and following up ask of the table.

    python -m benchmarks.gathering

The account is that of a quiet month (benchmarks/quiet_month.py), with what fills inboxes: a role that polls by the
minute and is refused, a monitoring job that opens a session every twenty minutes, and a morning on which one person
schedules the deletion of keys, of which a colleague cancels half. The clock runs every five minutes. Delivered is what
SNS would have sent; the least possible is a message for each group of rule, level, account and actor and, for critical
hits, one for each resource more.
"""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.quiet_month import write_month
from tests.crash.aws import FakeDynamo
from tests.crash.faults import Faults, nothing
from trailbell.alerts.alert import Alert
from trailbell.alerts.over_time import WINDOW_SECONDS, group_of_alert, window_of
from trailbell.alerts.quiet import QuietMinutes
from trailbell.cloudtrail.object_key import classify_key
from trailbell.engine.rulebook import Level, Rulebook
from trailbell.flows.clock import Clock
from trailbell.flows.follow_ups import FollowUpNotifier
from trailbell.flows.gathering import Gathering
from trailbell.flows.notifier import Notifier
from trailbell.flows.reminders import Reminders
from trailbell.flows.tracking import HitTracking
from trailbell.handlers.notifier import new_hits
from trailbell.hits.base_match import BaseMatch
from trailbell.hits.detect import DetectionCounts, HitDetector
from trailbell.hits.hit import Hit
from trailbell.hits.reminders import DUE_KIND as REMINDER
from trailbell.hits.undoing import Undoing
from trailbell.rulebook.build import build_rulebook
from trailbell.rulebook.cases import BASE_RECORD, CASE_SETTINGS
from trailbell.rulebook.product import product_root
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.due import DynamoDueRows
from trailbell.store.follow_ups import DynamoFollowUps
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.kept_hits import DynamoKeptHits
from trailbell.store.periods import DUE_KIND as GATHERED
from trailbell.store.periods import DynamoPeriods
from trailbell.store.states import DynamoHitStates
from trailbell.store.tracking import DynamoTracking
from trailbell.text.times import iso_time


_STEP = timedelta(seconds=WINDOW_SECONDS)
_DAYS = 30

Found = list[Hit | Undoing]


@dataclass
class CountingDynamo(FakeDynamo):
    """Counts requests by operation and the kind of row."""

    page: int = 250  # rows of 4 KB
    requests: Counter[str] = field(default_factory=Counter)

    def __getattribute__(self, name: str) -> Any:
        if name in ("put_item", "query", "delete_item", "batch_write_item", "batch_get_item", "transact_write_items"):
            super().__getattribute__("requests")[name] += 1
        return super().__getattribute__(name)


@dataclass
class Account:
    """Notifier and clock on one table."""

    quiet: QuietMinutes
    dynamo: CountingDynamo = field(default_factory=lambda: CountingDynamo(Faults(nothing)))
    sent: list[Alert] = field(default_factory=list)
    given: list[int] = field(default_factory=lambda: [0, 0])
    now: str = ""
    idle: Counter[str] = field(default_factory=Counter)

    def notify(self, alert: Alert) -> None:
        """Publish."""
        self.sent.append(alert)

    def failed(self, what: str, error: Exception) -> None:
        """Nothing fails here."""
        raise AssertionError(what) from error

    def keep(self, found: Found) -> None:
        """What the detector does with what it found."""
        hits = [one for one in found if isinstance(one, Hit)]
        acts, due = DynamoTracking(self.dynamo, "hits", 400), DynamoDueRows(self.dynamo, "hits")
        tracking = HitTracking(acts, due, (24,), lambda: self.now)
        tracking.plan(hits)
        DynamoHitTable(self.dynamo, "hits", 400).keep(hits)
        tracking.track(hits, [one for one in found if isinstance(one, Undoing)])

    def deliver(self) -> None:
        """Give the notifier what is new in the stream."""
        records, periods = (
            DynamoDeliveryRecords(self.dynamo, "hits", 400),
            DynamoPeriods(self.dynamo, "hits", self.quiet),
        )
        stored = DynamoFollowUps(self.dynamo, "hits"), DynamoHitStates(self.dynamo, "hits")
        follow_ups = FollowUpNotifier(self, records, *stored, self, lambda: 0.0, lambda: self.now)
        notifier = Notifier(self, records, self, lambda: self.now, follow_ups=follow_ups, periods=periods)
        for shard, changes in enumerate(self.dynamo.shards):
            new = changes[self.given[shard] :]
            self.given[shard] = len(changes)
            if any(change["dynamodb"]["NewImage"]["kind"]["S"] in _NOTIFIED for change in new):
                notifier.notify(new_hits({"Records": new}))

    def tick(self) -> None:
        """A run of the clock, and what follows from it."""
        before = Counter(self.dynamo.requests)
        due, records = DynamoDueRows(self.dynamo, "hits"), DynamoDeliveryRecords(self.dynamo, "hits", 400)
        reminders = Reminders(DynamoKeptHits(self.dynamo, "hits"), DynamoFollowUps(self.dynamo, "hits"), due)
        gathering = Gathering(DynamoPeriods(self.dynamo, "hits", self.quiet), records)
        counters = Clock(due, {}, {REMINDER: reminders.judge, GATHERED: gathering.judge}, self).run(self.now)
        if not counters.due_done:
            self.idle = self.dynamo.requests - before
        self.deliver()


_NOTIFIED = ("hit", "follow-up", "gathered")


def found_in_month(folder: Path, rulebook: Rulebook) -> dict[int, Found]:
    """What the month's log files and the noise beside them give, by when it arrives."""
    detector, arriving = HitDetector(rulebook, undoings=True), defaultdict[int, Found](list)
    write_month(folder)
    for file in sorted(folder.rglob("*.json.gz")):
        key = classify_key(str(file))
        seen_at = "2026-12-31T00:00:00Z"
        for one in detector.detect_all([file.read_bytes()], "trail", key, seen_at, DetectionCounts()):
            if not isinstance(one, BaseMatch):
                arriving[window_of(one.event_time)].append(one)
    first = datetime.fromtimestamp(min(arriving), UTC).replace(hour=0, minute=0, second=0)
    for number, record in enumerate(_noise(first)):
        found = detector._detect_in_fields(record, _log_file(), number, None)
        for one in found:
            if not isinstance(one, BaseMatch):
                arriving[window_of(one.event_time)].append(one)
    return dict(sorted(arriving.items()))


def _log_file() -> Any:
    from trailbell.hits.detect import _Reading

    return _Reading("trail", classify_key("noise"), "2026-12-31T00:00:00Z", DetectionCounts())


def _noise(first: datetime) -> Iterator[dict[str, Any]]:
    for minute in range(_DAYS * 24 * 60):
        at = first + timedelta(minutes=minute)
        yield _record(at, "poller", "DisableKey", "k-poll", errorCode="AccessDenied")
        if minute % 20 == 0:
            more = {"requestParameters": {"target": "i-0abc"}, "responseElements": {"sessionId": f"s-{minute}"}}
            yield _record(at, "monitoring", "StartSession", "i-0abc", eventSource="ssm.amazonaws.com", **more)
    morning = first + timedelta(days=9, hours=8)
    for key in range(12):
        deadline = iso_time(morning + timedelta(days=7))
        yield _record(
            morning + timedelta(minutes=7 * key),
            "mallory",
            "ScheduleKeyDeletion",
            f"k-{key}",
            responseElements={"deletionDate": deadline},
        )
        if key % 2:
            yield _record(morning + timedelta(hours=2, minutes=key), "dana", "CancelKeyDeletion", f"k-{key}")


def _record(at: datetime, who: str, call: str, key: str, **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:kms:us-east-1:111122223333:key/{key}"
    return {
        **BASE_RECORD,
        "eventSource": "kms.amazonaws.com",
        "eventName": call,
        "eventID": f"{call}-{key}-{at:%d%H%M}",
        "eventTime": iso_time(at),
        "requestParameters": {"keyId": key},
        "resources": [{"type": "AWS::KMS::Key", "ARN": arn}],
        "userIdentity": {"type": "IAMUser", "userName": who, "arn": f"arn:aws:iam::111122223333:user/{who}"},
        **more,
    }


def play(arriving: dict[int, Found], minutes: int) -> Account:
    """All of it, in order, with a clock that runs every five minutes and for nine days more."""
    account = Account(QuietMinutes(minutes))
    at = datetime.fromtimestamp(min(arriving), UTC)
    end = at + timedelta(days=_DAYS + 9)
    while at <= end:
        account.now = iso_time(at)
        account.tick()
        if found := arriving.get(int(at.timestamp())):
            account.keep(found)
            account.deliver()
        at += _STEP
    return account


def least(account: Account) -> int:
    """The fewest messages that leave out nobody: one for each group, and for each other resource of a critical one."""
    groups, resources = set[str](), set[tuple[str, str]]()
    for alert in account.sent:
        if not alert.follow_ups:
            groups.add(group_of_alert(alert))
            if alert.sample.severity is Level.CRITICAL:
                resources |= {(group_of_alert(alert), one) for hit in alert.hits for one in hit.resources}
    critical = {group for group, _ in resources}
    return len(groups) - len(critical) + len(resources)


def main() -> None:
    """Print the figures."""
    rulebook, _ = build_rulebook(product_root() / "rules", None, CASE_SETTINGS, datetime.now(UTC).date())
    with tempfile.TemporaryDirectory() as folder:
        arriving = found_in_month(Path(folder), rulebook)
    hits = sum(isinstance(one, Hit) for found in arriving.values() for one in found)
    print(f"{hits:,} hits in {_DAYS} days")
    for minutes in (0, 60):
        account = play(arriving, minutes)
        alerts = [alert for alert in account.sent if not alert.follow_ups]
        said = Counter(alert.follow_ups[0].name for alert in account.sent if alert.follow_ups)
        delivered = sum(len(alert.hits) for alert in alerts)
        print(
            f"quiet_minutes {minutes}: {len(alerts):,} alerts, {len(alerts) / _DAYS:.1f} a day, of {delivered:,} hits,"
            f" {sum(alert.gathered for alert in alerts):,} gathered; follow-ups: {dict(said)};"
            f" least possible {least(account)}"
        )
        requests = dict(sorted(account.dynamo.requests.items()))
        print(f"  requests: {requests}; an idle run of the clock: {dict(account.idle)}")


if __name__ == "__main__":
    main()
