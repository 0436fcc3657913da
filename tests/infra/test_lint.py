"""No finding of cdk-nag, cfn-lint or checkov is left that nobody has answered, in any of the ways in."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# jsii runs the first node it finds when aws_cdk is imported; conftest.py has put the right one in front.
import aws_cdk as cdk
import pytest
from cdk_nag import AwsSolutionsChecks
from constructs import Construct

from tests.infra.conftest import given_settings
from tests.infra.whole_stack import TrailbellStack
from trailbell.alerts.channels import declared_channels


ROOT = Path(__file__).parents[2]
CHECKOV = ROOT / "build" / "checkov" / "bin" / "checkov"  # in an environment of its own, which make test makes
KEY = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
EXISTING = {"trail_bucket": "central-logs", "trail_prefix": "org/trails"}


def every_channel() -> dict[str, Any]:
    """Every setting of the channels beside the alert topic, as its first example has it."""
    settings = [setting for channel in declared_channels() if not channel.promised for setting in channel.settings]
    words = [word for setting in settings for word in shlex.split(setting.examples[0]) if word != "-c"]
    given = dict(word.split("=", 1) for word in words)
    return {setting.name: setting.read(given[setting.name]) for setting in settings}


WAYS_IN: dict[str, dict[str, Any]] = {
    "new-trail": {},
    "new-trail-on-the-newest-python": {"python": "3.14"},
    "organisation-trail": {"organization_id": "o-a1b2c3d4e5"},
    "existing-bucket": {**EXISTING, "trail_key_arn": KEY},
    "topic": {**EXISTING, "trail_topic_arn": "arn:aws:sns:eu-central-1:999988887777:trail"},
    "eventbridge": {**EXISTING, "eventbridge": True},
    "eventbridge-from-a-new-trail": {"eventbridge": True},
    "audit": {"audit": True},
    "audit-of-an-existing-bucket": {**EXISTING, "audit": True, "trail_key_arn": KEY},
    "live": {"live": True},
    "live-of-an-organisation": {"live": True, "live_organization": "o-a1b2c3d4e5"},
    "live-of-accounts": {**EXISTING, "live": True, "live_accounts": ["111122223333"], "trail_key_arn": KEY},
    "every-channel": {**every_channel(), "runbook_url": "https://wiki.example.com/{rule}"},
}
ADDRESSES: dict[str, Any] = {
    "alert_emails": {"ops@example.com": "medium"}
}  # without any, the synth warns, as it should

Report = dict[str, Any]


class Linted:
    """One way in, synthesised with cdk-nag: the stack, where its template is, and what cdk-nag said."""

    def __init__(self, settings: dict[str, Any], context: dict[str, Any], code: Path, out: Path) -> None:
        app = cdk.App(context=context, outdir=str(out))
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
        self.stack = TrailbellStack(app, "trailbell", settings=given_settings(**ADDRESSES, **settings), code=code)
        self.template = out / "trailbell.template.json"
        try:
            app.synth()
        except RuntimeError as error:
            if "Validation failed" not in str(error):  # the findings are in the report, too
                raise
        reports = json.loads((out / "validation-report.json").read_text(encoding="utf-8"))["pluginReports"]
        self.reports: dict[str, Report] = {report["pluginName"]: report for report in reports}

    def acknowledged(self) -> set[tuple[str, str]]:
        """What the code acknowledges: construct's path and finding."""
        return {
            (construct.node.path, finding)
            for construct in self.stack.node.find_all()
            if isinstance(construct, Construct)
            for entry in construct.node.metadata
            if entry.type == cdk.Validations.ACKNOWLEDGED_RULES_METADATA_KEY
            for finding in entry.data
        }

    def suppressed(self) -> set[tuple[str, str]]:
        """Which acknowledgements cdk-nag had a use for."""
        found = self.reports["AwsSolutions"]["suppressedViolations"]
        return {(violation["acknowledgedAt"], violation["acknowledgedId"]) for violation in found}


@pytest.fixture(scope="session")
def linted(context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Linted]:
    """A way in by its name, synthesised once."""
    code = tmp_path_factory.mktemp("code")
    (code / "dummy.py").write_text("", encoding="utf-8")
    made: dict[str, Linted] = {}

    def make(way: str) -> Linted:
        if way not in made:
            made[way] = Linted(WAYS_IN[way], context, code, tmp_path_factory.mktemp("cdk.out"))
        return made[way]

    return make


@pytest.mark.parametrize("way", WAYS_IN)
def test_cdk_nag_finds_nothing_that_is_not_acknowledged(linted: Callable[[str], Linted], way: str) -> None:
    """A finding is mended or answered; the first that is neither hides the next."""
    reports = linted(way).reports

    assert [report["violations"] for report in reports.values() if report["violations"]] == []
    assert reports["AwsSolutions"]["conclusion"] == "success"


def test_every_acknowledgement_answers_a_finding(linted: Callable[[str], Linted]) -> None:
    """One that answers nothing was misspelt, or is left over and would hide the next finding of its kind."""
    made = set[tuple[str, str]]().union(*(linted(way).acknowledged() for way in WAYS_IN))
    used = set[tuple[str, str]]().union(*(linted(way).suppressed() for way in WAYS_IN))

    assert made - used == set()


@pytest.mark.parametrize("way", WAYS_IN)
def test_every_acknowledgement_says_why(linted: Callable[[str], Linted], way: str) -> None:
    """Whoever audits the stack needs the reason, not our word."""
    violations = linted(way).reports["AwsSolutions"]["suppressedViolations"]

    assert [violation["ruleName"] for violation in violations if len(violation["reason"]) < 40] == []


def test_cfn_lint_finds_nothing(linted: Callable[[str], Linted]) -> None:
    """What CloudFormation would refuse, or does not know, is found here and not half-way through a deployment."""
    templates = [str(linted(way).template) for way in WAYS_IN]
    command = [
        str(Path(sys.executable).with_name("cfn-lint")),
        "--regions",
        "eu-central-1",
        "us-east-1",
        "--",
        *templates,
    ]

    answer = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (answer.stdout, answer.stderr, answer.returncode) == ("", "", 0)


def find_checkov() -> bool:
    """Whether checkov is at hand."""
    return CHECKOV.exists()


def checkov_findings(templates: list[Path]) -> tuple[set[tuple[str, str]], set[str], int]:
    """What checkov finds in templates: checks that failed, with the resource; those skipped without a reason; its exit.

    A template that it cannot read, or finds nothing in to check, is an error here.
    """
    files = [part for template in templates for part in ("--file", str(template))]
    command = [str(CHECKOV), "--framework", "cloudformation", "--skip-download", "--output", "json", *files]
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    found = json.loads(answer.stdout)
    assert found["summary"]["parsing_errors"] == 0
    assert found["summary"]["passed"] > 0
    failed = {(one["check_id"], one["resource"]) for one in found["results"]["failed_checks"]}
    skipped = found["results"]["skipped_checks"]
    silent = {one["check_id"] for one in skipped if not one["check_result"]["suppress_comment"]}
    return failed, silent, answer.returncode


@pytest.mark.skipif(not find_checkov(), reason="checkov is not installed; make test installs it")
def test_checkov_finds_nothing_that_is_not_acknowledged(linted: Callable[[str], Linted]) -> None:
    """A second opinion on the same templates, from rules that look at other things."""
    assert checkov_findings([linted(way).template for way in WAYS_IN]) == (set(), set(), 0)
