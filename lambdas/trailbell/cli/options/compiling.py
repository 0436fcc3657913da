"""Rules compiled for a command, with pySigma: the checkout's own, or other people's."""

from datetime import date
from pathlib import Path
from typing import Any

from trailbell.cli.options.rulebook_cache import Compiled
from trailbell.cli.paths import default_exceptions, default_rules
from trailbell.errors import RuleError, SettingsError
from trailbell.rulebook.account_settings import read_account_names
from trailbell.rulebook.alert_on import alert_on_rules, read_alert_on
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.exceptions import apply_exceptions, read_exceptions
from trailbell.rulebook.foreign import counts, left_out, never_matching, sentence, told_apart
from trailbell.rulebook.load import compile_rule_set, load_rules
from trailbell.rulebook.never_matches import faults_of_rules
from trailbell.rulebook.placeholders import Placeholders


def own_rulebook(placeholders: Placeholders, alert_on: Any, account_names: Any, today: date) -> Compiled:
    """The checkout's rules with its exceptions. Raises RuleError with every fault, SettingsError for the settings."""
    asked = alert_on_rules(_entries(alert_on))
    found = load_rules(default_rules(), placeholders, own=True, others=asked)
    documents, unreadable = read_exceptions(default_exceptions())
    compiled = (*found.rules, *asked)
    applied = apply_exceptions(compiled, documents, placeholders, today, found.correlations)
    errors = (*found.errors, *unreadable, *applied.errors)
    if errors:
        raise RuleError("\n".join(errors))
    messages = []
    if found.filters:
        messages.append(f"{len(found.filters)} filters left out: they are exceptions, not rules")
    if found.skipped:
        messages.append(f"{len(found.skipped)} rules left out: their log source is not aws/cloudtrail")
    rulebook = make_rulebook(applied.rules, placeholders, found.correlations, _names(account_names))
    return Compiled(rulebook, (*messages, *applied.expired))


def strict_rulebook(rules: Path, placeholders: Placeholders) -> Compiled:
    """Rules that must be without fault. Raises RuleError with every fault."""
    compiled = compile_rule_set(rules, placeholders)
    faults = faults_of_rules(rules, compiled.rules)
    if faults:
        raise RuleError("\n".join(faults))
    return Compiled(make_rulebook(compiled.rules, placeholders, compiled.correlations))


def others_rules(rules: Path, placeholders: Placeholders) -> Compiled:
    """Other people's rules, each judged alone. Raises RuleError if none can run, naming those that cannot."""
    found = told_apart(load_rules(rules, placeholders), rules)
    messages = [sentence(one) for one in left_out(found)]
    if not found.rules:
        raise RuleError("\n".join([*messages, f"{rules}: holds no rule for CloudTrail that can run; {counts(found)}"]))
    rulebook = make_rulebook(found.rules, placeholders, found.correlations)
    return Compiled(rulebook, (*messages, *_warnings(never_matching(found))), counts(found))


def _warnings(faults: tuple[str, ...]) -> tuple[str, ...]:
    """Other people's rules that compile and stay silent for ever: each by name, and how many there are."""
    counted = (f"{len(faults)} warnings of what can never match",) if faults else ()
    return (*(f"warning: {fault}" for fault in faults), *counted)


def _entries(alert_on: Any) -> tuple[str, ...]:
    try:
        return read_alert_on(alert_on)
    except ValueError as fault:
        raise SettingsError(f"setting alert_on in cdk.json; allowed: {fault}") from None


def _names(account_names: Any) -> dict[str, str]:
    try:
        return read_account_names(account_names)
    except ValueError as fault:
        raise SettingsError(f"setting account_names in cdk.json; allowed: {fault}") from None
