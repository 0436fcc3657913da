"""`python -m tests.infra.iam` prints the matrix; status 1 if a line is not as expected."""

import importlib
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.infra.iam.account import EXISTING
from tests.infra.iam.matrix import matrix
from tests.infra.iam.moto_patches import enforcing_aws
from tests.infra.iam.world import World


def main() -> int:
    """Print the matrix of the stack with an existing, encrypted bucket; status 1 if a line is not as expected."""
    conftest = importlib.import_module("tests.infra.conftest")  # finds jsii its node, so it comes first
    import aws_cdk as cdk
    from aws_cdk import assertions

    from tests.infra.whole_stack import TrailbellStack

    context = json.loads((conftest.ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    with TemporaryDirectory() as folder:
        app = cdk.App(context=context, outdir=folder)
        settings = conftest.given_settings(**EXISTING, alert_emails={"ops@example.com": "low"})
        stack = TrailbellStack(app, "trailbell", settings=settings, code=Path(__file__).parent)
        template = dict(assertions.Template.from_stack(stack).to_json())
    with enforcing_aws():
        lines = matrix(World(template))
    sys.stdout.write("\n".join(lines) + "\n\n* by the policy's text: moto evaluates no Condition\n")
    return int(any("(WRONG)" in line for line in lines))


if __name__ == "__main__":
    sys.exit(main())
