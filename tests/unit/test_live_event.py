"""A live event is believed only as far as its parts agree: what anybody may write into one proves nothing."""

import json
from typing import Any

import pytest

from tests.unit.live_events import ACCOUNT, envelope, record
from trailbell.cloudtrail.live_event import Envelope, Refusal
from trailbell.cloudtrail.notification import parse_notification
from trailbell.errors import NotificationError


ANY = frozenset[str]()


def parsed(message: Any) -> Envelope:
    notification = parse_notification(message if isinstance(message, str) else json.dumps(message))
    (event,) = notification.live
    assert notification.items == (event,)
    return event


def test_envelope_of_a_record_is_believed_and_says_where_it_came_from() -> None:
    event = parsed(envelope(record()))

    assert event.refusal(ANY) is None
    assert event.record == record()
    origin = event.origin
    assert (origin.account, origin.region, origin.time) == (ACCOUNT, "us-east-1", "2026-09-01T09:14:08Z")
    assert origin.id == "6b1f7c9e-0000-4000-8000-000000000001"
    assert str(event).startswith("live event DisableKey (kms.amazonaws.com), event ")


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in envelope(record()).items() if key != name}


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        pytest.param(envelope(record(), source="my.app"), Refusal.SOURCE, id="source-of-anybodys-own"),
        pytest.param(envelope(record(), source="aws.ssm"), Refusal.SOURCE, id="source-of-another-service"),
        pytest.param(envelope(record(), source="aws.kms.more"), Refusal.SOURCE, id="source-that-goes-on"),
        pytest.param(envelope(record(), source="AWS.kms"), Refusal.SOURCE, id="source-in-capitals"),
        pytest.param(envelope(record(recipientAccountId="444455556666")), Refusal.ACCOUNT, id="another-account"),
        pytest.param(envelope(record(recipientAccountId=111122223333)), Refusal.ACCOUNT, id="account-is-a-number"),
        pytest.param(envelope(record(recipientAccountId="")), Refusal.ACCOUNT, id="account-is-empty"),
        pytest.param(envelope(record(awsRegion="eu-west-1")), Refusal.REGION, id="another-region"),
        pytest.param(envelope(record(), account=""), Refusal.NO_ACCOUNT, id="no-account"),
        pytest.param(envelope(record(), account="1" * 13), Refusal.NO_ACCOUNT, id="no-such-account"),
        pytest.param(without("account"), Refusal.NO_ACCOUNT, id="account-is-missing"),
        pytest.param(without("region"), Refusal.NO_ACCOUNT, id="region-is-missing"),
        pytest.param(without("detail"), Refusal.NO_RECORD, id="no-detail"),
        pytest.param(envelope(json.dumps(record())), Refusal.NO_RECORD, id="detail-as-text"),
        pytest.param(envelope([record()]), Refusal.NO_RECORD, id="detail-is-a-list"),
        pytest.param(envelope(None), Refusal.NO_RECORD, id="detail-is-null"),
        pytest.param(envelope(record(eventID="")), Refusal.NO_RECORD, id="no-event-id"),
        pytest.param(envelope(record(eventID="x" * 65)), Refusal.NO_RECORD, id="no-such-event-id"),
        pytest.param(envelope(record(eventName=None)), Refusal.NO_RECORD, id="no-name"),
        pytest.param(envelope(record(eventSource=7)), Refusal.NO_RECORD, id="source-is-a-number"),
        pytest.param(
            envelope({"key-id": "1234abcd"}, **{"detail-type": "KMS CMK Deletion"}), Refusal.NO_RECORD, id="no-call"
        ),
        pytest.param(
            envelope({"insightDetails": {}}, source="aws.cloudtrail", **{"detail-type": "AWS Insight via CloudTrail"}),
            Refusal.NO_RECORD,
            id="insight",
        ),
    ],
)
def test_event_that_does_not_agree_with_itself_is_refused_by_name(message: dict[str, Any], refusal: Refusal) -> None:
    """An account may put any detail under any source of its own; sources of services are AWS's alone."""
    event = parsed(message)

    assert event.refusal(ANY) is refusal
    assert len(str(event)) < 700
    assert str(event).isprintable()


def test_event_that_was_replayed_from_an_archive_is_believed_and_says_so() -> None:
    """It is genuine; that nobody is notified of it is decided where it is kept."""
    replayed, first = parsed(envelope(record(), **{"replay-name": "again"})), parsed(envelope(record()))

    assert (replayed.refusal(ANY), replayed.is_replayed, first.is_replayed) == (None, True, False)


@pytest.mark.parametrize("kind", ["AWS API Call via CloudTrail", "AWS Console Sign In via CloudTrail", "anything"])
def test_detail_type_decides_nothing(kind: str) -> None:
    """Its words differ between pages, partitions and years; source and record say what it is."""
    assert parsed(envelope(record(), **{"detail-type": kind})).refusal(ANY) is None


@pytest.mark.parametrize("is_absent", [True, False])
def test_record_that_names_no_account_is_of_the_one_it_was_put_in(is_absent: bool) -> None:
    """So that it has the identity that its log file's record has."""
    given = record(recipientAccountId=None)
    if is_absent:
        del given["recipientAccountId"]

    event = parsed(envelope(given))

    assert event.refusal(ANY) is None
    assert event.record["recipientAccountId"] == ACCOUNT


def test_region_that_the_record_does_not_name_is_not_compared() -> None:
    assert parsed(envelope(record(awsRegion=None))).refusal(ANY) is None


def test_only_watched_accounts_are_believed() -> None:
    event = parsed(envelope(record()))

    assert event.refusal(frozenset({"444455556666"})) is Refusal.FOREIGN
    assert event.refusal(frozenset({"444455556666", ACCOUNT})) is None
    assert event.refusal(None) is Refusal.OFF


def test_event_in_another_envelope_is_refused() -> None:
    """Whoever may publish to a topic of the trail's bucket could pass as any account."""
    body = json.dumps(envelope(record()))

    assert parsed({"Type": "Notification", "Message": body}).refusal(ANY) is Refusal.WRAPPED
    by_lambda = {"Records": [{"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": body}}]}
    assert parsed(by_lambda).refusal(ANY) is Refusal.WRAPPED


def test_calls_of_s3_are_live_events_and_what_happens_to_objects_is_not() -> None:
    call = envelope(record(eventSource="s3.amazonaws.com", eventName="DeleteBucketLifecycle"), source="aws.s3")
    thing = {"bucket": {"name": "b"}, "object": {"key": "k"}}
    created = envelope(thing, source="aws.s3", **{"detail-type": "Object Created"})
    deleted = {**created, "detail-type": "Object Deleted"}

    assert parsed(call).refusal(ANY) is None
    assert [ref.key for ref in parse_notification(created).objects] == ["k"]
    assert parse_notification(created).live == ()
    assert (parse_notification(deleted).other, parse_notification(deleted).live) == (1, ())


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("no JSON", id="no-json"),
        pytest.param('{"source": "aws.kms", "detail": ' + "[" * 100_000, id="too-deep"),
        pytest.param(json.dumps({"source": "my.app", "detail-type": "order placed", "detail": {}}), id="not-about-it"),
        pytest.param(json.dumps(envelope({}, source="my.app", **{"detail-type": "Object Created"})), id="of-another"),
        pytest.param(json.dumps({**envelope(record()), "source": 7}), id="source-is-a-number"),
    ],
)
def test_what_is_no_live_event_goes_back_to_the_queue_as_ever(message: str) -> None:
    with pytest.raises(NotificationError):
        parse_notification(message)


def test_number_of_any_length_costs_no_event() -> None:
    """As in a log file: Python alone refuses it."""
    message = json.dumps(envelope(record())).replace('"readOnly": false', f'"readOnly": {"1" * 5000}')

    assert parsed(message).refusal(ANY) is None
