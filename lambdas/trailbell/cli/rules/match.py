"""`trailbell rules match`: any Sigma rules on any JSON events."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import click

from trailbell.cli.options.form import form_option
from trailbell.cli.options.rulebooks import find_placeholders, find_rulebook, setting_option, strict_option
from trailbell.cli.rules.event_lines import EventLines, print_episodes
from trailbell.cli.scan.log_files import read_pieces
from trailbell.cli.terminal.display import print_table
from trailbell.cloudtrail.record import GATE_FIELDS
from trailbell.engine.correlation import Correlation, silenced
from trailbell.engine.matcher import Matcher, matching
from trailbell.engine.rulebook import Rule
from trailbell.errors import LogFileError, RuleError
from trailbell.text.safe_text import one_line
from trailbell.wrappings.events import events_in


_ANY = click.Path(exists=True, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("match")
@click.option("--rules", "rules_path", type=_ANY, help="Sigma rules: a file or a folder (default: the product's).")
@click.option("--events", required=True, type=_FILE, help="JSON lines, or any form that `trailbell scan` reads.")
@form_option(("table", "jsonl"))
@click.option(
    "--time-field",
    metavar="FIELD",
    default="eventTime",
    show_default=True,
    help="Where an event's time is, as RFC 3339.",
)
@strict_option
@setting_option
def match_rules(
    rules_path: Path | None, events: Path, form: str, time_field: str, strict: bool, settings: tuple[str, ...]
) -> None:
    """Match any Sigma rules against any JSON events.

    Log sources are ignored. One line for each match.

    `index` is the line of the event, from 0; where events do not stand in lines, their position. After the matches
    comes a line for each episode of a correlation, with
    the lines of all its events. Rules that correlations count are not shown alone unless one says `generate: true`.
    Documents that cannot run are named on stderr, the others go on, and the
    exit status is 2; with --strict nothing is matched then.

    \b
    Example:
      trailbell rules match --rules ./rule.yml --events ./events.jsonl
    """
    if rules_path is None:
        rulebook = find_rulebook(None, settings)
        _print_matches(_Running(rulebook.rules, rulebook.correlations, {}), events, time_field, form)
        return
    from trailbell.rulebook.exceptions import apply_filters  # here, as these need pySigma
    from trailbell.rulebook.foreign import counts, ids_of_authors, sentence, told_apart
    from trailbell.rulebook.load import load_rules

    placeholders = find_placeholders(settings)
    found = apply_filters(load_rules(rules_path, placeholders, any_source=True), placeholders)
    if strict and found.errors:
        raise RuleError("\n".join(found.errors))
    if not (found.rules or found.refused):
        raise RuleError(f"{rules_path}: holds no rule")
    apart = told_apart(found, rules_path)
    running = _Running(apart.rules, apart.correlations, ids_of_authors(found, rules_path))
    _print_matches(running, events, time_field, form)
    for one in apart.refused:
        click.echo(sentence(one), err=True)
    if apart.left_out:
        click.echo(counts(replace(apart, filters=())), err=True)
    if apart.refused:
        sys.exit(2)


@dataclass(frozen=True, slots=True)
class _Running:
    """Rules and the correlations over them; ids: what is printed for an id, if not itself."""

    rules: Sequence[Rule]
    correlations: Sequence[Correlation]
    ids: Mapping[str, str]


def _print_matches(running: _Running, events: Path, time_field: str, form: str) -> None:
    """A line for each event and rule that match, then one for each episode; events carry their `facts`, as nothing is
    made of them here.
    """
    matcher, lines = Matcher(running.rules, GATE_FIELDS), EventLines(running.correlations, time_field)
    silent = silenced(running.rules, running.correlations)
    matches = (
        (index, match.rule)
        for index, event in _events(events)
        for match in lines.kept(index, event, matching(matcher.candidates(event), event, event.get("facts") or {}, ""))
        if match.rule.rule_id not in silent
    )
    if form == "jsonl":
        for index, rule in matches:
            rule_id = running.ids.get(rule.rule_id, rule.rule_id)
            line = {"ruleId": rule_id, "title": rule.title, "index": index, "name": rule.name}
            click.echo(json.dumps(line, ensure_ascii=True))
    else:
        columns = ["index", "ruleId", "name", "title"]
        shown = ((index, running.ids.get(rule.rule_id, rule.rule_id), rule) for index, rule in matches)
        rows = ([str(index), rule_id, rule.name, one_line(rule.title)] for index, rule_id, rule in shown)
        if first := next(rows, None):
            print_table(columns, chain((first,), rows))
        else:
            click.echo("no rule matches any of the events", err=True)
    episodes = (one for one in lines.episodes() if one.correlation.correlation_id not in silent)
    print_episodes(episodes, running.ids, form)
    if lines.without_time:
        click.echo(f"{lines.without_time} events that correlations count have no time and join none", err=True)


def _events(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Raises LogFileError, which names the file, for what is no JSON object."""
    try:
        yield from events_in(read_pieces(path))
    except LogFileError as error:
        raise LogFileError(f"{path}: {error}") from None
