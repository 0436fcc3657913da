"""`trailbell explain`: why a record makes a hit or none, and why nobody was told of an event."""

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trailbell.cli.explain.document import explained_document, walk_document
from trailbell.cli.explain.records import pick_record
from trailbell.cli.explain.words import Style, explained_lines, rule_lines, step_lines
from trailbell.cli.options.account import AccountId
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, stack_options
from trailbell.cli.options.form import form_option
from trailbell.cli.options.option_group import option_group
from trailbell.cli.options.rule_names import RuleType, ids_called, unknown_rule
from trailbell.cli.options.rulebooks import find_rulebook, setting_option
from trailbell.cli.options.times import parse_moment, since_option
from trailbell.cli.options.today import by_option, rulebook_at_hand
from trailbell.cli.terminal.pager import show
from trailbell.cloudtrail.selection import Selection
from trailbell.engine.rulebook import Rulebook
from trailbell.errors import LogFileError, SettingsError
from trailbell.hits.explained import Explained, Explainer
from trailbell.hits.hit_id import HitName, parse_hit_name
from trailbell.text.safe_text import one_line
from trailbell.text.times import iso_time


if TYPE_CHECKING:
    from trailbell.ops.walk.walk import Asked, Walk

_AROUND = timedelta(minutes=15)
_FILE = re.compile(r"^[./~]|\\|/$|\.(json|jsonl|ndjson|gz|csv|log|txt|zip|tar|tgz|bz2|xz|zst)$", re.IGNORECASE)
"""What no hit's id has and a file's name mostly has."""


@dataclass(frozen=True, slots=True)
class Which:
    """Which event of which time and place, of whose subscription, and which of a file's records."""

    event_id: str
    at: str
    since: str
    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    to: str
    index: int | None

    def asked(self, event_id: str, now: datetime) -> "Asked":
        """The question to a deployment. Raises SettingsError for what is no time."""
        from trailbell.ops.walk.walk import Asked  # here, as a record of a file needs no AWS

        if not self.at:
            window: tuple[datetime, datetime | None] = parse_moment(self.since, now, UTC, "--since"), None
            near = None
        else:
            near = parse_moment(self.at, now, UTC, "--at")
            last = parse_moment(self.at, now, UTC, "--at", end=True)
            window = near - _AROUND, last + _AROUND
        selection = Selection(frozenset(self.accounts), frozenset(self.regions), *window)
        return Asked(event_id, selection, near, self.to)


which_options = option_group(
    "which",
    Which,
    click.option("--event", "event_id", default="", metavar="ID", help="The event's id; of RECORD, or of the trail."),
    click.option(
        "--at", metavar="TIME", default="", help="When it happened: 14:30, 2h, 2026-11-01, 2026-11-01T14:30 ... (UTC)."
    ),
    since_option("Where --at is not known: it happened", "24h"),
    click.option(
        "--account", "accounts", multiple=True, type=AccountId(), help="Only this account's log files (repeatable)."
    ),
    click.option(
        "--region", "regions", metavar="REGION", multiple=True, help="Only this region's log files (repeatable)."
    ),
    click.option("--to", default="", metavar="ADDRESS", help="Whose subscription: an address, or part of one."),
    click.option("--index", metavar="N", type=click.IntRange(0), help="Which record of RECORD, from 0."),
)


@click.command()
@click.argument("record", required=False, default="", metavar="[RECORD]")
@which_options
@click.option(
    "--rule", "rules", multiple=True, type=RuleType(), help="Explain this rule: name, pattern, id; repeatable."
)
@click.option("--rules", "folder", type=click.Path(exists=True, path_type=Path), help="Other Sigma rules, for a file.")
@click.option("--full", is_flag=True, help="Show every alternative of long lists.")
@click.option("--show-secrets", is_flag=True, help="Leave secrets of the record as they are.")
@form_option(("text", "json"))
@click.option("--pager/--no-pager", default=True, help="Long text on a terminal goes through $PAGER.")
@by_option
@setting_option
@stack_options("The stack whose event or hit it is.", "Ask what `trailbell local --keep` left running.")
def explain(
    record: str,
    which: Which,
    rules: tuple[str, ...],
    folder: Path | None,
    full: bool,
    show_secrets: bool,
    form: str,
    pager: bool,
    by: str | None,
    settings: tuple[str, ...],
    connection: Connection,
) -> None:
    """Explain why a record is a hit or not, or why nobody was told.

    That is: a record against rules, or an event through the deployed stack.

    RECORD is a file with the record (a log file, a record, a list, one a line; - for standard input), or a hit's id.
    With --event alone the event is followed through the deployed stack, from the log file to the subscriptions, up to
    the first step that it did not pass.

    Each part of a rule's condition is shown with what the record has there: `ok` where it is as the rule wants it, NO
    where it is not. Without --rule: the rules that match, and the nearest of the others. The verdict is the matcher's.

    \b
    Example:
      trailbell explain ./record.json --rule kms-key-disabled
      trailbell explain k7m2p9qx
      trailbell explain --event 8f3c5a0e-0000-4000-8000-000000000042 --at 14:30
    """
    now = datetime.now(UTC)
    style = Style(full, show_secrets, whole=bool(rules))
    if record and (record == "-" or os.path.exists(record)):
        explained = _of_file(record, which, rules, find_rulebook(folder, settings), now)
        lines = list(explained_lines(explained, style))
        document = explained_document(explained, show_secrets=show_secrets)
    elif record or which.event_id:
        hit_name = _hit_name(record)
        with explained_errors():
            walk = _of_stack(hit_name, which, rules, connection, by, now)
        lines = _walk_lines(walk, style)
        document = walk_document(walk, show_secrets=show_secrets)
    else:
        raise SettingsError("give a file with a record, a hit's id, or --event ID")
    if form == "json":
        click.echo(json.dumps(document, indent=2))
    else:
        show("\n".join(lines) + "\n", paged=pager)


def _of_file(name: str, which: Which, rules: tuple[str, ...], rulebook: Rulebook, now: datetime) -> Explained:
    fields, place = pick_record(name, which.event_id, which.index)
    names = _rule_ids(rules, rulebook)
    try:
        return Explainer(rulebook, iso_time(now)).explain(fields, names, place)
    except RecursionError:
        raise LogFileError(f"{name}: the record is nested too deeply to be matched, and is malformed to us") from None


def _hit_name(record: str) -> HitName | None:
    """The hit that RECORD names, if it is given. Raises SettingsError for what looks like a file that is not there."""
    if not record:
        return None
    if _FILE.search(record):
        raise SettingsError(f"{one_line(record, 300)}: no such file")
    return parse_hit_name(record)


def _of_stack(
    name: HitName | None, which: Which, rules: tuple[str, ...], connection: Connection, by: str | None, now: datetime
) -> "Walk":
    """Follow an event, or the event of a hit, through the stack."""
    from trailbell.ops.walk.walk import EventWalk  # here, as these need botocore
    from trailbell.store.query.hit_lookup import find_hit

    at_hand = rulebook_at_hand(connection, by)
    hit = find_hit(connection.client("dynamodb"), connection.table(), name, now)[0] if name else None
    asked = which.asked(hit.event_id if hit else which.event_id, now)
    names = _rule_ids(rules, at_hand.rulebook) if at_hand.rulebook else ()
    walk = EventWalk(connection.client, connection.deployed, at_hand.rulebook, now).walk(asked, hit)
    if names and at_hand.rulebook and walk.explained:
        explainer = Explainer(at_hand.rulebook, walk.hit.seen_at if walk.hit else iso_time(now))
        walk.explained = explainer.explain(walk.explained.record.fields, names, walk.place)
    click.echo(at_hand.said, err=True)
    return walk


def _rule_ids(given: tuple[str, ...], rulebook: Rulebook) -> tuple[str, ...]:
    """The ids of the rules called so in the rulebook in use. Raises SettingsError for a name that none has."""
    found = list[str]()
    for name in given:
        ids = ids_called(name, rulebook.rules)
        linked = next((one for one in rulebook.correlations if name in (one.rule.name, one.correlation_id)), None)
        if linked and not ids:
            ids = list(linked.rules)
        if not ids:
            raise unknown_rule(name, rulebook.rules)
        found += ids
    return tuple(dict.fromkeys(found))


def _walk_lines(walk: "Walk", style: Style) -> list[str]:
    """The answer first, then the steps, then the rules."""
    ended = walk.ended_at
    last = f"it {'waits' if ended.state == 'waits' else 'stopped'} at: {ended.name}" if ended else "no step stopped it"
    lines = [f"Event {one_line(walk.event_id, 60)}: {last}", "", *step_lines(walk.steps)]
    if walk.explained:
        for one in walk.explained.rules:
            lines += ["", *rule_lines(one, style)]
    return lines
