"""The functions' asset: our package, the run-time wheels for Lambda's platform, and the compiled rulebook.

Built by uv from a lock with hashes, without Docker. The same input gives the same bytes, so a deployment
without changes changes nothing. Wheels are kept in build/ under a name made from what determines them.
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

from uv import find_uv_bin

from trailalert.core.rulebook import Rulebook, dump_rulebook


_ROOT = Path(__file__).resolve().parent.parent
_LAMBDAS = _ROOT / "lambdas"
_PLATFORMS = {"arm64": "aarch64-manylinux_2_34", "x86_64": "x86_64-manylinux_2_34"}  # Amazon Linux 2023
_IN_LAMBDA = ("core", "aws", "flows", "handlers")


def build_asset(architecture: str, python: str, rulebook: Rulebook, build: Path = _ROOT / "build") -> Path:
    """Build the asset for an architecture and a Python (such as 3.13), and return its folder."""
    target = build / f"asset-{architecture}-{python}"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(_wheels(architecture, python, build), target)
    package = target / "trailalert"
    package.mkdir()
    for module in sorted((_LAMBDAS / "trailalert").glob("*.py")):
        shutil.copy(module, package)
    for name in _IN_LAMBDA:
        ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(_LAMBDAS / "trailalert" / name, package / name, ignore=ignore)
    (package / "rulebook.json").write_text(dump_rulebook(rulebook), encoding="utf-8")
    return target


def _wheels(architecture: str, python: str, build: Path) -> Path:
    """The folder of installed wheels, made once for each lock, platform and Python."""
    lock = _LAMBDAS / "requirements.txt"
    platform = _PLATFORMS[architecture]
    digest = hashlib.sha256(f"{platform} {python}\n{lock.read_text(encoding='utf-8')}".encode()).hexdigest()[:16]
    wheels = build / f"wheels-{digest}"
    if not wheels.exists():
        unfinished = build / f"unfinished-{digest}"
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [
            *(find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
            *("--requirement", str(lock), "--target", str(unfinished)),
            *("--python-platform", platform, "--python-version", python),
        ]
        subprocess.run(command, check=True)
        for leftover in (".lock", "bin"):  # uv's lock file; console scripts nobody calls in Lambda
            path = unfinished / leftover
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        unfinished.rename(wheels)
    return wheels
