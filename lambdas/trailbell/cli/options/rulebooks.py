"""The rulebook a command works with: rules, exceptions and settings from the checkout, or from its options."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from trailbell.cli.paths import checkout, compiled_rulebook, default_exceptions, default_rules
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.errors import RuleError, SettingsError
from trailbell.rulebook.placeholders import NAMES, Placeholders, read_placeholders, with_our_own
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


@dataclass(frozen=True, slots=True)
class RulesInUse:
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
    placeholders = find_placeholders(settings)
    if rules is None:
        return RulesInUse(_own_rulebook(placeholders))
    from trailbell.rulebook.build import make_rulebook  # here, as these need pySigma
    from trailbell.rulebook.foreign import counts, left_out, never_matching, sentence, told_apart
    from trailbell.rulebook.load import compile_rule_set, load_rules
    from trailbell.rulebook.never_matches import faults_of_rules

    if strict:
        compiled = compile_rule_set(rules, placeholders)
        faults = faults_of_rules(rules, compiled.rules)
        if faults:
            raise RuleError("\n".join(faults))
        return RulesInUse(make_rulebook(compiled.rules, placeholders, compiled.correlations))
    found = told_apart(load_rules(rules, placeholders), rules)
    for one in left_out(found):
        click.echo(sentence(one), err=True)
    if not found.rules:
        raise RuleError(f"{rules}: holds no rule for CloudTrail that can run; {counts(found)}")
    say_what_never_matches(never_matching(found))
    return RulesInUse(make_rulebook(found.rules, placeholders, found.correlations), counts(found))


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


def _own_rulebook(placeholders: Placeholders) -> Rulebook:
    from trailbell.rulebook.alert_on import alert_on_rules  # here, as these need pySigma
    from trailbell.rulebook.build import make_rulebook
    from trailbell.rulebook.exceptions import apply_exceptions, read_exceptions
    from trailbell.rulebook.load import load_rules

    asked = alert_on_rules(_alert_on())
    found = load_rules(default_rules(), placeholders, own=True, others=asked)
    documents, unreadable = read_exceptions(default_exceptions())
    compiled = (*found.rules, *asked)
    applied = apply_exceptions(compiled, documents, placeholders, datetime.now(UTC).date(), found.correlations)
    errors = (*found.errors, *unreadable, *applied.errors)
    if errors:
        raise RuleError("\n".join(errors))
    if found.filters:
        click.echo(f"{len(found.filters)} filters left out: they are exceptions, not rules", err=True)
    if found.skipped:
        click.echo(f"{len(found.skipped)} rules left out: their log source is not aws/cloudtrail", err=True)
    for message in applied.expired:
        click.echo(message, err=True)
    return make_rulebook(applied.rules, placeholders, found.correlations, _account_names())


def say_what_never_matches(faults: tuple[str, ...]) -> None:
    """Warn of other people's rules that compile and stay silent for ever: each by name, and how many there are."""
    for fault in faults:
        click.echo(f"warning: {fault}", err=True)
    if faults:
        click.echo(f"{len(faults)} warnings of what can never match", err=True)


def _alert_on() -> tuple[str, ...]:
    from trailbell.rulebook.alert_on import read_alert_on

    try:
        return read_alert_on(_context().get("alert_on", []))
    except ValueError as fault:
        raise SettingsError(f"setting alert_on in cdk.json; allowed: {fault}") from None


def _account_names() -> dict[str, str]:
    from trailbell.rulebook.account_settings import read_account_names

    try:
        return read_account_names(_context().get("account_names", {}))
    except ValueError as fault:
        raise SettingsError(f"setting account_names in cdk.json; allowed: {fault}") from None


def _context() -> dict[str, Any]:
    """The deployer's settings as cdk.json has them; none where there is no cdk.json, and none in an installed wheel."""
    if is_installed():
        return {}
    file = checkout() / "cdk.json"
    return dict(json.loads(file.read_text(encoding="utf-8")).get("context", {})) if file.is_file() else {}
