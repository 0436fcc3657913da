"""Self-repair by the real handlers: a notification is lost, its digest comes, the file is read, its hit is kept."""

import gzip
import json
import logging
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from tests.audit.world import BEGIN, BUCKET, HOUR, World, stamp
from tests.integration.test_handlers import given_record
from trailbell.audit.public_keys import GivenKeys, parse_public_keys
from trailbell.cli.main import cli
from trailbell.engine.rulebook import dump_rulebook
from trailbell.flows import audit as audit_flow
from trailbell.flows import log_files as log_files_flow
from trailbell.handlers import audit, detector
from trailbell.rulebook.build import build_rulebook
from trailbell.store.audits import DynamoAudits


RULE = Path(__file__).parents[2] / "rules" / "kms" / "aws_kms_key_disabled.yml"
ReadRows = Callable[[str], list[dict[str, Any]]]


class KeysWorld(World):
    """A world in which each log file holds one act: a key was disabled."""

    written = 0

    def content(self) -> bytes:
        self.written += 1
        return gzip.compress(json.dumps({"Records": [given_record(self.written)]}).encode(), mtime=0)


class Deployed:
    """Both handlers between their queues."""

    def __init__(self, world: World) -> None:
        self.world, self.sqs, self.s3 = world, boto3.client("sqs"), boto3.client("s3")
        self.ingest, self.digests = (
            self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("ingest", "digests")
        )
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        for key, stored in world.objects.items():
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=stored.body, Metadata=stored.metadata)

    def notify(self, keys: list[str]) -> None:
        """What S3 does when an object was created."""
        for key in keys:
            record = {
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": BUCKET}, "object": {"key": key}},
            }
            self.sqs.send_message(QueueUrl=self.ingest, MessageBody=json.dumps({"Records": [record]}))

    def run(self) -> None:
        """Until both queues are empty."""
        while self._work(self.ingest, detector.handler) or self._work(self.digests, audit.handler):
            pass

    def _work(self, queue: str, handler: Callable[[dict[str, Any], object], dict[str, Any]]) -> bool:
        messages = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        if not messages:
            return False
        records = [
            {"eventSource": "aws:sqs", "messageId": message["MessageId"], "body": message["Body"]}
            for message in messages
        ]
        assert handler({"Records": records}, None) == {"batchItemFailures": []}
        for message in messages:
            self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return True


@pytest.fixture
def rulebook(tmp_path: Path) -> Path:
    (tmp_path / "exceptions").mkdir()
    book, _ = build_rulebook(RULE, tmp_path / "exceptions", {}, date.today())
    path = tmp_path / "rulebook.json"
    path.write_text(dump_rulebook(book), encoding="utf-8")
    return path


@pytest.fixture
def deployed(table: str, rulebook: Path, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    world = KeysWorld(1)
    deployed = Deployed(world)
    for cached in (detector._detector, detector._metrics, audit._audit, audit._metrics, audit._event_log):
        cached.cache_clear()
    for service in ("detector", "audit"):
        logging.Logger.manager.loggerDict.pop(service, None)
    for name, value in {
        "TABLE": table,
        "RETENTION_DAYS": "400",
        "TRAIL_BUCKET": BUCKET,
        "TRAIL_PREFIX": "AWSLogs/",
        "MAX_INFLATED_BYTES": "1000000",
        "RULEBOOK": str(rulebook),
        "AUDIT_QUEUE_URL": deployed.digests,
        "INGEST_QUEUE_URL": deployed.ingest,
    }.items():
        monkeypatch.setenv(f"TRAILBELL_{name}", value)
    keys = GivenKeys(parse_public_keys(world.public_keys(), "keys"))
    monkeypatch.setattr(audit, "AwsKeys", lambda client: keys)  # no AWS in process lists CloudTrail's keys
    for flow in (audit_flow, log_files_flow):
        monkeypatch.setattr(flow, "SETTLE_SECONDS", 0)
    DynamoAudits(boto3.client("dynamodb"), table, 400).since("2026-11-01T00:00:00Z")
    return deployed


def test_lost_notification_is_repaired_and_its_hit_kept_once(
    deployed: Deployed, table: str, read_rows: ReadRows
) -> None:
    """Nobody loses an alert by a message that never came, and the audit says so; all of it twice changes nothing."""
    chain = deployed.world.chains[0]
    digests = [*chain.digests, *chain.backfills]
    logs = [log for digest in digests for log in chain.logs[digest]]
    lost = deployed.world.logs(chain)[2]

    deployed.notify([log for log in logs if log != lost])
    deployed.run()
    assert len(read_rows("hit")) == len(logs) - 1
    deployed.notify(digests)
    deployed.run()
    deployed.notify([*logs, *digests])
    deployed.run()

    hits = read_rows("hit")
    assert len(hits) == len(logs)
    assert {hit["name"] for hit in hits} == {"kms-key-disabled"}, "and no finding of the audit"
    assert [row["key"] for row in read_rows("ledger") if row["repaired"]] == [lost]
    shown = CliRunner().invoke(
        cli,
        ["audit", "--table", table, "--since", "2026-11-20", "--until", "2026-11-21T06:00:00", "--format", "json"],
        catch_exceptions=False,
    )
    days = json.loads(shown.stdout)["days"]
    assert shown.exit_code == 0, shown.stdout
    assert [day["day"] for day in days] == ["2026-11-20", "2026-11-21"]
    assert sum(day["listed"] for day in days) == sum(day["read"] for day in days) == len(logs)
    assert sum(day["repaired"] for day in days) == 1
    assert all(day["green"] for day in days)


def test_what_cannot_be_repaired_is_a_critical_hit_in_the_outbox(
    deployed: Deployed, table: str, read_rows: ReadRows
) -> None:
    """A log file that somebody deleted before it was read, and a chain that stopped."""
    chain = deployed.world.chains[0]
    log = deployed.world.logs(chain)[0]
    digest = next(key for key in chain.digests if log in chain.logs[key])
    deployed.notify([one for one in deployed.world.logs(chain) if one != log])
    deployed.run()
    deployed.s3.delete_object(Bucket=BUCKET, Key=log)
    deployed.notify([digest])
    deployed._work(deployed.ingest, detector.handler)

    while deployed._work(deployed.digests, audit.handler):
        pass

    findings = [hit for hit in read_rows("hit") if hit["name"].startswith("audit-")]
    assert [(hit["name"], hit["level"], hit["resources"]) for hit in findings] == [
        ("audit-log-missing", "critical", [f"arn:aws:s3:::{BUCKET}/{log}"])
    ]
    shown = CliRunner().invoke(cli, ["audit", "--table", table, "--since", "2026-11-20", "--until", "2026-11-22"])
    assert shown.exit_code == 1
    assert "overdue: 111122223333 us-east-1, trail acme-audit" in shown.stdout


def test_digest_that_waited_for_hours_says_that_the_audit_is_behind(deployed: Deployed, table: str) -> None:
    """By the time at which SQS got its message; one that has just come says nothing."""
    chain, audits = deployed.world.chains[0], DynamoAudits(boto3.client("dynamodb"), table, 400)
    for digest, hours, expected in ((chain.digests[0], 0, False), (chain.digests[1], 2, True)):
        sent = int((time.time() - hours * 3600) * 1000)
        message = {
            "messageId": "m",
            "attributes": {"SentTimestamp": str(sent)},
            "body": json.dumps({"bucket": BUCKET, "key": digest, "tries": 0}),
        }
        assert audit.handler({"Records": [message]}, None) == {"batchItemFailures": []}
        assert bool(audits.behind()) is expected


def test_audit_that_is_behind_tells_of_itself_and_of_no_account(
    deployed: Deployed, table: str, read_rows: ReadRows
) -> None:
    """By what waits in its queue; when that is done, and still nothing comes, the account is silent."""
    chain = deployed.world.chains[0]
    deployed.notify(chain.logs[chain.digests[0]])
    deployed.notify(chain.digests[:1])
    deployed.run()
    clock = DynamoAudits(boto3.client("dynamodb"), table, 400)

    def names() -> list[str]:
        return [hit["name"] for hit in read_rows("hit") if hit["name"].startswith("audit-")]

    deployed.sqs.send_message(QueueUrl=deployed.digests, MessageBody="{}")
    flow = audit._audit()

    flow.overdue(stamp(BEGIN + 8 * HOUR))
    assert names() == ["audit-behind"]
    assert clock.behind() == stamp(BEGIN + 8 * HOUR)
    deployed.sqs.purge_queue(QueueUrl=deployed.digests)
    flow.overdue(stamp(BEGIN + 10 * HOUR))
    assert names() == ["audit-behind"]
    flow.overdue(stamp(BEGIN + 12 * HOUR))
    assert sorted(names()) == ["audit-behind", "audit-digest-overdue"]


def test_nothing_audited_is_said(table: str) -> None:
    """An empty table looks like a perfect one."""
    result = CliRunner().invoke(cli, ["audit", "--table", table])

    assert "nothing was audited" in str(result.exception)
