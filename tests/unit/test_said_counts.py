"""Numbers as people read them: with their nouns, and without times that are none."""

import json
import re
from datetime import UTC
from pathlib import Path

import pytest
from click.testing import CliRunner

from trailbell.cli.main import cli
from trailbell.cli.options.times import show_time
from trailbell.cloudtrail.record import NO_TIME
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.text.counts import counted


README = Path(__file__).parents[2] / "README.md"
DISABLED = {**BASE_RECORD, "eventSource": "kms.amazonaws.com", "eventName": "DisableKey", "eventTime": "yesterday"}


def scanned(folder: Path, *records: dict[str, object]) -> tuple[str, str]:
    """What a scan of a log file prints, and what it says on standard error."""
    (folder / "a.json").write_text(json.dumps({"Records": records}), encoding="utf-8")
    result = CliRunner().invoke(cli, ["scan", str(folder)], catch_exceptions=False)
    return result.stdout, result.stderr


@pytest.mark.parametrize(("number", "said"), [(0, "0 hits"), (1, "1 hit"), (2, "2 hits"), (1200, "1,200 hits")])
def test_noun_follows_its_number(number: int, said: str) -> None:
    assert counted(number, "hit") == said


def test_no_valid_time_is_an_unknown_time(tmp_path: Path) -> None:
    """1970 would be read as one."""
    shown, _ = scanned(tmp_path, DISABLED)

    assert "unknown time" in shown
    assert "1970" not in shown
    assert show_time(NO_TIME, UTC) == "unknown time"


def test_scan_watches_for_the_correlations_that_the_readme_counts(tmp_path: Path) -> None:
    """Those that only others count make no hit of their own."""
    shown, _ = scanned(tmp_path, {**BASE_RECORD, "eventSource": "s3.amazonaws.com", "eventName": "ListBuckets"})

    (rules, correlations), *_ = re.findall(r"with (\d+) rules and (\d+) correlations", README.read_text("utf-8"))
    assert f"watched for: {rules} rules and {correlations} correlations, on calls of" in shown
    assert "no hits in 1 record," in shown


def test_scan_counts_episodes_among_its_hits(tmp_path: Path) -> None:
    """As a page does: people compare the two."""
    page = tmp_path / "page.html"
    examples = str(README.parent / "examples" / "AWSLogs")
    result = CliRunner().invoke(cli, ["scan", examples], catch_exceptions=False)
    written = CliRunner().invoke(cli, ["report", "--from-scan", examples, "-o", str(page)], catch_exceptions=False)

    (hits, episodes), *_ = re.findall(r"; hits: (\d+), (\d+) of them episodes", result.stderr)
    assert int(episodes) > 0
    assert f"{hits} hits in {page}" in written.stderr


@pytest.mark.parametrize(("command", "option"), [("weekly", "--stack"), ("hits", "--tz"), ("doctor", "--profile")])
def test_help_names_the_config_file(command: str, option: str) -> None:
    """Otherwise nobody knows what a command without options asks."""
    said = " ".join(CliRunner().invoke(cli, [command, "--help"]).stdout.partition(f"  {option}")[2].split())
    every = CliRunner().invoke(cli, ["--help"]).stdout

    assert "the config file's" in said[:250]
    assert "~/.config/trailbell/config.toml" in every
