"""Writes what fuzzing needs of the shipped rules into build/fuzz, whose environment cannot compile them."""

import json

from tests.rules.rule_hits import matching_records
from tests.shipped import ROOT, shipped_rules
from trailbell.engine.rulebook import dump_rulebook
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.cases import CASE_SETTINGS


BUILD = ROOT / "build" / "fuzz"


def prepare() -> None:
    """Write the rulebook, and a record that each rule matches."""
    BUILD.mkdir(parents=True, exist_ok=True)
    rulebook = make_rulebook(shipped_rules(), CASE_SETTINGS)
    (BUILD / "rulebook.json").write_text(dump_rulebook(rulebook), "utf-8")
    (BUILD / "records.json").write_text(json.dumps([record for _, record in matching_records()]), "utf-8")


if __name__ == "__main__":
    prepare()
