"""Which hits of a scan somebody asks for: --level, --rule, --actor, as `trailbell hits` has them."""

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import click

from trailbell.cli.options.levels import LevelsType
from trailbell.cli.options.option_group import option_group
from trailbell.cli.options.rule_names import RuleType, ids_among, rule_ids
from trailbell.engine.rulebook import Rulebook
from trailbell.hits.hit import Hit


if TYPE_CHECKING:
    from trailbell.hits.query import HitQuery


class Wanted(NamedTuple):
    """Which hits are wanted; "" and empty tuples ask for any. rules: ids."""

    levels: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    actor: str = ""

    def holds(self, hit: Hit) -> bool:
        """Whether a hit is wanted, as hits/query.py decides it for those in the table."""
        return (
            (not self.levels or hit.level in self.levels)
            and (not self.rules or not {hit.rule_id, *hit.also_ids}.isdisjoint(self.rules))
            and (not self.actor or self._is_by_actor(hit))
        )

    def _is_by_actor(self, hit: Hit) -> bool:
        from trailbell.hits.query import is_part  # here, as most scans do not ask

        return is_part(self.actor, hit.actor.key, hit.actor.role, hit.actor.text)


class Filters(NamedTuple):
    """The same as the options give it. levels: None if not given."""

    levels: tuple[str, ...] | None
    rule_names: tuple[str, ...]
    actor: str

    def wanted(self, rulebook: Rulebook) -> Wanted:
        """With the ids of the rules that are named. Raises SettingsError for a name that no rule has."""
        reported = (one.rule for one in rulebook.correlations)
        return Wanted(self.levels or (), ids_among(self.rule_names, (*rulebook.rules, *reported)), self.actor)

    def query(self, since: datetime, until: datetime) -> "HitQuery":
        """The question to the table, both ends in it. Raises SettingsError for a name that no rule has."""
        from trailbell.hits.query import HitQuery  # here, as most scans do not ask

        return HitQuery(
            since=since, until=until, rules=rule_ids(self.rule_names), actor=self.actor, levels=self.levels or ()
        )

    @property
    def said(self) -> str:
        """As on the command line, "" if none is given."""
        parts = [f"--level {','.join(self.levels)}"] if self.levels else []
        parts += [f"--rule {name}" for name in self.rule_names]
        return " ".join([*parts, f"--actor {self.actor}"] if self.actor else parts)


filter_options = option_group(
    "filters",
    Filters,
    click.option(
        "--level", "levels", default=None, type=LevelsType(), help="high; high+ for that and above; low,medium."
    ),
    click.option(
        "--rule", "rule_names", multiple=True, type=RuleType(), help="A rule's name, pattern (kms-*) or id; repeatable."
    ),
    click.option(
        "--actor",
        metavar="ACTOR",
        default="",
        help="An actor's key (role ARN), or part of what the actor column shows.",
    ),
)
"""Gives the command one argument, `filters`."""
