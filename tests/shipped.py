"""The rules that ship and their cases, compiled and read once in a process: a dozen test files ask for all of them.

Whoever changes a record copies it first.
"""

from functools import cache
from pathlib import Path

from trailbell.engine.rulebook import Rule
from trailbell.rulebook.cases import CASE_SETTINGS, Case, case_file, load_cases
from trailbell.rulebook.load import compile_rules
from trailbell.rulebook.source import rule_files


ROOT = Path(__file__).resolve().parents[1]
RULES, CASES = ROOT / "rules", ROOT / "tests" / "rules"


@cache
def shipped_rules() -> tuple[Rule, ...]:
    """Every rule that ships, with the settings of the cases. Raises RuleError where one has a fault."""
    return compile_rules(RULES, CASE_SETTINGS)


@cache
def rule_paths() -> dict[str, Path]:
    """The file of each rule by its name without suffix, in the order of the folders."""
    return {path.stem: path for path in rule_files(RULES)}


@cache
def shipped_cases(stem: str) -> tuple[Case, ...]:
    """The cases of the rule in the file of that name. Raises RuleError where they are missing or wrong."""
    return tuple(load_cases(case_file(rule_paths()[stem], RULES, CASES)))
