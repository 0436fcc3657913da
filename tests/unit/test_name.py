"""The product answers to one name: its former one is in the changelog, for those who move, and nowhere else."""

import shutil
import subprocess
from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parents[2]
FORMER = b"trail" + b"alert"  # in two parts, or this file would answer to it
RIVAL = FORMER + b"s"  # another product, which the comparison names
SAYS_SO = {"CHANGELOG.md"}


def tracked_files() -> list[str]:
    """The paths of all files that git keeps."""
    git = shutil.which("git")
    if not git or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: nothing says which files are ours")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [path for path in listed.stdout.decode().split("\0") if path and (ROOT / path).is_file()]


def test_only_the_changelog_holds_the_former_name() -> None:
    """A path, a setting or a sentence with the old name sends people to a rival's product."""
    answering = {
        path
        for path in tracked_files()
        if FORMER in path.lower().encode() or FORMER in (ROOT / path).read_bytes().lower().replace(RIVAL, b"")
    }

    assert answering == SAYS_SO
