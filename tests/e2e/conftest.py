"""Embedded AWSs for the end-to-end tests: one with the product deployed, others of a module's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.product import Deployed
from trailbell.cli.local.command import TRAIL_BUCKET
from trailbell.cli.local.deployment import STACK, bootstrap, deploy
from trailbell.cli.local.inbox import Inbox
from trailbell.cli.local.local_aws import LocalAws, start_local_aws
from trailbell.ops.deployed_stack import DeployedStack


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The product, deployed once for all tests that leave its settings alone."""
    with _bootstrapped(tmp_path_factory.mktemp("aws")) as aws:
        deploy(aws, TRAIL_BUCKET)
        yield _find(aws)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """An embedded AWS of the module's own, with a trail bucket, bootstrapped."""
    with _bootstrapped(tmp_path_factory.mktemp("aws")) as aws:
        yield aws


@contextmanager
def _bootstrapped(folder: Path) -> Iterator[LocalAws]:
    """An embedded AWS with a trail bucket, ready for `cdk deploy`; stopped at the end."""
    aws = start_local_aws(folder)
    try:
        aws.client("s3").create_bucket(Bucket=TRAIL_BUCKET)
        bootstrap(aws)
        yield aws
    finally:
        aws.stop()


def _find(aws: LocalAws) -> Deployed:
    stack = DeployedStack(aws.client, STACK)
    dead_letters = stack.output("DeadLetters")
    mappings = aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    (queue_arn,) = [mapping["EventSourceArn"] for mapping in mappings if ":sqs:" in mapping["EventSourceArn"]]
    queue = aws.client("sqs").get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]
    inbox = Inbox(aws, stack.output("AlertTopic"))
    return Deployed(aws, stack.output("HitTable"), queue, dead_letters, inbox, stack.output("ClockFunction"))
