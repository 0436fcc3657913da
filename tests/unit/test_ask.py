"""What is typed to ask for hits: times, levels, names; and what a shell completes of it."""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from trailbell.cli.main import cli
from trailbell.cli.options.levels import LevelsType
from trailbell.cli.options.rule_names import rule_ids
from trailbell.cli.options.times import ZoneType, parse_moment, show_time, stamp
from trailbell.errors import SettingsError
from trailbell.text.redaction import redacted_record, shown_record


BASH = shutil.which("bash") or "/bin/bash"
NOW = datetime(2026, 9, 15, 22, 30, tzinfo=UTC)  # half past midnight in Berlin
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2h", UTC, "2026-09-15T20:30:00"),
        ("90 minutes ago", UTC, "2026-09-15T21:00:00"),
        ("now", BERLIN, "2026-09-15T22:30:00"),
        ("today", UTC, "2026-09-15T00:00:00"),
        ("today", BERLIN, "2026-09-15T22:00:00"),
        ("yesterday", BERLIN, "2026-09-14T22:00:00"),
        ("08:15", UTC, "2026-09-15T08:15:00"),
        ("8:15", BERLIN, "2026-09-16T06:15:00"),
        ("2026-09-01", BERLIN, "2026-08-31T22:00:00"),
        ("2026-12-01 12:00", BERLIN, "2026-12-01T11:00:00"),
        ("2026-09-01T12:00Z", BERLIN, "2026-09-01T12:00:00"),
        ("2026-09-01T12:00:30+05:30", UTC, "2026-09-01T06:30:30"),
        ("2026-09-15 10:00:00", UTC, "2026-09-15T10:00:00"),
    ],
)
def test_moment_is_read_as_people_write_it(text: str, zone: ZoneInfo, expected: str) -> None:
    """A window read in the wrong zone hides the hits of its first or last hours."""
    assert f"{parse_moment(text, NOW, zone, '--since'):%Y-%m-%dT%H:%M:%S}" == expected


def test_date_that_ends_a_window_includes_its_day() -> None:
    """--to 2026-09-05 means the fifth as well."""
    assert parse_moment("2026-09-05", NOW, UTC, "--to", end=True) == datetime(2026, 9, 5, 23, 59, 59, tzinfo=UTC)
    assert parse_moment("2026-09-05T10:00", NOW, UTC, "--to", end=True) == datetime(2026, 9, 5, 10, tzinfo=UTC)
    with pytest.raises(SettingsError, match="--to 25:00"):
        parse_moment("25:00", NOW, UTC, "--to")


def test_times_are_shown_in_their_zone_through_the_change_of_clocks() -> None:
    """The same zone is two hours ahead in summer and one in winter."""
    assert show_time("2026-07-01T10:00:00Z", BERLIN) == "2026-07-01 12:00:00"
    assert stamp("2026-12-01T10:00:00Z", BERLIN) == "2026-12-01T11:00:00+01:00"
    assert stamp("2026-12-01T10:00:00Z", UTC) == "2026-12-01T10:00:00Z"


def test_zone_of_this_machine_is_used_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """`local` is what the clock on the wall says."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        zone = ZoneType().convert("local", None, None)
        assert show_time("2026-07-01T10:00:00Z", zone) == "2026-07-01 06:00:00"
        assert parse_moment("2026-07-01 06:00", NOW, zone, "--since") == datetime(2026, 7, 1, 10, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()
    with pytest.raises(click.BadParameter, match="Europe/Berlin"):
        ZoneType().convert("Nowhere/Here", None, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("high", ("high",)),
        ("high+", ("high", "critical")),
        ("Low,CRITICAL", ("low", "critical")),
        ("informational,high+", ("informational", "high", "critical")),
    ],
)
def test_levels_are_read(text: str, expected: tuple[str, ...]) -> None:
    """`high` must not quietly leave out critical ones for who meant "and above": that has a form of its own."""
    assert LevelsType().convert(text, None, None) == expected
    with pytest.raises(click.BadParameter, match="severe"):
        LevelsType().convert("severe+", None, None)


@pytest.mark.slow
def test_rules_are_named_by_pattern_or_id_of_one_long_gone() -> None:
    """Hits stay when their rule is gone."""
    gone = "00000000-1111-2222-3333-444444444444"

    assert len(rule_ids(["trail-*"])) > 3
    assert rule_ids(["kms-key-disabled", gone]) == ("3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e01", gone)
    with pytest.raises(SettingsError, match="nosuch"):
        rule_ids(["nosuch"])


def complete(*words: str) -> list[str]:
    """What is offered for the last of the words."""
    *before, last = words
    found = ShellComplete(cli, {}, "trailbell", "_TRAILBELL_COMPLETE").get_completions(list(before), last)
    return [str(item.value) for item in found]


def test_names_are_completed() -> None:
    """Rule names are long, and nobody knows a hundred of them."""
    assert "kms-key-disabled" in complete("hits", "--rule", "kms-key-d")
    assert complete("hits", "--level", "crit") == ["critical", "critical+"]
    assert {"kms", "ssm", "cloudhsm"} <= set(complete("hits", "--service", ""))
    assert complete("reo") == ["reopen"]
    assert "--resource" in complete("hits", "--res")


@pytest.mark.parametrize(
    ("shell", "check"),
    [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])],
)
def test_completion_script_says_how_to_install_it_and_is_read_by_its_shell(
    shell: str, check: list[str], tmp_path: Path
) -> None:
    """A script that does not parse breaks every new shell of who installed it."""
    script = CliRunner().invoke(cli, ["completion", shell], catch_exceptions=False).stdout

    assert f"trailbell completion {shell}" in script.split("Keep it")[1]
    assert "_TRAILBELL_COMPLETE" in script
    if shell == "zsh":
        assert script.startswith("#compdef trailbell\n")
    if shutil.which(check[0]):
        (tmp_path / "script").write_text(script)
        subprocess.run([*check, str(tmp_path / "script")], check=True)


def test_bash_completes_through_the_script(tmp_path: Path) -> None:
    """From the key press to the words, in a real shell."""
    program = Path(sys.executable).parent
    lines = (
        'eval "$(trailbell completion bash)"',
        "COMP_WORDS=(trailbell hits --level cri) COMP_CWORD=3",
        "_trailbell_completion trailbell",
        'echo "${COMPREPLY[@]}"',
    )
    environment = {**os.environ, "PATH": f"{program}{os.pathsep}{os.environ['PATH']}"}

    done = subprocess.run([BASH, "-c", "\n".join(lines)], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["critical", "critical+"]


def test_secrets_of_a_record_are_replaced_and_its_form_stays() -> None:
    """What a record may hold in clear, and nobody needs to see to act."""
    record = {
        "eventName": "StartSession\x1b[2J",
        "requestParameters": {
            "encryptionContext": {"aws:pi": "4111"},
            "content": "#!/bin/sh",
            "list": [{"password": "hunter2hunter2"}],
        },
        "responseElements": {
            "streamUrl": "wss://x",
            "tokenValue": "AAEAA",
            "activationCode": "fjz3",
            "ConnectionKey": "k3y",
            "credentials": {"accessKeyId": "ASIAEXAMPLEEXAMPLE12", "secretAccessKey": "abc", "sessionToken": "xyz"},
        },
        "userIdentity": {"accessKeyId": "AKIAIOSFODNN7EXAMPLE"},
        "additionalEventData": None,
    }

    shown = redacted_record(record)

    text = json.dumps(shown)
    for secret in (
        "4111",
        "bin/sh",
        "hunter2",
        "wss://",
        "AAEAA",
        "fjz3",
        "k3y",
        "ASIAEXAMPLE",
        "AKIAIO",
        "abc",
        "xyz",
    ):
        assert secret not in text, secret
    assert shown["requestParameters"]["encryptionContext"] == {"aws:pi": "[redacted]"}
    assert shown["userIdentity"]["accessKeyId"].endswith("MPLE")
    assert shown["additionalEventData"] is None
    assert "\x1b" not in shown["eventName"]
    assert shown_record(record)["responseElements"]["streamUrl"] == "wss://x"


def test_record_nested_without_end_is_shown_to_a_depth() -> None:
    """A hostile record must not end the command that looks at it."""
    nested: dict[str, object] = {}
    for _ in range(5000):
        nested = {"a": nested}

    assert "[nested too deeply]" in json.dumps(redacted_record(nested))
    assert "[nested too deeply]" in json.dumps(shown_record(nested))


@pytest.mark.slow
def test_pipe_that_is_closed_ends_the_command_quietly(tmp_path: Path) -> None:
    """`trailbell rules list | head -1` is not an error to be read about."""
    program = Path(sys.executable).parent / "trailbell"

    done = subprocess.run([BASH, "-c", f"{program} rules list | head -1"], capture_output=True, text=True, check=True)

    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
