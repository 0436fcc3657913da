"""The pages of the documentation as a test sees them: commands to paste, links, headings."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trailbell.ops.advice import table


ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / folder / "README.md" for folder in ("rules", "rules/local", "exceptions", "examples")),
]

ADVICE = ROOT / "lambdas" / "trailbell" / "ops" / "advice.toml"

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Command:
    """A command that a page tells to paste: its words, as a shell passes them on."""

    page: Path
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {shlex.join(self.words)}"


def commands() -> list[Command]:
    """Every simple command in the `sh` blocks of all pages."""
    return [
        Command(page, words)
        for page in PAGES
        for _, language, block in _FENCE.findall(_text(page))
        if language == "sh"
        for words in simple_commands(block)
    ]


def advised() -> list[Command]:
    """Every command of the table of advice, with its {names} as they are there."""
    return [
        Command(ADVICE, words)
        for advice in table().values()
        for command in advice.commands
        for words in simple_commands(command)
    ]


def simple_commands(block: str) -> Iterator[tuple[str, ...]]:
    """The commands of a piece of shell: pipes, redirections, comments and `$(...)` taken apart."""
    pending = ""
    for line in re.sub(r'eval "\$\((.*)\)"', r"\1", block).splitlines():
        pending += line + "\n"
        if pending.endswith("\\\n"):
            continue
        try:
            lexer = shlex.shlex(pending.replace("\\\n", " "), posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words = list(lexer)
        except ValueError:  # a quotation that goes on in the next line
            continue
        pending = ""
        yield from _taken_apart(words)
    assert not pending, f"does not end: {pending}"


def _taken_apart(words: list[str]) -> Iterator[tuple[str, ...]]:
    command: list[str] = []
    after = ""
    for word in [*words, ";"]:
        if not set(word) <= set("();<>|&") or not word:
            command.append(word)
            continue
        if after not in (">", ">>", "<") and command and not command[0].endswith("=$"):
            yield tuple(command)
        command, after = [], word


def spans(page: Path) -> list[str]:
    """The code spans of a page's prose."""
    return _SPAN.findall(_prose(page))


def links(page: Path) -> list[str]:
    """The targets of a page's links, those into the world left out."""
    found = _LINK.findall(_SPAN.sub("`", _prose(page)))
    return [target for target in found if not re.match(r"https?:|mailto:", target)]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#+ (.*)$", _prose(page), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
        if found[slug]:
            found[f"{slug}-{found[slug]}"] = 0
    return set(found)


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _prose(page: Path) -> str:
    return _FENCE.sub("", _text(page))
