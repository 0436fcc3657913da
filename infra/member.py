"""The member stack for a CDK app: the plain template (lambdas/trailbell/rulebook/member_template.py), no more."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Unpack

from aws_cdk import BootstraplessSynthesizer, Stack
from aws_cdk import cloudformation_include as include
from constructs import Construct

from trailbell.rulebook.live_patterns import LivePattern, live_patterns
from trailbell.rulebook.member_template import CENTRAL_BUS, member_template, template_text

from .findings import acknowledge
from .properties import Properties
from .rulebooks import rulebook_of
from .settings import read_settings


class MemberStack(Stack):
    """Forwards the events of one Region of one account to the central bus. It needs no bootstrap."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        patterns: tuple[LivePattern, ...],
        central_bus_arn: str = "",
        **options: Any,
    ) -> None:
        """central_bus_arn: "" leaves it to the stack's parameter."""
        description = str(member_template(())["Description"])
        super().__init__(scope, id, synthesizer=BootstraplessSynthesizer(), description=description, **options)
        with TemporaryDirectory() as folder:  # the CDK reads a file, and only while it is included
            file = Path(folder) / "member.template.json"
            file.write_text(template_text(member_template(patterns)), encoding="utf-8")
            given = {CENTRAL_BUS: central_bus_arn} if central_bus_arn else {}
            included = include.CfnInclude(self, "Member", template_file=str(file), parameters=given)
        reason = "It is a dead-letter queue: of EventBridge's targets, where the check does not look."
        acknowledge(included.get_resource("DeadLetters"), "SQS3", reason)


class Member(MemberStack):
    """A member stack for the rules that a Trailbell of the same properties runs."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        central_bus_arn: str,
        rules: Path | None = None,
        exceptions: Path | None = None,
        env: Any = None,
        **properties: Unpack[Properties],
    ) -> None:
        """Raises SettingsError or RuleError as Trailbell does.

        central_bus_arn: the output CentralBus of the stack that the events go to.
        rules, exceptions, properties: those of that stack.
        env: account and Region to deploy to.
        """
        rulebook, _ = rulebook_of(read_settings(properties.get, properties), rules, exceptions)
        patterns = live_patterns(rulebook)
        super().__init__(scope, id, patterns=patterns, central_bus_arn=central_bus_arn, env=env)
