"""A hit table (moto, in this process) with the examples of this morning in it, for a page that is served from it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler

from trailbell.cli.local.shifted_files import shift_to_this_morning
from trailbell.cli.options.rulebooks import find_rulebook
from trailbell.cli.scan.run import Plan, Scan, run_scan
from trailbell.cli.terminal.progress import Progress
from trailbell.cloudtrail.selection import Selection
from trailbell.hits.hit import Hit
from trailbell.store.hit_table import DynamoHitTable
from trailbell.text.times import iso_time


EXAMPLES = Path(__file__).parents[2] / "examples"
REGION = "eu-central-1"


@contextmanager
def embedded_aws() -> Iterator[Any]:
    """An AWS with the empty table `hits`; its DynamoDB client. One request at a time, as moto's tables are dicts."""
    answer, lock = DynamoHandler.call_action, threading.RLock()

    def call_action(handler: DynamoHandler) -> Any:
        with lock:
            return answer(handler)

    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setattr(DynamoHandler, "call_action", call_action)
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"):
            patch.delenv(name, raising=False)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_REGION", REGION)
        patch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
        dynamodb = boto3.client("dynamodb", region_name=REGION)
        dynamodb.create_table(
            TableName="hits",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield dynamodb


def example_hits(folder: Path) -> list[Hit]:
    """The hits of the examples, moved to this morning; their log files are below `folder`."""
    now = datetime.now(UTC)
    files = sorted((EXAMPLES / "AWSLogs").rglob("*CloudTrail_*.json.gz"))
    moved = shift_to_this_morning(EXAMPLES, files, folder, now)
    plan = Plan(
        rulebook=find_rulebook(None, ()),
        selection=Selection(),
        seen_at=iso_time(now),
        jobs=1,
        progress=Progress(0, 0, "files"),
        stopped=lambda: False,
    )
    return list(run_scan([*moved], plan, Scan()))


def fill(dynamodb: Any, hits: list[Hit]) -> None:
    """Keep hits as the detector does."""
    DynamoHitTable(dynamodb, "hits", 400).keep(hits)
