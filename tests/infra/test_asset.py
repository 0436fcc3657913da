"""The asset holds what the functions need in Lambda, nothing else, and the same bytes every time."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import boto3
import pytest

from infra.asset import AUDIT_LOCK, build_asset
from tools.rooms import ROOMS
from trailbell.engine.rulebook import Rulebook, load_rulebook
from trailbell.rulebook.build import build_rulebook


ROOT = Path(__file__).parents[2]
RULE = ROOT / "rules" / "kms" / "aws_kms_key_disabled.yml"
PYTHON = "3.13"
MB = 1024 * 1024

# What Lambda's Python brings along: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
RUNTIME = ("boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six.py")

IMPORT = """
import json, sys
sys.path[:0] = sys.argv[1:]
import trailbell.handlers.audit, trailbell.handlers.clock, trailbell.handlers.detector, trailbell.handlers.notifier
import aws_lambda_powertools
from trailbell.handlers.environment import Variables, read_environment
found = read_environment(Variables({
    "TRAILBELL_TABLE": "hits", "TRAILBELL_TRAIL_BUCKET": "trail", "TRAILBELL_TRAIL_PREFIX": "AWSLogs/",
    "TRAILBELL_RETENTION_DAYS": "1", "TRAILBELL_MAX_INFLATED_BYTES": "1"}), detects=True)
files = [trailbell.handlers.detector.__file__, aws_lambda_powertools.__file__, str(found.rulebook)]
print(json.dumps({"files": files, "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    """One rule, so that nobody's unfinished rule breaks these tests."""
    book, _ = build_rulebook(RULE, ROOT / "no-exceptions", {}, date(2026, 9, 15))
    return book


@pytest.fixture(scope="session")
def asset(rulebook: Rulebook, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_asset("x86_64", PYTHON, rulebook, tmp_path_factory.mktemp("build"))


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def digest_of(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names_in(folder)}


def test_asset_holds_what_the_functions_need(asset: Path) -> None:
    """What is missing is found by the first log file, after the deployment."""
    names = names_in(asset)

    assert {
        "trailbell/handlers/audit.py",
        "trailbell/handlers/clock.py",
        "trailbell/handlers/detector.py",
        "trailbell/handlers/notifier.py",
        "trailbell/rulebook.json",
        "aws_lambda_powertools/__init__.py",
    } <= names


def test_asset_holds_nothing_else(asset: Path) -> None:
    """pySigma, PyYAML and the command are for the laptop; in Lambda they cost start-up and attack surface."""
    tops = {path.name.lower() for path in asset.iterdir() if not path.name.endswith(".dist-info")} - {"__pycache__"}
    packages = {path.name for path in (asset / "trailbell").iterdir() if path.is_dir()} - {"__pycache__"}

    assert tops == {"trailbell", "aws_lambda_powertools", "isal", "jmespath", "msgspec", "re2", "typing_extensions.py"}
    assert packages == {room.name for room in ROOMS if room.in_lambda and "/" not in room.name}
    # Bytecode only of the functions' Python, if that is at hand: no other could load it.
    assert [name for name in names_in(asset) if "__pycache__" in name and not name.endswith(".cpython-313.pyc")] == []


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_asset_of_the_audit_has_the_library_for_signatures_besides(
    rulebook: Rulebook, tmp_path: Path, architecture: str
) -> None:
    """Nothing else loads it, so nothing else has it; it runs on Amazon Linux 2023, whichever processor is chosen."""
    found = build_asset(architecture, PYTHON, rulebook, tmp_path, AUDIT_LOCK)

    tops = {path.name.lower() for path in found.iterdir() if path.is_dir()}
    assert {"cryptography", "cffi", "trailbell"} <= tops
    assert list((found / "cryptography").rglob("*.so"))
    assert sum(path.stat().st_size for path in found.rglob("*") if path.is_file()) < 40 * MB


def test_asset_holds_the_rules_compiled(asset: Path) -> None:
    """The rulebook beside the code is the one the functions match with."""
    book = load_rulebook((asset / "trailbell" / "rulebook.json").read_text(encoding="utf-8"))

    assert [rule.stem for rule in book.rules if not rule.is_silent] == ["aws_kms_key_disabled", "canary"]


def test_asset_is_small(asset: Path) -> None:
    """Every megabyte is loaded at every cold start."""
    assert sum(path.stat().st_size for path in asset.rglob("*") if path.is_file()) < 10 * MB


@pytest.mark.parametrize(("architecture", "machine"), [("x86_64", 0x3E), ("arm64", 0xB7)])
def test_asset_holds_libraries_for_the_processor_and_python_chosen(
    rulebook: Rulebook, tmp_path: Path, architecture: str, machine: int
) -> None:
    """Built for the machine that deploys, a library does not load in Lambda, and no rule with a pattern runs."""
    libraries = list(build_asset(architecture, PYTHON, rulebook, tmp_path).rglob("*.so"))

    # e_machine, bytes 18 and 19 of an ELF header: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
    assert libraries != []
    assert {int.from_bytes(library.read_bytes()[18:20], "little") for library in libraries} == {machine}
    assert [library.name for library in libraries if ".cpython-313-" not in library.name] == []


def test_asset_is_the_same_every_time(asset: Path, rulebook: Rulebook, tmp_path: Path) -> None:
    """Other bytes are another deployment, even when nothing was changed."""
    assert digest_of(build_asset("x86_64", PYTHON, rulebook, tmp_path)) == digest_of(asset)


def test_asset_stays_while_others_are_built(asset: Path, rulebook: Rulebook) -> None:
    """CDK copies it after it was built; another synth at that moment must not take it away."""
    before = {path: path.stat().st_mtime_ns for path in asset.rglob("*")}
    other = replace(rulebook, automation_roles=("arn:aws:iam::111111111111:role/ci",))

    built = {build_asset("x86_64", PYTHON, book, asset.parent) for book in (rulebook, other)}

    assert len(built) == 2
    assert asset in built
    assert {path: path.stat().st_mtime_ns for path in asset.rglob("*")} == before


def test_assets_built_at_once_are_whole(rulebook: Rulebook, asset: Path, tmp_path: Path) -> None:
    """Two shells with one checkout, or two suites of these tests."""
    with ThreadPoolExecutor(3) as threads:
        built = list(threads.map(lambda _: build_asset("x86_64", PYTHON, rulebook, tmp_path), range(3)))

    assert {path.name for path in built} == {asset.name}
    assert digest_of(built[0]) == digest_of(asset)
    assert sorted(path.name.partition("-")[0] for path in tmp_path.iterdir()) == ["asset", "wheels"]


def test_assets_of_earlier_days_are_removed(rulebook: Rulebook, tmp_path: Path) -> None:
    """They are never looked at again, and nobody empties build/."""
    old, recent = tmp_path / "asset-x86_64-3.13-old", tmp_path / "asset-x86_64-3.13-recent"
    old.mkdir()
    recent.mkdir()
    os.utime(old, (0, 0))

    built = build_asset("x86_64", PYTHON, rulebook, tmp_path)

    assert {path for path in tmp_path.iterdir() if path.name.startswith("asset")} == {recent, built}


def test_asset_built_again_forgets_what_was_there(asset: Path, rulebook: Rulebook, tmp_path: Path) -> None:
    """A module that was removed from the source must not live on in Lambda."""
    shutil.copytree(asset.parent, tmp_path / "build")
    stale = tmp_path / "build" / asset.name / "trailbell" / "flows" / "removed.py"
    stale.write_text("", encoding="utf-8")

    again = build_asset("x86_64", PYTHON, rulebook, tmp_path / "build")

    assert again == tmp_path / "build" / asset.name
    assert not stale.exists()
    assert digest_of(again) == digest_of(asset)


def test_handlers_start_from_the_asset_and_lambdas_own_packages_alone(asset: Path, tmp_path: Path) -> None:
    """In this checkout every import works; in Lambda only what was packed does."""
    site = Path(boto3.__file__).parents[1]
    for name in RUNTIME:
        (tmp_path / name).symlink_to(site / name)

    # -S: no site-packages, so whatever the asset forgot is really missing; -I: nothing of our shell or folder.
    command = [sys.executable, "-I", "-S", "-B", "-c", IMPORT, str(asset), str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)

    assert answer.stderr == ""
    loaded = json.loads(answer.stdout)
    assert [file for file in loaded["files"] if not Path(file).is_relative_to(asset)] == []
    assert {name.partition(".")[0] for name in loaded["modules"]} & {
        "sigma",
        "yaml",
        "click",
        "rich",
        "aws_cdk",
        "cryptography",
    } == set()
    assert [name for name in loaded["modules"] if name.startswith(("trailbell.cli", "trailbell.rulebook"))] == []


def test_bytecode_is_used_where_the_asset_was_moved_to(rulebook: Rulebook, tmp_path: Path) -> None:
    """Lambda unpacks the asset elsewhere, with times of its own, where nothing can be written."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    moved = build_asset("x86_64", python, rulebook, tmp_path).rename(tmp_path / "task")
    for path in moved.rglob("*.py"):
        path.write_text("raise ImportError('compiled anew')", encoding="utf-8")

    code = "import aws_lambda_powertools, trailbell.handlers.detector, trailbell.handlers.notifier"
    environment = {**os.environ, "PYTHONPATH": str(moved)}
    answer = subprocess.run(
        [sys.executable, "-B", "-c", code], env=environment, capture_output=True, text=True, check=False
    )

    assert answer.stderr == ""


def test_asset_without_its_python_at_hand_has_no_bytecode(
    rulebook: Rulebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever deploys from another Python gets a slower start, not a broken function."""
    monkeypatch.setenv("PATH", str(tmp_path))

    asset = build_asset("x86_64", "3.14" if sys.version_info[:2] != (3, 14) else "3.13", rulebook, tmp_path / "build")

    assert list(asset.rglob("__pycache__")) == []


def test_wrong_setting_ends_the_synth_in_one_line(tmp_path: Path) -> None:
    """A deployer who mistyped needs the setting and what is allowed, not our traceback."""
    answer = given_synth(ROOT, tmp_path / "out", {"architecture": "sparc"})

    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr == "trailbell: setting architecture is 'sparc'; allowed: arm64 or x86_64\n"
    assert list((tmp_path / "out").rglob("*")) == []


def test_wrong_rule_ends_the_synth_in_one_line(tmp_path: Path) -> None:
    """A rule that cannot be compiled must not be deployed; its author needs the file and the fault."""
    project = tmp_path / "project"
    broken = project / "rules" / "aws_broken.yml"
    broken.parent.mkdir(parents=True)
    broken.write_text(RULE.read_text(encoding="utf-8").replace("condition: selection", "condition: selektion"))
    shutil.copy(ROOT / "app.py", project)
    for name in ("infra", "lambdas"):
        (project / name).symlink_to(ROOT / name)

    answer = given_synth(project, tmp_path / "out", {})

    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith(f"trailbell: {broken}: ")
    assert answer.stderr.count("\n") == 1
    assert list((tmp_path / "out").rglob("*")) == []


def given_synth(project: Path, out: Path, context: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What `cdk synth` runs, in a process of its own."""
    environment = {**os.environ, "CDK_CONTEXT_JSON": json.dumps(context), "CDK_OUTDIR": str(out)}
    command = [sys.executable, "-B", str(project / "app.py")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
