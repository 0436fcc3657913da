"""Hits with their states, as a table, JSON, JSON lines or CSV."""

import csv
import io
import json
import sys
from collections.abc import Iterable
from typing import Any

import click
from rich.text import Text

from trailbell.cli.options.times import Zone, show_time, stamp, zone_name
from trailbell.cli.options.today import Verdicts
from trailbell.cli.terminal.display import console, hit_line, level_text, line_table
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import OPEN
from trailbell.hits.verdict import Verdict, verdict_text
from trailbell.store.query.hit_query import FoundHit, HitPage
from trailbell.text.resource_name import short_resource
from trailbell.text.safe_text import csv_cell, one_line


FORMS = ("table", "json", "jsonl", "csv")

_NARROW_STEADY = 190
_NARROW = 150  # columns of a terminal below which account, region and call are left to `trailbell hit`
_LEAST = {"id": 8, "level": 8, "state": 8, "account": 12}  # never cut
_STEADY = {"rule": 30, "call": 24, "actor": 20, "resource": 20, "region": 14}
_STATES = {"open": "", "acked": "yellow", "resolved": "green"}


def found_line(found: FoundHit, zone: Zone, judged: Verdicts | None = None) -> dict[str, Any]:
    """A hit as one JSON object: as `scan` prints it, its ids and state, and today's verdict, "" where it has none."""
    hit, state = found.hit, found.state
    return {
        "id": hit.short_id,
        "hitId": hit.hit_id,
        **hit_line(hit),
        "eventTime": stamp(hit.event_time, zone),
        "state": state.word,
        "stateBy": state.by,
        "stateAt": state.at and stamp(state.at, zone),
        "note": state.note,
        "mutedUntil": hit.muted_until,
        **today_members(hit, (judged or {}).get(hit.hit_id)),
    }


def today_members(hit: Hit, verdict: Verdict | None) -> dict[str, str]:
    """Today's verdict as members of one line: a word, and a sentence with the verdict at the time."""
    return {
        "today": str(verdict.today) if verdict else "",
        "todayText": one_line(verdict_text(hit, verdict), 600) if verdict else "",
    }


def page_text(page: HitPage, form: str, zone: Zone, judged: Verdicts) -> str:
    """A page of hits, ready to be written: with its token in `json`; that of other forms is for stderr.

    judged: today's verdicts, which a table shows in a column of their own if there are any.
    """
    if form == "json":
        lines = [found_line(found, zone, judged) for found in page.hits]
        return json.dumps({"hits": lines, "nextPageToken": page.next_token}, indent=2) + "\n"
    if form == "jsonl":
        return "".join(json_line(found, zone, judged) for found in page.hits)
    if form == "csv":
        return csv_text(page.hits, zone, judged)
    return table_text(page.hits, zone, judged)


def json_line(found: FoundHit, zone: Zone, judged: Verdicts | None = None) -> str:
    """A hit as a line of JSON."""
    return json.dumps(found_line(found, zone, judged), ensure_ascii=True) + "\n"


def csv_text(hits: Iterable[FoundHit], zone: Zone, judged: Verdicts | None = None, *, head: bool = True) -> str:
    """Hits as CSV; no cell is a formula in a spreadsheet. Lists are joined with blanks."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for found in hits:
        line = found_line(found, zone, judged)
        if head:
            writer.writerow(line)
            head = False
        writer.writerow([csv_cell(_flat(value)) for value in line.values()])
    return out.getvalue()


def _flat(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(one if isinstance(one, str) else json.dumps(one) for one in value)
    return str(value)


def table_text(
    hits: Iterable[FoundHit],
    zone: Zone,
    judged: Verdicts | None = None,
    *,
    head: bool = True,
    steady: bool = False,
) -> str:
    """Hits as a table, one line each: cut to fit on a terminal, whole in a pipe.

    steady: columns are about as wide whatever stands in them, for a table that is printed piece by piece.
    """
    out = console()
    narrow = sys.stdout.isatty() and out.width < (_NARROW if not steady else _NARROW_STEADY)
    time = f"time ({zone_name(zone)})"
    columns = ["id", time, "level", "state", "rule", "call", "actor", "resource", "account", "region", "today"]
    left_out = {"call", "account", "region"} if narrow else set()
    left_out |= set() if judged else {"today"}
    shown = [name for name in columns if name not in left_out]
    rows = ([cells[columns.index(name)] for name in shown] for cells in (_cells(found, zone, judged) for found in hits))
    least = {**_LEAST, time: 19, **(_STEADY if steady else {})}
    with out.capture() as captured:
        out.print(line_table(shown, rows, least, head=head))
    return captured.get()


def say_more(page: HitPage) -> None:
    """Tell a person, beside the output, how to get the next page."""
    if page.next_token:
        click.echo(f"more: repeat with --page-token {page.next_token}", err=True)


def state_text(word: str) -> Text:
    """A state in its colour."""
    return Text(word, style=_STATES.get(word, ""))


def _cells(found: FoundHit, zone: Zone, judged: Verdicts | None) -> list[str | Text]:
    hit = found.hit
    acted_on = hit.main_resources
    more = f" (+{len(acted_on) - 1})" if len(acted_on) > 1 else ""
    resource = short_resource(acted_on[0]) + more if acted_on else ""
    untouched = found.state.word == OPEN and not found.notified_later
    undelivered = ("muted" if hit.muted_by else "replayed" if hit.quiet else "") if untouched else ""
    return [
        hit.short_id,
        show_time(hit.event_time, zone),
        level_text(hit.level),
        undelivered or state_text(found.state.word),
        hit.name,
        one_line(hit.event_name, 60),
        one_line(hit.actor.name, 60),
        one_line(resource, 80),
        hit.account,
        one_line(hit.region, 30),
        today_members(hit, (judged or {}).get(hit.hit_id))["todayText"],
    ]
