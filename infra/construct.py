"""The construct for a CDK app, this project's own and anybody else's: typed settings in, the whole alerter out."""

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Unpack

from aws_cdk import Annotations, Stack, Token
from constructs import Construct

from trailbell.rulebook.live_patterns import LivePatterns, patterns_of
from trailbell.rulebook.product import CHECKOUT, is_installed

from .alerter import Alerter
from .asset import AUDIT_LOCK, build_asset
from .properties import Properties
from .rulebooks import rulebook_of
from .settings import check_quiet_names, read_settings


class Trailbell(Alerter):
    """CloudTrail alerting in a stack: trail (or an existing bucket), detector, hit table, notifier, alert topic.

    At synth the rules are compiled and the functions' code is built, which takes the packages of the extra `deploy`
    and, the first time, a package index. Metrics, the dashboard and the outputs are the stack's: one of these a stack.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        rules: Path | None = None,
        exceptions: Path | None = None,
        **properties: Unpack[Properties],
    ) -> None:
        """Raises SettingsError or RuleError with every fault, one a line, in the words that `cdk deploy` has here.

        rules:      folder of Sigma rules to run; default: those that come with trailbell.
        exceptions: folder of exceptions from them, with owner, reason and expiry; default: none.
        """
        settings = read_settings(_with_stack_name(scope, properties).get, properties)
        rulebook, expired = rulebook_of(settings, rules, exceptions)
        check_quiet_names(settings.quiet_minutes, [rule.name for rule in rulebook.rules if not rule.is_silent])
        code = build_asset(settings.architecture, settings.python, rulebook, _build_folder())
        audit_code = code
        if settings.audit:  # an asset of its own: what verifies signatures is loaded by no other function
            audit_code = build_asset(settings.architecture, settings.python, rulebook, _build_folder(), AUDIT_LOCK)
        live = patterns_of(rulebook) if settings.live else LivePatterns()
        super().__init__(scope, id, settings=settings, code=code, audit_code=audit_code, live=live)
        for message in expired:
            Annotations.of(self).add_warning_v2("trailbell:expired-exception", message)


def _with_stack_name(scope: Construct, properties: Properties) -> Mapping[str, Any]:
    """The settings, with the stack's name among the resources that rules guard: its resources are named after it."""
    name = Stack.of(scope).stack_name
    own = properties.get("own_resources", [])
    if Token.is_unresolved(name) or not isinstance(own, list) or name in own:
        return properties
    return {**properties, "own_resources": [*own, name]}


def _build_folder() -> Path:
    """Where code is built: build/ of a checkout; of an installed wheel a cache, one folder for each CDK app."""
    if not is_installed():
        return CHECKOUT / "build"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "trailbell" / sha256(os.fsencode(Path.cwd())).hexdigest()[:16]
