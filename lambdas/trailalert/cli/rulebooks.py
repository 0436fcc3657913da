"""The rulebook a command works with: rules, exceptions and settings from the checkout, or from its options."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from trailalert.cli.paths import checkout, default_rules
from trailalert.core.rulebook import Rulebook
from trailalert.errors import RuleError, SettingsError
from trailalert.rulebook.build import make_rulebook
from trailalert.rulebook.exceptions import apply_exceptions, read_exceptions
from trailalert.rulebook.load import load_rules
from trailalert.rulebook.placeholders import NAMES, Placeholders, read_placeholders


def setting_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option --setting, which overrides cdk.json."""
    text = f"A setting that rules refer to, overriding cdk.json (repeatable): {', '.join(NAMES)}. Lists with commas."
    return click.option("--setting", "settings", multiple=True, metavar="NAME=VALUE", help=text)(command)


def find_placeholders(settings: tuple[str, ...]) -> Placeholders:
    """Placeholders from cdk.json, overridden by NAME=VALUE. Raises SettingsError."""
    given = _context()
    for setting in settings:
        name, equals, value = setting.partition("=")
        if name not in NAMES or not equals:
            raise SettingsError(f"--setting {setting}: give NAME=VALUE, NAME one of {', '.join(NAMES)}")
        given[name] = value
    return read_placeholders(given)


def find_rulebook(rules: Path | None, settings: tuple[str, ...]) -> Rulebook:
    """The rulebook of a folder of rules (default: the product's, with its exceptions). Raises RuleError."""
    placeholders = find_placeholders(settings)
    found = load_rules(rules or default_rules(), placeholders)
    documents, unreadable = read_exceptions(checkout() / "exceptions" if rules is None else None)
    applied = apply_exceptions(found.rules, documents, placeholders, datetime.now(UTC).date())
    errors = (*found.errors, *unreadable, *applied.errors)
    if errors:
        raise RuleError("\n".join(errors))
    if found.filters:
        click.echo(f"{len(found.filters)} filters left out: they are exceptions, not rules", err=True)
    if found.skipped:
        click.echo(f"{len(found.skipped)} rules left out: their log source is not aws/cloudtrail", err=True)
    for message in applied.expired:
        click.echo(message, err=True)
    return make_rulebook(applied.rules, placeholders)


def _context() -> dict[str, Any]:
    file = checkout() / "cdk.json"
    if not file.is_file():
        return {}
    context = json.loads(file.read_text(encoding="utf-8")).get("context", {})
    return {name: context[name] for name in NAMES if name in context}
