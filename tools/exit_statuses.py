"""Writes the table of exit statuses into its page, between its marks: python -m tools.exit_statuses."""

import re
from pathlib import Path

from trailbell.cli.options.exit_codes import table


PAGE = Path(__file__).resolve().parent.parent / "docs" / "looking-back.md"
_MARKED = re.compile(r"(<!-- exit statuses -->\n)(.*?)(<!-- /exit statuses -->)", re.DOTALL)


def written(text: str) -> str:
    """The page's text with the table as the code has it."""
    return _MARKED.sub(lambda found: found[1] + table() + found[3], text)


def main() -> None:
    """Write it."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
