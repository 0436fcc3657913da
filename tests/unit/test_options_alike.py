"""Options mean the same in every command, and output that cannot be written is told the same way."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from trailbell.cli.main import cli
from trailbell.cli.options.account import AccountId
from trailbell.cli.scan.log_sources import LogPlace


PROGRAM = Path(sys.executable).parent / "trailbell"
EXAMPLES = Path(__file__).parents[2] / "examples" / "AWSLogs"
full_disk = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")


def commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


COMMANDS = dict(commands(cli))


@pytest.mark.parametrize("name", COMMANDS)
def test_options_are_the_same_in_every_command(name: str) -> None:
    """Both words for a time, account ids that are some, and who asks where S3 may be read."""
    options = {one.name: one for one in COMMANDS[name].params if isinstance(one, click.Option)}

    for time, other in (("since", "--from"), ("until", "--to")):
        if time in options:
            assert {f"--{time}", other} <= {*options[time].opts}
    for account in {"account", "accounts"} & options.keys():
        assert isinstance(options[account].type, AccountId)
    if any(isinstance(one.type, LogPlace) for one in COMMANDS[name].params):
        assert {"profile", "aws_region"} <= options.keys()


@pytest.mark.parametrize("given", ["11112222333", "1111222233334", "1111-2222-3333", "dev"])
def test_account_that_is_none_is_a_usage_error(given: str) -> None:
    """Nothing would be found, which looks like an answer."""
    result = CliRunner().invoke(cli, ["scan", str(EXAMPLES), "--account", given])

    assert result.exit_code == 2
    assert "twelve digits" in result.stderr


@pytest.mark.slow
@full_disk
@pytest.mark.parametrize(
    "arguments",
    [
        *(["scan", str(EXAMPLES), "--format", form] for form in ("table", "json", "jsonl", "csv", "html", "ocsf")),
        ["scan", str(EXAMPLES), "--summary"],
        ["scan", str(EXAMPLES), "-o", "/dev/full"],
        ["report", "--from-scan", str(EXAMPLES), "-o", "/dev/full"],
        ["rules", "list"],
        ["--help"],
    ],
    ids=" ".join,
)
def test_full_disk_is_one_line_and_status_2(arguments: list[str]) -> None:
    """Status 1 says that something was found."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        ended = subprocess.run([PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert ended.returncode == 2
    last = [line for line in ended.stderr.splitlines() if line][-1]
    assert last.startswith("trailbell: ")
    assert last.endswith("No space left on device")
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_closed_pipe_is_quiet() -> None:
    """Whoever reads with `head` has what they want."""
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run([PROGRAM, "rules", "list"], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)

    assert ended.stderr == b""


@pytest.mark.parametrize("name", ["nope.json", "./nope", "logs/nope.json.gz", "/nope/there/"])
def test_file_that_is_not_there_is_called_so(name: str) -> None:
    """And AWS is not asked for a hit of that name."""
    result = CliRunner().invoke(cli, ["explain", name])

    assert f"{name}: no such file" in str(result.exception)


@pytest.mark.slow
def test_report_and_actor_end_with_2_for_what_they_could_not_read(tmp_path: Path) -> None:
    """What was read is still written, and what was not is named."""
    broken, page = tmp_path / "broken.json.gz", tmp_path / "r.html"
    broken.write_bytes(b"\x1f\x8bbroken")
    (tmp_path / "empty").mkdir()
    both = ["--logs", str(EXAMPLES), "--logs", str(broken), "--since", "2020-01-01"]

    for places in ([str(broken)], [str(tmp_path / "empty")], [str(EXAMPLES), str(broken)]):
        given = [word for place in places for word in ("--from-scan", place)]
        assert CliRunner().invoke(cli, ["report", *given, "-o", str(page)]).exit_code == 2
        assert page.exists()
        page.unlink()
    assert CliRunner().invoke(cli, ["report", "--from-scan", str(EXAMPLES), "-o", str(page)]).exit_code == 0
    alone = CliRunner().invoke(cli, ["actor", "111122223333", "--logs", str(broken)])
    beside = CliRunner().invoke(cli, ["actor", "111122223333", "--all", *both])
    assert "broken.json.gz: " in alone.stderr
    assert alone.exit_code != 0
    assert "broken.json.gz: " in beside.stderr
    assert beside.exit_code == 2
    assert "calls" in beside.stdout
    (tmp_path / "cdk.json").write_text("{}", encoding="utf-8")
    broken.unlink()
    folder = CliRunner().invoke(
        cli,
        ["actor", "111122223333", "--all", "--logs", str(EXAMPLES), "--logs", str(tmp_path), "--from", "2020-01-01"],
    )
    assert folder.exit_code == 0, folder.stderr
