"""A stack with the whole product for given settings and code, as app.py makes it with rules and an asset."""

from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from infra.alerter import Alerter
from infra.settings import Settings
from tests.shipped import shipped_rules
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.cases import CASE_SETTINGS
from trailbell.rulebook.live_patterns import LivePatterns, patterns_of
from trailbell.rulebook.undone_by import undo_rules


@cache
def shipped_patterns() -> LivePatterns:
    """What EventBridge is asked for by the rules that ship."""
    rules = shipped_rules()
    return patterns_of(make_rulebook((*rules, *undo_rules(rules)), CASE_SETTINGS))


class TrailbellStack(cdk.Stack):
    """What app.py deploys."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, code: Path, **options: Any) -> None:
        super().__init__(scope, id, description="trailbell: CloudTrail alerting", **options)
        live = shipped_patterns() if settings.live else LivePatterns()
        Alerter(self, "Default", settings=settings, code=code, audit_code=code, live=live)
