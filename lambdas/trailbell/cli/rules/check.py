"""`trailbell rules check`: rules, their cases and exceptions, each fault with its file and line."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from trailbell.cli.options.rulebooks import find_placeholders, setting_option
from trailbell.cli.paths import default_exceptions, default_rules
from trailbell.cli.rules.case_files import root_and_cases, run_cases
from trailbell.cli.rules.findings import FORMS, Finding, faults_in, print_findings
from trailbell.cli.rules.foreign_check import check_foreign
from trailbell.cli.rules.unfilled import unfilled
from trailbell.errors import RuleError, SettingsError
from trailbell.rulebook.exceptions import Applied, apply_exceptions, judge_exceptions
from trailbell.rulebook.load import RuleSet, load_rules
from trailbell.rulebook.never_matches import faults_of_rules
from trailbell.rulebook.own_rules import is_written_for_us
from trailbell.rulebook.pieces import read_file
from trailbell.rulebook.placeholders import Placeholders
from trailbell.rulebook.source import rule_files


_ANY = click.Path(exists=True, path_type=Path)


@click.command("check")
@click.argument("folder", required=False, type=_ANY)
@click.option(
    "--cases", type=click.Path(path_type=Path), help="Folder of the cases (default for the shipped rules: tests/rules)."
)
@click.option("--exceptions", type=_ANY, help="Folder of exceptions (default for the shipped rules: exceptions).")
@click.option(
    "--foreign/--own",
    default=None,
    help="Other people's rules: no cases are demanded, a line for each document (default where no cases are found).",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", *FORMS]),
    default="text",
    show_default=True,
    help="text: a line for each finding; table: for foreign rules, the same as text; sarif: version 2.1.0.",
)
@setting_option
def check_rules(
    folder: Path | None,
    cases: Path | None,
    exceptions: Path | None,
    foreign: bool | None,
    form: str,
    settings: tuple[str, ...],
) -> None:
    """Compile rules and run their cases.

    Prints one line for each fault; the exit status is 1 if there are any.

    Cases are in another folder under the same paths: --cases, FOLDER/cases, or cases/ or tests/rules/ beside FOLDER.
    Misspelt fields are faults, and what still says FILL IN. What can never match (a misspelt call, a field no record
    has) is a fault of the shipped rules, else a warning. Exceptions (Sigma filters), in --exceptions or among the
    rules, are checked too; an expired one is a fault.

    Of foreign rules each document gets a line: ok, warning, refused (which makes the exit status 1) and the reason.

    \b
    Example:
      trailbell rules check ./my-rules --cases ./my-cases
      trailbell rules check ./my-rules --foreign --format jsonl
      trailbell rules check ./my-rules --cases ./my-cases --format sarif
    """
    where = folder or default_rules()
    placeholders = find_placeholders(settings)
    if foreign is None:
        foreign = not (cases or exceptions) and not root_and_cases(where, None)[1].is_dir() and not _is_ours(where)
    if foreign:
        sys.exit(check_foreign(where, placeholders, form))
    if form == "table":
        raise SettingsError("--format table goes with --foreign")
    if folder is None:
        exceptions = exceptions or default_exceptions()
    found = load_rules(where, placeholders, own=True)
    ran = list(run_cases(where, cases))
    findings = [
        *_of_rules(where, found),
        *_of_exceptions(where, found, exceptions, placeholders, shipped=folder is None),
        *(finding for case in ran for finding in case),
    ]
    refused = {one.path for one in findings if one.kind == "exception"}  # which says so itself
    findings += [one for one in unfilled(where, cases) if one.path not in refused]
    faults, warnings = faults_in(findings), len(findings) - faults_in(findings)
    print_findings(findings, form)
    if warnings:
        click.echo(f"{warnings} warnings of what can never match", err=True)
    compiled = len(found.rules) + len(found.linked)
    click.echo(f"{compiled} rules compiled, {len(ran)} cases run, {faults} faults", err=form != "text")
    sys.exit(1 if faults else 0)


def _is_ours(where: Path) -> bool:
    """Whether any rule of a folder is written for trailbell."""
    for path in rule_files(where):
        try:
            if is_written_for_us(read_file(path).decode("utf-8", "replace")):
                return True
        except RuleError:
            continue  # reported when the rules are loaded
    return False


def _of_rules(where: Path, found: RuleSet) -> Iterator[Finding]:
    yield from (Finding.of("rule", one) for one in found.faults)
    if not (found.rules or found.linked or found.errors):
        yield Finding("rule", where, 1, "holds no rule")
    yield from (Finding("rule", path, 1, "log source is not aws/cloudtrail") for path in found.skipped)


def _of_exceptions(
    where: Path, found: RuleSet, exceptions: Path | None, placeholders: Placeholders, *, shipped: bool
) -> Iterator[Finding]:
    """Faults of the exceptions, and what can never match in the rules and in them."""
    documents, unreadable = judge_exceptions(exceptions)
    today = datetime.now(UTC).date()
    filters = [*documents, *found.filters]
    applied: Applied = apply_exceptions(found.rules, filters, placeholders, today, found.correlations)
    yield from (Finding.of("exception", one) for one in (*unreadable, *applied.refused, *applied.lapsed))
    for dead in faults_of_rules(where, applied.rules):
        yield Finding.of_message("never-matches", where, dead, warning=not shipped)
