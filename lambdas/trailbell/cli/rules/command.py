"""`trailbell rules`: list, check, write and try rules. Each command has a file of its own."""

from pathlib import Path

import click

from trailbell.cli.options.rulebooks import find_placeholders, setting_option
from trailbell.cli.paths import default_rules
from trailbell.cli.rules.check import check_rules
from trailbell.cli.rules.mail import show_mail
from trailbell.cli.rules.match import match_rules
from trailbell.cli.rules.new import new_rule
from trailbell.cli.rules.schema import show_schema
from trailbell.cli.terminal.display import level_text, print_table
from trailbell.engine.rulebook import Rule
from trailbell.errors import RuleError
from trailbell.rulebook.load import load_rules
from trailbell.text.safe_text import one_line


@click.group()
def rules() -> None:
    """List, check, write and try rules.

    \b
    Example:
      trailbell rules check
    """


@rules.command("list")
@click.argument("folder", required=False, type=click.Path(exists=True, path_type=Path))
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


def _calls(rule: Rule) -> str:
    names = rule.gate.get("eventName", ())
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")


for command in (check_rules, match_rules, new_rule, show_mail, show_schema):
    rules.add_command(command)
