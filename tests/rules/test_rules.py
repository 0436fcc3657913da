"""Every rule has cases that match and cases that do not, and says all that its reader needs."""

from pathlib import Path

import pytest

from tests.golden.alerts import reported_correlations
from tests.golden.rules_page import counted
from tests.shipped import CASES, ROOT, RULES, rule_paths, shipped, shipped_cases, shipped_files, shipped_rules
from trailbell.engine.rulebook import Level, Rule
from trailbell.rulebook.cases import case_file, run_case
from trailbell.rulebook.draft import FILL_IN


COMPILED = {rule.stem: rule for rule in shipped_rules()}
CORRELATIONS = {one.rule.stem: one for one in shipped().correlations}
FILES = list(rule_paths().values())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_rule_holds_its_cases(path: Path) -> None:
    """A rule is not done without a true and a false case."""
    cases = shipped_cases(path.stem)

    assert [fault for case in cases for fault in run_case(COMPILED[path.stem], case)] == []
    assert {case.match for case in cases} == {True, False}
    assert len(cases) >= 3
    assert len({case.name for case in cases}) == len(cases)


REPORTS = [*COMPILED.values(), *(one.rule for one in CORRELATIONS.values())]


@pytest.mark.parametrize("rule", REPORTS, ids=lambda rule: rule.name)
def test_rule_says_all_that_its_reader_needs(rule: Rule) -> None:
    """The mail of a rule without these cannot be acted on."""
    is_of_aws = not rule.name.startswith("audit-")  # what the audit finds is none of AWS's records
    assert rule.stem == is_of_aws * "aws_" + rule.name.replace("-", "_")
    assert len(rule.title) <= 50
    assert len(rule.description) > 40
    assert rule.falsepositives
    assert rule.references
    assert rule.undo.steps or rule.undo.note
    if rule.level >= Level.MEDIUM:
        assert rule.check


@pytest.mark.parametrize("rule", COMPILED.values(), ids=lambda rule: rule.name)
def test_rule_is_indexed(rule: Rule) -> None:
    """A rule without a gate is tried on every record of the account."""
    assert rule.gate.get("eventSource") or (rule.name.startswith("audit-") and rule.gate.get("eventName"))


@pytest.mark.parametrize("path", shipped_files().values(), ids=lambda path: path.stem)
def test_nothing_is_left_to_fill_in(path: Path) -> None:
    """`make rule` writes FILL IN where only its author knows, and readers of a mail are not to see it."""
    for file in (path, case_file(path, RULES, CASES)):
        lines = [number for number, line in enumerate(file.read_text("utf-8").splitlines(), 1) if FILL_IN in line]
        assert not lines, f"{file}: fill in what says {FILL_IN}, in the lines {lines}"


def test_every_case_file_belongs_to_a_rule() -> None:
    """A case of a rule that was renamed tests nothing."""
    stems = {path.stem for path in CASES.rglob("*.yml")}

    assert stems - set(COMPILED) - set(CORRELATIONS) == set()


def test_readme_says_how_many_rules_there_are() -> None:
    """A number nobody counted is a defect."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert counted(text) == text, "run `make generate`"
    reporting = [rule for rule in COMPILED.values() if not rule.counts_only]
    assert f"with {len(reporting)} rules and {len(reported_correlations())} correlations for" in text
