"""`trailbell doctor`: would you be notified? Findings about a deployed stack and the trail it reads, printed."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime

import click
from rich.text import Text

from trailbell.cli.doctor.stack_checks import check_stack
from trailbell.cli.options.connection import Connection, stack_options
from trailbell.cli.terminal.display import print_table
from trailbell.ops.checks.finding import OK, PROBLEM, UNKNOWN, WARNING, Finding


_STYLES = {OK: "green", WARNING: "yellow", PROBLEM: "bold red", UNKNOWN: "dim"}


@click.command()
@stack_options("The stack to check.", "Check what `trailbell local --keep` left running.")
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True)
def doctor(connection: Connection, form: str) -> None:
    """Check a deployed stack and its trail: would you be notified? Nothing is changed.

    Each line is ok, a warning, a problem, or unknown (not permitted to check), and says how to fix it. The
    exit status is 1 when there is a problem. Run it in the stack's Region; it needs read permissions only.

    \b
    Example:
      trailbell doctor
      trailbell doctor --format jsonl | jq 'select(.state == "problem")'
    """
    findings = check_stack(connection.client, connection.stack, datetime.now(UTC))
    if form == "jsonl":
        for finding in findings:
            click.echo(json.dumps(asdict(finding), ensure_ascii=True))
    else:
        print_table(["state", "check", "what it means", "how to fix it"], map(_cells, findings))
    sys.exit(int(any(finding.state == PROBLEM for finding in findings)))


def _cells(finding: Finding) -> list[str | Text]:
    return [Text(finding.state, style=_STYLES[finding.state]), finding.check, finding.meaning, finding.fix]
