"""The same rules give the same rulebook, whatever order Python's sets come in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_rulebook_does_not_depend_on_the_order_of_sets(tmp_path: Path) -> None:
    """It did: two synths of one checkout gave two assets, and a deployment without changes changed the functions."""
    written = []
    for seed in ("1", "2"):
        target = tmp_path / f"{seed}.json"
        command = [sys.executable, "-m", "trailbell.rulebook", str(ROOT / "rules"), str(target)]
        subprocess.run(command, check=True, cwd=ROOT / "lambdas", env={**os.environ, "PYTHONHASHSEED": seed})
        written.append(target.read_bytes())

    assert written[0] == written[1]
