"""The life of a deployment: made, left alone, changed, compared, and removed with its evidence kept."""

import pytest

from trailbell.cli.local.command import TRAIL_BUCKET
from trailbell.cli.local.deployment import STACK, deploy, run_cdk
from trailbell.cli.local.local_aws import LocalAws
from trailbell.ops.deployed_stack import DeployedStack


pytestmark = pytest.mark.e2e


def test_deployment_is_made_left_alone_changed_compared_and_removed(aws: LocalAws) -> None:
    """Each is a command of the CDK that a user will give; a table of hits must outlive the last."""
    deploy(aws, TRAIL_BUCKET)
    table = DeployedStack(aws.client, STACK).output("HitTable")
    aws.client("dynamodb").put_item(TableName=table, Item={"pk": {"S": "evidence"}, "sk": {"S": "1"}})

    assert "(no changes)" in deploy(aws, TRAIL_BUCKET)

    settings = {"alert_emails": "ops@example.com", "log_retention_days": "30"}
    difference = run_cdk(aws, f"diff {STACK}", TRAIL_BUCKET, **settings)
    assert "ops@example.com" in difference
    assert "RetentionInDays" in difference

    deploy(aws, TRAIL_BUCKET, **settings)
    subscriptions = aws.client("sns").list_subscriptions()["Subscriptions"]
    assert {one["Endpoint"] for one in subscriptions if one["Protocol"] == "email"} == {"ops@example.com"}
    assert "no differences" in run_cdk(aws, f"diff {STACK}", TRAIL_BUCKET, **settings).lower()

    run_cdk(aws, f"destroy {STACK} --force", TRAIL_BUCKET, **settings)
    kept = aws.client("dynamodb").get_item(TableName=table, Key={"pk": {"S": "evidence"}, "sk": {"S": "1"}})
    assert "Item" in kept
    assert aws.client("s3").head_bucket(Bucket=TRAIL_BUCKET)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert aws.client("lambda").list_functions()["Functions"] == []
