"""Every way a notification can be wrapped leads to the same object."""

import json
from typing import Any

import pytest

from trailbell.cloudtrail.notification import Notification, ObjectRef, parse_notification
from trailbell.errors import NotificationError


KEY = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/a.json.gz"


def s3_event(key: str = KEY, name: str = "ObjectCreated:Put") -> dict[str, Any]:
    entry = {"key": key, "size": 512, "versionId": "v1", "sequencer": "00"}
    return {"Records": [{"eventSource": "aws:s3", "eventName": name, "s3": {"bucket": {"name": "b"}, "object": entry}}]}


def sns(inner: object, kind: str = "Notification") -> dict[str, Any]:
    return {"Type": kind, "MessageId": "m", "Message": inner if isinstance(inner, str) else json.dumps(inner)}


EVENTBRIDGE = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": "b"}, "object": {"key": KEY, "size": 512, "version-id": "v1"}},
}
CLOUDTRAIL = {"s3Bucket": "b", "s3ObjectKey": [KEY, KEY + "2"]}


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(s3_event(), id="s3"),
        pytest.param(sns(s3_event()), id="s3-sns"),
        pytest.param({"Records": [{"EventSource": "aws:sns", "Sns": sns(s3_event())}]}, id="s3-sns-lambda"),
        pytest.param(EVENTBRIDGE, id="eventbridge"),
        pytest.param(sns(EVENTBRIDGE), id="eventbridge-sns"),
    ],
)
def test_notification_names_its_object_through_every_envelope(message: dict[str, Any]) -> None:
    """An envelope that is not opened is a log file that is never read."""
    assert parse_notification(json.dumps(message)).objects == (ObjectRef("b", KEY, "v1", 512),)
    assert parse_notification(message) == parse_notification(json.dumps(message).encode())


@pytest.mark.parametrize("message", [CLOUDTRAIL, sns(CLOUDTRAIL)])
def test_cloudtrails_own_notification_names_all_its_objects(message: dict[str, Any]) -> None:
    """CloudTrail may tell of several log files in one message."""
    assert [ref.key for ref in parse_notification(message).objects] == [KEY, KEY + "2"]


def test_s3_keys_are_decoded_and_eventbridge_keys_are_not() -> None:
    """S3 writes a blank as +; EventBridge sends the key as it is."""
    encoded = "my+logs/a%2Bb%C3%A9.json"
    event = json.loads(json.dumps(EVENTBRIDGE).replace(KEY, encoded))

    assert parse_notification(s3_event(encoded)).objects[0].key == "my logs/a+bé.json"
    assert parse_notification(event).objects[0].key == encoded


@pytest.mark.parametrize(
    "message",
    [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"},
        sns({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}),
        sns("CloudTrail validation message."),
        sns("You have chosen to subscribe to the topic ...", "SubscriptionConfirmation"),
    ],
)
def test_greetings_are_recognised_as_tests(message: dict[str, Any]) -> None:
    """A greeting that counts as a failure would sit in the dead-letter queue of every new stack."""
    assert parse_notification(message) == Notification(tests=1)


def test_a_removal_is_counted_and_names_no_object() -> None:
    """Only created objects are read; what else happens to objects is counted, not lost."""
    removed = parse_notification(s3_event(name="ObjectRemoved:Delete"))
    tagged = parse_notification({**EVENTBRIDGE, "detail-type": "Object Tags Added"})

    assert removed == tagged == Notification(other=1)


def test_several_records_keep_their_order() -> None:
    """Objects of one message are read in the order told."""
    event = {
        "Records": s3_event("a")["Records"]
        + s3_event("b", "ObjectRemoved:Delete")["Records"]
        + s3_event("c")["Records"]
    }

    found = parse_notification(event)

    assert [ref.key for ref in found.objects] == ["a", "c"]
    assert found.other == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("not json", id="text"),
        pytest.param("[1]", id="list"),
        pytest.param("{}", id="empty"),
        pytest.param('{"Records": []}', id="no-records"),
        pytest.param('{"Records": null}', id="null-records"),
        pytest.param('{"Records": [7]}', id="number-record"),
        pytest.param('{"Records": [{"eventSource": "aws:kinesis"}]}', id="other-source"),
        pytest.param('{"Records": [{"eventName": "ObjectCreated:Put", "s3": {}}]}', id="no-bucket"),
        pytest.param(
            '{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": 1, "object": 2}}]}', id="odd-s3"
        ),
        pytest.param(json.dumps(s3_event("")), id="empty-key"),
        pytest.param('{"source": "aws.s3", "detail-type": "Object Created"}', id="no-detail"),
        pytest.param('{"s3Bucket": "b", "s3ObjectKey": []}', id="no-keys"),
        pytest.param('{"s3Bucket": "b", "s3ObjectKey": [1]}', id="number-key"),
        pytest.param(json.dumps(sns("hello")), id="sns-text"),
        pytest.param(json.dumps(sns(sns(sns(sns(s3_event()))))), id="too-deep"),
        pytest.param("[" * 100_000, id="nested"),
    ],
)
def test_what_is_no_notification_is_refused(body: str) -> None:
    """A message nobody understands may stand for a log file: it must come back, not be answered with success."""
    with pytest.raises(NotificationError):
        parse_notification(body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"Records": ["x" * 5000]}, id="a record that is a text"),
        pytest.param({"x" * 5000: 1, "\x1b[2J": 2}, id="names of members"),
        pytest.param({"Records": [{"y" * 5000: 1}]}, id="names of a record's members"),
    ],
)
def test_refusal_is_a_short_line(body: dict[str, Any]) -> None:
    """It goes to the log as it is, and a message body may be 256 KB of anything."""
    with pytest.raises(NotificationError) as refused:
        parse_notification(json.dumps(body))

    assert len(str(refused.value)) < 400
    assert str(refused.value).isprintable()
