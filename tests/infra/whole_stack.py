"""A stack with the whole product for given settings and code, as app.py makes it with rules and an asset."""

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from infra.alerter import Alerter
from infra.settings import Settings


class TrailbellStack(cdk.Stack):
    """What app.py deploys."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, code: Path, **options: Any) -> None:
        super().__init__(scope, id, description="trailbell: CloudTrail alerting", **options)
        Alerter(self, "Default", settings=settings, code=code, audit_code=code)
