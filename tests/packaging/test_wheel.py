"""The wheel works where there is no checkout: it scans, lists and matches, needs little, and says what it lacks."""

import json
import subprocess
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.packaging.conftest import ROOT, Installed, clean_environment
from trailbell.cli.main import cli
from trailbell.cli.options.extras import EXTRAS


EXAMPLES = str(ROOT / "examples" / "AWSLogs")
MB = 1024 * 1024


def in_checkout(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_wheel_scans_as_the_checkout_does(installed: Installed) -> None:
    """A rulebook compiled at build that finds less than the rules do would be believed."""
    scan = "scan", EXAMPLES, "--format", "jsonl"

    found = installed.run(*scan)

    def hits(text: str) -> list[dict[str, object]]:
        return [{**json.loads(line), "seenAt": "", "seen_at": ""} for line in text.splitlines()]

    assert found.returncode == 0, found.stderr
    assert len(hits(found.stdout)) > 20
    assert hits(found.stdout) == hits(in_checkout(*scan))


def test_plain_scan_imports_neither_boto3_nor_pysigma(installed: Installed) -> None:
    """They are most of the time a scan of one file takes, and the second is not even installed."""
    blocked = "import sys; sys.modules.update(dict.fromkeys(['boto3', 'botocore', 'sigma', 'yaml'])); "
    command = [str(installed.python), "-c", f"{blocked} from trailbell.cli.main import main; main()", "scan", EXAMPLES]

    done = subprocess.run(command, cwd=installed.elsewhere, env=clean_environment(), capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert "trail-deleted" in done.stdout


def test_wheel_lists_the_rules_of_the_checkout(installed: Installed) -> None:
    """Who wants to know what is watched has not cloned anything."""
    listed = installed.run("rules", "list")

    assert listed.returncode == 0, listed.stderr
    assert [line.split() for line in listed.stdout.splitlines()] == [
        line.split() for line in in_checkout("rules", "list").splitlines()
    ]


def test_wheel_matches_its_rules(installed: Installed, tmp_path: Path) -> None:
    """Events that are no log file are matched without compiling anything."""
    event = {
        "eventSource": "kms.amazonaws.com",
        "eventName": "DisableKey",
        "facts": {"outcome": "success", "direct": True, "operation": "kms.amazonaws.com:DisableKey"},
    }
    (tmp_path / "events.jsonl").write_text(json.dumps(event) + "\n", encoding="utf-8")

    matched = installed.run("rules", "match", "--events", str(tmp_path / "events.jsonl"), "--format", "jsonl")

    assert matched.returncode == 0, matched.stderr
    assert "kms-key-disabled" in {json.loads(line)["name"] for line in matched.stdout.splitlines()}


def test_wheel_writes_the_report(installed: Installed) -> None:
    """Its page is made of files beside the code."""
    done = installed.run("report", "--from-scan", EXAMPLES, "-o", "report.html")

    assert done.returncode == 0, done.stderr
    assert "<html" in (installed.elsewhere / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("rules", "check"), "rules"),
        (("rules", "match", "--rules", EXAMPLES, "--events", __file__), "rules"),
        (("scan", EXAMPLES, "--rules", EXAMPLES), "rules"),
        (("scan", EXAMPLES, "--setting", "trusted_accounts=111122223333"), "rules"),
        (("local",), "deploy"),
        (("serve",), "serve"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value)[:12],
)
def test_command_without_its_extra_says_how_to_install_it(
    installed: Installed, arguments: tuple[str, ...], extra: str
) -> None:
    """A traceback about a module `sigma` helps nobody who wants to check a rule."""
    done = installed.run(*arguments)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert f"pip install 'trailbell[{extra}]'" in done.stderr


def test_what_extras_bring_is_not_there_without_them(installed: Installed) -> None:
    """Otherwise the tests above test an environment nobody has."""
    code = f"import importlib.util as u; print([m for m in {sorted(EXTRAS)!r} if u.find_spec(m)])"

    done = subprocess.run([str(installed.python), "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_environment_is_small(installed: Installed) -> None:
    """It was 782 MB, with the CDK and node, for somebody who wants to query hits."""
    files = [file for file in installed.python.parents[1].rglob("*") if file.is_file() and not file.is_symlink()]

    assert sum(file.stat().st_size for file in files) < 150 * MB


def test_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    """A page or a table that stays behind is missed by whoever has no checkout, in the one command that reads it."""
    listed = ["git", "ls-files"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    tracked = [name for name in names if (ROOT / name).is_file()]
    expected = {name.removeprefix("lambdas/") for name in tracked if name.startswith("lambdas/trailbell/")}
    expected |= {name.replace("infra/", "trailbell/cdk/") for name in tracked if name.startswith("infra/")}
    carried = ("rules/", "tests/rules/", "docs/schema/", "lambdas/requirements.txt")
    travels = [name for name in tracked if name.startswith(carried) and not name.startswith("rules/local/")]
    expected |= {f"trailbell/shipped/{name}" for name in travels}

    held = set(zipfile.ZipFile(wheel).namelist())

    assert expected - held == set()
    assert {name for name in held if not name.startswith("trailbell/")} == {
        name for name in held if ".dist-info/" in name
    }


def test_wheel_holds_no_rules_of_the_deployer(wheel: Path) -> None:
    """What stands in rules/local/ is theirs, and a wheel is for others."""
    assert [name for name in zipfile.ZipFile(wheel).namelist() if "local/private" in name] == []


def test_modules_of_infra_import_each_other_relatively() -> None:
    """In a wheel they are trailbell.cdk, and another package called infra may be the user's own."""
    faults = [
        f"{file.name}: {line}"
        for file in sorted((ROOT / "infra").glob("*.py"))
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith(("from infra", "import infra"))
    ]

    assert faults == []
