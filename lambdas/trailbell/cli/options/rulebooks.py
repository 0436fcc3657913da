"""The rulebook a command works with: rules, exceptions and settings from the checkout, or from its options."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import click

from trailbell.cli.options.rulebook_cache import Compiled, find, keep, key_of
from trailbell.cli.paths import checkout, compiled_rulebook, default_exceptions, default_rules
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.errors import SettingsError
from trailbell.rulebook.placeholders import NAMES, Placeholders, coverage_folder, read_placeholders, with_our_own
from trailbell.rulebook.product import is_installed


def setting_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option --setting, which overrides cdk.json."""
    text = f"A setting that rules refer to, overriding cdk.json (repeatable): {', '.join(NAMES)}. Lists with commas."
    return click.option("--setting", "settings", multiple=True, metavar="NAME=VALUE", help=text)(command)


def find_placeholders(settings: tuple[str, ...]) -> Placeholders:
    """Placeholders from cdk.json, overridden by NAME=VALUE, with what the stack adds. Raises SettingsError."""
    context = _context()
    given = {name: value for name, value in context.items() if name in NAMES}
    overridden: set[str] = set()
    for setting in settings:
        name, equals, value = setting.partition("=")
        if name not in NAMES or not equals:
            raise SettingsError(f"--setting {setting}: give NAME=VALUE, NAME one of {', '.join(NAMES)}")
        repeated = name in overridden
        given[name] = f"{given[name]},{value}" if repeated else value
        overridden.add(name)
    return with_our_own(read_placeholders(given), context)


class RulesInUse(NamedTuple):
    """A rulebook, and one line that counts other people's rules in it and those left out ("" for the product's)."""

    rulebook: Rulebook
    counts: str = ""


def strict_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option --strict, which holds other people's rules to what `cdk deploy` demands."""
    text = "Run nothing if --rules holds anything that cannot run, as `cdk deploy` does."
    return click.option("--strict", is_flag=True, help=text)(command)


def find_rulebook(rules: Path | None, settings: tuple[str, ...]) -> Rulebook:
    """As find_rules; the counts go to stderr."""
    found = find_rules(rules, settings)
    if found.counts:
        click.echo(found.counts, err=True)
    return found.rulebook


def find_rules(rules: Path | None, settings: tuple[str, ...], *, strict: bool = False) -> RulesInUse:
    """The rulebook of a folder of rules (default: the product's, with its exceptions).

    An installed wheel has the product's compiled with the default settings, for which pySigma is not needed.
    Other people's rules are judged each alone: what cannot run is named on stderr. Raises RuleError if none can, for
    a fault in the product's, and with `strict` for any fault.
    """
    carried = compiled_rulebook() if rules is None and not settings else None
    if carried:
        return RulesInUse(carried)
    compiled = _compiled(rules, find_placeholders(settings), strict=strict)
    for message in compiled.messages:
        click.echo(message, err=True)
    return RulesInUse(compiled.rulebook, compiled.counts)


def _compiled(rules: Path | None, placeholders: Placeholders, *, strict: bool) -> Compiled:
    """The rulebook of a folder of rules, from the cache where it was compiled before."""
    today = datetime.now(UTC).date()  # exceptions expire
    if rules is None:
        context = _context()
        folders, asked = [default_rules(), default_exceptions()], context.get("alert_on", [])
        names = context.get("account_names", {})
    else:
        folders = [rules, coverage_folder(rules) or rules]  # a part of rules is judged as in the whole
        asked, names = [], {}
    key = key_of(folders, str(rules), strict, sorted(placeholders.items()), asked, names, today)
    kept = find(key)
    if kept:
        return kept
    from trailbell.cli.options import compiling  # here, as it needs pySigma

    if rules is None:
        made = compiling.own_rulebook(placeholders, asked, names, today)
    else:
        made = compiling.strict_rulebook(rules, placeholders) if strict else compiling.others_rules(rules, placeholders)
    keep(key, made)
    return made


def rules_of(folder: Path | None, settings: tuple[str, ...]) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """The rules of a folder (default: the product's) without exceptions, and a message for each that has a fault.

    A correlation is there by the rule that reports it.
    """
    carried = compiled_rulebook() if folder is None and not settings else None
    if carried:
        reported = (one.rule for one in carried.correlations)
        return (*(rule for rule in carried.rules if not rule.undoes), *reported), ()
    from trailbell.rulebook.load import load_rules  # here, as this needs pySigma

    found = load_rules(folder or default_rules(), find_placeholders(settings))
    return (*found.rules, *(one.rule for one in found.correlations)), found.errors


def _context() -> dict[str, Any]:
    """The deployer's settings as cdk.json has them; none where there is no cdk.json, and none in an installed wheel."""
    if is_installed():
        return {}
    file = checkout() / "cdk.json"
    return dict(json.loads(file.read_text(encoding="utf-8")).get("context", {})) if file.is_file() else {}
