"""Hits outlive releases: rows of an older version are read, and no upgrade tells anybody what was told before.

rows/format-1.json holds rows as the first version wrote them, in DynamoDB's own form. It is never written anew: a
version that cannot read it must not be released.
"""

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.crash.aws import FakeDynamo, FakeS3, FakeSns
from tests.crash.faults import Faults, nothing
from tests.unit.conftest import RULE
from trailbell.alerts.alert import Alert, alert_document
from trailbell.alerts.channels.email import SnsAlertTopic
from trailbell.aws.trail_bucket import S3TrailBucket
from trailbell.engine.rulebook import Level, Rule, Rulebook
from trailbell.errors import NewerFormatError
from trailbell.flows.detector import Detector
from trailbell.flows.notifier import Notifier
from trailbell.handlers.notifier import new_hits
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import HIT_FORMAT, hit_from_document
from trailbell.hits.query import HitQuery
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.dynamo import decode, encode
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.query.hit_query import find_hits
from trailbell.store.rows import delivery_key, hit_key, pointer_rows, read_hit


ROWS = json.loads((Path(__file__).parent / "rows" / "format-1.json").read_text(encoding="utf-8"))
NEEDED = {"pk", "sk", "kind", "account", "eventID", "ruleId", "level", "eventTime", "seenAt"}  # else nobody can be told
KEY = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/a.json.gz"
SEEN = "2026-09-01T09:18:57Z"


@pytest.mark.parametrize("rows", ROWS, ids=lambda rows: rows["what"])
def test_row_of_format_1_is_read_whole(rows: dict[str, Any]) -> None:
    """Every member the first version wrote comes back, under the keys it wrote."""
    row = decode(rows["hit"])

    hit = read_hit(row)

    assert hit.format == 1
    assert hit_key(*hit.identity) == {"pk": row["pk"], "sk": row["sk"]}
    assert delivery_key(*hit.identity) == {
        name: value["S"] for name, value in rows["mark"].items() if name in ("pk", "sk")
    }
    written = {(pointer["pk"]["S"], pointer["sk"]["S"]) for pointer in rows["pointers"]}
    assert written <= {(pointer["pk"], pointer["sk"]) for pointer in pointer_rows(hit, 1)}
    assert (hit.level, hit.title, hit.event_time) == (row["level"], row["title"], row["eventTime"])
    assert hit.resources == tuple(row["resources"])
    assert (hit.actor.key, hit.actor.text, hit.place.key) == (
        row["actor"]["key"],
        row["actor"]["text"],
        row["place"]["key"],
    )
    for name in ("meaning", "undo", "undoUntil", "check", "also", "alsoIds", "mutedBy", "once", "sharedEventID"):
        value = getattr(hit, {"sharedEventID": "shared_event_id"}.get(name, _snake(name)))
        assert (list(value) if isinstance(value, tuple) else value) == row.get(name, [] if value == () else "")


@pytest.mark.parametrize("member", sorted({name for rows in ROWS for name in rows["hit"]} - NEEDED))
def test_row_without_a_member_is_read_and_told(member: str) -> None:
    """An older version may not have known it; a newer one may add what we do not know."""
    row = decode(ROWS[0]["hit"])
    row.pop(member, None)
    row["inventedLater"] = {"deep": [1, {"er": True}]}

    document = alert_document(Alert((read_hit(row),)))

    assert document["count"] == 1
    assert document["subject"].isascii()


@pytest.mark.parametrize(
    ("member", "value"),
    [("level", "apocalyptic"), ("level", None), ("eventTime", "yesterday"), ("eventID", ""), ("format", 2)],
)
def test_row_that_cannot_be_told_is_said_to_be_unreadable(member: str, value: object) -> None:
    """It fails alone, instead of everything that came with it."""
    image = encode({**decode(ROWS[0]["hit"]), member: value})
    event = {
        "Records": [
            {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number), "NewImage": row}}
            for number, row in enumerate((ROWS[1]["hit"], image, ROWS[2]["hit"]))
        ]
    }
    world = World()

    failed, counters = world.notifier().notify(new_hits(event))

    assert failed == ["1"]
    assert (counters.hits_notified, counters.hits_unreadable, counters.hits_failed, counters.balanced) == (
        2,
        1,
        1,
        True,
    )
    assert world.failures == [f"hit {image['pk']} {image['sk']}"]


@pytest.mark.parametrize("written", [2, 99, "2", "x", None, True, [1]])
def test_row_of_a_newer_format_is_not_delivered_as_something_else(written: object) -> None:
    """After a deployment of an older version such rows are in the stream; read by guess they page with nonsense."""
    image = encode({**decode(ROWS[0]["hit"]), "format": written})
    records = [
        {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number), "NewImage": row}}
        for number, row in enumerate((image, ROWS[1]["hit"]))
    ]
    world = World()

    failed, counters = world.notifier().notify(new_hits({"Records": records}))

    assert failed == ["0"]
    assert (counters.hits_notified, counters.hits_unreadable, counters.hits_failed, counters.balanced) == (
        1,
        1,
        1,
        True,
    )
    (error,) = world.errors
    assert isinstance(error, NewerFormatError)
    assert "deploy that version" in str(error)


def test_row_of_this_format_or_without_one_is_read() -> None:
    """The first rows had none of their own version to compare with."""
    row = decode(ROWS[0]["hit"])

    assert read_hit({**row, "format": HIT_FORMAT}) == read_hit({name: row[name] for name in row if name != "format"})


class World:
    """Both functions over a table and a topic that outlive every release."""

    def __init__(self) -> None:
        faults = Faults(nothing)
        record = {**BASE_RECORD, "eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}
        body = gzip.compress(json.dumps({"Records": [record]}).encode())
        self.dynamo, self.s3 = FakeDynamo(faults), FakeS3(faults, {KEY: body})
        self.sns = FakeSns(faults, lambda _: False)
        self.failures, self.errors = list[str](), list[Exception]()
        self.read = 0

    def failed(self, what: str, error: Exception) -> None:
        self.failures.append(what)
        self.errors.append(error)

    def malformed_record(self, *_: object) -> None:
        raise AssertionError("there is none")

    foreign = refused = malformed_record

    def notifier(self) -> Notifier:
        return Notifier(
            SnsAlertTopic(self.sns, "topic"), DynamoDeliveryRecords(self.dynamo, "hits", 400), self, lambda: SEEN
        )

    def deliver(self, rule: Rule) -> None:
        """The log file comes (again) to a release with this rule; then the stream tells what is new."""
        table = DynamoHitTable(self.dynamo, "hits", 400)
        detector = Detector(
            hit_detector=HitDetector(Rulebook((rule,))),
            bucket=S3TrailBucket(self.s3),
            table=table,
            event_log=self,
            now=lambda: SEEN,
            max_bytes=1_000_000,
        )
        body = json.dumps({"s3Bucket": "b", "s3ObjectKey": [KEY]})
        assert detector.detect_batch([{"messageId": "m", "body": body}])[0] == []
        changes = [change for shard in self.dynamo.shards for change in shard]
        new, self.read = changes[self.read :], len(changes)
        assert self.notifier().notify(new_hits({"Records": new}))[0] == []


def test_changed_rule_notifies_of_no_old_hit_again() -> None:
    """A delivery after an upgrade would else page for every act of the past."""
    world = World()
    world.deliver(RULE)

    renamed = replace(RULE, rule_id="another-id", name="renamed", stem="aws_renamed")
    world.deliver(replace(renamed, title="Another Title", description="Other words.", check=()))

    assert len(world.sns.published) == 1
    (row,) = [row for row in world.dynamo.rows.values() if row["kind"]["S"] == "hit"]
    assert hit_from_document(decode(row)).title == RULE.title  # as it was notified


def test_rule_made_stronger_is_a_follow_up_and_no_new_act() -> None:
    """Its reader learns that the act was graver; the hit stays as it was notified."""
    world = World()
    world.deliver(RULE)

    for _ in range(2):
        world.deliver(replace(RULE, level=Level.CRITICAL))

    rows = [decode(row) for row in world.dynamo.rows.values() if row["kind"]["S"] == "hit"]
    assert sorted((row["keptAs"], row["level"], row.get("raisedFrom", "")) for row in rows) == [
        ("act", "high", ""),
        ("raised-to-critical", "critical", "high"),
    ]
    assert len(world.sns.published) == 2


def test_stream_that_begins_anew_after_an_upgrade_tells_nobody() -> None:
    """A mapping made anew reads the stream from its beginning (TRIM_HORIZON): marks say what was told."""
    world = World()
    world.deliver(RULE)

    world.read = 0
    world.deliver(replace(RULE, level=Level.LOW))

    assert len(world.sns.published) == 1


def test_hits_of_a_removed_rule_are_found_by_its_id(dynamodb: Any, table: str) -> None:
    """A hit holds all a reader needs; no rule is asked for it."""
    for rows in ROWS:
        for item in (rows["hit"], *rows["pointers"], rows["mark"]):
            dynamodb.put_item(TableName=table, Item=item)
    rule_id = decode(ROWS[0]["hit"])["ruleId"]
    september = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)

    found = list(find_hits(dynamodb, table, HitQuery(*september, rules=(rule_id,))))

    assert sorted(hit.event_id for hit in found) == sorted(decode(rows["hit"])["eventID"] for rows in ROWS)
    assert {hit.title for hit in found} == {"KMS Key Disabled"}


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
