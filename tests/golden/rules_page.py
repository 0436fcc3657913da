"""docs/rules.md: every rule in the words of its own file, made by `make generate` and held current by a test."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tests.golden.alerts import all_rules, correlations, reported_correlations
from tests.golden.correlations_page import counted_section, what_is_counted
from tests.golden.mails import FOLDERS
from tests.golden.undone_by import undone_by_lines
from tests.shipped import ROOT
from trailbell.engine.rulebook import Level, Rule


PAGE = ROOT / "docs" / "rules.md"
README = ROOT / "README.md"

_INTRODUCTION = """# Every rule

By service, the most severe first. Levels are those of the rule: root is reported one level higher, roles in
`automation_roles` one lower. [Rules](../rules/README.md) says how to write them, [the mails](mails.md) shows the
mail of each. `{places}` in a command are filled from the record. "Undone by" names the later calls that close a hit,
or say what became of it ([what undoes it](../rules/README.md#what-undoes-it)). `make generate` writes this page from
the files in `rules/`; a test checks that it is current. Correlations say what they count; rules that only
they count stand [at the end](#counted-by-correlations-alone).
"""


def rules_page() -> str:
    """The page's text."""
    groups: dict[str, list[tuple[Rule, Path]]] = {folder: [] for folder in FOLDERS}
    for rule, path in (*all_rules().values(), *reported_correlations().values()):
        groups[path.parent.name].append((rule, path))
    parts = [_INTRODUCTION, _counts(groups)]
    for folder, rules in groups.items():
        rules.sort(key=lambda one: (-one[0].level, one[0].name))
        parts += [f"## {FOLDERS[folder]}\n", _list(rules), *(_entry(rule, path) for rule, path in rules)]
    return "\n".join([*parts, counted_section()])


def counted(readme: str) -> str:
    """The README's text with the number of rules as it is."""
    count = f"with {len(all_rules())} rules and {len(reported_correlations())} correlations for"
    return re.sub(r"with \d+ rules(?: and \d+ correlations)? for", count, readme)


def write_page() -> None:
    """Write it anew, and the number of rules in the README."""
    PAGE.write_text(rules_page(), encoding="utf-8")
    README.write_text(counted(README.read_text(encoding="utf-8")), encoding="utf-8")


def _counts(groups: dict[str, list[tuple[Rule, Path]]]) -> str:
    levels = [level for level in reversed(Level) if any(rule.level is level for rule, _ in all_rules().values())]
    lines = [
        "| | " + " | ".join(level.word for level in levels) + " |",
        "|---|" + "---|" * len(levels),
    ]
    for folder, rules in groups.items():
        counts = [sum(rule.level is level for rule, _ in rules) for level in levels]
        anchor = re.sub(r"[^\w\- ]", "", FOLDERS[folder].lower()).replace(" ", "-")
        lines.append(f"| [{FOLDERS[folder]}](#{anchor}) | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(lines) + "\n"


def _list(rules: list[tuple[Rule, Path]]) -> str:
    rows = [f"| [{rule.name}](#{rule.name}) | {rule.level.word} | {rule.title} |" for rule, _ in rules]
    return "\n".join(["| rule | level | reports |", "|---|---|---|", *rows]) + "\n"


def _entry(rule: Rule, path: Path) -> str:
    return "\n".join(
        [
            f"### {rule.name}\n",
            f"**{rule.level.word}: {rule.title}**. {' · '.join(_links(rule, path))}\n",
            f"{_prose(rule.description)}\n",
            *what_is_counted(rule),
            *_shows(rule),
            *_undo(rule),
            *(() if rule.stem in correlations() else undone_by_lines(path)),
            *_points("Check first", rule.check),
            *_points("Harmless when", rule.falsepositives),
        ]
    )


def _links(rule: Rule, path: Path) -> Iterator[str]:
    yield f"[rule]({os.path.relpath(path, PAGE.parent)})"
    yield f"[mail](mails.md#{rule.name})"
    for tag in rule.tags:
        technique = tag.removeprefix("attack.").upper()
        if re.fullmatch(r"T\d{4}(\.\d{3})?", technique):
            yield f"[{technique}](https://attack.mitre.org/techniques/{technique.replace('.', '/')}/)"


def _shows(rule: Rule) -> Iterator[str]:
    if rule.shows:
        shown = (f"{label} (`{paths[0]}`)" for label, paths in rule.shows)
        yield f"Shows of the request: {', '.join(shown)}.\n"


def _undo(rule: Rule) -> Iterator[str]:
    undo = rule.undo
    limits = [f"within {undo.within} days"] if undo.within else []
    limits += [f"until `{undo.until}`"] if undo.until else []
    yield f"Undo{' (' + ', '.join(limits) + ')' if limits else ''}:{' ' + _prose(undo.note) if undo.note else ''}\n"
    for events, note in undo.notes:
        yield f"For {', '.join(events)}: {_prose(note)}\n"
    if undo.steps:
        yield "```\n" + "\n".join(_steps(rule)) + "\n```\n"


def _steps(rule: Rule) -> Iterator[str]:
    """The steps; above those for some events only, which."""
    said: tuple[str, ...] = ()
    for step, events in zip(rule.undo.steps, rule.undo.events or ((),) * len(rule.undo.steps), strict=True):
        if events != said:
            yield f"# {', '.join(events) or 'all'}"
            said = events
        yield step


def _points(name: str, texts: tuple[str, ...]) -> Iterator[str]:
    if texts:
        yield f"{name}:\n"
        yield "\n".join(f"- {_prose(text)}" for text in texts) + "\n"


def _prose(text: str) -> str:
    """Text as Markdown that shows it as it stands, on one line."""
    return re.sub(r"([\\`*<\[])", r"\\\1", " ".join(text.split()))
