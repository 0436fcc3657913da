"""The user's own defaults: after the command line and the environment, before what is built in."""

import os
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest
from click.testing import CliRunner

from trailbell.cli.main import cli
from trailbell.cli.options.config_file import PLACE, config_file, default_of
from trailbell.cli.options.connection import Connection, connection_options, stack_options
from trailbell.cli.options.times import Zone, zone_option
from trailbell.errors import SettingsError


EXAMPLES = Path(__file__).parents[2] / "examples" / "AWSLogs"
ALL = 'profile = "audit"\nstack = "prod"\ntz = "Europe/Berlin"\n'

WHO_ASKS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID")


@pytest.fixture(autouse=True)
def _nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in WHO_ASKS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(ALL, encoding="utf-8")
    monkeypatch.setenv(PLACE, str(path))
    return path


class Seen:
    """What a command got."""

    connection: Connection
    zone: Zone
    profile: str | None


def run(*arguments: str, stack_only: bool = False) -> Seen:
    """A command with every option that has a default in the file."""
    seen = Seen()

    @click.command()
    @(stack_options("", "") if stack_only else connection_options)
    @zone_option("Of times")
    def asking(connection: Connection, zone: Zone) -> None:
        seen.connection, seen.zone, seen.profile = connection, zone, os.environ.get("AWS_PROFILE")

    CliRunner().invoke(asking, arguments, catch_exceptions=False)
    return seen


@pytest.mark.parametrize("stack_only", [False, True])
def test_file_gives_what_nobody_else_says(file: Path, stack_only: bool) -> None:
    seen = run(stack_only=stack_only)

    assert (seen.connection.stack, seen.zone, seen.profile) == ("prod", ZoneInfo("Europe/Berlin"), "audit")
    assert "AWS_PROFILE" not in os.environ  # it was for that command


def test_command_line_comes_first(file: Path) -> None:
    seen = run("--stack", "dev", "--tz", "utc", "--profile", "mine")

    assert (seen.connection.stack, seen.zone, seen.profile) == ("dev", UTC, "mine")


@pytest.mark.parametrize("name", WHO_ASKS)
def test_shell_that_says_who_asks_comes_before_the_file(file: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys in the environment beside another account's profile would count by half."""
    monkeypatch.setenv(name, "of-the-shell")
    monkeypatch.setenv("TRAILBELL_TZ", "Asia/Tokyo")
    seen = run()

    assert seen.profile == os.environ.get("AWS_PROFILE")
    assert seen.zone == ZoneInfo("Asia/Tokyo")


def test_local_stack_has_its_own_name(file: Path) -> None:
    assert run("--local").connection.stack == "trailbell"


def test_built_in_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PLACE)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    seen = run()

    assert (seen.connection.stack, seen.zone, seen.profile) == ("trailbell", UTC, None)


def test_place_follows_the_base_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PLACE)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config_file() == tmp_path / "trailbell" / "config.toml"

    for ignored in ("", "relative/path"):
        monkeypatch.setenv("XDG_CONFIG_HOME", ignored)
        assert config_file() == tmp_path / "home" / ".config" / "trailbell" / "config.toml"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("stak = 'x'", "stak is not known; stack was meant?"),
        ("colour = 'x'", "colour is not known; it takes profile, stack, tz"),
        ("[hits]\nsince = '7d'", "hits is not known"),
        ("stack = 3", 'give stack as text: stack = "..."'),
        ("stack = ''", "give stack as text"),
        ("stack = \ntz = 'utc'", "line 1"),
        ("stack = 'a'\nstack = 'b'", "overwrite"),
        ("\xff", "cannot be read"),
    ],
)
def test_what_is_not_understood_is_refused_with_the_file(file: Path, content: str, said: str) -> None:
    """A default that is silently left out would ask another stack."""
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(SettingsError) as refused:
        default_of("stack")

    assert str(file) in str(refused.value)
    assert said in str(refused.value)


def test_zone_that_is_none_names_the_file(file: Path) -> None:
    file.write_text('tz = "Europe/Atlantis"', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"config\.toml: tz: Europe/Atlantis: give local"):
        run()


def test_file_that_is_named_and_missing_is_told(file: Path) -> None:
    file.unlink()
    with pytest.raises(SettingsError, match="which TRAILBELL_CONFIG names, does not exist"):
        default_of("stack")


def test_profile_that_is_not_there_is_explained(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    result = CliRunner().invoke(cli, ["hits"])

    assert "profile in your config file" in str(result.exception)
    assert "(The config profile (audit) could not be found)" in str(result.exception)


def test_scan_of_files_does_not_care_which_profile_there_is(file: Path) -> None:
    assert CliRunner().invoke(cli, ["scan", str(EXAMPLES), "--summary"]).exit_code == 0
