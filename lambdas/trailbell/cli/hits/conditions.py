"""What `trailbell hits` is asked for: the options that say which hits, as one question to the table."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import click

from trailbell.cli.options.account import AccountId
from trailbell.cli.options.levels import LevelsType
from trailbell.cli.options.option_group import option_group
from trailbell.cli.options.rule_names import RuleType, ServiceType, rule_ids
from trailbell.cli.options.times import Zone, parse_moment, since_option, until_option, zone_option
from trailbell.errors import SettingsError
from trailbell.facts.outcome import Outcome
from trailbell.hits.hit_state import STATES, UNRESOLVED
from trailbell.hits.query import HitQuery


_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Which hits are asked for, as the options give it; all of it must hold."""

    text: tuple[str, ...]
    since: str
    until: str
    zone: Zone
    rules: tuple[str, ...]
    actor: str
    resource: str
    account: str
    region: str
    service: str
    levels: tuple[str, ...] | None
    outcome: str
    muted: bool | None
    unresolved: bool
    state: str

    def query(self, now: datetime) -> HitQuery:
        """The question to the table. Raises SettingsError for a time or a rule that is none."""
        until = parse_moment(self.until, now, self.zone, "--until", end=True) if self.until else now + _CLOCK_SKEW
        query = HitQuery(
            since=parse_moment(self.since, now, self.zone, "--since"),
            until=until,
            rules=rule_ids(self.rules),
            actor=self.actor,
            resource=self.resource,
            account=self.account,
            region=self.region,
            service=self.service.lower(),
            levels=self.levels or (),
            outcome=self.outcome,
            muted=self.muted,
            text=" ".join(self.text),
            states=(self.state,) if self.state else UNRESOLVED if self.unresolved else (),
        )
        if query.until < query.since:
            raise SettingsError(f"--until {self.until} is before --since {self.since}")
        return query


condition_options = option_group(
    "conditions",
    Conditions,
    click.argument("text", nargs=-1),
    since_option("Acts", "24h"),
    until_option("Acts"),
    zone_option("Of times shown and given"),
    click.option(
        "--rule", "rules", multiple=True, type=RuleType(), help="A rule's name, pattern (kms-*) or id; repeatable."
    ),
    click.option(
        "--actor",
        metavar="ACTOR",
        default="",
        help="An actor's key (role ARN), or part of what the actor column shows.",
    ),
    click.option(
        "--resource",
        metavar="RESOURCE",
        default="",
        help="An ARN, or part of one: a key's id, alias/app, a parameter's name.",
    ),
    click.option("--account", default="", type=AccountId(), help="The account of the act."),
    click.option(
        "--region", metavar="REGION", default="", help="The region of the act (AWS_REGION says where the table is)."
    ),
    click.option("--service", default="", type=ServiceType(), help="kms, cloudhsm, ssm, iotfleethub, cloudtrail ..."),
    click.option(
        "--level", "levels", default=None, type=LevelsType(), help="high; high+ for that and above; low,medium."
    ),
    click.option(
        "--outcome",
        default="",
        type=click.Choice(["", *map(str, Outcome)]),
        metavar="success|denied|dryrun|failed",
        help="What became of the call.",
    ),
    click.option(
        "--muted/--not-muted",
        default=None,
        help="Only what an exception kept from being notified, or only the rest.",
    ),
    click.option("--open", "unresolved", is_flag=True, help="Only what is neither resolved nor undone; no muted hits."),
    click.option(
        "--state",
        default="",
        type=click.Choice(["", *STATES]),
        metavar="|".join(STATES),
        help="Only hits in this state.",
    ),
)
"""Gives the command one argument, `conditions`."""
