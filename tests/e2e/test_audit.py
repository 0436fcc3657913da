"""Self-repair in the local stack: a notification is lost, the digest comes, the file is read, its hit notified once."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.audit.world import BEGIN, HOUR, World
from tests.e2e.product import receive_until
from trailbell.cli.doctor.stack_checks import check_stack
from trailbell.cli.local.command import TRAIL_BUCKET
from trailbell.cli.local.deployment import STACK, deploy
from trailbell.cli.local.inbox import Inbox
from trailbell.cli.local.local_aws import LocalAws
from trailbell.ops.audited_days import deployed_days
from trailbell.ops.deployed_stack import DeployedStack
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.store.audits import DynamoAudits
from trailbell.store.dynamo import decode


pytestmark = pytest.mark.e2e
_SECONDS = 120


class KeysWorld(World):
    """A world of the local trail bucket, in which each log file holds one act: a key was disabled."""

    bucket = TRAIL_BUCKET
    written = 0

    def content(self) -> bytes:
        self.written += 1
        act = {"eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}
        record = {**BASE_RECORD, **act, "eventID": f"ca7e0000-0000-4000-8000-{self.written:012d}"}
        return gzip.compress(json.dumps({"Records": [record]}).encode(), mtime=0)


@contextmanager
def listing(public_keys: str) -> Iterator[str]:
    """CloudTrail's answer to ListPublicKeys, which the embedded AWS does not give; its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = public_keys.encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Audited:
    """The product with the audit on, as this test sees it."""

    def __init__(self, aws: LocalAws, world: World, cloudtrail: str) -> None:
        self.aws, self.world = aws, world
        stack = DeployedStack(aws.client, STACK)
        self.table = stack.output("HitTable")
        self.inbox = Inbox(aws, stack.output("AlertTopic"))
        self.audits = DynamoAudits(aws.client("dynamodb"), self.table, 400)
        self.audits.since("2026-11-01T00:00:00Z")  # as if it were deployed longer than the trail is there
        functions = aws.client("lambda").list_functions()["Functions"]
        (self.function,) = (one for one in functions if one["Handler"] == "trailbell.handlers.audit.handler")
        environment = self.function["Environment"]["Variables"] | {"AWS_ENDPOINT_URL_CLOUDTRAIL": cloudtrail}
        aws.client("lambda").update_function_configuration(
            FunctionName=self.function["FunctionName"], Environment={"Variables": environment}
        )
        self.digests = environment["TRAILBELL_AUDIT_QUEUE_URL"]

    def put(self, keys: list[str], *, told: bool = True) -> None:
        """Deliver objects, with or without the bucket's notifications."""
        s3 = self.aws.client("s3")
        notifications = s3.get_bucket_notification_configuration(Bucket=TRAIL_BUCKET)
        notifications.pop("ResponseMetadata")
        if not told:
            s3.put_bucket_notification_configuration(Bucket=TRAIL_BUCKET, NotificationConfiguration={})
        for key in keys:
            stored = self.world.objects[key]
            s3.put_object(Bucket=TRAIL_BUCKET, Key=key, Body=stored.body, Metadata=stored.metadata)
        if not told:
            s3.put_bucket_notification_configuration(Bucket=TRAIL_BUCKET, NotificationConfiguration=notifications)

    def take_up(self, digest: str, tries: int) -> None:
        """A quarter of an hour passes: the digest's message, without its delay."""
        body = json.dumps({"bucket": TRAIL_BUCKET, "key": digest, "tries": tries})
        self.aws.client("sqs").send_message(QueueUrl=self.digests, MessageBody=body)

    def rows(self, kind: str) -> list[dict[str, Any]]:
        pages = self.aws.client("dynamodb").get_paginator("scan").paginate(TableName=self.table)
        return [row for page in pages for row in map(decode, page["Items"]) if row["kind"] == kind]

    def waiting(self) -> int:
        """Messages in the digests' queue that are delayed."""
        name = "ApproximateNumberOfMessagesDelayed"
        found = self.aws.client("sqs").get_queue_attributes(QueueUrl=self.digests, AttributeNames=[name])
        return int(found["Attributes"][name])


def until(what: Callable[[], bool]) -> bool:
    """Whether something becomes so within two minutes."""
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.5)
    return False


def test_lost_notification_is_repaired_and_its_hit_notified_once(aws: LocalAws) -> None:
    """From S3 to the inbox, through both functions and all three queues; then the audit is green."""
    world = KeysWorld(1, hours=3)
    chain = world.chains[0]
    digests = [*chain.digests, *chain.backfills]
    logs = [log for digest in digests for log in chain.logs[digest]]
    lost = world.logs(chain)[0]
    of_lost = next(digest for digest in digests if lost in chain.logs[digest])
    deploy(aws, TRAIL_BUCKET, audit="true", quiet_minutes="0")
    with listing(world.public_keys()) as cloudtrail:
        audited = Audited(aws, world, cloudtrail)

        audited.put([lost], told=False)
        audited.put([log for log in logs if log != lost])
        assert until(lambda: len(audited.rows("ledger")) == len(logs) - 1)
        audited.put(digests)
        assert until(lambda: audited.waiting() == len(digests)), "the detector hands them over"
        for digest in digests:
            audited.take_up(digest, 0)
        assert until(lambda: len(audited.rows("ledger")) == len(logs)), "it was read"
        audited.take_up(of_lost, 1)
        assert until(lambda: any(row.get("repaired") == 1 for row in audited.rows("audit")))

        told = [hit["eventID"] for alert in receive_until(audited.inbox, len(logs)) for hit in alert["hits"]]
        now = BEGIN + 5 * HOUR  # later the chain is overdue
        days = deployed_days(audited.audits, list(audited.audits.chains()), BEGIN, now)

    findings = {finding.check: finding for finding in check_stack(aws.client, STACK, now)}
    assert findings["audit"].state == "ok", findings["audit"]
    assert findings["AuditDeadLetters"].state == "ok"
    of_audit = [one for one in findings.values() if "udit" in f"{one.check} {one.meaning}" and one.state == "problem"]
    assert [one.condition for one in of_audit] == ["function.environment"], "which this test has changed"
    assert [row["key"] for row in audited.rows("ledger") if row["repaired"]] == [lost]
    assert len(told) == len(set(told)) == len(logs), "each once, and nothing of the audit's"
    assert days
    assert all(day.is_green for day in days)
    assert sum(day.logs["listed"] for day in days) == sum(day.logs["read"] for day in days) == len(logs)
