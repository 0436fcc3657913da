"""`trailbell hits`: hits from the deployed (or local) table, newest first."""

from dataclasses import dataclass
from datetime import UTC, datetime

import click

from trailbell.cli.hits.conditions import Conditions, condition_options
from trailbell.cli.hits.follow import follow
from trailbell.cli.hits.output import FORMS, page_text, say_more
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, connection_options
from trailbell.cli.options.form import form_option
from trailbell.cli.options.option_group import option_group
from trailbell.cli.options.today import by_option, today_option, verdicts
from trailbell.cli.terminal.pager import show
from trailbell.store.query.hit_query import find_page
from trailbell.text.times import iso_time


@dataclass(frozen=True, slots=True)
class Display:
    """In which form hits are shown, how many, from which page on, whether new ones follow, which are judged again."""

    form: str
    limit: int
    page_token: str
    pager: bool
    following: bool
    every: float
    today: str
    by: str | None


_display_options = option_group(
    "display",
    Display,
    form_option(FORMS),
    click.option(
        "--limit", default=100, show_default=True, metavar="N", type=click.IntRange(1), help="How many hits to a page."
    ),
    click.option("--page-token", metavar="TOKEN", default="", help="Go on after the page that printed this token."),
    click.option("--pager/--no-pager", default=True, help="A long table on a terminal goes through $PAGER."),
    click.option("--follow", "-f", "following", is_flag=True, help="Then show new hits as they come, until Ctrl-C."),
    click.option(
        "--every",
        metavar="SECONDS",
        default=5.0,
        show_default=True,
        type=click.FloatRange(1),
        help="Seconds between looks of --follow.",
    ),
    today_option,
    by_option,
)


@click.command()
@condition_options
@_display_options
@connection_options
def hits(conditions: Conditions, display: Display, connection: Connection) -> None:
    """Show hits, newest first. Conditions are combined; credentials and region come from the AWS environment.

    TEXT: words that must all stand somewhere in the hit (address, user agent, error, names ...). The column undo says
    how long the act can still be undone, or after how long it was.

    Beside muted hits stands what would become of them today, judged by their records; --follow does without.

    \b
    Example:
      trailbell hits --since 7d --service kms --level high+
      trailbell hits --from 2026-11-01 --to 2026-11-05 --actor alice --open
      trailbell hits --resource alias/app --since 30d --format csv > hits.csv
      trailbell hits --level critical --follow
      trailbell hits --muted --since 30d
    """
    if display.following and (display.page_token or conditions.until or display.form == "json"):
        raise click.UsageError("--follow shows what comes next: not with --page-token, --until or --format json")
    now = datetime.now(UTC)
    query, zone = conditions.query(now), conditions.zone
    with explained_errors():
        if display.following:
            follow(connection, query, display.form, zone, display.limit, display.every)
            return
        page = find_page(connection.client("dynamodb"), connection.table(), query, display.limit, display.page_token)
        judged = verdicts(connection, [found.hit for found in page.hits], display.today, display.by)
    text = page_text(page, display.form, zone, iso_time(now), judged)
    show(text, paged=display.pager and display.form == "table")
    if display.form != "json":
        say_more(page)
