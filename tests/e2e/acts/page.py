"""docs/silenced.md: the tables between their marks."""

import re
from collections.abc import Iterable
from pathlib import Path

from tests.e2e.acts.rows import Found, Row


PAGE = Path(__file__).resolve().parents[3] / "docs" / "silenced.md"


def table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| part | act | record | rule, by hand | rule, in a deployment | alarm | doctor | canary |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = (
            row.part,
            row.what,
            f"`{row.call}`" + (" ¹" if row.imitated else ""),
            row.by_hand or "-",
            row.deployed or "-",
            ", ".join(map(str, row.alarms)) or "-",
            ", ".join(f"`{one}`" for one in row.doctor) or ("not done ¹" if row.imitated else "-"),
            _canary(row),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _canary(row: Row) -> str:
    if not row.cut:
        return "comes back"
    if not row.missed:
        return "nobody is left to miss it"
    if row.told is None:
        return f"stays away: {row.cut}; the clock cannot judge it"
    return f"{'one that is in it ' if row.once else ''}stays away: {row.cut} ({row.told})"


def cut_links(found: Found) -> str:
    """The canary with each link cut in turn: how far it came, and when operations know."""
    lines = [
        "| link | act | the canary came to | operations are told | after the act | alarm CanaryMissing | they read |",
        "|---|---|---|---|---|---|---|",
        f"| none | - | {found.whole.came_to} | - | - | - | - |",
    ]
    seen = set[str]()
    for row in sorted(found.rows, key=lambda row: row.flight is None):
        if not (row.cut and row.missed) or row.cut in seen or row.once:
            continue
        seen.add(row.cut)
        flight = row.flight
        came_to, at = (flight.came_to, f"{flight.told_after} min after it was sent") if flight else ("not sent ²", "-")
        alarm, sentence = found.times.canary_alarm(row.cut), found.times.sentence(row.cut)
        cells = (
            row.cut,
            row.what,
            came_to,
            at,
            str(row.told or "never"),
            str(alarm),
            sentence or "nothing: the clock fails, and ClockErrors fires",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def written(text: str, found: Found) -> str:
    """The page's text with both tables drawn anew."""
    for name, drawn in (("acts", table(found.rows)), ("canary", cut_links(found))):
        marked = re.compile(rf"(<!-- {name} -->\n)(.*?)(<!-- end of {name} -->)", re.DOTALL)
        text = marked.sub(lambda match, drawn=drawn: match[1] + drawn + match[3], text)  # type: ignore[misc]
    return text
