"""The audit's least privilege, proven as of the others: its handler runs under its policy, and needs all of it."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from tests.audit.world import World as Trails
from tests.infra.iam import world as iam_world
from tests.infra.iam.moto_patches import enforcing_aws
from tests.infra.iam.statements import Template, listed
from tests.infra.iam.world import World
from tests.infra.test_least_privilege import DONE, given_batch, rulebook
from trailbell.audit.public_keys import GivenKeys, parse_public_keys
from trailbell.flows.audit import TRIES
from trailbell.handlers import audit


__all__ = ["rulebook"]

# What moto cannot refuse, or Lambda does in the function's name; the matrix of the template's test has them all.
NOT_HERE = {
    *("logs:CreateLogStream", "logs:PutLogEvents", "cloudtrail:ListPublicKeys", "s3:ListBucket"),
    *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
}


@pytest.fixture(scope="module")
def world(template_of: Callable[..., Template], rulebook: Path) -> Iterator[World]:
    """The stack with the audit on."""
    roles = ("Detector", "Notifier", "Audit")
    with enforcing_aws(), mock.patch.object(iam_world, "ROLES", roles):
        yield World(template_of(audit=True), rulebook)


class Delivered(Trails):
    """A trail's history in the stack's bucket, of accounts that no other world has used."""

    def __init__(self, world: World) -> None:
        self.bucket = world.bucket
        super().__init__(next(world.numbers), hours=4)
        for key, stored in self.objects.items():
            world.as_admin("s3").put_object(Bucket=self.bucket, Key=key, Body=stored.body, Metadata=stored.metadata)


def task(trails: Trails, key: str, tries: int = 0) -> dict[str, Any]:
    body = json.dumps({"bucket": trails.bucket, "key": key, "tries": tries})
    return {"Records": [{"eventSource": "aws:sqs", "messageId": "m0", "body": body}]}


def audit_works(world: World) -> bool:
    """What is missing is asked for again, and a digest that is gone is a hit with its pointers."""
    trails = Delivered(world)
    chain = trails.chains[0]
    table = world.name("HitsTable")
    for item in world.as_admin("dynamodb").scan(TableName=table)["Items"]:
        key = {"pk": item["pk"], "sk": item["sk"]}
        world.as_admin("dynamodb").delete_item(TableName=table, Key=key)
    since = {"pk": {"S": "V#since"}, "sk": {"S": "-"}, "at": {"S": "2026-11-01T00:00:00Z"}}
    world.as_admin("dynamodb").put_item(TableName=table, Item=since)
    world.as_admin("s3").delete_object(Bucket=trails.bucket, Key=chain.digests[1])
    doubted = {"pk": {"S": "L#late"}, "sk": {"S": "2026-11-01T00#111122223333#us-east-1#2026-10-30T00"}}
    world.as_admin("dynamodb").put_item(TableName=table, Item=doubted)
    before = _waiting(world, "IngestQueue"), _waiting(world, "AuditDigests")
    keys = GivenKeys(parse_public_keys(trails.public_keys(), "keys"))
    with mock.patch.object(audit, "AwsKeys", return_value=keys):
        answers = [world.invoke("Audit", task(trails, chain.digests[2], tries)) for tries in (0, TRIES - 1)]
        with suppress(ClientError):  # the schedule's run raises what fails
            world.invoke("Audit", {"source": "aws.events"})
    rows = world.as_admin("dynamodb").scan(TableName=table)["Items"]
    kinds = [row["kind"]["S"] for row in rows if "kind" in row]
    after = _waiting(world, "IngestQueue"), _waiting(world, "AuditDigests")
    told = {"hit", "pointer", "audit"} <= set(kinds) and not any(row["sk"] == doubted["sk"] for row in rows)
    return answers == [DONE, DONE] and told and after == (before[0] + 1, before[1] + 2)


def _waiting(world: World, queue: str) -> int:
    url = world.name(queue)
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
    found = world.as_admin("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def test_audit_works_under_its_policy(world: World) -> None:
    """Every call that it makes is allowed."""
    assert audit_works(world)


def test_audit_needs_every_right_that_it_has(world: World) -> None:
    """Whatever is taken away, it notices."""
    grants = [
        (action, statement["Resource"])
        for statement in world.policies["Audit"]
        for action in listed(statement["Action"])
        if action not in NOT_HERE
    ]

    assert len(grants) == 7
    for action, resource in grants:
        with world.without("Audit", action, resource):
            assert not audit_works(world), f"nothing needs {action} on {resource}"


def test_detector_hands_a_digest_over_under_its_policy_and_keeps_the_ledger(world: World) -> None:
    """It may send to the queue of digests where there is one."""
    trails = Delivered(world)
    digest, log = trails.chains[0].digests[2], trails.logs(trails.chains[0])[0]
    before = _waiting(world, "AuditDigests")

    answers = [world.invoke("Detector", given_batch(world, key=key)) for key in (digest, log)]

    rows = world.as_admin("dynamodb").scan(TableName=world.name("HitsTable"))["Items"]
    assert answers == [DONE, DONE]
    assert _waiting(world, "AuditDigests") == before + 1
    assert [row["key"]["S"] for row in rows if row.get("kind") == {"S": "ledger"}] == [log]
    (right,) = (
        statement["Resource"] for statement in world.policies["Detector"] if statement["Action"] == "sqs:SendMessage"
    )
    with world.without("Detector", "sqs:SendMessage", right):
        assert world.invoke("Detector", given_batch(world, key=digest)) != DONE
