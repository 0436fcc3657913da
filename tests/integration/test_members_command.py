"""`trailbell members`: the template of a folder of rules or of the deployed stack, and the names of accounts."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws

from tests.shipped import RULES, shipped_rules
from trailbell.cli.main import cli
from trailbell.engine.rulebook import dump_rulebook
from trailbell.errors import SettingsError
from trailbell.rulebook.account_settings import read_account_names
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.cases import CASE_SETTINGS
from trailbell.rulebook.live_patterns import live_patterns
from trailbell.rulebook.member_template import CENTRAL_BUS, member_template, template_text


BUS = "arn:aws:events:eu-central-1:123456789012:event-bus/trailbell-live"


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli, ["members", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_template_of_a_folder_needs_no_stack() -> None:
    """Whoever reviews what goes into every account reads it before anything is deployed."""
    settings = [f"{name}={','.join(values)}" for name, values in CASE_SETTINGS.items() if any(values)]
    options = [option for setting in settings for option in ("--setting", setting)]

    template = json.loads(run("template", "--rules", str(RULES), *options))

    assert "Default" not in template["Parameters"][CENTRAL_BUS]
    kinds = [resource["Type"] for resource in template["Resources"].values()]
    assert kinds.count("AWS::Events::Rule") >= 9


class Deployed:
    """A stack with live events, as far as the command asks: the bus, and the detector's code."""

    def __init__(self, outputs: dict[str, str], code: bytes) -> None:
        self._outputs, self._code = outputs, code

    def has_output(self, name: str) -> bool:
        return name in self._outputs

    def output(self, name: str) -> str:
        if name not in self._outputs:
            raise SettingsError(f"stack trailbell has no output {name}")
        return self._outputs[name]

    def queue_function(self) -> str:
        return "detector"


def test_template_of_the_deployed_stack_asks_for_what_its_rulebook_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody has in his checkout may be another version than the one that is to hear of it."""
    rulebook = make_rulebook(shipped_rules()[:40], CASE_SETTINGS)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("trailbell/rulebook.json", dump_rulebook(rulebook))
    stack = Deployed({"CentralBus": BUS}, code.getvalue())
    monkeypatch.setattr("trailbell.cli.options.connection.Connection.deployed", stack)
    monkeypatch.setattr("trailbell.cli.options.connection.Connection.client", lambda self, service: _Lambda())
    monkeypatch.setattr("trailbell.ops.deployed_rulebook._fetched", lambda address: code.getvalue())

    text = run("template")

    assert text == template_text(member_template(live_patterns(rulebook), BUS))
    assert json.loads(text)["Parameters"][CENTRAL_BUS]["Default"] == BUS


class _Lambda:
    """Where the code is."""

    def get_function(self, **_: Any) -> Any:
        return {"Code": {"Location": "https://example.com/code"}}


def test_stack_without_live_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no bus that anything could be forwarded to."""
    monkeypatch.setattr("trailbell.cli.options.connection.Connection.deployed", Deployed({}, b""))

    with pytest.raises(SettingsError, match="no output CentralBus"):
        CliRunner().invoke(cli, ["members", "template"], catch_exceptions=False)


@mock_aws
def test_names_of_the_organisation_are_the_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is printed is pasted: the setting must take it."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    organizations = boto3.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    for number, name in enumerate(("payments", "log archive")):
        organizations.create_account(AccountName=name, Email=f"{number}@example.com")

    names = read_account_names(json.loads(run("names"))["account_names"])

    assert {"payments", "log archive"} <= set(names.values())
    assert len(names) == 3
