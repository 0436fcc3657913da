"""The golden mails as files, and the gallery that is made of them."""

from collections.abc import Iterator
from pathlib import Path

from tests.golden.alerts import awkward_alerts, correlation_alerts, rule_alerts
from tests.shipped import ROOT
from trailbell.alerts.alert import Alert, alert_document
from trailbell.engine.rulebook import Rule
from trailbell.rulebook.source import rule_files


MAILS = Path(__file__).parent / "mails"
GALLERY = ROOT / "docs" / "mails.md"

FOLDERS = {
    "kms": "AWS KMS",
    "cloudhsm": "AWS CloudHSM",
    "ssm": "AWS Systems Manager",
    "fleethub": "Fleet Hub for AWS IoT Device Management",
    "cloudtrail": "The trail and trailbell itself",
    "identity": "Identity and sharing",
    "audit": "What the audit of log files finds",
}
"""Folder of rules/ → its heading, in the order of the pages."""
_INTRODUCTION = """# The mails

The mail of each rule and correlation: the first case of `tests/rules/` that matches or comes true, as it would be
mailed, subject first, then the text. The bucket, the runbooks and the people are examples. `make generate` writes this
page from the files in `tests/golden/mails/`; a test compares them letter by letter.
"""


def mail(alert: Alert) -> str:
    """A mail as a file: subject, blank line, text."""
    document = alert_document(alert)
    return f"Subject: {document['subject']}\n\n{document['text']}"


def golden_mails() -> dict[Path, str]:
    """Every golden file with what it must hold."""
    files = {MAILS / "rules" / f"{rule.name}.txt": mail(alert) for rule, alert in _alerts()}
    return files | {MAILS / "cases" / f"{name}.txt": mail(alert) for name, _, alert in awkward_alerts()}


def _alerts() -> Iterator[tuple[Rule, Alert]]:
    """Each rule and correlation, by folder and file, with its alert."""
    yield from rule_alerts()
    yield from correlation_alerts()


def gallery() -> str:
    """docs/mails.md."""
    return "\n".join([_INTRODUCTION, *_contents(), *_mails()]) + "\n"


def _grouped() -> dict[str, list[tuple[str, str, str]]]:
    """Service → (rule, title, mail), in the order of FOLDERS."""
    groups: dict[str, list[tuple[str, str, str]]] = {name: [] for name in FOLDERS}
    for rule, alert in _alerts():
        groups[_folder(rule.stem)].append((rule.name, rule.title, mail(alert)))
    return groups


def _folder(stem: str) -> str:
    return next(path.parent.name for path in rule_files(ROOT / "rules") if path.stem == stem)


def _contents() -> Iterator[str]:
    for folder, rules in _grouped().items():
        yield f"**{FOLDERS[folder]}**: " + ", ".join(f"[{name}](#{name})" for name, _, _ in rules) + "\n"
    yield "**Beyond the rules**: " + ", ".join(f"[{name}](#{name})" for name, _, _ in awkward_alerts()) + "\n"


def _mails() -> Iterator[str]:
    for folder, rules in _grouped().items():
        yield f"## {FOLDERS[folder]}\n"
        for name, _, text in rules:
            yield f"### {name}\n\n```\n{text.rstrip()}\n```\n"
    yield "## Beyond the rules\n"
    for name, shows, alert in awkward_alerts():
        yield f"### {name}\n\n{shows[0].upper()}{shows[1:]}.\n\n```\n{mail(alert).rstrip()}\n```\n"


def write_all() -> None:
    """Write every golden mail and the gallery; files of rules that are gone are removed."""
    selection = golden_mails()
    for path in set(MAILS.rglob("*.txt")) - set(selection):
        path.unlink()
    for path, text in selection.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    GALLERY.write_text(gallery(), encoding="utf-8")
