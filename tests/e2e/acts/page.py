"""docs/silenced.md: the table between its marks."""

import re
from collections.abc import Iterable
from pathlib import Path

from tests.e2e.acts.rows import Row


PAGE = Path(__file__).resolve().parents[3] / "docs" / "silenced.md"
_MARKED = re.compile(r"(<!-- acts -->\n)(.*?)(<!-- end of acts -->)", re.DOTALL)


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
            ", ".join(row.alarms) or "-",
            ", ".join(f"`{one}`" for one in row.doctor) or ("not done ¹" if row.imitated else "-"),
            _canary(row),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _canary(row: Row) -> str:
    if not row.cut:
        return "comes back"
    return f"stays away: {row.cut}" if row.missed else "nobody is left to miss it"


def written(text: str, rows: Iterable[Row]) -> str:
    """The page's text with the table drawn anew."""
    drawn = table(rows)
    return _MARKED.sub(lambda found: found[1] + drawn + found[3], text)
