"""Builds what the wheel carries beside the code: rules, cases, schemas, locks, and the rulebook compiled from them.

All of it goes into a folder of the package, shipped, laid out like a checkout, so that code finds it by the same paths
(lambdas/trailbell/cli/paths.py). An editable install carries nothing and reads the checkout.
"""

import subprocess
import sys
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py


ROOT = Path(__file__).resolve().parent
SHIPPED = ("rules", "tests/rules", "docs/schema", "lambdas/requirements.txt", "lambdas/audit.txt")
_NEVER = ("rules/local", "__pycache__")  # a deployer's own rules are theirs; bytecode belongs to one Python


def shipped_files() -> list[Path]:
    """Every file that travels, sorted, relative to the root."""
    found: list[Path] = []
    for name in SHIPPED:
        path = ROOT / name
        found += [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    relative = [file.relative_to(ROOT) for file in found if file.suffix != ".pyc"]
    return sorted(file for file in relative if not any(part in file.as_posix() for part in _NEVER))


class BuildWithRules(build_py):
    """The usual build, and then what travels beside the code."""

    def run(self) -> None:
        """Build; the rulebook is compiled in a process of its own, as the build has imported none of our code."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "trailbell" / "shipped"
        for file in shipped_files():
            self.mkpath(str((target / file).parent))
            self.copy_file(str(ROOT / file), str(target / file), preserve_mode=False)
        paths = [str((target / name).resolve()) for name in ("rules", "rulebook.json")]
        command = [sys.executable, "-m", "trailbell.rulebook", *paths]
        subprocess.run(command, check=True, cwd=ROOT / "lambdas")


setup(
    packages=[*find_packages("lambdas"), "trailbell.cdk"],
    package_dir={"": "lambdas", "trailbell.cdk": "infra"},
    package_data={"trailbell": ["cli/report/page/*", "cli/serve/page/*", "ops/advice.toml", "lookback/measured.json"]},
    cmdclass={"build_py": BuildWithRules},
)
