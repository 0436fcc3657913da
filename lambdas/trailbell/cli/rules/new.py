"""`trailbell rules new`: a rule and its cases to fill in."""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import click

from trailbell.cli.paths import default_cases, default_rules
from trailbell.errors import RuleError, SettingsError
from trailbell.rulebook.members import SCHEMAS
from trailbell.rulebook.scaffold import (
    NewRule,
    call_to_begin_with,
    cases_text,
    check_call,
    name_of_rule,
    rule_text,
    source_of,
)
from trailbell.rulebook.source import LOCAL, rule_files


_SCHEMAS_ELSEWHERE = ".schema"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a new rule goes: its folder, that of its cases, and that of the schemas."""

    rules: Path
    cases: Path
    schemas: Path


@click.command("new")
@click.argument("name")
@click.option(
    "--service", metavar="SERVICE", required=True, help="A folder of rules/, such as kms; elsewhere any service of AWS."
)
@click.option(
    "--event", "call", metavar="CALL", help="The call, such as DisableKey (for a service of rules/: one to replace)."
)
@click.option("--local", "is_local", is_flag=True, help="One of your own: into rules/local/, which git ignores.")
@click.option(
    "--into", type=click.Path(file_okay=False, path_type=Path), help="Another folder; cases go to INTO/cases."
)
def new_rule(name: str, service: str, call: str | None, is_local: bool, into: Path | None) -> None:
    """Write a new rule and its cases.

    They compile and hold; fill in what says FILL IN, which `rules check` refuses.

    \b
    Example:
      trailbell rules new kms-key-renamed --service kms --into ./new-rules
    """
    source = source_of(service)
    place = _place(service, is_local, into)
    if call:
        check_call(source, call)
    elif not (call := call_to_begin_with(source, default_rules() / "coverage.csv")):
        raise SettingsError(f"--event: say which call of {source} the rule is about, such as --event CreateThing")
    rule = NewRule(name_of_rule(name), source, call)
    _refuse_taken(rule, place)
    _write(rule, place, call_given=bool(click.get_current_context().params["call"]))
    click.echo("Now fill in what says FILL IN, and: trailbell rules check")


def _place(service: str, is_local: bool, into: Path | None) -> _Place:
    if is_local and into:
        raise SettingsError("--local and --into: give one of them")
    if into:
        return _Place(into, into / "cases", into / _SCHEMAS_ELSEWHERE)
    rules = default_rules()
    schemas = rules.parent / "docs" / "schema"
    if is_local:
        return _Place(rules / LOCAL, rules / LOCAL / "cases", schemas)
    folders = sorted({path.parent.name for path in rule_files(rules)} - {LOCAL})
    if service not in folders:
        raise SettingsError(f"--service {service}: rules/ has {', '.join(folders)}; for others: --local or --into")
    return _Place(rules / service, default_cases() / service, schemas)


def _refuse_taken(rule: NewRule, place: _Place) -> None:
    """A name stands for one rule."""
    folders = {place.rules, default_rules()}
    taken = [path for folder in folders if folder.is_dir() for path in rule_files(folder) if path.stem == rule.stem]
    taken += [path for path in (place.cases / f"{rule.stem}.yml",) if path.exists()]
    if taken:
        raise RuleError(f"{taken[0]} is there already: choose another name than {rule.name}")


def _write(rule: NewRule, place: _Place, *, call_given: bool) -> None:
    for folder in (place.rules, place.cases, place.schemas):
        folder.mkdir(parents=True, exist_ok=True)
    if place.schemas.name == _SCHEMAS_ELSEWHERE:
        for name in ("rule", "cases"):
            schema_file(place.schemas, name).write_text(schema_text(name), encoding="utf-8")
    today = datetime.now(UTC).date()
    to_rule_schema = os.path.relpath(schema_file(place.schemas, "rule"), place.rules)
    to_cases_schema = os.path.relpath(schema_file(place.schemas, "cases"), place.cases)
    written = {
        place.rules / f"{rule.stem}.yml": rule_text(rule, uuid4(), today, to_rule_schema, call_given=call_given),
        place.cases / f"{rule.stem}.yml": cases_text(rule, to_cases_schema, call_given=call_given),
    }
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
        click.echo(path)


def schema_file(folder: Path, name: str) -> Path:
    """A schema's file in a folder of schemas."""
    return folder / f"{name}-1.json"


def schema_text(name: str) -> str:
    """A schema as the file holds it."""
    return json.dumps(SCHEMAS[name], indent=2) + "\n"
