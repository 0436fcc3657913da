"""docs/schema/: what may stand in a rule, a correlation, their cases and an exception, as editors read it."""

from pathlib import Path

from tests.shipped import ROOT
from trailbell.cli.rules.new import schema_file, schema_text
from trailbell.rulebook.members import SCHEMAS


FOLDER = ROOT / "docs" / "schema"


def schemas() -> dict[Path, str]:
    """Every file with what it must hold."""
    return {schema_file(FOLDER, name): schema_text(name) for name in SCHEMAS}


def write_schemas() -> None:
    """Write them anew."""
    for path, text in schemas().items():
        path.write_text(text, encoding="utf-8")
