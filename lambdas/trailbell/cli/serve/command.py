"""`trailbell serve`: the report's page, alive, for one person on their own machine."""

import threading
import webbrowser
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import click

from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, connection_options
from trailbell.cli.options.filters import Filters, filter_options
from trailbell.cli.options.option_group import option_group
from trailbell.cli.options.times import last_second, parse_since, since_option
from trailbell.cli.serve.assembly import Asked, assembled
from trailbell.cli.serve.callers_aws import CallersAws
from trailbell.cli.serve.listening import leave, listen, private_redirect, run_server
from trailbell.cli.serve.watcher import Pace, Question, Watcher
from trailbell.cli.terminal.interrupt import STATUS
from trailbell.hits.query import HitQuery


_LAST_REQUEST = 1.0
"""Seconds in which a page that a browser was opened with asks, or Ctrl-C, which it hears too, ends us."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Where the page is served, how often the table is looked at, and whether a browser is opened."""

    host: str
    port: int
    every: float
    browser: bool


_serving_options = option_group(
    "serving",
    Serving,
    click.option(
        "--port", default=0, metavar="N", type=click.IntRange(0, 65535), help="The port (default: any that is free)."
    ),
    click.option(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        show_default=True,
        help="A loopback address; others are refused.",
    ),
    click.option(
        "--every",
        metavar="SECONDS",
        default=5.0,
        show_default=True,
        type=click.FloatRange(1),
        help="Seconds between looks for new hits.",
    ),
    click.option("--browser/--no-browser", default=False, help="Open the page (default: only print its address)."),
)


@click.command()
@since_option("Hits", "30d")
@filter_options
@click.option(
    "--limit", default=5000, show_default=True, metavar="N", type=click.IntRange(1), help="The newest hits, at most."
)
@_serving_options
@connection_options
def serve(since: str, limit: int, filters: Filters, serving: Serving, connection: Connection) -> None:
    """Show the report's page, alive, on this machine.

    Hits as they come, their states to be changed, the record behind each, the undo with its deadline counting down, the
    doctor's and the audit's result. Nothing is deployed. Who opens the printed address acts with your AWS credentials,
    under your name. It holds a key that opens one tab; then the address for another is printed. Only loopback is
    listened to. The table is asked while a page is open.

    \b
    Example:
      trailbell serve
      trailbell serve --level high+ --since 7d --port 8765
      trailbell serve --local --browser
    """
    with suppress(KeyboardInterrupt):  # before it listened, or a second one
        _serve(_question(since, filters), since, limit, serving, CallersAws(connection))
    click.echo("ended", err=True)
    leave(STATUS)


def _serve(question: Question, since: str, limit: int, serving: Serving, aws: CallersAws) -> None:
    """Serve until Ctrl-C. Raises SettingsError where that cannot begin."""
    with explained_errors():
        asked = Asked(question, limit, Pace(new=serving.every), f"From the table {aws.table()} (--since {since}).")
    with listen(serving.host, serving.port) as bound, ExitStack() as at_end:
        served, ended = assembled(aws, asked, bound, _say_next), threading.Event()
        at_end.callback(ended.set)
        at_end.callback(served.watcher.stop)

        def listens() -> None:
            click.echo(served.address)
            click.echo("Whoever opens this address first can do what you can; Ctrl-C ends it.", err=True)
            if serving.browser:
                place = at_end.enter_context(private_redirect(served.address))
                threading.Thread(target=_open, args=(place, served.watcher, ended), daemon=True).start()

        served.watcher.start()
        run_server(served.app, bound, listens)


def _open(place: str, watcher: Watcher, ended: threading.Event) -> None:
    """Open a browser, and say so where none is: not of one that ended badly once it showed the page, or by our Ctrl-C.

    In a thread of its own: some programs that $BROWSER names end when the reader closes them, and no page is served
    by whoever waits for them.
    """
    if not webbrowser.open(place) and not ended.wait(_LAST_REQUEST) and not watcher.was_asked:
        click.echo("trailbell: no browser could be opened: open the address yourself", err=True)


def _say_next(address: str) -> None:
    """A tab was opened: say what opens another one."""
    click.echo(f"A tab was opened with that address, which opens no other. For another tab: {address}", err=True)


def _question(since: str, filters: Filters) -> Question:
    """The question to the table, whose window begins as long before each look as it does before the first."""

    def window(now: datetime) -> tuple[datetime, datetime]:
        return parse_since(since, now), last_second(None, now)

    asked = filters.query(*window(datetime.now(UTC)))  # once: names of rules are looked up

    def question(now: datetime) -> HitQuery:
        begin, end = window(now)
        return replace(asked, since=begin, until=end)

    return question
