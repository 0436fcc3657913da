"""The rules that ship and their cases, compiled and read once in a process: a dozen test files ask for all of them.

Whoever changes a record copies it first.
"""

from functools import cache
from pathlib import Path

from trailbell.engine.rulebook import Rule
from trailbell.rulebook.cases import CASE_SETTINGS, Case, case_file, load_cases
from trailbell.rulebook.load import RuleSet, compile_rule_set
from trailbell.rulebook.source import rule_files


ROOT = Path(__file__).resolve().parents[1]
RULES, CASES = ROOT / "rules", ROOT / "tests" / "rules"


@cache
def shipped() -> RuleSet:
    """Rules and correlations that ship, with the settings of the cases. Raises RuleError where one has a fault."""
    return compile_rule_set(RULES, CASE_SETTINGS)


def shipped_rules() -> tuple[Rule, ...]:
    """Every rule that ships, those that are only there to be counted among them."""
    return shipped().rules


@cache
def shipped_files() -> dict[str, Path]:
    """Every file of a rule or correlation by its name without suffix, in the order of the folders."""
    return {path.stem: path for path in rule_files(RULES)}


@cache
def rule_paths() -> dict[str, Path]:
    """Those of rules alone."""
    stems = {rule.stem for rule in shipped_rules()}
    return {stem: path for stem, path in shipped_files().items() if stem in stems}


@cache
def shipped_cases(stem: str) -> tuple[Case, ...]:
    """The cases of the rule in the file of that name. Raises RuleError where they are missing or wrong."""
    return tuple(load_cases(case_file(rule_paths()[stem], RULES, CASES)))
