"""The CDK application: settings in, one stack out. `cdk deploy` runs it (see cdk.json)."""

import re
import sys
from pathlib import Path


ROOT = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT / "lambdas")]

import aws_cdk as cdk  # noqa: E402 (the source root has to be on sys.path first)

from infra import Trailbell  # noqa: E402
from trailbell.errors import TrailbellError  # noqa: E402
from trailbell.rulebook.placeholders import STACK_NAME  # noqa: E402


def main() -> None:
    """Synthesise; a wrong setting or rule ends the synth with its message, not with a traceback."""
    app = cdk.App()
    context = app.node.get_all_context()
    # The CDK's own names hold "@", ":" or "-"; every other is taken for a setting, so that a misspelt one is found.
    settings = {name: value for name, value in context.items() if not re.search("[@:-]", name)}
    stack = cdk.Stack(app, STACK_NAME, description="trailbell: CloudTrail alerting")
    try:
        Trailbell(stack, "Default", rules=ROOT / "rules", exceptions=ROOT / "exceptions", **settings)
    except TrailbellError as error:
        sys.exit(f"trailbell: {error}")
    app.synth()


main()
