"""The CDK application: settings in, one stack out. `cdk deploy` runs it (see cdk.json)."""

import sys
from pathlib import Path


sys.path[:0] = [str(Path(__file__).parent / "lambdas")]

import aws_cdk as cdk  # noqa: E402 (the source root has to be on sys.path first)

from infra.asset import build_asset  # noqa: E402
from infra.settings import read_settings  # noqa: E402
from infra.stack import TrailAlertStack  # noqa: E402
from trailalert.errors import TrailAlertError  # noqa: E402


STACK_NAME = "trailalert"


def main() -> None:
    """Synthesise; a wrong setting or rule ends the synth with its message, not with a traceback."""
    app = cdk.App()
    try:
        settings = read_settings(app.node.try_get_context, app.node.get_all_context())
        code = build_asset(settings.architecture)
    except TrailAlertError as error:
        sys.exit(f"trailalert: {error}")
    TrailAlertStack(app, STACK_NAME, settings=settings, code=code)
    app.synth()


main()
