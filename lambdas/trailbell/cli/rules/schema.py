"""`trailbell rules schema`: what may stand in a rule, a correlation, their cases or an exception, for editors."""

import click

from trailbell.cli.rules.new import schema_text
from trailbell.rulebook.members import SCHEMAS


@click.command("schema")
@click.argument("name", metavar="[KIND]", type=click.Choice([*SCHEMAS]), default="rule")
def show_schema(name: str) -> None:
    """Print a JSON Schema for editors.

    KIND is rule (the default), cases, exception, correlation or correlation-cases.

    An editor with a YAML language server completes and checks a file that begins with the line
    `# yaml-language-server: $schema=rule-1.json`.

    \b
    Example:
      trailbell rules schema cases
    """
    click.echo(schema_text(name), nl=False)
