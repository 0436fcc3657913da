"""The CDK application: settings in, one stack out. `cdk deploy` runs it (see cdk.json)."""

import sys
from datetime import UTC, datetime
from pathlib import Path


ROOT = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT / "lambdas")]

import aws_cdk as cdk  # noqa: E402 (the source root has to be on sys.path first)

from infra.asset import build_asset  # noqa: E402
from infra.settings import STACK_NAME, read_settings  # noqa: E402
from infra.stack import TrailbellStack  # noqa: E402
from trailbell.errors import TrailbellError  # noqa: E402
from trailbell.rulebook.build import build_rulebook  # noqa: E402


def main() -> None:
    """Synthesise; a wrong setting or rule ends the synth with its message, not with a traceback."""
    app = cdk.App()
    try:
        settings = read_settings(app.node.try_get_context, app.node.get_all_context())
        today = datetime.now(UTC).date()
        folders = ROOT / "rules", ROOT / "exceptions"
        rulebook, expired = build_rulebook(*folders, settings.placeholders, today, settings.alert_on)
        code = build_asset(settings.architecture, settings.python, rulebook)
    except TrailbellError as error:
        sys.exit(f"trailbell: {error}")
    stack = TrailbellStack(app, STACK_NAME, settings=settings, code=code)
    for message in expired:
        cdk.Annotations.of(stack).add_warning_v2("trailbell:expired-exception", message)
    app.synth()


main()
