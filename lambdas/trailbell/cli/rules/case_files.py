"""Where the cases of rules stand, and what they say of them."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from trailbell.cli.paths import default_cases, default_rules
from trailbell.cli.rules.findings import Finding
from trailbell.engine.correlation import Correlation
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.errors import RuleError
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.cases import CASE_SETTINGS, Case, case_file, load_cases, run_case
from trailbell.rulebook.correlation_cases import load_correlation_cases, matcher_of, run_correlation_case
from trailbell.rulebook.load import RuleSet, load_rules
from trailbell.rulebook.placeholders import Placeholders, coverage_folder
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
    A case matches if any rule of its file does. The cases of a file with correlations are theirs.
    """
    root, cases = root_and_cases(where, cases)
    found = load_rules(where, CASE_SETTINGS, own=True)
    rules, linked = defaultdict[Path, list[Rule]](list), defaultdict[Path, list[Correlation]](list)
    for document, rule in zip(found.documents, found.rules, strict=True):
        rules[document.path].append(rule)
    for document, correlation in found.linked:
        linked[document.path].append(correlation)
    rulebook = rulebook_counted(where, found, CASE_SETTINGS) if linked else None
    for path in rule_files(where):
        file = cases_of(path, root, cases)
        if _is_local(path) and not file.exists():
            continue
        if rulebook and linked[path]:
            yield from _of_correlations(rulebook, linked[path], file)
        elif rules[path]:
            yield from _of_rules(rules[path], file)


def rulebook_counted(where: Path, found: RuleSet, placeholders: Placeholders) -> Rulebook:
    """What was found, with all that its correlations may count: the whole folder that `where` is a part of."""
    whole = coverage_folder(where)
    if whole and whole != where:
        found = load_rules(whole, placeholders, own=True)
    return make_rulebook(found.rules, placeholders, found.correlations)


def _of_correlations(rulebook: Rulebook, linked: list[Correlation], file: Path) -> Iterator[list[Finding]]:
    """The rules of a file that holds correlations are tried by these."""
    try:
        loaded = load_correlation_cases(file)
    except RuleError as error:
        yield [Finding.of_error("case", file, error)]
        return
    if {bool(case.episodes) for case in loaded} != {True, False}:
        yield [Finding("case", file, 1, "needs a case that makes an episode and one that does not")]
    matcher = matcher_of(rulebook)
    for case in loaded:
        faults = [fault for one in linked for fault in run_correlation_case(rulebook, one, case, matcher)]
        yield [Finding("case", case.path, case.line, fault.removeprefix(f"{case.path}: ")) for fault in faults]


def _of_rules(compiled: list[Rule], file: Path) -> Iterator[list[Finding]]:
    try:
        loaded = load_cases(file)
    except RuleError as error:
        yield [Finding.of_error("case", file, error)]
        return
    if {case.match for case in loaded} != {True, False}:
        yield [Finding("case", file, 1, "needs a case that matches and one that does not")]
    yield from (_of_case(compiled, case) for case in loaded)


def _of_case(compiled: list[Rule], case: Case) -> list[Finding]:
    results = [list(run_case(rule, case)) for rule in compiled]
    held = any(not faults for faults in results) if case.match else not any(results)
    said = [] if held else [fault for faults in results for fault in faults]
    return [Finding("case", case.path, case.line, fault.removeprefix(f"{case.path}: ")) for fault in said]


def _is_local(path: Path) -> bool:
    return path.resolve().is_relative_to(default_rules() / LOCAL)
