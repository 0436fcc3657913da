"""`trailbell rules tune`: from hits that were resolved as false to an exception that takes them and nothing wider."""

import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, connection_options
from trailbell.cli.options.rule_names import RuleType, rule_ids
from trailbell.cli.options.rulebooks import find_placeholders, find_rulebook, setting_option
from trailbell.cli.options.times import parse_moment, since_option
from trailbell.cli.paths import default_cases, default_exceptions, default_rules
from trailbell.cli.rules.judged_hits import JudgedHits, from_file, from_table, records_of
from trailbell.engine.rulebook import Rule
from trailbell.errors import RuleError, SettingsError
from trailbell.hits.query import HitQuery
from trailbell.lookback.tuning import Refusal, completed
from trailbell.text.safe_text import one_line


if TYPE_CHECKING:
    from trailbell.rulebook.cases import Case

_LASTS = timedelta(days=90)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("tune")
@click.argument("rule", required=False, default="", type=RuleType())
@since_option("Hits of the table", "90d")
@click.option(
    "--false", "false_files", multiple=True, type=_FILE, help="Hits that were false, as JSON lines (repeatable)."
)
@click.option("--confirmed", "confirmed_files", multiple=True, type=_FILE, help="Hits that were right, as JSON lines.")
@click.option("--owner", metavar="OWNER", default="", help="Who answers for the exception.")
@click.option("--reason", metavar="WHY", default="", help="Why these calls are expected.")
@click.option("--expires", default="", metavar="DATE", help="Its last day (default: in 90 days).")
@click.option("--write", is_flag=True, help="Write it into exceptions/ instead of printing it.")
@setting_option
@connection_options
def tune_rules(
    rule: str,
    since: str,
    false_files: tuple[Path, ...],
    confirmed_files: tuple[Path, ...],
    owner: str,
    reason: str,
    expires: str,
    write: bool,
    settings: tuple[str, ...],
    connection: Connection,
) -> None:
    """Draft an exception from hits that were resolved as false.

    (They are by `trailbell resolve ID --as false`.)

    It is the narrowest that takes them all: by actor, resource, call, account, Region and agent. It is proved on the
    records of all cases and on all hits that were confirmed; where one of them would be muted, or where the false
    hits have too little in common, nothing is drafted, the hit that stands against it is named, and the exit status
    is 1. Without RULE: one draft for each rule with false hits. Hits of files are as `hits` and `scan` print them
    with --format jsonl.

    \b
    Example:
      trailbell rules tune kms-policy-changed
      trailbell rules tune --write --owner ops@example.com --reason OPS-1234
    """
    from trailbell.rulebook.tune import Answerable, Judged, Tuned, tune  # here, as these need pySigma

    now = datetime.now(UTC)
    rulebook, placeholders = find_rulebook(None, settings), find_placeholders(settings)
    judged = _judged(connection, since, false_files, confirmed_files, now)
    chosen = _chosen(rule, judged, rulebook.rules)
    answerable = Answerable(
        owner or _fill_in("who answers for this"), reason or _fill_in("why"), _last_day(expires, now)
    )
    cases, refused = all_cases(), False
    for one in chosen:
        false = [hit for hit in judged.false if hit.rule_ids[0] == one.rule_id]
        confirmed = [hit for hit in judged.confirmed if one.rule_id in hit.rule_ids]
        records = records_of([*false, *confirmed], connection, local=bool(false_files or confirmed_files))
        false = [completed(hit, records.get(hit.hit_id)) for hit in false]
        tuned = tune(one, Judged(false, confirmed, records), cases, placeholders, answerable, now.date())
        if isinstance(tuned, Tuned):
            _give(tuned.name, tuned.content, write=write)
            click.echo(_proof(one, tuned.takes, tuned.spares, tuned.cases, tuned.without_record), err=True)
        else:
            refused = True
            click.echo(_refusal(one, tuned), err=True)
    if refused:
        sys.exit(1)


def _judged(
    connection: Connection, since: str, false: Sequence[Path], confirmed: Sequence[Path], now: datetime
) -> JudgedHits:
    if false or confirmed:
        return JudgedHits(
            [hit for path in false for hit in from_file(path)], [hit for path in confirmed for hit in from_file(path)]
        )
    with explained_errors():
        return from_table(connection, HitQuery(parse_moment(since, now, UTC, "--since"), now))


def _chosen(name: str, judged: JudgedHits, rules: Sequence[Rule]) -> list[Rule]:
    """The rules to draft for. Raises SettingsError where there is none."""
    if name:
        wanted = set(rule_ids((name,)))
        return [rule for rule in rules if rule.rule_id in wanted]
    found = {hit.rule_ids[0] for hit in judged.false}
    chosen = [rule for rule in rules if rule.rule_id in found]
    if not chosen:
        raise SettingsError("no hit is resolved as false in this time: trailbell resolve ID --as false")
    return sorted(chosen, key=lambda rule: rule.name)


def _last_day(given: str, now: datetime) -> date:
    if not given:
        return (now + _LASTS).date()
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise SettingsError(f"--expires {given}: give a date such as 2026-12-31") from None


def all_cases() -> "list[Case]":
    """The cases of all rules; the deployer's own in rules/local/ have theirs beside them. Raises RuleError for a file
    of cases that is at fault: a proof that leaves some out is none.
    """
    from trailbell.rulebook.cases import load_cases
    from trailbell.rulebook.correlation_cases import load_correlation_cases
    from trailbell.rulebook.source import LOCAL

    found = []
    for folder in (default_cases(), default_rules() / LOCAL / "cases"):
        for path in sorted(folder.rglob("*.yml")) if folder.is_dir() else ():
            try:
                found += load_cases(path)
            except RuleError as error:
                try:
                    load_correlation_cases(path)  # these have a form of their own, and no single record
                except RuleError:
                    raise error from None
    return found


def _give(name: str, content: str, *, write: bool) -> None:
    if not write:
        click.echo(content, nl=False)
        return
    path = default_exceptions() / name
    if path.exists():
        raise SettingsError(f"{path} exists: rename or remove it first")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    click.echo(path)


def _fill_in(what: str) -> str:
    from trailbell.rulebook.draft import FILL_IN

    return f"{FILL_IN} {what}"


def _proof(rule: Rule, takes: int, spares: int, cases: int, without_record: int) -> str:
    left = f"; {without_record} judged by what the hit says, as the record cannot be had" if without_record else ""
    return f"{rule.name}: takes {takes} false hits, none of {spares} confirmed, no record of {cases} cases{left}"


def _refusal(rule: Rule, refusal: Refusal) -> str:
    against = f" ({one_line(refusal.hit_id, 300)})" if refusal.hit_id else ""
    return f"{rule.name}: no exception is drafted: {refusal.reason}{against}"
