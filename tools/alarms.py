"""The alarms' part of docs/operating.md, written from the table of advice.

`make generate` writes it between the page's `alarms` marks; a test holds it there.
"""

import re
from pathlib import Path

from trailbell.ops.advice import Advice, table


PAGE = Path(__file__).resolve().parent.parent / "docs" / "operating.md"
_MARKED = re.compile(r"(<!-- alarms -->\n)(.*?)(<!-- /alarms -->\n)", re.DOTALL)


def alarms() -> dict[str, Advice]:
    """The advice on each alarm that the stack can have, by the alarm's name."""
    return {condition.removeprefix("alarm."): advice for condition, advice in table().items() if advice.background}


def section(name: str, advice: Advice) -> str:
    """An alarm's part: its name, its description word for word, what else is to be known, and the commands."""
    parts = [f"### {name}", f"> {advice.text}", advice.background.strip()]
    if advice.commands:
        parts.append("\n".join(("```sh", *advice.commands, "```")))
    return "\n\n".join(parts)


def written(text: str) -> str:
    """The page's text with the alarms written anew."""
    drawn = "\n\n".join(section(name, advice) for name, advice in alarms().items())
    return _MARKED.sub(lambda found: f"{found[1]}\n{drawn}\n\n{found[3]}", text)


def main() -> None:
    """Write the alarms into the page."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
