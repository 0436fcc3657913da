"""`trailbell doctor`: would you be notified? Findings about a deployed stack and the trail it reads, printed."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import click

from trailbell.cli.doctor.fire import fire
from trailbell.cli.doctor.stack_checks import check_stack
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, stack_options
from trailbell.cli.options.form import form_option
from trailbell.cli.terminal.display import print_table
from trailbell.cli.terminal.table import Cell
from trailbell.ops.canary import FiredCanary
from trailbell.ops.checks.finding import OK, PROBLEM, UNKNOWN, WARNING, Finding
from trailbell.ops.deployed_stack import DeployedStack


_STYLES = {OK: "green", WARNING: "yellow", PROBLEM: "bold red", UNKNOWN: "dim"}


@click.command()
@stack_options("The stack to check.", "Check what `trailbell local --keep` left running.")
@form_option(("table", "json", "jsonl"))
@click.option("--drift", is_flag=True, help="Also start CloudFormation's drift detection and wait for it (minutes).")
@click.option("--strict", is_flag=True, help="Exit with 1 also when something could not be checked.")
@click.option("--fire", "fires", is_flag=True, help="Only send a canary through the whole chain, and wait for it.")
def doctor(connection: Connection, form: str, *, drift: bool, strict: bool, fires: bool) -> None:
    """Check whether a deployed stack would notify you.

    The stack and its trail are looked at, and nothing is changed.

    Every resource of the stack is compared with the template it was deployed from. Each line is ok, a warning, a
    problem, or unknown (not permitted to check), and says how to fix it. The exit status is 1 when there is a
    problem; with --strict also when something is unknown. Run it in the stack's Region; it needs read permissions
    only (docs/security.md lists them).

    \b
    Example:
      trailbell doctor
      trailbell doctor --format jsonl | jq 'select(.state == "problem")'
      trailbell doctor --fire
    """
    if fires:
        with explained_errors():
            sent = FiredCanary(connection.client, DeployedStack(connection.client, connection.stack))
            sys.exit(int(not fire(sent)))
    now = datetime.now(UTC)
    findings = check_stack(connection.client, connection.stack, now, drift=drift, embedded=connection.local)
    _PRINTED[form](findings, connection.stack, now)
    failing = {PROBLEM, UNKNOWN} if strict else {PROBLEM}
    sys.exit(int(any(finding.state in failing for finding in findings)))


def _print_document(findings: Sequence[Finding], stack: str, now: datetime) -> None:
    counts = {state: sum(finding.state == state for finding in findings) for state in _STYLES}
    document = {"stack": stack, "checkedAt": now.isoformat(timespec="seconds"), "counts": counts}
    listed = [asdict(finding) for finding in findings]
    click.echo(json.dumps({**document, "findings": listed}, ensure_ascii=True, indent=2))


def _print_lines(findings: Sequence[Finding], stack: str, now: datetime) -> None:
    for finding in findings:
        click.echo(json.dumps(asdict(finding), ensure_ascii=True))


def _print_table(findings: Sequence[Finding], stack: str, now: datetime) -> None:
    print_table(["state", "check", "what it means", "how to fix it"], map(_cells, findings))


def _cells(finding: Finding) -> list[str | Cell]:
    return [Cell(finding.state, _STYLES[finding.state]), finding.check, finding.meaning, finding.fix]


_PRINTED = {"table": _print_table, "json": _print_document, "jsonl": _print_lines}
