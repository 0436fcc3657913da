"""The rulebook as it is deployed: rules, exceptions and the deployer's settings, all in order or not at all."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from trailbell.engine.correlation import Correlation
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.errors import RuleError
from trailbell.rulebook.alert_on import alert_on_rules
from trailbell.rulebook.canary import canary_rule
from trailbell.rulebook.exceptions import apply_exceptions, read_exceptions
from trailbell.rulebook.load import compile_rule_set
from trailbell.rulebook.never_matches import faults_of_rules
from trailbell.rulebook.placeholders import Placeholders
from trailbell.rulebook.undone_by import undo_rules


def build_rulebook(
    rules: Path,
    exceptions: Path | None,
    placeholders: Placeholders,
    today: date,
    alert_on: Iterable[str] = (),
    account_names: Mapping[str, str] | None = None,
) -> tuple[Rulebook, tuple[str, ...]]:
    """Compile rules and exceptions; the rulebook, and one message for each exception that has expired.

    exceptions: their folder; None for none.
    alert_on: entries of that setting, which become rules of their own.
    account_names: that setting.
    Raises RuleError with every fault, one a line; what can never match is one.
    """
    documents, unreadable = read_exceptions(exceptions)
    asked = alert_on_rules(alert_on)
    found = compile_rule_set(rules, placeholders, asked)
    applied = apply_exceptions((*found.rules, *asked), documents, placeholders, today, found.correlations)
    faults = (*unreadable, *applied.errors, *faults_of_rules(rules, applied.rules))
    if faults:
        raise RuleError("\n".join(faults))
    rules_of_ours = (canary_rule(), *undo_rules(applied.rules))
    every = (*applied.rules, *rules_of_ours)
    return make_rulebook(every, placeholders, found.correlations, account_names), applied.expired


def make_rulebook(
    rules: tuple[Rule, ...],
    placeholders: Placeholders,
    correlations: tuple[Correlation, ...] = (),
    account_names: Mapping[str, str] | None = None,
) -> Rulebook:
    """A rulebook of compiled rules and correlations over them, with the settings that facts and levels depend on."""
    return Rulebook(
        rules,
        frozenset(placeholders.get("trusted_accounts", ())),
        placeholders.get("automation_roles", ()),
        correlations,
        dict(account_names or {}),
    )
