"""The product as deployed: a log file goes into the trail bucket, a hit and an alert come out."""

import gzip
import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.product import Deployed, receive_until
from trailbell.cli.local.command import TRAIL_BUCKET
from trailbell.cli.local.put_forward import put_forward
from trailbell.hits.hit import Hit
from trailbell.hits.query import HitQuery
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.store.query.hit_query import find_found, find_hits
from trailbell.text.times import iso_time


pytestmark = pytest.mark.e2e
FOLDER = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/"


def given_log_file(deployed: Deployed, *records: dict[str, Any]) -> str:
    """Put a log file into the trail bucket; its key."""
    key = f"{FOLDER}{uuid.uuid4()}.json.gz"
    put(deployed, key, gzip.compress(json.dumps({"Records": records}).encode()))
    return key


def put(deployed: Deployed, key: str, body: bytes) -> None:
    deployed.aws.client("s3").put_object(Bucket=TRAIL_BUCKET, Key=key, Body=body)


def disable_key() -> dict[str, Any]:
    """A record of its own actor, so that alerts of other tests are not grouped with it."""
    user = {"type": "IAMUser", "userName": f"user-{uuid.uuid4()}", "arn": f"arn:aws:iam::1:user/{uuid.uuid4()}"}
    return {
        **BASE_RECORD,
        "userIdentity": user,
        "eventSource": "kms.amazonaws.com",
        "eventName": "DisableKey",
        "eventID": str(uuid.uuid4()),
    }


def schedule_deletion(user: dict[str, Any], key: str, at: datetime) -> dict[str, Any]:
    """A key's last seven days begin."""
    return on_key("ScheduleKeyDeletion", user, key, at) | {
        "responseElements": {"deletionDate": iso_time(at + timedelta(days=7))}
    }


def on_key(event_name: str, user: dict[str, Any], key: str, at: datetime) -> dict[str, Any]:
    return {
        **disable_key(),
        "userIdentity": user,
        "eventName": event_name,
        "eventTime": iso_time(at),
        "requestParameters": {"keyId": key, "pendingWindowInDays": 7},
    }


def states_of(deployed: Deployed, *records: dict[str, Any]) -> list[str]:
    ids = [record["eventID"] for record in records]
    begin = datetime.now(UTC) - timedelta(hours=2)
    query = HitQuery(since=begin, until=datetime.now(UTC), actor=records[0]["userIdentity"]["arn"])
    found = {
        one.hit.event_id: one.state.word for one in find_found(deployed.aws.client("dynamodb"), deployed.table, query)
    }
    return [found[event_id] for event_id in ids]


def follow_ups_of(alerts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [alert for alert in alerts if alert.get("followUp")]


def forget_reports(deployed: Deployed) -> None:
    """Other tests put the clock forward, too, and past a Monday."""
    dynamodb, partition = deployed.aws.client("dynamodb"), {":pk": {"S": "W#report"}}
    found = dynamodb.query(
        TableName=deployed.table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=partition
    )
    for row in found["Items"]:
        dynamodb.delete_item(TableName=deployed.table, Key={"pk": row["pk"], "sk": row["sk"]})


def hits_of(deployed: Deployed, record: dict[str, Any]) -> list[Hit]:
    day = datetime(2026, 9, 1, tzinfo=UTC)
    query = HitQuery(since=day, until=day + timedelta(days=1), actor=record["userIdentity"]["arn"])
    return list(find_hits(deployed.aws.client("dynamodb"), deployed.table, query))


def test_log_file_becomes_a_hit_and_a_mail(deployed: Deployed) -> None:
    """The main job, with nothing imitated."""
    record = disable_key()

    key = given_log_file(deployed, {"eventName": "Noise"}, record)
    alerts = receive_until(deployed.inbox, 1)

    (hit,) = hits_of(deployed, record)
    (alert,) = alerts
    assert (hit.event_id, hit.name, hit.place.key, hit.place.index) == (record["eventID"], "kms-key-disabled", key, 1)
    assert alert["hitIds"] == [hit.hit_id]
    assert alert["subject"].startswith("[HIGH] KMS Key Disabled by user-")
    assert "aws kms enable-key" in alert["text"]


def test_same_log_file_three_times_is_one_hit_and_one_alert(deployed: Deployed) -> None:
    """S3 and SQS deliver at least once, overlapping trails write a record twice."""
    record = disable_key()

    for _ in range(3):
        given_log_file(deployed, record)
    alerts = receive_until(deployed.inbox, 1) + receive_until(deployed.inbox, 1, attempts=4)

    assert len(hits_of(deployed, record)) == 1
    assert [alert["count"] for alert in alerts] == [1]


def test_acts_that_are_undone_are_closed_and_one_that_waits_is_reminded_of(deployed: Deployed) -> None:
    """An act's whole life, with nothing imitated but the time: of four deletions two are undone, one is only cancelled,
    and one waits.
    """
    done, user = datetime.now(UTC) - timedelta(minutes=30), disable_key()["userIdentity"]
    acts = [schedule_deletion(user, f"key-{uuid.uuid4()}", done + timedelta(minutes=each)) for each in range(4)]
    keys = [act["requestParameters"]["keyId"] for act in acts]
    undo = [on_key("EnableKey", user, key, done + timedelta(minutes=12)) for key in keys[:2]]
    undo.append(on_key("CancelKeyDeletion", user, keys[3], done + timedelta(minutes=12)))
    given_log_file(deployed, *undo)  # the undo comes first, as it may
    given_log_file(deployed, *acts)

    told = follow_ups_of(receive_until(deployed.inbox, len(acts) + 1 + 3))  # a second repair is gathered: it is quiet
    put_forward(deployed.aws, deployed.clock, iso_time(done + timedelta(days=3, hours=13)))
    told += follow_ups_of(receive_until(deployed.inbox, 10, attempts=8))

    ids = [f"{act['recipientAccountId']}/{act['eventID']}/act" for act in acts]
    said = [(alert["followUp"]["name"], hit_id) for alert in told for hit_id in alert["hitIds"]]
    undone = [" ".join(alert["text"].split()) for alert in told if alert["followUp"]["name"] == "undone"]
    answered = [" ".join(alert["text"].split()) for alert in told if alert["followUp"]["name"] == "answered"]
    closed = [("undone", ids[0]), ("undone", ids[1])]
    assert sorted(said) == sorted([*closed, ("answered", ids[3]), ("reminder-half", ids[2])])
    assert all("undone after 1" in text for text in undone)
    assert all("The key comes back disabled" in text for text in answered)
    assert states_of(deployed, *acts) == ["undone", "undone", "open", "open"]


def test_operations_get_the_week_on_monday(deployed: Deployed) -> None:
    """The deployed clock reads the deployed table and rulebook, and mails what the week came to, once."""
    sqs, sns = deployed.aws.client("sqs"), deployed.aws.client("sns")
    (topic,) = [one["TopicArn"] for one in sns.list_topics()["Topics"] if "Watch" in one["TopicArn"]]
    url = sqs.create_queue(QueueName="operations")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    given_log_file(deployed, disable_key() | {"eventTime": iso_time(datetime.now(UTC))})
    assert receive_until(deployed.inbox, 1)
    forget_reports(deployed)
    today = datetime.now(UTC).date()
    monday = today + timedelta(days=7 - today.weekday())

    put_forward(deployed.aws, deployed.clock, f"{monday - timedelta(days=7)}T08:05:00Z")
    for minute in (5, 10):
        put_forward(deployed.aws, deployed.clock, f"{monday}T08:{minute:02}:00Z")
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
    # On a Monday that is a week ahead, when acts of other tests come due; who comes next is to hear only their own.
    receive_until(deployed.inbox, 100, attempts=4)

    reports = [one["Body"] for one in answer.get("Messages", ()) if one["Body"].startswith("The week")]
    assert len(reports) == 1
    assert "KMS Key Disabled" in reports[0]
    assert "every hit was delivered" in reports[0]


def test_corrupt_object_among_ten_is_dead_lettered_and_the_nine_are_told(deployed: Deployed) -> None:
    """Nothing is lost: what cannot be read waits in the dead-letter queue, and costs its neighbours nothing."""
    sqs = deployed.aws.client("sqs")
    sqs.set_queue_attributes(QueueUrl=deployed.queue, Attributes={"VisibilityTimeout": "1"})
    records = [disable_key() for _ in range(9)]
    corrupt = f"{FOLDER}{uuid.uuid4()}.json.gz"

    put(deployed, corrupt, b"\x1f\x8bcorrupt")
    for record in records:
        given_log_file(deployed, record)
    alerts = receive_until(deployed.inbox, 9)

    assert {alert["hits"][0]["eventID"] for alert in alerts} == {record["eventID"] for record in records}
    assert corrupt in dead_letter(sqs, deployed.dead_letters)


def dead_letter(sqs: Any, url: str) -> str:
    """The body of the first dead letter to arrive within half a minute, "" if none does."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2).get("Messages", ()):
            return str(message["Body"])
    return ""
