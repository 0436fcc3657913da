"""`trailbell rules`: list rules, check that they and their cases are right, match them against any events."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from trailbell.cli.options.rulebooks import find_placeholders, say_what_never_matches, setting_option, strict_option
from trailbell.cli.paths import checkout, default_cases, default_rules
from trailbell.cli.rules.foreign_check import check_foreign
from trailbell.cli.terminal.display import level_text, print_table
from trailbell.cloudtrail.record import GATE_FIELDS
from trailbell.engine.matcher import Matcher, matching
from trailbell.engine.rulebook import Rule
from trailbell.errors import LogFileError, RuleError, SettingsError
from trailbell.rulebook.cases import CASE_SETTINGS, case_file, load_cases, run_case
from trailbell.rulebook.exceptions import apply_exceptions, apply_filters, read_exceptions
from trailbell.rulebook.foreign import counts, sentence, with_unique_names
from trailbell.rulebook.load import load_rules
from trailbell.rulebook.never_matches import faults_of_rules
from trailbell.rulebook.source import rule_files
from trailbell.text.safe_text import one_line


_ANY = click.Path(exists=True, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def rules() -> None:
    """List, check and try rules.

    \b
    Example:
      trailbell rules check
    """


@rules.command("list")
@click.argument("folder", required=False, type=_ANY)
@setting_option
def list_rules(folder: Path | None, settings: tuple[str, ...]) -> None:
    """List the rules of a folder (default: those that ship with trailbell), most severe first.

    \b
    Example:
      trailbell rules list
    """
    found = load_rules(folder or default_rules(), find_placeholders(settings))
    ordered = sorted(found.rules, key=lambda rule: (-rule.level, rule.name))
    print_table(
        ["level", "name", "title", "calls"],
        (
            [level_text(rule.level.word), one_line(rule.name), one_line(rule.title), one_line(_calls(rule))]
            for rule in ordered
        ),
    )
    if found.errors:
        raise RuleError("\n".join(found.errors))


@rules.command("check")
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
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), help="Of the lines for foreign rules.")
@setting_option
def check_rules(
    folder: Path | None,
    cases: Path | None,
    exceptions: Path | None,
    foreign: bool | None,
    form: str | None,
    settings: tuple[str, ...],
) -> None:
    """Compile every rule of a folder and run its cases; one line for each fault, exit status 1 if there are any.

    Cases are in another folder under the same paths: --cases, FOLDER/cases, or cases/ or tests/rules/ beside FOLDER.
    What can never match (a misspelt call, a field no record has) is a fault of the shipped rules, else a warning.
    Exceptions (Sigma filters), in --exceptions or among the rules, are checked too; an expired one is a fault.

    Of foreign rules each document gets a line: ok, warning, refused (which makes the exit status 1) and the reason.

    \b
    Example:
      trailbell rules check ./my-rules --cases ./my-cases
      trailbell rules check ./my-rules --foreign --format jsonl
    """
    where = folder or default_rules()
    if foreign is None:
        foreign = not (cases or exceptions) and not _root_and_cases(where, None)[1].is_dir()
    if foreign:
        sys.exit(check_foreign(where, find_placeholders(settings), form or "table"))
    if form:
        raise SettingsError("--format goes with --foreign")
    if folder is None:
        exceptions = exceptions or checkout() / "exceptions"
    placeholders = find_placeholders(settings)
    found = load_rules(where, placeholders)
    documents, unreadable = read_exceptions(exceptions)
    applied = apply_exceptions(found.rules, [*documents, *found.filters], placeholders, datetime.now(UTC).date())
    ran = list(_run_cases(where, cases))
    dead = faults_of_rules(where, applied.rules)
    if folder:
        say_what_never_matches(dead)
    empty = [] if found.rules or found.errors else [f"{where}: holds no rule"]
    faults = [
        *found.errors,
        *empty,
        *(f"{path}: log source is not aws/cloudtrail" for path in found.skipped),
        *unreadable,
        *applied.errors,
        *applied.expired,
        *(() if folder else dead),
        *(fault for case in ran for fault in case),
    ]
    for fault in faults:
        click.echo(fault, err=True)
    click.echo(f"{len(found.rules)} rules compiled, {len(ran)} cases run, {len(faults)} faults")
    sys.exit(1 if faults else 0)


def _root_and_cases(where: Path, cases: Path | None) -> tuple[Path, Path]:
    """The folder that rule paths are relative to, and the folder that mirrors it with cases (`cases` if given)."""
    root = where if where.is_dir() else where.parent
    if cases:
        return root, cases
    if where.resolve().is_relative_to(default_rules()):
        return default_rules(), default_cases()
    beside = (root / "cases", root.parent / "tests" / "rules", root.parent / "cases")
    return root, next((folder for folder in beside if folder.is_dir()), beside[-1])


def _run_cases(where: Path, cases: Path | None) -> Iterator[list[str]]:
    """The faults of each case of each file of rules that compiles with the settings cases are written for.

    A file without both kinds of cases is a fault. A case matches if any rule of its file does.
    """
    root, cases = _root_and_cases(where, cases)
    for path in rule_files(where):
        compiled = load_rules(path, CASE_SETTINGS).rules
        if not compiled:
            continue
        try:
            loaded = load_cases(case_file(path.resolve(), root.resolve(), cases))
        except RuleError as error:
            yield [str(error)]
            continue
        if {case.match for case in loaded} != {True, False}:
            yield [f"{loaded[0].path}: needs a case that matches and one that does not"]
        for case in loaded:
            results = [list(run_case(rule, case)) for rule in compiled]
            held = any(not faults for faults in results) if case.match else not any(results)
            yield [] if held else [fault for faults in results for fault in faults]


@rules.command("match")
@click.option("--rules", "rules_path", required=True, type=_ANY, help="Sigma rules: a file or a folder.")
@click.option("--events", required=True, type=_FILE, help="Events, one JSON object per line.")
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True)
@strict_option
@setting_option
def match_rules(rules_path: Path, events: Path, form: str, strict: bool, settings: tuple[str, ...]) -> None:
    """Match any Sigma rules against any JSON events; log sources are ignored. One line for each match.

    `index` is the line of the event, from 0. Documents that cannot run are named on stderr, the others go on, and the
    exit status is 2; with --strict nothing is matched then.

    \b
    Example:
      trailbell rules match --rules ./rule.yml --events ./events.jsonl --format jsonl
    """
    placeholders = find_placeholders(settings)
    found = apply_filters(load_rules(rules_path, placeholders, any_source=True), placeholders)
    if strict and found.errors:
        raise RuleError("\n".join(found.errors))
    if not (found.rules or found.refused):
        raise RuleError(f"{rules_path}: holds no rule")
    matcher = Matcher(with_unique_names(found, rules_path).rules, GATE_FIELDS)
    matches = (
        (index, match.rule)
        for index, event in _events(events)
        for match in matching(matcher.candidates(event), event, event.get("facts") or {}, "")
    )
    if form == "jsonl":
        for index, rule in matches:
            line = {"ruleId": rule.rule_id, "title": rule.title, "index": index, "name": rule.name}
            click.echo(json.dumps(line, ensure_ascii=True))
    else:
        columns = ["index", "ruleId", "name", "title"]
        print_table(columns, ([str(index), rule.rule_id, rule.name, one_line(rule.title)] for index, rule in matches))
    for one in found.refused:
        click.echo(sentence(one), err=True)
    if found.left_out:
        click.echo(counts(replace(found, filters=())), err=True)
    if found.refused:
        sys.exit(2)


def _events(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Raises LogFileError for a line that is no JSON object."""
    with path.open("rb") as stream:
        for index, line in enumerate(stream):
            if line.strip():
                try:
                    event = json.loads(line.decode("utf-8-sig"))
                except (ValueError, RecursionError) as error:
                    raise LogFileError(f"{path}: line {index + 1} is not JSON: {error}") from None
                if not isinstance(event, dict):
                    raise LogFileError(f"{path}: line {index + 1} is no JSON object")
                yield index, event


def _calls(rule: Rule) -> str:
    names = rule.gate.get("eventName", ())
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
