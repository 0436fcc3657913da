"""The pages of the documentation as a test sees them: commands to paste, links, headings."""

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
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
_REFERENCE = re.compile(r"^\[[^\]^]+\]: *(\S+)", re.MULTILINE)
_HTML = re.compile(r"(?:src|href)=\"([^\"]*)\"")
_AUTOLINK = re.compile(r"<(\w+:[^>\s]*)>")
_SPAN = re.compile(r"`([^`\n]+)`")
_INTO_THE_WORLD = re.compile(r"\w+:")
_NOT_OURS = {"node_modules", "build", "cdk.out"}


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


def markdown_files() -> list[Path]:
    """Every Markdown file of the checkout that is ours, the pages among them."""
    found = []
    for folder, inner, files in os.walk(ROOT):
        inner[:] = [name for name in inner if not name.startswith(".") and name not in _NOT_OURS]
        found += [Path(folder, name) for name in files if name.endswith(".md")]
    return sorted(found)


def links(page: Path) -> list[str]:
    """The targets of a page's links and pictures, those into the world left out."""
    return [target for target in _targets(page) if not _INTO_THE_WORLD.match(target)]


def links_into_the_world(page: Path) -> list[str]:
    """The others."""
    return [target for target in _targets(page) if _INTO_THE_WORLD.match(target)]


def _targets(page: Path) -> Iterator[str]:
    prose = _SPAN.sub("`", _prose(page))
    for pattern in (_LINK, _REFERENCE, _HTML, _AUTOLINK):
        yield from pattern.findall(prose)


@cache
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
