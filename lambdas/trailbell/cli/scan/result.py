"""What a scan prints of its hits (one by one, as alerts, as a summary) and of itself (counts, drafts)."""

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click

from trailbell.alerts.over_time import alerts_over_time
from trailbell.cli.scan.log_sources import Sources
from trailbell.cli.scan.options import Output
from trailbell.cli.scan.output import Wipe, print_cost, print_pages
from trailbell.cli.scan.run import Scan
from trailbell.cli.terminal.display import print_alerts
from trailbell.hits.hit import Hit, hit_from_document
from trailbell.lookback.cost import Act, Cost, act_of
from trailbell.rulebook.draft import draft_exception


def print_result(output: Output, restored: list[Any], hits: Iterator[Hit], wipe: Wipe, today: date) -> None:
    """Print hits as asked for, with those `restored` from the state of a scan that goes on."""
    if output.alerts:
        earlier = map(hit_from_document, restored)
        alerts = alerts_over_time(notified([*earlier, *notified(hits)]), output.quiet)
        print_alerts(alerts, output.form)
        return
    if not output.summary:
        print_pages(hits, output.form, wipe)
        return
    cost = Cost(output.quiet)
    for members in restored:
        cost.add(Act(*members))
    for hit in hits:
        cost.add(act_of(hit))
    print_cost(cost, output.form)
    if output.drafts:
        _write_drafts(cost, output.drafts, today)


def notified(hits: Iterable[Hit]) -> Iterator[Hit]:
    """Hits that people are notified of: each identity once, muted ones never."""
    seen = set()
    for hit in hits:
        if hit.identity not in seen and not hit.muted_by:
            seen.add(hit.identity)
            yield hit


def print_counts(sources: Sources, result: Scan) -> None:
    """Say on standard error what was read and what came of it: no file and no record is lost silently."""
    ignored = ", ".join(f"{count} {kind}" for kind, count in sorted(sources.ignored.items())) or "0"
    if sources.passed_folders:
        ignored += f"; folders not listed: {', '.join(sorted(sources.passed_folders))}"
    if result.foreign:
        ignored += f", {len(result.foreign)} not from CloudTrail"
    begin, counts = "interrupted; so far: " if result.interrupted else "", result.counts
    muted = counts.hits_muted - result.muted_again
    click.echo(
        f"{begin}log files: {result.files_read} read, {len(result.unreadable)} unreadable"
        + (", 1 cut short" if result.cut else "")
        + f"; ignored: {ignored}\n"
        f"records: {counts.records_read} read = {counts.records_matched} matched against rules"
        f" + {counts.records_not_watched} not watched + {counts.records_malformed} malformed"
        + (f" ({result.partial} of them in log files not read to their end)" if result.partial else "")
        + f"; hits: {counts.hits - result.again}"
        + (f", {muted} of them muted" if muted else "")
        + (f"; {result.again} more from records delivered again" if result.again else "")
        + (f"; episodes: {result.episodes}" if result.episodes else "")
        + (f"; {counts.without_time} records without a time join no episode" if counts.without_time else "")
        + (f"; {result.outside} more hits not asked for" if result.outside else ""),
        err=True,
    )


def _write_drafts(cost: Cost, folder: Path, today: date) -> None:
    """Write a draft for each rule that has one to propose; a file that is there is left alone."""
    drafts = [draft for rule in cost if (draft := draft_exception(rule, today))]
    if drafts:
        folder.mkdir(parents=True, exist_ok=True)
    for draft in drafts:
        file = folder / draft.name
        try:
            with file.open("x", encoding="utf-8") as stream:
                stream.write(draft.content)
        except FileExistsError:
            click.echo(f"{file}: is there already and was left alone", err=True)
            continue
        click.echo(f"{file}: would mute {draft.mutes} of {draft.of} hits; fill in its owner and reason", err=True)
    if not drafts:
        click.echo("no exception to propose: no actor makes most hits of a rule that can be muted", err=True)
