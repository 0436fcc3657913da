"""mypy reads those modules of the CDK that our code imports; what it does not read it takes anything for."""

import re
import tomllib
from pathlib import Path


ROOT = Path(__file__).resolve().parents[2]
IMPORTED = re.compile(r"^ *(?:from (aws_cdk[\w.]*) import (.+)|import (aws_cdk[\w.]*))", re.MULTILINE)


def imported_modules() -> set[str]:
    """Every module of the CDK that a file of ours imports; of `from aws_cdk import aws_iam as iam` aws_cdk.aws_iam."""
    found = set[str]()
    for folder in ("infra", "tests", "tools", "benchmarks", "examples"):
        for file in (ROOT / folder).rglob("*.py"):
            for package, names, module in IMPORTED.findall(file.read_text(encoding="utf-8")):
                found.add(module or package)
                parts = [name.split(" as ")[0].strip() for name in names.partition("#")[0].strip("()").split(",")]
                found |= {f"{package}.{name}" for name in parts if name.islower()}
    return found


def test_what_is_imported_is_read_for_its_types() -> None:
    """A misspelt property of a construct would be found by CloudFormation, if at all."""
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]["overrides"]
    (read,) = (one["module"] for one in overrides if one.get("follow_imports") == "normal")

    assert "aws_cdk.aws_lambda" in imported_modules()
    assert imported_modules() - {*read} == set()
