"""Hits with their states, as a table, JSON, JSON lines or CSV."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

import click

from trailbell.alerts.mail_lines import span
from trailbell.alerts.origin_text import sources_text
from trailbell.cli.options.times import Zone, show_time, stamp, zone_name
from trailbell.cli.options.today import Verdicts
from trailbell.cli.terminal.display import drawn_table, hit_line, level_text, no_room, who
from trailbell.cli.terminal.screen import terminal_width
from trailbell.cli.terminal.table import Cell
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import OPEN, UNDONE
from trailbell.hits.standing import Standing, standing_of
from trailbell.hits.verdict import Verdict, verdict_text
from trailbell.store.query.hit_query import FoundHit, HitPage
from trailbell.text.resource_name import short_resource
from trailbell.text.safe_text import csv_cell, one_line


FORMS = ("table", "json", "jsonl", "csv")

_STEADY = {
    "id": 8,
    "time": 19,
    "level": 8,
    "state": 8,
    "undo": 15,  # "deadline passed"
    "rule": 30,
    "call": 24,
    "actor": 20,
    "resource": 20,
    "account": 12,
    "region": 14,
}
_STATES = {"open": "", "acked": "yellow", "resolved": "green", "undone": "green"}


def found_line(found: FoundHit, zone: Zone, now: str, judged: Verdicts | None = None) -> dict[str, Any]:
    """A hit as one JSON object: as `scan` prints it, its ids and state, its deadline and undo as of now (UTC, ISO 8601
    with Z), and today's verdict, "" where it has none. `file` is empty of one that a live event brought, until its log
    file was read, at `filedAt`.
    """
    hit, state = found.hit, found.state
    standing = standing_of(hit, state, now, notified_later=found.notified_later)
    undone = state.word == UNDONE
    return {
        "id": hit.short_id,
        "hitId": hit.hit_id,
        **hit_line(hit),
        "eventTime": stamp(hit.event_time, zone),
        "state": state.word,
        "stateBy": state.by,
        "stateAt": state.at and stamp(state.at, zone),
        "note": state.note,
        "until": standing.until,
        "secondsLeft": standing.seconds,
        "expired": standing.expired,
        "undoneBy": state.by if undone else "",
        "undoneAt": stamp(state.at, zone) if undone else "",
        "undoneAfterSeconds": standing.undone_after,
        "mutedUntil": hit.muted_until,
        "seenAt": hit.seen_at,
        "seenLive": hit.live is not None,
        "filedAt": hit.filed_at,
        **today_members(hit, (judged or {}).get(hit.hit_id)),
        "resolvedAs": state.resolved_as,
    }


def today_members(hit: Hit, verdict: Verdict | None) -> dict[str, str]:
    """Today's verdict as members of one line: a word, and a sentence with the verdict at the time."""
    return {
        "today": str(verdict.today) if verdict else "",
        "todayText": one_line(verdict_text(hit, verdict), 600) if verdict else "",
    }


def page_text(page: HitPage, form: str, zone: Zone, now: str, judged: Verdicts) -> str:
    """A page of hits, ready to be written: with its token in `json`; that of other forms is for stderr.

    judged: today's verdicts, which a table shows in a column of their own if there are any.
    """
    if form == "json":
        lines = [found_line(found, zone, now, judged) for found in page.hits]
        return json.dumps({"hits": lines, "nextPageToken": page.next_token}, indent=2) + "\n"
    if form == "jsonl":
        return "".join(json_line(found, zone, now, judged) for found in page.hits)
    if form == "csv":
        return csv_text(page.hits, zone, now, judged)
    return table_text(page.hits, zone, now, judged)


def json_line(found: FoundHit, zone: Zone, now: str, judged: Verdicts | None = None) -> str:
    """A hit as a line of JSON."""
    return json.dumps(found_line(found, zone, now, judged), ensure_ascii=True) + "\n"


def csv_text(
    hits: Iterable[FoundHit], zone: Zone, now: str, judged: Verdicts | None = None, *, head: bool = True
) -> str:
    """Hits as CSV; no cell is a formula in a spreadsheet. Lists are joined with blanks; what is not known is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for found in hits:
        line = found_line(found, zone, now, judged)
        if head:
            writer.writerow(line)
            head = False
        writer.writerow([csv_cell(_flat(value)) for value in line.values()])
    return out.getvalue()


def _flat(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(one if isinstance(one, str) else json.dumps(one) for one in value)
    return "" if value is None else str(value)


def table_text(
    hits: Iterable[FoundHit],
    zone: Zone,
    now: str,
    judged: Verdicts | None = None,
    *,
    head: bool = True,
    steady: bool = False,
) -> str:
    """Hits as a table: made to fit a terminal, whole in a pipe.

    steady: columns are as wide whatever stands in them, for a table that is printed piece by piece.
    """
    time = f"time ({zone_name(zone)})"
    columns = ["id", time, "level", "state", "undo", "rule", "call", "actor", "resource", "account", "region"]
    columns += ["source", "today"]
    hits = [*hits]
    rows = [_cells(found, zone, now, judged) for found in hits]
    left = set() if judged else {"today"}
    left |= set() if not steady and any(found.hit.live for found in hits) else {"source"}
    if terminal_width() and not steady and not any(cells[columns.index("undo")].text for cells in rows):
        left.add("undo")
    rows = [[cell for name, cell in zip(columns, cells, strict=True) if name not in left] for cells in rows]
    columns = [name for name in columns if name not in left]
    text, left_out = drawn_table(columns, rows, head=head, steady=_STEADY if steady else None)
    return text + (f"{no_room(left_out)}\n" if left_out and not steady else "")


def say_more(page: HitPage) -> None:
    """Tell a person, beside the output, how to get the next page."""
    if page.next_token:
        click.echo(f"more: repeat with --page-token {page.next_token}", err=True)


def state_text(word: str) -> Cell:
    """A state in its colour."""
    return Cell(word, _STATES.get(word, ""))


def undo_text(standing: Standing) -> Cell:
    """What is to say of a hit's undo in a few words: after how long it came, or how long is left for it."""
    if standing.undone_after is not None:
        return Cell(f"after {span(standing.undone_after)}")
    if not standing.waits or standing.seconds is None:
        return Cell("")
    return Cell("deadline passed", "bold red") if standing.expired else Cell(f"{span(standing.seconds)} left")


def _cells(found: FoundHit, zone: Zone, now: str, judged: Verdicts | None) -> list[Cell]:
    hit = found.hit
    acted_on = hit.main_resources
    more = f" (+{len(acted_on) - 1})" if len(acted_on) > 1 else ""
    resource = short_resource(acted_on[0]) + more if acted_on else ""
    untouched = found.state.word == OPEN and not found.notified_later
    undelivered = ("muted" if hit.muted_by else "replayed" if hit.quiet else "") if untouched else ""
    cells: list[str | Cell] = [
        hit.short_id,
        show_time(hit.event_time, zone),
        level_text(hit.level),
        undelivered or state_text(found.state.word),
        undo_text(standing_of(hit, found.state, now, notified_later=found.notified_later)),
        hit.name,
        one_line(hit.event_name, 60),
        who(hit.actor),
        one_line(resource, 80),
        one_line(hit.shown_account, 70),
        one_line(hit.region, 30),
        sources_text(hit),
        today_members(hit, (judged or {}).get(hit.hit_id))["todayText"],
    ]
    return [cell if isinstance(cell, Cell) else Cell(cell) for cell in cells]
