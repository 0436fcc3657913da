"""`trailalert rules`: list the rules, and check that rules and their cases are right."""

import sys
from pathlib import Path

import click

from trailalert.cli.display import level_text, print_table
from trailalert.cli.paths import default_cases, default_rules
from trailalert.errors import RuleError
from trailalert.rulebook.cases import case_file, load_cases, run_case
from trailalert.rulebook.load import load_rules
from trailalert.rulebook.source import rule_files


@click.group()
def rules() -> None:
    """List and check rules.

    \b
    Example:
      trailalert rules check
    """


@rules.command("list")
@click.argument("folder", required=False, type=click.Path(exists=True, path_type=Path))
def list_rules(folder: Path | None) -> None:
    """List the rules of a folder (default: those that ship with trailalert), most severe first.

    \b
    Example:
      trailalert rules list
    """
    found = load_rules(folder or default_rules())
    ordered = sorted(found.rules, key=lambda rule: (-rule.level, rule.name))
    print_table(
        ["level", "name", "title", "calls"],
        ([level_text(rule.level.word), rule.name, rule.title, _calls(rule.gate)] for rule in ordered),
    )
    if found.errors:
        raise RuleError("\n".join(found.errors))


@rules.command("check")
@click.argument("folder", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--cases", type=click.Path(path_type=Path), help="Folder of the cases (default for shipped rules: tests/rules)."
)
def check_rules(folder: Path | None, cases: Path | None) -> None:
    """Compile every rule of a folder and run its cases; one line for each fault, exit status 1 if there are any.

    \b
    Example:
      trailalert rules check ./my-rules --cases ./my-cases
    """
    where = folder or default_rules()
    cases = cases or (default_cases() if folder is None else None)
    found = load_rules(where)
    faults = list(found.errors) + [f"{path}: log source is not aws/cloudtrail" for path in found.skipped]
    ran = 0
    if cases:
        by_stem = {rule.stem: rule for rule in found.rules}
        for path in rule_files(where):
            try:
                for case in load_cases(case_file(path, where, cases)):
                    ran += 1
                    faults += run_case(by_stem[path.stem], case) if path.stem in by_stem else []
            except RuleError as error:
                faults.append(str(error))
    for fault in faults:
        click.echo(fault, err=True)
    click.echo(f"{len(found.rules)} rules compiled, {ran} cases run, {len(faults)} faults")
    sys.exit(1 if faults else 0)


def _calls(gate: object) -> str:
    names = dict(gate).get("eventName", ()) if isinstance(gate, dict) else ()
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
