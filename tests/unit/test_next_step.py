"""Without a region or credentials every command that asks AWS says what to do next, in one line."""

import sys

import pytest

from trailbell.cli.main import main


COMMANDS = [
    "hits",
    "hit 261126-0a1b2c3d",
    "ack 261126-0a1b2c3d",
    "note 261126-0a1b2c3d hello",
    "malformed",
    "doctor",
    "dlq list",
    "dlq redrive",
    "undelivered",
    "replay s3://my-trail-logs --dry-run",
    "report -o report.html",
]


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """An environment that says nothing about AWS, and no session of boto3's that remembers another."""
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "REGION", "DEFAULT_REGION", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, f"{tmp_path}/none")


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str) -> str:
    """What a command says on stderr when it ends with status 2."""
    monkeypatch.setattr(sys, "argv", ["trailbell", *command.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("command", COMMANDS)
def test_command_without_a_region_says_how_to_give_one(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first thing that goes wrong for everybody."""
    assert "set AWS_REGION" in said(monkeypatch, capsys, command)


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("command", COMMANDS)
def test_command_without_credentials_says_how_to_sign_in(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """AWS_REGION is taken by each: boto3 alone knows only AWS_DEFAULT_REGION."""
    monkeypatch.setenv("AWS_REGION", "eu-central-1")

    message = said(monkeypatch, capsys, command)

    assert "set AWS_PROFILE" in message
    assert message.count("\n") == 1
