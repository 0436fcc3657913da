"""An episode from the log files of two messages to its mail, by the functions as Lambda calls them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from tests.integration.test_handlers import (
    PutLogFile,
    ReadRows,
    Stream,
    cold_start,
    environment,
    given_batch,
    given_notification,
    given_record,
    put_log_file,
    stream,
)
from trailbell.cli.main import cli
from trailbell.engine.rulebook import dump_rulebook
from trailbell.handlers import detector, notifier
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.load import load_rules
from trailbell.text.times import iso_time


__all__ = ["cold_start", "environment", "put_log_file", "stream"]

RULES = """\
title: Key disabled
id: 3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e01
name: disabled
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventSource: kms.amazonaws.com, eventName: DisableKey}, condition: s}
level: high
---
title: Many keys disabled
id: 22222222-2222-4222-8222-222222222222
name: wave
correlation:
  type: event_count
  rules: disabled
  group-by: [facts.actor.key, recipientAccountId]
  timespan: 10m
  condition: {gte: 3}
  generate: true
level: critical
---
title: One parameter after the other
name: sweep
correlation:
  type: value_count
  rules: [read]
  group-by: requestParameters.path
  timespan: 10m
  condition: {gte: 900, field: requestParameters.name}
level: high
---
title: Parameter read
name: read
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventSource: ssm.amazonaws.com, eventName: GetParameter}, condition: s}
level: informational
generate: false
"""


@pytest.fixture(scope="session")
def rulebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("episodes")
    (folder / "rules.yml").write_text(RULES, encoding="utf-8")
    found = load_rules(folder / "rules.yml", {})
    path = folder / "rulebook.json"
    path.write_text(dump_rulebook(make_rulebook(found.rules, {}, found.correlations)), encoding="utf-8")
    return path


NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)


def disabled(number: int, minute: int) -> dict[str, Any]:
    return given_record(number, eventTime=iso_time(NOW + timedelta(minutes=minute)))


def deliver(*keys: str) -> None:
    event = given_batch(*(given_notification(key) for key in keys))
    assert detector.handler(event, None) == {"batchItemFailures": []}


def mails() -> list[str]:
    """The subjects of what is in the queue behind the topic."""
    queue = boto3.client("sqs")
    url = queue.get_queue_url(QueueName="inbox")["QueueUrl"]
    subjects = list[str]()
    while messages := queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            subjects.append(json.loads(message["Body"])["Subject"])
            queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return subjects


@pytest.fixture
def inbox(topic_arn: str) -> None:
    queue = boto3.client("sqs")
    url = queue.create_queue(QueueName="inbox")["QueueUrl"]
    arn = queue.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    boto3.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)


@pytest.mark.usefixtures("inbox")
def test_episode_over_two_log_files_is_one_mail_and_goes_on(
    put_log_file: PutLogFile, read_rows: ReadRows, stream: Stream, table: str
) -> None:
    """However often its log files come; what it goes on to is the same episode, and its hit says until when."""
    late, early = put_log_file([disabled(3, 8)], "b"), put_log_file([disabled(1, 1), disabled(2, 4)], "a")
    for _ in range(2):
        deliver(late)
        deliver(early)
    notifier.handler(stream(), None)
    first = mails()
    deliver(put_log_file([disabled(4, 10)], "c"))
    notifier.handler(stream(), None)
    second = mails()

    (row,) = [row for row in read_rows("hit") if row.get("episode")]
    assert len([subject for subject in first if "Many keys disabled" in subject]) == 1
    assert [subject for subject in second if "Many keys disabled" in subject] == []
    assert row["kind"] == "hit"
    assert row["level"] == "critical"
    assert row["eventTime"] == iso_time(NOW + timedelta(minutes=8))
    assert [act["eventID"][-1] for act in row["episode"]["acts"]] == ["1", "2", "3"]
    shown = CliRunner().invoke(cli, ["hit", row["shortId"], "--table", table, "--no-record", "--no-pager"])
    assert shown.exit_code == 0, shown.output
    assert "Went on since this was written: from" in shown.stdout
    assert "4 acts or more" in shown.stdout
    assert "3 acts within 7 min in account 111122223333" in " ".join(shown.stdout.split())


def test_more_groups_than_are_followed_are_told(put_log_file: PutLogFile, read_rows: ReadRows) -> None:
    """Whoever fills a log file with names of his own choice does not hide among them."""
    reads = [
        given_record(
            number,
            eventSource="ssm.amazonaws.com",
            eventName="GetParameter",
            requestParameters={"name": f"/{number}", "path": f"/{number}"},
        )
        for number in range(1, 251)
    ]
    key = put_log_file(reads)
    for _ in range(2):
        deliver(key)

    (row,) = read_rows("hit")
    assert row["title"] == "Too much at once to be correlated"
    assert row["name"] == "sweep"
    assert "of 50 records some or all was left out" in row["meaning"]
