"""What scan reads and prints as people use it: pipes, folders, filters, forms, exit statuses."""

import gzip
import json
import os
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result

from tests.unit.wrapped_forms import WRAPPINGS, compact, log_file
from tools import exit_statuses
from trailbell.alerts.quiet import QuietMinutes
from trailbell.cli.main import cli
from trailbell.cli.options import rulebook_cache
from trailbell.cli.options.exit_codes import FAILED, FOUND, MEANINGS, Exit, table
from trailbell.cli.options.rulebooks import find_rules
from trailbell.cli.scan.command import scan


ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = next(ROOT.glob("examples/AWSLogs/*/CloudTrail/*/*/*/*/*T0940Z*.json.gz"))
RECORDS = json.loads(gzip.decompress(EXAMPLE.read_bytes()))["Records"]


def run(*arguments: object, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(scan, [*map(str, arguments)], input=stdin)


def events(result: Result) -> list[str]:
    return [json.loads(line)["eventID"] for line in result.stdout.splitlines()]


def test_standard_input_gives_what_a_file_gives(tmp_path: Path) -> None:
    """`aws cloudtrail lookup-events | trailbell scan -` is the first thing that a newcomer can try."""
    expected = run(EXAMPLE, "--format", "jsonl")
    piped = run("-", "--format", "jsonl", stdin=WRAPPINGS["lookup-events"](RECORDS))

    assert events(expected)
    assert events(piped) == events(expected)
    assert (piped.exit_code, expected.exit_code) == (0, 0)
    assert piped.stderr == expected.stderr


def test_state_does_not_go_with_standard_input(tmp_path: Path) -> None:
    """It comes only once."""
    result = run("-", "--resume", tmp_path / "state", stdin=b"{}")

    assert "standard input" in str(result.exception)


def test_exports_in_a_folder_are_read_and_other_things_counted(tmp_path: Path) -> None:
    """What lies in a folder is not passed over because of its name; Config's files are named, and no error."""
    (tmp_path / "records.jsonl").write_bytes(WRAPPINGS["lines"](RECORDS))
    (tmp_path / "notes.md").write_text("# no records\n")
    config = tmp_path / "AWSLogs/111122223333/Config/eu-central-1/2026/11/20"
    config.mkdir(parents=True)
    (config / "snapshot.json.gz").write_bytes(gzip.compress(compact({"configSnapshotId": "x"})))
    result = run(tmp_path, "--format", "jsonl")

    assert events(result) == events(run(EXAMPLE, "--format", "jsonl"))
    assert result.exit_code == 0
    assert "ignored: 1 Config, 1 other" in result.stderr


@pytest.mark.parametrize(
    ("content", "status"),
    [(log_file([]), 0), (b"[]", 2), (b'{"Events":[]}', 2), (b"", 2), (b'{"a": 1}', 2), (b"a,b,c\n", 2)],
)
def test_file_without_a_record_is_status_2_unless_it_is_a_log_file(tmp_path: Path, content: bytes, status: int) -> None:
    """A job that scans the wrong file must not be green for years."""
    file = tmp_path / "log.json"
    file.write_bytes(content)

    assert run(file).exit_code == status


def test_digest_that_is_named_and_a_folder_without_log_files_are_status_2(tmp_path: Path) -> None:
    """Nothing was scanned, and that is said."""
    digest = tmp_path / "1_CloudTrail-Digest_x.json.gz"
    digest.write_bytes(gzip.compress(b"{}"))
    result = run(digest)

    assert result.exit_code == 2
    assert "passed over: by its name it is of kind digest" in result.stderr
    assert run(tmp_path).exit_code == 2
    for narrow in (["--since", "1d"], ["--account", "111122223333"], ["--region", "us-east-1"]):
        assert run(tmp_path, *narrow).exit_code == 2, "nothing was left out"
    day = tmp_path / "AWSLogs/111122223333/CloudTrail/us-east-1/2026/01/01"
    day.mkdir(parents=True)
    (day / "a.json.gz").write_bytes(gzip.compress(b'{"Records": []}'))
    assert run(tmp_path, "--since", "1d").exit_code == 0, "no log file of these days is no fault"
    assert run(tmp_path, "--account", "999922223333").exit_code == 2, "an account without any may be a typo"


def test_json_of_something_else_that_is_named_itself_is_status_2(tmp_path: Path) -> None:
    """Whoever names a file expects it to be read, whatever else was."""
    (tmp_path / "good.json").write_text('{"Records": []}', encoding="utf-8")
    (tmp_path / "cdk.json").write_text('{"app": "python app.py"}', encoding="utf-8")

    assert run(tmp_path).exit_code == 0
    assert run(tmp_path / "good.json", tmp_path / "cdk.json").exit_code == 2


def test_empty_result_says_what_it_means(tmp_path: Path) -> None:
    """No hit of no record, of records that nobody watches, or of a filter: three different things."""
    quiet = [{**record, "eventSource": "example.amazonaws.com"} for record in RECORDS]
    file = tmp_path / "log.json"
    file.write_bytes(log_file(quiet))
    nothing, filtered = run(file).stdout, run(EXAMPLE, "--actor", "nobody at all").stdout

    assert f"no hits in {len(RECORDS)} records, about 2026-11-20T" in nothing
    assert "rules and" in nothing
    assert "calls that no rule looks at" in nothing
    assert "left out by --actor nobody at all" in filtered


def test_filters_choose_hits_and_the_rest_is_counted() -> None:
    """--level, --rule and --actor, as `trailbell hits` has them."""
    every = [json.loads(line) for line in run(EXAMPLE, "--format", "jsonl").stdout.splitlines()]
    rule = every[0]["name"]
    chosen = run(EXAMPLE, "--format", "jsonl", "--rule", rule)
    high = run(EXAMPLE, "--format", "jsonl", "--level", "high+")

    assert {json.loads(line)["name"] for line in chosen.stdout.splitlines()} >= {rule}
    assert 0 < len(chosen.stdout.splitlines()) < len(every)
    assert f"{len(every) - len(chosen.stdout.splitlines())} more hits not asked for" in chosen.stderr
    assert {json.loads(line)["level"] for line in high.stdout.splitlines()} <= {"high", "critical"}


def test_rule_that_does_not_exist_is_asked_for() -> None:
    """A filter that matches nothing because of a letter would say that all is well."""
    result = run(EXAMPLE, "--rule", "kms-key-disabeld")

    assert "did you mean 'kms-key-disabled'?" in str(result.exception)


def test_json_and_html_hold_the_hits_of_the_lines(tmp_path: Path) -> None:
    """The same hits in every form."""
    lines = [json.loads(line) for line in run(EXAMPLE, "--format", "jsonl").stdout.splitlines()]
    page = tmp_path / "report.html"
    result = run(EXAMPLE, "--format", "html", "-o", page, "-q")

    assert json.loads(run(EXAMPLE, "--format", "json").stdout) == {"hits": lines}
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert all(line["shortId"] in page.read_text(encoding="utf-8") for line in lines)


def test_profile_and_region_are_what_boto3_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the AWS CLI has them; for this command alone."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    seen = dict[str, str]()

    def find(*arguments: object) -> None:
        seen.update(os.environ)
        raise SystemExit(0)

    with patch("trailbell.cli.scan.command.find_sources", find):
        run(EXAMPLE, "--profile", "audit", "--aws-region", "eu-west-3")

    assert (seen["AWS_PROFILE"], seen["AWS_REGION"], seen["AWS_DEFAULT_REGION"]) == ("audit", "eu-west-3", "eu-west-3")
    assert "AWS_PROFILE" not in os.environ


def test_quiet_period_of_the_option_is_the_one_that_is_used() -> None:
    """The number stands twice: the option must not import what computes with it."""
    (option,) = (one for one in scan.params if one.name == "quiet_minutes")

    assert option.default == QuietMinutes().otherwise


def test_cached_rulebook_is_the_compiled_one_and_follows_its_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that was changed is used at once, however the times of its file are."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rules = tmp_path / "rules"
    rules.mkdir()
    rule = rules / "rule.yml"
    text = (ROOT / "rules/kms/aws_kms_key_disabled.yml").read_text(encoding="utf-8")
    rule.write_text(text, encoding="utf-8")
    before = rule.stat()
    compiled, kept = find_rules(rules, ()), find_rules(rules, ())
    rule.write_text(text.replace("name: kms-key-disabled", "name: kms-key-disablex"), encoding="utf-8")
    os.utime(rule, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert kept == compiled
    assert [one.name for one in compiled.rulebook.rules] == ["kms-key-disabled"]
    assert [one.name for one in find_rules(rules, ()).rulebook.rules] == ["kms-key-disablex"]


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["folder", "file", "content", "link"])
def test_cache_that_somebody_else_could_have_written_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    """Whoever can write the rulebook decides what is found."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    compiled = find_rules(None, ())
    rulebook_cache.keep("0" * 64, rulebook_cache.Compiled(compiled.rulebook))
    folder = tmp_path / "cache/trailbell"
    entry = folder / f"{'0' * 64}.json"
    assert rulebook_cache.find("0" * 64) is not None
    if harm == "folder":
        folder.chmod(0o777)
    elif harm == "file":
        entry.chmod(0o666)
    elif harm == "content":
        entry.write_bytes(entry.read_bytes().replace(b"kms", b"kmx", 1))
    else:
        entry.rename(tmp_path / "elsewhere")
        entry.symlink_to(tmp_path / "elsewhere")

    assert rulebook_cache.find("0" * 64) is None


def test_page_has_the_exit_statuses_of_the_code_and_each_is_of_a_command() -> None:
    """One table; a command that is renamed takes its line with it."""
    text = exit_statuses.PAGE.read_text(encoding="utf-8")

    assert table() in text, "run `make generate`"
    assert {*FOUND, *FAILED} <= {*cli.commands}
    assert set(MEANINGS) == set(Exit)
