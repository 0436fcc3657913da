"""`trailbell scan`: the rules against log files, here or in a bucket, by the same core the Lambda runs."""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from trailbell.alerts.grouping import group_hits
from trailbell.cli.hits.command import parse_since
from trailbell.cli.options.connection import aws_client
from trailbell.cli.options.rulebooks import find_rules, setting_option, strict_option
from trailbell.cli.scan.log_sources import LogPlace, Sources, find_sources
from trailbell.cli.scan.output import FORMS, print_cost, print_pages
from trailbell.cli.scan.run import Plan, Scan, jobs_for, run_scan
from trailbell.cli.scan.state import State
from trailbell.cli.scan.work import name_of, size_of
from trailbell.cli.terminal.display import print_alerts
from trailbell.cli.terminal.interrupt import STATUS, Interrupt
from trailbell.cli.terminal.progress import Progress
from trailbell.cloudtrail.selection import Selection
from trailbell.engine.rulebook import Rulebook, dump_rulebook
from trailbell.errors import SettingsError
from trailbell.hits.hit import Hit, hit_document, hit_from_document
from trailbell.lookback.cost import Act, Cost, act_of
from trailbell.rulebook.draft import draft_exception


@dataclass(frozen=True, slots=True)
class _Output:
    """What is asked for: hits, alerts or a summary, in which form; where drafts of exceptions go."""

    form: str
    alerts: bool
    summary: bool
    drafts: Path | None

    @property
    def kind(self) -> str:
        return "alerts" if self.alerts else "summary" if self.summary else "hits"

    def keep(self, hit: Hit) -> Any:
        """What the state remembers of a hit: as much as is printed at the end."""
        return hit_document(hit) if self.alerts else list(asdict(act_of(hit)).values())


@click.command()
@click.argument("places", nargs=-1, required=True, type=LogPlace())
@click.option("--rules", type=click.Path(exists=True, path_type=Path), help="Other Sigma rules (file or folder).")
@click.option("--since", default="", help="Records from then on: 24h, 7d, 2w, or a date such as 2026-11-01 (UTC).")
@click.option("--until", default="", help="Records before then, in the same forms.")
@click.option("--account", "accounts", multiple=True, help="Only this account's records (repeatable).")
@click.option("--region", "regions", multiple=True, help="Only this region's records (repeatable).")
@click.option("--format", "form", type=click.Choice(FORMS), default="table", show_default=True)
@click.option("--alerts", is_flag=True, help="Print what the notifier would tell: one line for each alert.")
@click.option(
    "--summary", is_flag=True, help="Print what each rule would have cost: hits, alerts, by whom, on which days."
)
@click.option(
    "--propose-exceptions",
    "drafts",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write drafts of exceptions into DIR, where one actor makes most hits of a rule (implies --summary).",
)
@click.option("--jobs", type=click.IntRange(1), help="Processes to work with (default: one for each core).")
@click.option(
    "--resume",
    "state",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Remember in FILE which log files are done; go on from there if FILE exists.",
)
@click.option("--exit-code", is_flag=True, help="Exit with status 1 when there are hits (muted ones do not count).")
@strict_option
@setting_option
def scan(
    places: tuple[str, ...],
    rules: Path | None,
    since: str,
    until: str,
    accounts: tuple[str, ...],
    regions: tuple[str, ...],
    form: str,
    alerts: bool,
    summary: bool,
    drafts: Path | None,
    jobs: int | None,
    state: Path | None,
    exit_code: bool,
    strict: bool,
    settings: tuple[str, ...],
) -> None:
    """Match rules against log files: files and folders of this machine, gzipped or not, and s3://bucket/prefix.

    Where folders have CloudTrail's layout, only those of the accounts, regions and days asked for are looked into
    (and the day after --until, for late deliveries); after that the record's own time, account and region decide.

    Digest and Insight files are counted as ignored. A file that cannot be read is reported, does not stop
    the others, and makes the exit status 2. So is a document of --rules that cannot run, which does not change the
    exit status unless --strict is given. Ctrl-C ends with what there is so far, and status 130.

    \b
    Example:
      trailbell scan ./AWSLogs --format jsonl
      trailbell scan s3://my-trail-logs --since 30d --account 111122223333 --summary
    """
    output = _Output(form, alerts, summary or bool(drafts), drafts)
    if output.alerts and (output.summary or form == "csv"):
        raise SettingsError("--alerts goes with --format table or jsonl, and not with --summary")
    now = datetime.now(UTC)
    in_use = find_rules(rules, settings, strict=strict)
    rulebook = in_use.rulebook
    window = [_moment("--since", since, now), _moment("--until", until, now)]
    remembered = None
    if state:
        options = _options(places, rulebook, since, until, accounts, regions, output)
        remembered = State(state, options, window)
        window = remembered.window
    selection = Selection(frozenset(accounts), frozenset(regions), *map(_parsed, window))
    result = Scan()
    restored = list(_restore(remembered, result)) if remembered else []
    sources = find_sources(places, selection, aws_client)
    for folder in sources.unlisted:
        click.echo(folder, err=True)
    with Interrupt() as stopped:
        if remembered:
            sources.files = [file for file in sources.files if name_of(file) not in remembered.done]
        progress = Progress(len(sources.files), 0, "files")
        if progress.shown:
            progress = Progress(len(sources.files), sum(map(size_of, sources.files)), "files")
        plan = Plan(
            rulebook=rulebook,
            selection=selection,
            seen_at=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            jobs=jobs_for(sources.files, jobs),
            progress=progress,
            stopped=stopped,
            state=remembered,
            keep=output.keep if output.kind != "hits" else None,
        )
        with closing(run_scan(sources.files, plan, result)) as hits:
            _print(output, restored, hits, progress, now.date())
    _report(sources, result)
    if in_use.counts:
        click.echo(in_use.counts, err=True)
    if result.interrupted:
        sys.exit(STATUS)
    if result.unreadable or sources.unlisted:
        sys.exit(2)
    if exit_code and result.hits > result.muted:
        sys.exit(1)


def _print(output: _Output, restored: list[Any], hits: Iterator[Hit], progress: Progress, today: date) -> None:
    if output.alerts:
        earlier = map(hit_from_document, restored)
        alerts = group_hits(notified([*earlier, *notified(hits)]))
        print_alerts(alerts, output.form)
        return
    if not output.summary:
        print_pages(hits, output.form, progress.wipe)
        return
    cost = Cost()
    for members in restored:
        cost.add(Act(*members))
    for hit in hits:
        cost.add(act_of(hit))
    print_cost(cost, output.form)
    if output.drafts:
        _write_drafts(cost, output.drafts, today)


def notified(hits: Iterable[Hit]) -> Iterator[Hit]:
    """Hits that the notifier gets to tell: each identity once, muted ones never."""
    seen = set()
    for hit in hits:
        if hit.identity not in seen and not hit.muted_by:
            seen.add(hit.identity)
            yield hit


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


def _options(
    places: tuple[str, ...],
    rulebook: Rulebook,
    since: str,
    until: str,
    accounts: tuple[str, ...],
    regions: tuple[str, ...],
    output: _Output,
) -> dict[str, Any]:
    """What makes a scan the same scan."""
    return {
        "places": list(places),
        "rules": hashlib.sha256(dump_rulebook(rulebook).encode()).hexdigest(),
        "since": since,
        "until": until,
        "accounts": sorted(accounts),
        "regions": sorted(regions),
        "output": output.kind,
    }


def _restore(state: State, result: Scan) -> Iterator[Any]:
    """What was kept of the hits of log files that are done already; their counts go into `result`."""
    for counts, kept in state.lines():
        result.add(counts)
        result.hits += counts.hits
        result.muted += counts.hits_muted
        yield from kept


def _moment(option: str, text: str, now: datetime) -> str:
    if not text:
        return ""
    try:
        return parse_since(text, now).isoformat()
    except SettingsError as error:
        raise SettingsError(str(error).replace("--since", option, 1)) from None


def _parsed(moment: str) -> datetime | None:
    return datetime.fromisoformat(moment) if moment else None


def _report(sources: Sources, result: Scan) -> None:
    ignored = ", ".join(f"{count} {kind}" for kind, count in sorted(sources.ignored.items())) or "0"
    if sources.passed_folders:
        ignored += f"; folders not listed: {', '.join(sorted(sources.passed_folders))}"
    begin = "interrupted; so far: " if result.interrupted else ""
    click.echo(
        f"{begin}log files: {result.files_read} read, {len(result.unreadable)} unreadable; ignored: {ignored}\n"
        f"records: {result.records} read = {result.matched} matched against rules + {result.not_watched} not watched"
        f" + {result.malformed} bad; hits: {result.hits}"
        + (f", {result.muted} of them muted" if result.muted else "")
        + (f"; {result.outside} more hits not asked for" if result.outside else ""),
        err=True,
    )
