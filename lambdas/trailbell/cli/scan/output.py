"""What a scan prints of its hits: as a table page by page, as JSON, CSV, OCSF, or a page of HTML."""

import json
import sys
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import click

from trailbell.cli.terminal.display import hit_line, print_hits
from trailbell.hits.hit import Hit
from trailbell.text.safe_text import csv_cell


_PAGE = 1000  # hits of one table: a table is laid out as a whole, so all of it is in memory

Wipe = Callable[[], None]


def print_pages(hits: Iterable[Hit], form: str, wipe: Wipe) -> bool:
    """Print hits as they come, and whether there were any. `wipe` is called before anything is printed."""
    told = _Told(hits, wipe)
    if form == "csv":
        print_csv(map(hit_line, told), lambda: None)
    elif form == "json":
        _print_json(told)
    elif form == "ocsf":
        _print_ocsf(told)
    elif form == "jsonl":
        for hit in told:
            print_hits([hit], form)
    else:
        while page := list(islice(told, _PAGE)):
            print_hits(page, form)
    return told.any


class _Told:
    """Hits, before each of which the progress is wiped away; any: whether there was one."""

    def __init__(self, hits: Iterable[Hit], wipe: Wipe) -> None:
        self._hits, self._wipe = iter(hits), wipe
        self.any = False

    def __iter__(self) -> "_Told":
        return self

    def __next__(self) -> Hit:
        hit = next(self._hits)
        self._wipe()
        self.any = True
        return hit


def _print_json(hits: Iterable[Hit]) -> None:
    """One document, written as it comes."""
    separator = ""
    click.echo('{"hits": [', nl=False)
    for hit in hits:
        click.echo(f"{separator}\n{json.dumps(hit_line(hit), ensure_ascii=True)}", nl=False)
        separator = ","
    click.echo("\n]}")


def _print_ocsf(hits: Iterable[Hit]) -> None:
    """A Detection Finding of OCSF a line."""
    from trailbell.alerts.ocsf import ocsf_finding  # here, as only this form needs it

    for hit in hits:
        click.echo(json.dumps(ocsf_finding(hit), ensure_ascii=True))


def print_csv(lines: Iterable[dict[str, Any]], wipe: Wipe) -> None:
    """Print lines as CSV; no cell is a formula in a spreadsheet."""
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    for number, line in enumerate(lines):
        wipe()
        if number == 0:
            writer.writerow(line)
        writer.writerow([csv_cell(_flat(value)) for value in line.values()])
        sys.stdout.flush()


def _flat(value: Any) -> str:
    if isinstance(value, list):
        return " | ".join(map(_flat, value))
    return json.dumps(value) if isinstance(value, dict) else str(value)
