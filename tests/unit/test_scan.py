"""`trailbell scan`: one process or many, interrupted, resumed, counted."""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from trailbell.cli.main import cli
from trailbell.cli.scan.work import work
from trailbell.cli.terminal.interrupt import Interrupt
from trailbell.cli.terminal.progress import Progress
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.cloudtrail.selection import Selection
from trailbell.engine.rulebook import Rulebook
from trailbell.errors import SettingsError
from trailbell.hits.detect import HitDetector


EXAMPLES = Path(__file__).parents[2] / "examples" / "AWSLogs"
RULES = Path(__file__).parents[2] / "rules" / "kms"
PROGRAM = Path(sys.executable).parent / "trailbell"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.mark.slow
def test_many_processes_find_the_same_in_the_same_order_as_one(tmp_path: Path) -> None:
    """What is printed must not depend on the machine; a broken file among them costs only itself."""
    for number in range(12):
        shutil.copytree(EXAMPLES, tmp_path / f"{number:02}" / "AWSLogs")
    (tmp_path / "05" / "broken.json.gz").write_bytes(b"\x1f\x8bbroken")

    one = run("scan", tmp_path, "--rules", RULES, "--format", "jsonl", "--jobs", 1)
    many = run("scan", tmp_path, "--rules", RULES, "--format", "jsonl", "--jobs", 3)

    assert one.stdout == many.stdout
    assert one.stderr == many.stderr
    assert (one.exit_code, many.exit_code) == (2, 2)
    assert len(one.stdout.splitlines()) > 12
    assert "96 read, 1 unreadable" in many.stderr


@pytest.mark.parametrize(("log_files", "status"), [(True, 0), (False, 2)])
def test_json_of_something_else_is_named_and_passed_over(tmp_path: Path, log_files: bool, status: int) -> None:
    """A cdk.json beside the files is nobody's fault; where there is nothing else, nothing was scanned."""
    if log_files:
        shutil.copytree(EXAMPLES, tmp_path / "AWSLogs")
    (tmp_path / "cdk.json").write_text('{"app": "python app.py"}', encoding="utf-8")

    result = run("scan", tmp_path, "--rules", RULES)

    assert result.exit_code == status
    assert "cdk.json: passed over: log file has no Records" in result.stderr
    assert "0 unreadable" in result.stderr
    assert ", 1 not from CloudTrail" in result.stderr


def test_json_of_something_else_where_a_trail_writes_is_a_broken_log_file(tmp_path: Path) -> None:
    """Whoever replaces a log file by other JSON must not pass."""
    shutil.copytree(EXAMPLES, tmp_path / "AWSLogs")
    next(tmp_path.rglob("CloudTrail/*/*/*/*/*.json.gz")).write_text('{"app": "python app.py"}', encoding="utf-8")

    assert run("scan", tmp_path, "--rules", RULES).exit_code == 2


def test_count_line_agrees_with_the_summary_where_records_come_twice(tmp_path: Path) -> None:
    """A record that was delivered twice is one hit, however it is printed, also when a scan goes on."""
    shutil.copytree(EXAMPLES, tmp_path / "AWSLogs")
    file = sorted(tmp_path.rglob("CloudTrail/*/*/*/*/*.json.gz"))[0]
    shutil.copy(file, file.with_name(f"again_{file.name}"))
    lines = run("scan", tmp_path, "--rules", RULES, "--summary", "--format", "jsonl")
    summed = sum(json.loads(line)["hits"] for line in lines.stdout.splitlines())
    state = tmp_path / "state"
    counted = [run("scan", tmp_path, "--rules", RULES, *form) for form in ((), ("--alerts",), ("--summary",))]
    counted += [run("scan", tmp_path, "--rules", RULES, "--summary", "--resume", state) for _ in range(2)]

    for result in (lines, *counted):
        assert f"; hits: {summed};" in result.stderr
        assert "more from records delivered again" in result.stderr


def test_since_until_account_and_region_choose(tmp_path: Path) -> None:
    """Folders are passed over by day, the record's own time decides; what is left out is said."""
    shutil.copytree(EXAMPLES, tmp_path / "AWSLogs")
    base = ("scan", tmp_path, "--rules", RULES, "--format", "jsonl")
    everything = [json.loads(line) for line in run(*base).stdout.splitlines()]

    until = run(*base, "--since", "2026-11-20T09:20:00", "--until", "2026-11-20T09:32:00")
    days = run(*base, "--since", "2026-11-21")
    region = run(*base, "--region", "eu-central-1", "--account", "111122223333")
    other = run(*base, "--account", "444455556666")

    times = [json.loads(line)["eventTime"] for line in until.stdout.splitlines()]
    assert 0 < len(times) < len(everything)
    assert all("2026-11-20T09:20:00Z" <= time < "2026-11-20T09:32:00Z" for time in times)
    assert f"{len(everything) - len(times)} more hits not asked for" in until.stderr
    assert "log files: 0 read" in days.stderr
    assert {json.loads(line)["region"] for line in region.stdout.splitlines()} == {"eu-central-1"}
    assert "log files: 3 read" in region.stderr
    assert "log files: 0 read" in other.stderr


@pytest.mark.slow
def test_summary_counts_hits_alerts_actors_and_days(tmp_path: Path) -> None:
    """What a rule would have cost is known before it is deployed; drafts come with it and are not overwritten."""
    found = run("scan", EXAMPLES, "--format", "jsonl", "--propose-exceptions", tmp_path / "drafts")
    again = run("scan", EXAMPLES, "--summary", "--propose-exceptions", tmp_path / "drafts")

    rules = {line["rule"]: line for line in map(json.loads, found.stdout.splitlines())}
    storm = rules["ssm-parameter-destroyed"]
    assert (storm["hits"], storm["alerts"], storm["days"]) == (12, 1, {"2026-11-20": 12})
    assert [(actor["name"], actor["hits"]) for actor in storm["actors"]] == [("ci-deploy", 12)]
    assert (tmp_path / "drafts" / "draft-ssm-parameter-destroyed.yml").is_file()
    assert not list((tmp_path / "drafts").glob("*trail-*"))
    assert "is there already and was left alone" in again.stderr
    assert "ci-deploy 100%" in again.stdout


def test_resumed_scan_is_the_same_as_one_that_was_never_interrupted(tmp_path: Path) -> None:
    """After a crash: what is done is not done again, a line that was cut off is, and the sums are those of all."""
    state = tmp_path / "state"
    command = ("scan", EXAMPLES, "--rules", RULES, "--summary", "--format", "jsonl", "--resume", state)
    whole = run(*command)
    lines = state.read_text().splitlines(keepends=True)

    state.write_text("".join(lines[:4]) + lines[4][:20])
    resumed = run(*command)

    assert len(lines) == 9
    assert resumed.stdout == whole.stdout
    assert resumed.stderr == whole.stderr
    assert [json.loads(line)["file"] for line in lines[1:]] == sorted(map(str, EXAMPLES.rglob("*CloudTrail_*.gz")))
    with pytest.raises(SettingsError, match="other since"):
        run(*command, "--since", "2026-01-01")
    (tmp_path / "notes").write_text("hello\n")
    with pytest.raises(SettingsError, match="left alone"):
        run(*command[:-1], tmp_path / "notes")


def test_csv_has_no_cell_that_a_spreadsheet_would_run() -> None:
    """Names and errors are written by attackers (text/safe_text.py has the cells' own test)."""
    rows = list(csv.DictReader(io.StringIO(run("scan", EXAMPLES, "--rules", RULES, "--format", "csv").stdout)))
    assert len(rows) > 5
    assert not [value for row in rows for value in row.values() if value.lstrip().startswith(("=", "+", "-", "@"))]
    assert {row["eventName"] for row in rows} >= {"DisableKey", "PutKeyPolicy"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_ends_with_what_there_is_and_leaves_no_process(tmp_path: Path, jobs: int) -> None:
    """As a terminal does it: the signal goes to the whole group. Status 130, no traceback, nobody left behind."""
    content = next(EXAMPLES.rglob("*T0940Z*")).read_bytes()
    for number in range(5000):
        (tmp_path / f"{number:05}.json.gz").write_bytes(content)
    command = [PROGRAM, "scan", tmp_path, "--rules", RULES, "--summary", "--jobs", str(jobs)]
    process = subprocess.Popen(
        [*map(str, command), "--resume", str(tmp_path / "state")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for(lambda: (tmp_path / "state").exists() and (tmp_path / "state").stat().st_size > 2000)

    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=30)

    assert process.returncode == 130, errors
    assert "interrupted; so far: log files: " in errors
    assert "Traceback" not in errors
    assert "kms-" in output
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


@pytest.mark.slow
def test_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    """Even when it could not tell them (kill -9)."""
    content = next(EXAMPLES.rglob("*T0940Z*")).read_bytes()
    for number in range(5000):
        (tmp_path / f"{number:05}.json.gz").write_bytes(content)
    command = [PROGRAM, "scan", tmp_path, "--rules", RULES, "--format", "jsonl", "--jobs", "2"]
    process = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    assert process.stdout
    process.stdout.readline()

    process.kill()
    process.wait()
    process.stdout.close()

    wait_for(lambda: not is_group_alive(process.pid))


def is_group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(condition: object) -> None:
    deadline = time.monotonic() + 30
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_second_ctrl_c_ends_at_once() -> None:
    """Who presses twice does not want to wait."""
    with Interrupt() as stopped:
        assert not stopped()
        os.kill(os.getpid(), signal.SIGINT)
        assert stopped()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_says_how_far_how_fast_and_how_long() -> None:
    """On a terminal; the time left goes by size, since log files differ a thousandfold. In a pipe: nothing."""
    terminal, pipe, clock = Terminal(), io.StringIO(), iter(range(0, 1000, 10))

    shown = Progress(4, 4_000_000, "files", terminal, lambda: float(next(clock)))
    shown.advance(1_000_000)
    shown.wipe()
    Progress(4, 4_000_000, "files", pipe).advance(1_000_000)

    assert "1 of 4 files (25%), 0 files/s, 0.1 MB/s" in terminal.getvalue()
    assert "left" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert pipe.getvalue() == ""


@pytest.mark.parametrize(
    ("code", "message", "stops"),
    [
        ("ExpiredToken", "The provided token has expired.", True),
        ("RequestExpired", "Request has expired.", True),
        ("AccessDenied", "not authorized to get s3://trail/ExpiredToken.json.gz", False),
        ("InternalError", "InvalidToken", False),
    ],
)
def test_scan_ends_by_the_code_of_an_error_and_not_by_its_text(code: str, message: str, stops: bool) -> None:
    """A log file's name in an error's text must not end the scan of all others."""

    def pieces() -> list[bytes]:
        raise ClientError({"Error": {"Code": code, "Message": message}}, "GetObject")

    (done,) = work(
        HitDetector(Rulebook(())), ObjectRef("trail", "a.json.gz"), pieces, Selection(), "2026-11-20T10:00:00Z"
    )

    assert done.last
    assert done.stop is stops
    assert message in done.error
