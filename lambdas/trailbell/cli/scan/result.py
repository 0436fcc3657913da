"""What a scan prints of its hits (one by one, as alerts, as a summary, as a page) and of itself (counts)."""

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import click

from trailbell.cli.scan.log_sources import Sources
from trailbell.cli.scan.options import Output
from trailbell.cli.scan.output import Wipe, print_pages
from trailbell.cli.scan.run import Scan
from trailbell.engine.correlation import silenced
from trailbell.engine.rulebook import Rulebook
from trailbell.errors import SettingsError
from trailbell.hits.hit import Hit, hit_from_document
from trailbell.text.counts import counted
from trailbell.text.safe_text import one_line


_MOST_SERVICES = 6
_PAGE_HITS = 20_000  # of a page of HTML, the newest: as `trailbell report` has them


class Asked(NamedTuple):
    """What a scan was asked, for what is said about its result: the places, the rules, the filters as given."""

    places: tuple[str, ...]
    rulebook: Rulebook
    filters: str
    now: datetime


def print_result(
    output: Output, restored: list[Any], hits: Iterator[Hit], wipe: Wipe, asked: Asked, result: Scan
) -> None:
    """Print hits as asked for, with those `restored` from the state of a scan that goes on."""
    with _written_to(output.file):
        if output.alerts:
            from trailbell.alerts.over_time import alerts_over_time  # here, as these are not for most scans
            from trailbell.cli.terminal.display import print_alerts

            earlier = map(hit_from_document, restored)
            alerts = alerts_over_time(notified([*earlier, *notified(hits)]), output.quiet)
            print_alerts(alerts, output.form)
        elif output.summary:
            _print_summary(output, restored, hits, asked)
        elif output.form == "html":
            _print_page(hits, asked, result)
        elif not print_pages(hits, output.form, wipe) and output.form == "table":
            click.echo(_nothing(asked, result))


@contextmanager
def _written_to(file: Path | None) -> Iterator[None]:
    """Standard output into a file, if one is named. Raises SettingsError where it cannot be written."""
    if file is None:
        yield
        return
    try:
        with file.open("w", encoding="utf-8") as stream, redirect_stdout(stream):
            yield
    except OSError as error:
        if error.errno != errno.EPIPE and (not error.filename or Path(error.filename) == file):
            raise SettingsError(f"--output {file}: {error.strerror}") from None
        raise


def _print_summary(output: Output, restored: list[Any], hits: Iterator[Hit], asked: Asked) -> None:
    from trailbell.cli.scan.summary import print_cost, write_drafts
    from trailbell.lookback.cost import Act, Cost, act_of

    cost = Cost(output.quiet)
    for members in restored:
        cost.add(Act(*members))
    for hit in hits:
        cost.add(act_of(hit))
    print_cost(cost, output.form)
    if output.drafts:
        write_drafts(cost, output.drafts, asked.now.date())


def _print_page(hits: Iterator[Hit], asked: Asked, result: Scan) -> None:
    from trailbell.cli.report.report_file import report_html
    from trailbell.cli.report.scanned import scanned_document
    from trailbell.lookback.report import NewestHits

    kept = NewestHits(_PAGE_HITS)
    for hit in hits:
        kept.add(hit)
    click.echo(report_html(scanned_document(kept, asked.places, result, asked.now)))


def notified(hits: Iterable[Hit]) -> Iterator[Hit]:
    """Hits that people are notified of: each identity once, muted ones never."""
    seen = set()
    for hit in hits:
        if hit.identity not in seen and not hit.muted_by:
            seen.add(hit.identity)
            yield hit


def _nothing(asked: Asked, result: Scan) -> str:
    """What it means that there is no hit."""
    counts = result.counts
    if not counts.records_read:
        return "no hits: no record was read" if not result.files_read else "no hits: the log files hold no records"
    lines = [
        f"no hits in {counted(counts.records_read, 'record')}{_span(result)}",
        f"watched for: {_watched(asked.rulebook)}",
        f"{counts.records_not_watched:,} of the records are calls that no rule looks at",
    ]
    if result.outside:
        why = f"{asked.filters} or the time, accounts and Regions asked for" if asked.filters else "what was asked for"
        lines.append(f"{counted(result.outside, 'hit')} left out by {why}")
    return "\n".join(lines)


def _watched(rulebook: Rulebook) -> str:
    """How many rules, on calls of which services."""
    reporting = [rule for rule in rulebook.rules if not rule.is_silent]
    silent = silenced(rulebook.rules, rulebook.correlations)
    episodes = sum(one.correlation_id not in silent for one in rulebook.correlations)
    sources = {source for rule in reporting for source in rule.gate.get("eventSource", ())}
    services = sorted(source.partition(".")[0] for source in sources)
    more = f" and {len(services) - _MOST_SERVICES} more services" if len(services) > _MOST_SERVICES else ""
    correlations = f" and {counted(episodes, 'correlation')}" if episodes else ""
    named = ", ".join(services[:_MOST_SERVICES]) or "any service"
    return f"{counted(len(reporting), 'rule')}{correlations}, on calls of {named}{more}"


def _span(result: Scan) -> str:
    """About when the records are from: the first and last of each block that was read are looked at."""
    first, last = result.span.first, result.span.last
    return f", about {one_line(first, 20)} to {one_line(last, 20)}" if first else ""


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
        + f"; hits: {counts.hits - result.again + result.episodes}"
        + (f", {muted} of them muted" if muted else "")
        + (f", {result.episodes} of them episodes" if result.episodes else "")
        + (f"; {result.again} more from records delivered again" if result.again else "")
        + (f"; {counted(counts.without_time, 'record')} without a time, in no episode" if counts.without_time else "")
        + (f"; {result.outside} more hits not asked for" if result.outside else ""),
        err=True,
    )
