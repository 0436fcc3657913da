"""What `trailbell scan` is asked for: which records, by which rules, and what of them to print."""

import hashlib
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from trailbell.cli.options.account import AccountId
from trailbell.cli.options.filters import Filters
from trailbell.cli.options.form import form_option
from trailbell.cli.options.option_group import option_group
from trailbell.cli.options.rulebooks import setting_option, strict_option
from trailbell.cli.options.times import parse_window, since_option, until_option
from trailbell.cloudtrail.selection import Selection
from trailbell.engine.rulebook import Rulebook, dump_rulebook
from trailbell.errors import SettingsError
from trailbell.hits.hit import Hit, hit_document


if TYPE_CHECKING:
    from trailbell.alerts.quiet import QuietMinutes

FORMS = ("table", "json", "jsonl", "csv", "html", "ocsf")


class Scope(NamedTuple):
    """Which records: of what time ("" where open), of which accounts and regions (all where none is named)."""

    since: str
    until: str
    accounts: tuple[str, ...]
    regions: tuple[str, ...]

    def window(self, now: datetime) -> list[str]:
        """Since and until as moments in ISO 8601, "" where open. Raises SettingsError for what is no time."""
        return [moment.isoformat() if moment else "" for moment in parse_window(self.since, self.until, now)]

    def selection(self, window: list[str]) -> Selection:
        """The records within a window, which with --resume is that of the scan's beginning."""
        since, until = (datetime.fromisoformat(moment) if moment else None for moment in window)
        return Selection(frozenset(self.accounts), frozenset(self.regions), since, until)


class Output(NamedTuple):
    """What is printed: hits, alerts or a summary, in which form, where; where drafts of exceptions go."""

    form: str
    file: Path | None
    silent: bool
    alerts: bool
    summary_asked: bool
    drafts: Path | None
    quiet_minutes: int

    @property
    def quiet(self) -> "QuietMinutes":
        """How long what follows an alert is gathered."""
        from trailbell.alerts.quiet import QuietMinutes  # here, as a scan that prints hits does without

        return QuietMinutes(self.quiet_minutes)

    @property
    def summary(self) -> bool:
        """Drafts are written from a summary."""
        return self.summary_asked or bool(self.drafts)

    @property
    def kind(self) -> str:
        """One word for it."""
        return "alerts" if self.alerts else "summary" if self.summary else "hits"

    def check(self) -> None:
        """Raise SettingsError for what does not go together."""
        if self.alerts and (self.summary or self.form not in ("table", "jsonl")):
            raise SettingsError("--alerts goes with --format table or jsonl, and not with --summary")
        if self.summary and self.form not in ("table", "jsonl", "csv"):
            raise SettingsError("--summary goes with --format table, jsonl or csv")
        if self.form == "html" and not self.file and sys.stdout.isatty():
            raise SettingsError("--format html is a page, not for a terminal: give -o report.html")

    def keep(self, hit: Hit) -> Any:
        """What the state remembers of a hit: as much as is printed at the end."""
        from trailbell.lookback.cost import act_of  # here, as a scan that prints hits does without

        return hit_document(hit) if self.alerts else list(asdict(act_of(hit)).values())

    def kept_id(self, kept: Any) -> str:
        """The id of a hit as `keep` gives it."""
        return str(kept["hitId"] if self.alerts else kept[0])


class Work(NamedTuple):
    """How it is done: by which rules, in how many processes, remembered where, and whether hits are a failure."""

    rules: Path | None
    strict: bool
    settings: tuple[str, ...]
    jobs: int | None
    state: Path | None
    seed_table: str
    exit_code: bool


scope_options = option_group(
    "scope",
    Scope,
    since_option("Records"),
    until_option("Records"),
    click.option(
        "--account", "accounts", multiple=True, type=AccountId(), help="Only this account's records (repeatable)."
    ),
    click.option(
        "--region", "regions", metavar="REGION", multiple=True, help="Only this region's records (repeatable)."
    ),
)

output_options = option_group(
    "output",
    Output,
    form_option(FORMS),
    click.option(
        "-o",
        "--output",
        "file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write there instead of standard output.",
    ),
    click.option("-q", "--quiet", "silent", is_flag=True, help="Say nothing of what was read, unless it failed."),
    click.option("--alerts", is_flag=True, help="Print what people would be notified of: one line for each alert."),
    click.option(
        "--summary",
        "summary_asked",
        is_flag=True,
        help="Print what each rule would have cost: hits, alerts, by whom, on which days.",
    ),
    click.option(
        "--quiet-minutes",
        metavar="N",
        type=click.IntRange(0, 1440),
        default=60,  # that of alerts/quiet.py, held by a test: to import it takes as long as a small scan
        show_default=True,
        help="Of --alerts and --summary: how long what follows an alert is gathered; the setting of that name.",
    ),
    click.option(
        "--propose-exceptions",
        "drafts",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Write drafts of exceptions into DIR, where one actor makes most hits of a rule (implies --summary).",
    ),
)

work_options = option_group(
    "work",
    Work,
    click.option("--rules", type=click.Path(exists=True, path_type=Path), help="Other Sigma rules (file or folder)."),
    strict_option,
    click.option(
        "--jobs", metavar="N", type=click.IntRange(1), help="Processes to work with (default: as many as pay off)."
    ),
    click.option(
        "--resume",
        "state",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Remember in FILE which log files are done; go on from there if FILE exists.",
    ),
    click.option(
        "--seed",
        "seed_table",
        default="",
        metavar="TABLE",
        help="Write into this hit table on which days what `first_seen` rules ask for was seen; no hits.",
    ),
    click.option("--exit-code", is_flag=True, help="Exit with status 1 when there are hits (muted ones do not count)."),
    setting_option,
)


def same_scan(
    places: tuple[str, ...], rulebook: Rulebook, scope: Scope, output: Output, filters: Filters
) -> dict[str, Any]:
    """What makes a scan the same scan, so that it may go on from another's state."""
    return {
        "places": list(places),
        "rules": hashlib.sha256(dump_rulebook(rulebook).encode()).hexdigest(),
        "since": scope.since,
        "until": scope.until,
        "accounts": sorted(scope.accounts),
        "regions": sorted(scope.regions),
        "output": output.kind,
        **({"filters": filters.said} if filters.said else {}),
    }
