"""`trailbell rules mail`: the mail that a rule would send."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import click

from trailbell.alerts.alert import Alert, alert_document
from trailbell.cli.options.rulebooks import find_placeholders, setting_option
from trailbell.cli.paths import default_rules
from trailbell.cli.rules.case_files import cases_of, root_and_cases
from trailbell.engine.rulebook import Rule
from trailbell.errors import RuleError
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Place
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.cases import CASE_SETTINGS, load_cases
from trailbell.rulebook.load import load_rules
from trailbell.rulebook.misspellings import question


_DETECTED_AT = "2026-09-01T09:18:57Z"  # five minutes after the event of cases
_LOG_FILE = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/111122223333_CloudTrail_us-east-1_example.json.gz"


@click.command("mail")
@click.argument("rule")
@click.option("--cases", type=click.Path(path_type=Path), help="Folder of the cases (default as for `rules check`).")
@setting_option
def show_mail(rule: str, cases: Path | None, settings: tuple[str, ...]) -> None:
    """Print the mail that a rule (its name, or a file) would send for its first matching case.

    \b
    Example:
      trailbell rules mail kms-key-disabled
    """
    placeholders = {**CASE_SETTINGS, **{name: values for name, values in find_placeholders(settings).items() if values}}
    where = Path(rule) if Path(rule).is_file() else default_rules()
    found = load_rules(where, placeholders)
    if where.is_file():
        if found.errors or not found.rules:
            raise RuleError("\n".join(found.errors) or f"{where}: holds no rule for CloudTrail")
        path, chosen = where, found.rules
    else:
        path, chosen = _named(rule, zip(found.rules, (one.path for one in found.documents), strict=True))
    root, folder = root_and_cases(where, cases)
    file = cases_of(path, root, folder)
    detector = HitDetector(make_rulebook(chosen, placeholders))
    for case in load_cases(file):
        hit = detector.detect_record(case.record, _DETECTED_AT) if case.match else None
        if hit:
            document = alert_document(Alert((replace(hit, place=Place("trail-bucket", _LOG_FILE, case.index)),)))
            click.echo(f"Subject: {document['subject']}\n\n{document['text']}")
            return
    raise RuleError(f"{file}: no case matches, so there is no mail to show")


def _named(name: str, rules: Iterable[tuple[Rule, Path]]) -> tuple[Path, tuple[Rule, ...]]:
    by_name = {rule.name: (path, (rule,)) for rule, path in rules}
    if name not in by_name:
        raise RuleError(f"no rule and no file is called {name}{question(name, by_name)}")
    return by_name[name]
