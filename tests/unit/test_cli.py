"""The command line: what it prints, how it ends, and that its help helps."""

import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from trailbell.cli.local.command import trail_key
from trailbell.cli.main import cli
from trailbell.cli.options.times import parse_since, parse_window
from trailbell.errors import LogFileError, RuleError, SettingsError
from trailbell.rulebook.cases import BASE_RECORD


RECORD = {**BASE_RECORD, "eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}
GOOD_RULE = """\
title: T
id: 3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e01
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: DisableKey}, condition: s}
level: low
"""
EXCEPTION = """\
title: Nightly key rotation
logsource: {product: aws, service: cloudtrail}
owner: ops@example.com
reason: It is planned.
expires: 2099-01-31
filter:
    rules: [good]
    nightly: {userAgent|contains: rotator}
    condition: not nightly
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as people have them: a log file, a digest, a plain one, a broken one, and other things."""
    logs = tmp_path / "AWSLogs" / "111122223333"
    good = logs / "CloudTrail/us-east-1/2026/09/01/a.json.gz"
    digest = logs / "CloudTrail-Digest/us-east-1/2026/09/01/d.json.gz"
    for file in (good, digest):
        file.parent.mkdir(parents=True)
    good.write_bytes(gzip.compress(json.dumps({"Records": [{}, RECORD]}).encode()))
    digest.write_bytes(gzip.compress(b"{}"))
    (tmp_path / "plain.json").write_text(json.dumps({"Records": [{**RECORD, "eventID": "other"}]}))
    (tmp_path / "notes.txt").write_text("hello")
    return tmp_path


def test_scan_prints_a_json_line_for_each_hit(folder: Path) -> None:
    """Other programs read these members."""
    result = run("scan", folder, "--format", "jsonl")

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [line["eventID"] for line in lines] == [RECORD["eventID"], "other"]
    assert {
        "rule": "aws_kms_key_disabled",
        "level": "high",
        "eventTime": "2026-09-01T09:14:07Z",
        "eventSource": "kms.amazonaws.com",
        "eventName": "DisableKey",
        "account": "111122223333",
        "region": "us-east-1",
        "actor": "role Admin, session alice@example.com",
        "resources": [],
        "outcome": "success",
        "index": 1,
    }.items() <= lines[0].items()
    assert lines[0]["file"].endswith("a.json.gz")
    assert len(lines[0]["ruleId"]) == 36
    assert "log files: 2 read, 0 unreadable; ignored: 1 digest, 1 other" in result.stderr
    assert "records: 3 read" in result.stderr


def test_scan_reports_an_unreadable_file_and_goes_on(folder: Path) -> None:
    """One broken download must not hide the hits of the others."""
    (folder / "broken.json.gz").write_bytes(b"\x1f\x8b broken beyond its header")

    result = run("scan", folder, "--format", "jsonl")

    assert result.exit_code == 2
    assert len(result.stdout.splitlines()) == 2
    assert "broken.json.gz: log file is not valid gzip" in result.stderr
    assert "1 unreadable" in result.stderr


@pytest.mark.parametrize(("arguments", "status"), [([], 0), (["--exit-code"], 1)])
def test_scan_exit_status_tells_hits_only_when_asked(folder: Path, arguments: list[str], status: int) -> None:
    """A pipeline that breaks on hits has to say so."""
    assert run("scan", folder, *arguments).exit_code == status


def test_scan_table_shows_the_hit_in_one_line(folder: Path) -> None:
    """What a person reads first."""
    result = run("scan", folder)

    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["2026-09-01", "09:14:07", "high", "kms-key-disabled", "DisableKey", "role/Admin"] in [
        row[:6] for row in rows
    ]


def test_scan_takes_other_rules(folder: Path, rules_folder: Path) -> None:
    """Any Sigma rules for CloudTrail; others are left out and counted, broken ones too, or refused with --strict."""
    (rules_folder / "aws_mine.yml").write_text(GOOD_RULE)
    (rules_folder / "windows.yml").write_text(GOOD_RULE.replace("aws", "windows").replace("8e01", "8e02"))

    result = run("scan", folder, "--rules", rules_folder, "--format", "jsonl")

    assert {json.loads(line)["rule"] for line in result.stdout.splitlines()} == {"aws_mine"}
    assert "1 rules left out" in result.stderr
    (rules_folder / "aws_bad.yml").write_text(GOOD_RULE.replace("eventName:", "eventName|nosuch:"))
    result = run("scan", folder, "--rules", rules_folder, "--format", "jsonl")
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 2)
    assert "aws_bad.yml:1" in result.stderr
    assert "rules: 1 run; 1 rules left out (1 refused); 1 rules left out as not for CloudTrail" in result.stderr
    with pytest.raises(RuleError, match=r"aws_bad\.yml"):
        run("scan", folder, "--rules", rules_folder, "--strict")


def test_rules_check_gives_one_line_for_each_fault(rules_folder: Path, tmp_path: Path) -> None:
    """The author of a rule mends line by line."""
    cases = tmp_path / "cases"
    cases.mkdir()
    exceptions = tmp_path / "exceptions"
    exceptions.mkdir()
    (exceptions / "old.yml").write_text(EXCEPTION.replace("2099", "2020"))
    (rules_folder / "older.yml").write_text(EXCEPTION.replace("2099", "2019"))
    (rules_folder / "aws_account.yml").write_text(
        GOOD_RULE.replace("DisableKey", "012345670123").replace("8e01", "8e03")
    )
    (rules_folder / "aws_placeholder.yml").write_text(
        GOOD_RULE.replace("eventName: DisableKey", "eventName|expand: '%nobody%'").replace("8e01", "8e04")
    )
    (rules_folder / "aws_modifier.yml").write_text(GOOD_RULE.replace("eventName:", "eventName|nosuch:"))
    (rules_folder / "aws_uncased.yml").write_text(GOOD_RULE.replace("8e01", "8e05"))
    (rules_folder / "aws_good.yml").write_text(GOOD_RULE)
    (rules_folder / "aws_double.yml").write_text(GOOD_RULE + "level: high\n")
    (rules_folder / "aws_undo.yml").write_text(GOOD_RULE.replace("8e01", "8e02") + "undo: {steps: ['x {keyArn}']}\n")
    (cases / "aws_good.yml").write_text("- {name: n, match: true, record: {eventName: Other}}\n")

    result = run("rules", "check", rules_folder, "--cases", cases, "--exceptions", exceptions)

    lines = result.stderr.splitlines()
    assert result.exit_code == 1
    for file, words in {
        "aws_double.yml": "level",
        "aws_account.yml": "in quotes",
        "aws_placeholder.yml": "%nobody%",
        "aws_modifier.yml": "nosuch",
        "cases/aws_uncased.yml": "missing",
        "exceptions/old.yml": "expired on 2020-01-31",
        "rules/older.yml": "expired on 2019-01-31",
        "aws_undo.yml": "keyArn",
        "cases/aws_good.yml": "should match",
    }.items():
        assert len([line for line in lines if file in line and words in line]) == 1, (file, words, lines)


@pytest.mark.slow
def test_shipped_rules_have_no_fault() -> None:
    """What we ship passes our own check."""
    result = run("rules", "check")

    assert result.stderr == ""
    assert result.exit_code == 0


def test_rules_list_names_every_rule() -> None:
    """The list is how people learn the names they filter by."""
    result = run("rules", "list")

    assert "kms-key-disabled" in result.stdout
    assert result.stdout.index("critical") < result.stdout.index("medium")


def commands(command: click.Command, path: str = "trailbell") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, f"{path} {name}")


@pytest.mark.parametrize(("path", "command"), list(commands(cli)))
def test_every_command_has_help_with_an_example_and_stands_on_its_page(path: str, command: click.Command) -> None:
    """Help that does not show a call is read twice and understood once."""
    page = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")

    assert re.search(rf"Example:\s+{path}", command.help or "")
    assert path in page


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", timedelta(minutes=90)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
        ("3 months", timedelta(days=92)),  # June, July, August
        ("1 year ago", timedelta(days=365)),
        ("36 hrs", timedelta(hours=36)),
    ],
)
def test_since_takes_durations(text: str, expected: timedelta) -> None:
    """The usual ways to say how far back."""
    now = datetime(2026, 9, 1, tzinfo=UTC)

    assert parse_since(text, now) == now - expected


def test_since_takes_dates_and_refuses_the_rest() -> None:
    """A misread time window hides hits."""
    now = datetime(2026, 9, 1, tzinfo=UTC)

    assert parse_since("99999w", now) == parse_since("0001-01-01", now) == now - timedelta(days=3650)
    assert parse_since("9999-12-31", now) == now + timedelta(days=366)
    with pytest.raises(SettingsError, match="--since"):
        parse_since("0001-01-01T00:00:00+05:00", now)
    assert parse_since("2026-08-01", now) == datetime(2026, 8, 1, tzinfo=UTC)
    assert parse_since("2026-08-01T12:00:00+02:00", now) == datetime(2026, 8, 1, 10, tzinfo=UTC)
    for text in ("soon", "1 decade", "3M", "3 mon", "2 fortnights", "1 millennium", "5 day ahead"):
        with pytest.raises(SettingsError, match=rf"--since \(or --from\) {text} is no time: give 90m"):
            parse_since(text, now)


def test_window_ends_with_the_day_that_is_named() -> None:
    """--until 2026-08-31 means the whole of it, in every command."""
    now = datetime(2026, 9, 2, tzinfo=UTC)

    assert parse_window("2026-08-01", "2026-08-31", now) == (
        datetime(2026, 8, 1, tzinfo=UTC),
        datetime(2026, 9, 1, tzinfo=UTC),
    )
    for friday in ("2026-08-28", "20260828", "2026-W35-5", "2026W355"):
        assert parse_window("", friday, now)[1] == datetime(2026, 8, 29, tzinfo=UTC)
    assert parse_window("2026-W34", "2026-W34", now) == (
        datetime(2026, 8, 17, tzinfo=UTC),
        datetime(2026, 8, 24, tzinfo=UTC),
    )
    assert parse_window("", "", now) == (None, None)
    with pytest.raises(SettingsError, match="is before"):
        parse_window("1d", "2d", now)


def test_local_files_get_the_keys_of_a_trail_bucket() -> None:
    """A file outside CloudTrail's layout would be ignored by the detector."""
    inside = Path("/data/AWSLogs/1/AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/a.json.gz")

    assert trail_key(inside) == "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/a.json.gz"
    assert (
        trail_key(Path("/data/download.json"))
        == "AWSLogs/000000000000/CloudTrail/us-east-1/1970/01/01/download.json.gz"
    )


@pytest.mark.slow
def test_rules_check_of_a_part_of_the_shipped_rules_finds_its_cases() -> None:
    """Who works on one rule checks one rule; the operations it refers to are known above its folder."""
    rules = Path(__file__).parents[2] / "rules"

    for part in ("kms", "kms/aws_kms_key_disabled.yml", "identity"):
        result = run("rules", "check", rules / part)

        assert (result.stderr, result.exit_code) == ("", 0), part


def test_rules_check_takes_cases_inside_the_folder_and_rules_of_the_same_name(rules_folder: Path) -> None:
    """Two folders may each hold a good.yml; each is held to its own cases."""
    for number, call in enumerate(("DisableKey", "EnableKey"), start=1):
        rule, cases = rules_folder / call / "good.yml", rules_folder / "cases" / call / "good.yml"
        for file in (rule, cases):
            file.parent.mkdir(parents=True)
        rule.write_text(f"name: n{number}\n" + GOOD_RULE.replace("DisableKey", call).replace("8e01", f"8e0{number}"))
        cases.write_text(
            f"- {{name: yes, match: true, record: {{eventName: {call}}}}}\n"
            "- {name: no, match: false, record: {eventName: Other}}\n"
        )

    result = run("rules", "check", rules_folder)

    assert (result.stderr, result.exit_code) == ("", 0)
    assert "2 rules compiled, 4 cases run" in result.stdout


def test_folder_without_rules_is_told(rules_folder: Path, folder: Path) -> None:
    """A green zero for a misspelt folder would pass for a check."""
    result = run("rules", "check", rules_folder)

    assert result.exit_code == 1
    assert "holds no rule" in result.stderr
    with pytest.raises(RuleError, match="holds no rule"):
        run("scan", folder, "--rules", rules_folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1}\n\xff\xfe\n', "line 2 is not JSON"),
        (b"[1]\n", "item 1 is no JSON object"),
        (b"{\n", "not valid JSON: it ends too early"),
    ],
)
def test_rules_match_names_the_line_that_is_no_event(
    rules_folder: Path, tmp_path: Path, content: bytes, message: str
) -> None:
    """The author mends the line."""
    (rules_folder / "aws_good.yml").write_text(GOOD_RULE)
    (tmp_path / "events.jsonl").write_bytes(content)

    with pytest.raises(LogFileError, match=message):
        run("rules", "match", "--rules", rules_folder, "--events", tmp_path / "events.jsonl")


def test_rules_match_gives_a_line_for_each_match(rules_folder: Path, tmp_path: Path) -> None:
    """Rules that a template gives one id match each for itself; a byte order mark and empty lines are nothing."""
    (rules_folder / "many.yml").write_text(
        "action: global\nid: 3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e01\nlogsource: {product: windows}\n---\n"
        "title: A\ndetection: {s: {f: x}, condition: s}\n---\ntitle: B\ndetection: {s: {f: [x, y]}, condition: s}\n"
    )
    (tmp_path / "events.jsonl").write_bytes(b'\xef\xbb\xbf{"f": "x"}\r\n\n{"f": "y"}\n{"f": "z"}\n')

    result = run("rules", "match", "--rules", rules_folder, "--events", tmp_path / "events.jsonl", "--format", "jsonl")

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert (result.exit_code, result.stderr) == (0, "")
    assert sorted((line["title"], line["index"]) for line in lines) == [("A", 0), ("B", 0), ("B", 2)]
    assert {line["ruleId"] for line in lines} == {"3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e01"}


def test_scan_takes_a_file_once_and_a_named_digest_for_a_digest(folder: Path) -> None:
    """A shell's *.json.gz names digests, too."""
    plain = folder / "plain.json"
    digest = next(folder.rglob("d.json.gz"))

    result = run("scan", plain, folder / "AWSLogs" / ".." / "plain.json", digest, "--format", "jsonl")

    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 1
    assert "log files: 1 read, 0 unreadable; ignored: 1 digest" in result.stderr
