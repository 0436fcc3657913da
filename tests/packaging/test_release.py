"""A release is built from its tag, the same bytes each time, and names everything in it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.packaging.conftest import ROOT
from tools.locks import read_lock
from tools.release import ReleaseError, changelog_section, release


pytestmark = pytest.mark.slow

VERSION = "0.1.0"


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Git knows or would take of this checkout, committed and tagged elsewhere; its changelog has the version."""
    folder = tmp_path_factory.mktemp("repository")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    changelog = folder / "CHANGELOG.md"
    changelog.write_text(
        changelog.read_text("utf-8").replace("## [Unreleased]", f"## [{VERSION}] - 2026-11-29"), "utf-8"
    )
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com")
    for arguments in (
        ("init", "--quiet"),
        ("add", "--all"),
        (*who, "commit", "--quiet", "-m", "all"),
        ("tag", f"v{VERSION}"),
    ):
        command = ["git", "-C", str(folder), *arguments]
        subprocess.run(command, check=True)
    return folder


@pytest.fixture(scope="module")
def released(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    before = os.umask(0o077)  # of somebody careful
    target = tmp_path_factory.mktemp("first") / "release"
    release(repository, VERSION, target)
    os.umask(before)
    return target


def test_two_builds_are_equal(repository: Path, released: Path, tmp_path: Path, umask: None) -> None:
    """Who cannot build what was released cannot tell whether it was built from what the tag holds."""
    os.umask(0o002)
    again = tmp_path / "release"

    release(repository, VERSION, again)

    assert (again / "SHA256SUMS").read_text("utf-8") == (released / "SHA256SUMS").read_text("utf-8")
    assert {file.name: file.read_bytes() for file in again.iterdir()} == {
        file.name: file.read_bytes() for file in released.iterdir()
    }


def test_sums_are_of_every_file(released: Path) -> None:
    """A file without a sum is one that nobody can check."""
    lines = [line.split("  ") for line in (released / "SHA256SUMS").read_text("utf-8").splitlines()]

    assert {name: digest for digest, name in lines} == {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in released.iterdir()
        if file.name != "SHA256SUMS"
    }
    assert {name for _, name in lines} == {
        f"CHANGES-{VERSION}.md",
        f"trailbell-{VERSION}-functions.cdx.json",
        f"trailbell-{VERSION}-py3-none-any.whl",
        f"trailbell-{VERSION}.cdx.json",
        f"trailbell-{VERSION}.tar.gz",
    }


def test_archive_builds_the_same_wheel_as_the_checkout(released: Path, wheel: Path) -> None:
    """A rule that the archive lacks would be missing for those alone who build from it."""
    from_archive, from_tree = (
        {name: opened.read(name) for name in opened.namelist() if not name.endswith("RECORD")}
        for opened in (zipfile.ZipFile(released / f"trailbell-{VERSION}-py3-none-any.whl"), zipfile.ZipFile(wheel))
    )

    assert from_archive == from_tree


def test_archive_holds_tests_and_licence(released: Path) -> None:
    """Who packages it for a distribution runs its tests."""
    with tarfile.open(released / f"trailbell-{VERSION}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"LICENSE", "Makefile", "requirements.txt", "tests/packaging/test_release.py", "tools/release.py"} <= names


@pytest.mark.parametrize(("name", "lock"), [("", "requirements.txt"), ("-functions", "lambdas/requirements.txt")])
def test_bill_of_materials_names_every_locked_package(released: Path, name: str, lock: str) -> None:
    """Somebody asks whether a vulnerable version is in it, and takes a silence for no."""
    bill = json.loads((released / f"trailbell-{VERSION}{name}.cdx.json").read_text("utf-8"))

    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "trailbell"
    assert {(one["name"], one["version"]) for one in bill["components"]} == {
        (package.name, package.version) for package in read_lock((ROOT / lock).read_text("utf-8"))
    }


def test_changes_are_the_versions_own() -> None:
    """The section ends where the next begins."""
    text = "# Changelog\n\n## [Unreleased]\n\n- new\n\n## [0.2.0] - 2026-12-01\n\n- two\n\n## [0.1.0]\n\n- one\n"

    assert changelog_section(text, "0.2.0") == "## [0.2.0] - 2026-12-01\n\n- two\n"
    assert changelog_section(text, "0.1.0") == "## [0.1.0]\n\n- one\n"


@pytest.mark.parametrize(
    ("version", "reason"), [("0.9.0", "there is no tag v0.9.0"), ("one", "no version"), ("0.1", "no version")]
)
def test_nothing_is_released_without_a_tag(
    repository: Path, version: str, reason: str, tmp_path: Path, umask: None
) -> None:
    """What is built from a folder is what happened to be in it."""
    with pytest.raises(ReleaseError, match=reason):
        release(repository, version, tmp_path / "release")


def test_version_without_changes_is_not_released() -> None:
    """A release nobody says anything about."""
    with pytest.raises(ReleaseError, match=r"has no section for 0\.3\.0"):
        changelog_section("## [0.3.1]\n", "0.3.0")


def test_archive_builds_with_what_it_asks_for_alone(released: Path, tmp_path: Path) -> None:
    """`pip install` of a checkout or of the archive, as hooks do it, has nothing but build-system.requires."""
    archive = str(released / f"trailbell-{VERSION}.tar.gz")
    command = [
        find_uv_bin(),
        "build",
        "--quiet",
        "--wheel",
        "--python",
        sys.executable,
        "--out-dir",
        str(tmp_path),
        archive,
    ]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    name = f"trailbell-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(tmp_path / name) as isolated, zipfile.ZipFile(released / name) as locked:
        assert isolated.read("trailbell/shipped/rulebook.json") == locked.read("trailbell/shipped/rulebook.json")
