"""`trailbell hits`: hits from the deployed (or local) table, newest first."""

from datetime import UTC, datetime, timedelta

import click

from trailbell.cli.hits.follow import follow
from trailbell.cli.hits.output import FORMS, page_text, say_more
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, connection_options
from trailbell.cli.options.levels import LevelsType
from trailbell.cli.options.rule_names import RuleType, ServiceType, rule_ids
from trailbell.cli.options.times import Zone, ZoneType, parse_moment
from trailbell.cli.terminal.pager import show
from trailbell.errors import SettingsError
from trailbell.facts.outcome import Outcome
from trailbell.hits.hit_state import STATES, UNRESOLVED
from trailbell.hits.query import HitQuery
from trailbell.store.query.hit_query import find_page


_CLOCK_SKEW = timedelta(minutes=5)


@click.command()
@click.argument("text", nargs=-1)
@click.option(
    "--since", "--from", "since", default="24h", show_default=True, help="90m, 24h, 7d, today, 2026-11-01 ..."
)
@click.option(
    "--until", "--to", "until", default="", help="The same forms; a date includes its whole day. Default: now."
)
@click.option(
    "--tz",
    "zone",
    type=ZoneType(),
    default="utc",
    envvar="TRAILBELL_TZ",
    show_default=True,
    help="Of times shown and given: utc, local, Europe/Berlin ... (or set TRAILBELL_TZ).",
)
@click.option(
    "--rule", "rules", multiple=True, type=RuleType(), help="A rule's name, pattern (kms-*) or id; repeatable."
)
@click.option("--actor", default="", help="An actor's key (role ARN), or part of what the actor column shows.")
@click.option("--resource", default="", help="An ARN, or part of one: a key's id, alias/app, a parameter's name.")
@click.option("--account", default="", help="An account id.")
@click.option("--region", default="", help="The region of the act (AWS_REGION says where the table is).")
@click.option("--service", default="", type=ServiceType(), help="kms, cloudhsm, ssm, iotfleethub, cloudtrail ...")
@click.option("--level", "levels", default=None, type=LevelsType(), help="high; high+ for that and above; low,medium.")
@click.option(
    "--outcome",
    default="",
    type=click.Choice(["", *map(str, Outcome)]),
    metavar="success|denied|dryrun|failed",
    help="What became of the call.",
)
@click.option(
    "--muted/--not-muted", default=None, help="Only what an exception kept from being told, or only the rest."
)
@click.option("--open", "unresolved", is_flag=True, help="Only what nobody resolved yet; muted hits are left out.")
@click.option(
    "--state",
    default="",
    type=click.Choice(["", *STATES]),
    metavar="open|acked|resolved",
    help="Only hits in this state.",
)
@click.option("--format", "form", type=click.Choice(FORMS), default="table", show_default=True)
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1), help="How many hits to a page.")
@click.option("--page-token", default="", help="Go on after the page that printed this token.")
@click.option("--pager/--no-pager", default=True, help="A long table on a terminal goes through $PAGER.")
@click.option("--follow", "-f", "following", is_flag=True, help="Then show new hits as they come, until Ctrl-C.")
@click.option(
    "--every", default=5.0, show_default=True, type=click.FloatRange(1), help="Seconds between looks of --follow."
)
@connection_options
def hits(
    text: tuple[str, ...],
    since: str,
    until: str,
    zone: Zone,
    rules: tuple[str, ...],
    actor: str,
    resource: str,
    account: str,
    region: str,
    service: str,
    levels: tuple[str, ...] | None,
    outcome: str,
    muted: bool | None,
    unresolved: bool,
    state: str,
    form: str,
    limit: int,
    page_token: str,
    pager: bool,
    following: bool,
    every: float,
    connection: Connection,
) -> None:
    """Show hits, newest first. Conditions are combined; credentials and region come from the AWS environment.

    TEXT: words that must all stand somewhere in the hit (address, user agent, error, names ...).

    \b
    Example:
      trailbell hits --since 7d --service kms --level high+
      trailbell hits --from 2026-11-01 --to 2026-11-05 --actor alice --open --tz local
      trailbell hits --resource alias/app --since 30d --format csv > hits.csv
      trailbell hits --level critical --follow
    """
    now = datetime.now(UTC)
    if following and (page_token or until or form == "json"):
        raise click.UsageError("--follow shows what comes next: not with --page-token, --until or --format json")
    query = HitQuery(
        since=parse_moment(since, now, zone, "--since"),
        until=parse_moment(until, now, zone, "--until", end=True) if until else now + _CLOCK_SKEW,
        rules=rule_ids(rules),
        actor=actor,
        resource=resource,
        account=account,
        region=region,
        service=service.lower(),
        levels=levels or (),
        outcome=outcome,
        muted=muted,
        text=" ".join(text),
        states=(state,) if state else UNRESOLVED if unresolved else (),
    )
    if query.until < query.since:
        raise SettingsError(f"--until {until} is before --since {since}")
    with explained_errors():
        if following:
            follow(connection, query, form, zone, limit, every)
            return
        page = find_page(connection.client("dynamodb"), connection.table(), query, limit, page_token)
    show(page_text(page, form, zone), paged=pager and form == "table")
    if form != "json":
        say_more(page)
