"""Where the cases of rules stand, and what they say of them."""

from collections.abc import Iterator
from pathlib import Path

from trailbell.cli.paths import default_cases, default_rules
from trailbell.cli.rules.findings import Finding
from trailbell.engine.rulebook import Rule
from trailbell.errors import RuleError
from trailbell.rulebook.cases import CASE_SETTINGS, Case, case_file, load_cases, run_case
from trailbell.rulebook.load import load_rules
from trailbell.rulebook.source import LOCAL, rule_files


def root_and_cases(where: Path, cases: Path | None) -> tuple[Path, Path]:
    """The folder that rule paths are relative to, and the folder that mirrors it with cases (`cases` if given)."""
    root = where if where.is_dir() else where.parent
    if cases:
        return root, cases
    if where.resolve().is_relative_to(default_rules()):
        return default_rules(), default_cases()
    beside = (root / "cases", root.parent / "tests" / "rules", root.parent / "cases")
    return root, next((folder for folder in beside if folder.is_dir()), beside[-1])


def cases_of(path: Path, root: Path, cases: Path) -> Path:
    """The case file of a rule file. The deployer's own rules have theirs in rules/local/cases/."""
    root = root.resolve()
    local = root / LOCAL
    if root == default_rules() and path.resolve().is_relative_to(local):
        return case_file(path.resolve(), local, local / "cases")
    return case_file(path.resolve(), root, cases)


def run_cases(where: Path, cases: Path | None) -> Iterator[list[Finding]]:
    """The faults of each case of each file of rules that compiles with the settings cases are written for.

    A file without both kinds of cases is a fault, but in rules/local/, where cases are welcome and not demanded.
    A case matches if any rule of its file does.
    """
    root, cases = root_and_cases(where, cases)
    for path in rule_files(where):
        compiled = load_rules(path, CASE_SETTINGS, own=True).rules
        file = cases_of(path, root, cases)
        if compiled and not (_is_local(path) and not file.exists()):
            yield from _of_file(compiled, file)


def _of_file(compiled: tuple[Rule, ...], file: Path) -> Iterator[list[Finding]]:
    try:
        loaded = load_cases(file)
    except RuleError as error:
        yield [Finding.of_error("case", file, error)]
        return
    if {case.match for case in loaded} != {True, False}:
        yield [Finding("case", file, 1, "needs a case that matches and one that does not")]
    yield from (_of_case(compiled, case) for case in loaded)


def _of_case(compiled: tuple[Rule, ...], case: Case) -> list[Finding]:
    results = [list(run_case(rule, case)) for rule in compiled]
    held = any(not faults for faults in results) if case.match else not any(results)
    said = [] if held else [fault for faults in results for fault in faults]
    return [Finding("case", case.path, case.line, fault.removeprefix(f"{case.path}: ")) for fault in said]


def _is_local(path: Path) -> bool:
    return path.resolve().is_relative_to(default_rules() / LOCAL)
