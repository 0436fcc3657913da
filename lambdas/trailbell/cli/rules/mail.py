"""`trailbell rules mail`: the mail that a rule would send."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import click

from trailbell.alerts.alert import Alert, alert_document
from trailbell.cli.options.rulebooks import find_placeholders, setting_option
from trailbell.cli.paths import default_rules
from trailbell.cli.rules.case_files import cases_of, root_and_cases, rulebook_counted
from trailbell.cloudtrail.origin import Place
from trailbell.engine.correlation import Correlation
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.errors import RuleError
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Hit
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.case_episodes import hits_of_case
from trailbell.rulebook.cases import CASE_SETTINGS, load_cases
from trailbell.rulebook.correlation_cases import load_correlation_cases
from trailbell.rulebook.load import load_rules
from trailbell.rulebook.misspellings import question


_DETECTED_AT = "2026-09-01T09:18:57Z"  # five minutes after the event of cases
_LOG_FILE = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/111122223333_CloudTrail_us-east-1_example.json.gz"


@click.command("mail")
@click.argument("rule")
@click.option("--cases", type=click.Path(path_type=Path), help="Folder of the cases (default as for `rules check`).")
@setting_option
def show_mail(rule: str, cases: Path | None, settings: tuple[str, ...]) -> None:
    """Print the mail that a rule would send.

    RULE is the name or the file of a rule or correlation; the mail is that of its first case that matches.

    \b
    Example:
      trailbell rules mail kms-key-disabled
    """
    placeholders = {**CASE_SETTINGS, **{name: values for name, values in find_placeholders(settings).items() if values}}
    where = Path(rule) if Path(rule).is_file() else default_rules()
    found = load_rules(where, placeholders, own=True)
    root, folder = root_and_cases(where, cases)
    for document, correlation in found.linked:
        if where.is_file() or correlation.rule.name == rule:
            book = rulebook_counted(where, found, placeholders)
            _print_first(_episodes(book, correlation, cases_of(document.path, root, folder)))
            return
    if where.is_file():
        if found.errors or not found.rules:
            raise RuleError("\n".join(found.errors) or f"{where}: holds no rule for CloudTrail")
        path, chosen = where, found.rules
    else:
        path, chosen = _named(rule, zip(found.rules, (one.path for one in found.documents), strict=True))
    if all(one.counts_only for one in chosen):
        raise RuleError(f"{chosen[0].name} makes no hits: only correlations count it")
    _print_first(_hits(make_rulebook(chosen, placeholders), cases_of(path, root, folder)))


def _hits(book: Rulebook, file: Path) -> Iterator[Hit]:
    detector = HitDetector(book)
    for case in load_cases(file):
        hit = detector.detect_record(case.record, _DETECTED_AT) if case.match else None
        if hit:
            yield replace(hit, place=Place("trail-bucket", _LOG_FILE, case.index))
    raise RuleError(f"{file}: no case matches, so there is no mail to show")


def _episodes(book: Rulebook, correlation: Correlation, file: Path) -> Iterator[Hit]:
    for case in load_correlation_cases(file):
        yield from hits_of_case(book, correlation, case, "trail-bucket", _LOG_FILE)
    raise RuleError(f"{file}: no case comes true, so there is no mail to show")


def _print_first(hits: Iterator[Hit]) -> None:
    document = alert_document(Alert((next(hits),)))
    click.echo(f"Subject: {document['subject']}\n\n{document['text']}")


def _named(name: str, rules: Iterable[tuple[Rule, Path]]) -> tuple[Path, tuple[Rule, ...]]:
    by_name = {rule.name: (path, (rule,)) for rule, path in rules}
    if name not in by_name:
        raise RuleError(f"no rule and no file is called {name}{question(name, by_name)}")
    return by_name[name]
