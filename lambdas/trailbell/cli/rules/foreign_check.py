"""`trailbell rules check` for other people's rules: what each document is here, one line each."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from trailbell.cli.rules.findings import Finding, print_findings
from trailbell.cli.terminal.display import print_table
from trailbell.cli.terminal.table import Cell
from trailbell.engine.rulebook import Rule
from trailbell.rulebook.documents import Document, Kind, Refused
from trailbell.rulebook.exceptions import apply_filters
from trailbell.rulebook.foreign import counts, every_left_out, told_apart, warnings_of, warnings_of_correlation
from trailbell.rulebook.load import RuleSet, load_rules
from trailbell.rulebook.own_rules import near_misses
from trailbell.rulebook.placeholders import Placeholders
from trailbell.text.safe_text import one_line


_WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one document is here.

    status:  ok, warning (it runs); refused, filter, not for CloudTrail, no rule (it does not).
    line:    where in the file it begins, from 1; `document` is its position among the file's documents, from 1.
    name:    what its hits are called, "" if it does not run.
    reasons: why it does not run, or what to know if it does.
    """

    status: str
    file: str
    line: int
    document: int
    title: str
    name: str
    level: str
    reasons: tuple[str, ...]


def check_foreign(where: Path, placeholders: Placeholders, form: str) -> int:
    """Print a line for each document, and the counts to stderr; the exit status: 1 if one meant for us cannot run."""
    found = told_apart(apply_filters(load_rules(where, placeholders), placeholders), where)
    verdicts = sorted(_verdicts(found, placeholders), key=lambda one: (one.file, one.document))
    if form == "sarif":
        print_findings([finding for one in verdicts for finding in _findings(one)], form)
    elif form == "jsonl":
        for one in verdicts:
            click.echo(json.dumps(asdict(one), ensure_ascii=True))
    else:
        print_table(["status", "place", "title", "reasons"], map(_cells, verdicts))
    click.echo(counts(found), err=True)
    if not found.rules:
        click.echo(f"{where}: holds no rule for CloudTrail that can run", err=True)
    return int(bool(found.refused) or not found.rules)


def _verdicts(found: RuleSet, placeholders: Placeholders) -> Iterator[Verdict]:
    for document, rule in zip(found.documents, found.rules, strict=True):
        warnings = *near_misses(document), *warnings_of(document, rule, placeholders)
        yield _running(document, rule, warnings)
    for document, one in found.linked:
        warnings = *near_misses(document), *warnings_of_correlation(document, one)
        yield _running(document, one.rule, warnings)
    yield from map(_left_out, every_left_out(found))


def _running(document: Document, rule: Rule, warnings: tuple[str, ...]) -> Verdict:
    status = _WARNING if warnings else "ok"
    place = str(document.path), document.line, document.number
    return Verdict(status, *place, rule.title, rule.name, rule.level.word, warnings)


def _left_out(one: Refused) -> Verdict:
    status = Kind.REFUSED if one.kind is Kind.CORRELATION else one.kind
    return Verdict(status.value, str(one.path), one.line, one.number, one.title, "", "", (one.reason,))


def _findings(verdict: Verdict) -> Iterator[Finding]:
    """What a code host shows: documents that are refused, and warnings of those that run."""
    if verdict.status in (Kind.REFUSED, _WARNING):
        for reason in verdict.reasons:
            yield Finding("foreign-rule", Path(verdict.file), verdict.line, reason, verdict.status == _WARNING)


def _cells(verdict: Verdict) -> list[str | Cell]:
    place = f"{verdict.file}:{verdict.line}"
    return [one_line(text) for text in (verdict.status, place, verdict.title, "; ".join(verdict.reasons))]
