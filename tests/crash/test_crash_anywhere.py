"""Nothing is lost and nobody paged twice, whichever call fails, however: every single fault, and many by chance.

Thousands more: `make stress`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from tests.crash.explore import Tried, try_by_chance, try_every_single_fault
from tests.crash.world import Broken
from trailbell.alerts.alert import Alert
from trailbell.cloudtrail.live_event import Envelope
from trailbell.flows import notifier
from trailbell.flows.claims import AlertTopic, Claim, Claims
from trailbell.flows.detector import Detector
from trailbell.hits.hit import Hit
from trailbell.ops import undelivered as undelivered
from trailbell.ops.undelivered import Delivery
from trailbell.store import hit_table
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.dynamo import encode
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.rows import HIT


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trailbell.store.dynamo._FIRST_PAUSE", 0.0, raising=False)


def test_any_single_fault_loses_nothing_and_pages_nobody_twice(tried: Tried) -> None:
    """Each call of a good day fails once in each way it can: before, during and after what it does."""
    try_every_single_fault(tried)

    assert tried.schedules > 200


def test_many_faults_at_once_lose_nothing_and_page_nobody_twice(tried: Tried) -> None:
    """Dead letters, splits, redrives under faults, storms larger than one batch of marks."""
    try_by_chance(range(60), tried)


def keep_nothing(table: Any, hits: Sequence[Any]) -> int:
    return len(hits)


def record_nothing(records: Any, hits: Sequence[Any]) -> None:
    """Forget that they were told."""


def write_once(client: Any, table: str, rows: Iterable[Any]) -> None:
    """As if DynamoDB never left a part of a batch undone."""
    requests = [{"PutRequest": {"Item": encode(row)}} for row in rows]
    for start in range(0, len(requests), 25):
        client.batch_write_item(RequestItems={table: requests[start : start + 25]})


def publish_after_recording(topic: AlertTopic, claims: Claims, alert: Alert, claimed: Sequence[Hit]) -> None:
    claims.record(claimed)
    topic.notify(alert)


def claim_all(deliveries: DynamoDeliveryRecords, hits: Sequence[Any]) -> list[Claim]:
    """As if nobody else were there."""
    return [Claim.OURS for _ in hits]


def believe_all(event: Envelope, accounts: Any) -> None:
    """As if nobody could put a record of another account on a bus of their own."""


def know_by_its_own_id(event: Envelope) -> dict[str, Any]:
    """EventBridge's id in place of CloudTrail's: another one on each way."""
    return {**event.detail, "eventID": event.origin.id}


def later_one_stays(row: Any, *, replay: bool) -> dict[str, Any]:
    """The log file's hit in place of that which a live event brought, and was notified of."""
    return {"replacing": "kind = :quiet", "values": {":quiet": HIT}}


def forget_places(*_: Any) -> None:
    """Leave where the record stands to whoever asks."""


def say_done(detector: Detector, messages: Iterable[Any]) -> Any:
    _, counters = detector_as_it_is(detector, messages)
    return [], counters


detector_as_it_is = Detector.detect_batch


@pytest.mark.parametrize(
    ("owner", "name", "instead"),
    [
        pytest.param(DynamoHitTable, "keep", keep_nothing, id="hits-not-kept"),
        pytest.param(DynamoDeliveryRecords, "record", record_nothing, id="no-delivery-records"),
        pytest.param(hit_table, "write_all", write_once, id="unprocessed-rows-forgotten"),
        pytest.param(notifier, "publish_claimed", publish_after_recording, id="recorded-before-published"),
        pytest.param(DynamoDeliveryRecords, "claim", claim_all, id="no-claims"),
        pytest.param(Envelope, "refusal", believe_all, id="forged-events-believed"),
        pytest.param(Envelope, "record", property(know_by_its_own_id), id="live-events-by-another-id"),
        pytest.param(hit_table, "_gives_way", later_one_stays, id="later-source-takes-the-hit"),
        pytest.param(hit_table, "keep_log_place", forget_places, id="places-in-log-files-forgotten"),
        pytest.param(Detector, "detect_batch", say_done, id="every-message-deleted"),
        pytest.param(undelivered.UndeliveredHits, "notify", lambda *_: Delivery(), id="dead-letters-deleted-untold"),
    ],
)
def test_the_schedules_find_what_would_lose_or_repeat(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, instead: Any
) -> None:
    """A test of the test: each of these mistakes, made by peers, must be found."""
    monkeypatch.setattr(owner, name, instead)

    with pytest.raises(Broken):
        try_by_chance(range(40), Tried())
