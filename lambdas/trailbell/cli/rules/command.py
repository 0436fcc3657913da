"""`trailbell rules`: list, check, write and try rules. Each command has a file of its own."""

from pathlib import Path

import click

from trailbell.cli.options.lazy_commands import LazyCommands
from trailbell.cli.options.rulebooks import rules_of, setting_option
from trailbell.cli.terminal.display import level_text, print_table
from trailbell.engine.rulebook import Rule
from trailbell.errors import RuleError
from trailbell.text.safe_text import one_line


_COMMANDS = LazyCommands(
    {
        "check": "trailbell.cli.rules.check:check_rules",
        "match": "trailbell.cli.rules.match:match_rules",
        "new": "trailbell.cli.rules.new:new_rule",
        "mail": "trailbell.cli.rules.mail:show_mail",
        "tune": "trailbell.cli.rules.tune:tune_rules",
        "scorecard": "trailbell.cli.rules.scorecard:show_scorecard",
        "schema": "trailbell.cli.rules.schema:show_schema",
    }
)


@click.group(commands=_COMMANDS)
def rules() -> None:
    """List, check, write, try and tune rules.

    \b
    Example:
      trailbell rules check
    """


@rules.command("list")
@click.argument("folder", required=False, type=click.Path(exists=True, path_type=Path))
@setting_option
def list_rules(folder: Path | None, settings: tuple[str, ...]) -> None:
    """List rules, most severe first.

    Those of FOLDER (default: those that ship with trailbell).

    \b
    Example:
      trailbell rules list
    """
    found, errors = rules_of(folder, settings)
    ordered = sorted(found, key=lambda rule: (-rule.level, rule.name))
    print_table(
        ["level", "name", "title", "calls"],
        (
            [level_text(rule.level.word), one_line(rule.name), one_line(rule.title), one_line(_calls(rule))]
            for rule in ordered
        ),
    )
    if errors:
        raise RuleError("\n".join(errors))


def _calls(rule: Rule) -> str:
    names = rule.gate.get("eventName", ())
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
