"""History through the deployed queue: kept, not told; a true delivery afterwards is told; --tell tells."""

import gzip
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.e2e.product import Deployed, receive_until
from tests.e2e.test_product import disable_key, hits_of, put
from trailbell.cli.local.command import TRAIL_BUCKET
from trailbell.cli.main import cli


pytestmark = pytest.mark.e2e
DAY = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/08/15/"


def put_undelivered(deployed: Deployed, record: dict[str, Any]) -> str:
    """Put a log file as if it had been there before the product was: S3 tells nobody."""
    s3 = deployed.aws.client("s3")
    notified = s3.get_bucket_notification_configuration(Bucket=TRAIL_BUCKET)
    notified.pop("ResponseMetadata")
    key = f"{DAY}{uuid.uuid4()}.json.gz"
    s3.put_bucket_notification_configuration(Bucket=TRAIL_BUCKET, NotificationConfiguration={})
    try:
        put(deployed, key, gzip.compress(json.dumps({"Records": [record]}).encode()))
    finally:
        s3.put_bucket_notification_configuration(Bucket=TRAIL_BUCKET, NotificationConfiguration=notified)
    return key


@pytest.fixture
def replay(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command, on that one day."""
    for name, value in deployed.aws.environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)

    def run(*options: str) -> Result:
        window = ("--since", "2026-08-15", "--until", "2026-08-15T12:00:00")
        return CliRunner().invoke(cli, ["replay", f"s3://{TRAIL_BUCKET}", *window, *options], catch_exceptions=False)

    return run


def wait_for_hits(deployed: Deployed, record: dict[str, Any]) -> list[Any]:
    for _ in range(40):
        hits = hits_of(deployed, record)
        if hits:
            return hits
        deployed.inbox.receive(1)
    return []


def test_replayed_day_is_kept_and_not_told_until_it_is_truly_delivered(
    deployed: Deployed, replay: Callable[..., Result]
) -> None:
    """Asking about history wakes nobody, and never costs a page."""
    record = disable_key()
    key = put_undelivered(deployed, record)

    dry = replay("--dry-run")
    nothing = hits_of(deployed, record)
    sent = replay("--yes")
    (quiet,) = wait_for_hits(deployed, record)
    alerts = receive_until(deployed.inbox, 1, attempts=4)

    assert "log file to send" in dry.stderr
    assert "nobody is notified" in dry.stderr
    assert nothing == []
    assert (sent.exit_code, quiet.quiet, alerts) == (0, True, [])

    body = deployed.aws.client("s3").get_object(Bucket=TRAIL_BUCKET, Key=key)["Body"].read()
    put(deployed, key, body)
    (alert,) = receive_until(deployed.inbox, 1)
    (notified,) = hits_of(deployed, record)

    assert alert["hitIds"] == [notified.hit_id] == [quiet.hit_id]
    assert notified.quiet is False


def test_replay_tells_when_asked_to(deployed: Deployed, replay: Callable[..., Result]) -> None:
    """What an outage kept from being told can be told afterwards."""
    record = disable_key()
    put_undelivered(deployed, record)

    sent = replay("--yes", "--tell", "--rate", "10/s")
    (alert,) = receive_until(deployed.inbox, 1)
    (hit,) = hits_of(deployed, record)

    assert sent.exit_code == 0
    assert "PEOPLE ARE NOTIFIED" in sent.stderr
    assert alert["hitIds"] == [hit.hit_id]
    assert hit.quiet is False


def test_what_exceptions_muted_is_judged_by_the_rulebook_that_is_deployed(
    deployed: Deployed, replay: Callable[..., Result]
) -> None:
    """It is in the code that the detector runs; nobody keeps a second copy that grows stale."""
    del deployed, replay  # the stack, and the environment in which commands find it

    result = CliRunner().invoke(cli, ["undelivered", "--muted"], catch_exceptions=False)

    assert "judged today by what is deployed in stack trailbell" in result.stderr
    assert "0 muted hits that nobody was notified of" in result.stderr
    assert result.exit_code == 0
