"""The wheel of this checkout, built once, and an environment that has it and what it needs, and nothing else."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from uv import find_uv_bin


ROOT = Path(__file__).parents[2]
_BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment with the wheel in it, and a folder outside any checkout to run commands in."""

    python: Path
    elsewhere: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `trailbell` with arguments, as somebody would who has nothing but the wheel."""
        command = [str(self.python.with_name("trailbell")), *arguments]
        return subprocess.run(
            command, cwd=self.elsewhere, env=clean_environment(), capture_output=True, text=True, check=False
        )


def clean_environment() -> dict[str, str]:
    """This process's environment without what would make a checkout, or an account, visible."""
    unwanted = ("PYTHONPATH", "VIRTUAL_ENV", "AWS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from what Git knows or would take: builds in the checkout itself would leave files there."""
    tree, built = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0"):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
    (tree / "rules" / "local").mkdir(exist_ok=True)
    (tree / "rules" / "local" / "private.yml").write_text("title: nobody else's\n", encoding="utf-8")
    subprocess.run([sys.executable, "-c", _BUILD, str(built)], cwd=tree, check=True, capture_output=True, text=True)
    (made,) = built.glob("*.whl")
    return made


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Installed without extras; the versions are those of the lock, so that an index's newest breaks nothing here."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    uv = find_uv_bin()
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
    python = environment / "bin" / "python"
    install = [uv, "pip", "install", "--quiet", "--python", str(python), "--constraint", str(ROOT / "requirements.txt")]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True, text=True)
    return Installed(python, tmp_path_factory.mktemp("elsewhere"))
