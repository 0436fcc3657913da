"""One embedded AWS with the real stack deployed into it, shared by the end-to-end tests."""

from collections.abc import Iterator

import pytest

from tests.e2e.product import Deployed
from trailalert.cli.deployment import STACK, bootstrap, deploy
from trailalert.cli.hits import find_output
from trailalert.cli.inbox import Inbox
from trailalert.cli.local import TRAIL_BUCKET
from trailalert.cli.local_aws import LocalAws, start_local_aws


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Start, bootstrap, deploy; stop at the end."""
    aws = start_local_aws(tmp_path_factory.mktemp("aws"))
    try:
        aws.client("s3").create_bucket(Bucket=TRAIL_BUCKET)
        bootstrap(aws)
        deploy(aws, TRAIL_BUCKET)
        yield _find(aws)
    finally:
        aws.stop()


def _find(aws: LocalAws) -> Deployed:
    cloudformation = aws.client("cloudformation")
    dead_letters = find_output(cloudformation, STACK, "DeadLetters")
    mappings = aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    (queue_arn,) = [mapping["EventSourceArn"] for mapping in mappings if ":sqs:" in mapping["EventSourceArn"]]
    queue = aws.client("sqs").get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]
    inbox = Inbox(aws, find_output(cloudformation, STACK, "AlertTopic"))
    return Deployed(aws, find_output(cloudformation, STACK, "HitTable"), queue, dead_letters, inbox)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """An embedded AWS of the module's own, with a trail bucket, bootstrapped."""
    running = start_local_aws(tmp_path_factory.mktemp("aws"))
    try:
        running.client("s3").create_bucket(Bucket=TRAIL_BUCKET)
        bootstrap(running)
        yield running
    finally:
        running.stop()
