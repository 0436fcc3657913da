"""docs/demo.svg: the demo, recorded in a terminal and drawn as an animation: `make recording`.

What the demo printed, and when, is kept in build/recording/demo.cast (asciicast 2). The picture has all of it, in its
order; only time is changed: waiting is shortened, mails are held so that their first screen can be read, and the last
line of the picture says so. For whoever asks for less motion, the picture is its last screen.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path


ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "demo.svg"
_CAST = ROOT / "build" / "recording" / "demo.cast"
_PACED = ROOT / "build" / "recording" / "paced.cast"
_TEMPLATE = ROOT / "tools" / "recording.svg"
_TERMTOSVG = ROOT / "build" / "recording" / "bin" / "termtosvg"
_COMMAND = ROOT / ".venv" / "bin" / "trailbell"

_COLUMNS, _ROWS = 96, 30
_PROMPT = "\x1b[32m$\x1b[0m make demo\r\n"
_SPINNER = re.compile("[\N{BRAILLE PATTERN DOTS-1}-\N{BRAILLE PATTERN DOTS-12345678}]")
_RULER = re.compile(r"(?=\r\n={80}\r\n)")
_WITH_DEADLINE = "\r\nUndo (until "

_MOST_TURNS = 8  # of a spinner, however long it was turned
_TURN = 0.12
_STEP = 0.4
_HELD_MAIL = 8.0  # the first whose undo has a deadline
_MAIL_BEFORE, _MAIL_AFTER = 1.2, 0.4
_TABLE_SCREEN = 0.3
_SUMMARY_MS = 12_000
_LEAST_FRAME_MS = 60


@dataclass(frozen=True, slots=True)
class Shown:
    """What is written into the terminal, and for how many seconds nothing follows it."""

    text: str
    seconds: float


def record() -> None:
    """Run the demo in a terminal of its own, and keep what it prints, and when. Raises RuntimeError where it failed."""
    command: list[str | Path] = [_TERMTOSVG, "record", _CAST, "-g", f"{_COLUMNS}x{_ROWS}", "-c", f"{_COMMAND} local"]
    # A terminal in which nobody types; one that is closed would end the demo.
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as terminal:
        terminal.wait()
    if "In short: " not in _CAST.read_text(encoding="utf-8"):
        raise RuntimeError(f"the demo did not come to its end: see {_CAST}")


def paced(events: list[tuple[float, str]]) -> Iterator[Shown]:
    """The events of a recording, (seconds, text) each, in a pace to read them; the last says what was changed."""
    yield Shown(_PROMPT, _STEP)
    is_held = False
    for is_spinner, run in groupby(events, lambda event: bool(_SPINNER.search(event[1]))):
        texts = [text for _, text in run]
        if is_spinner:
            yield from (Shown(text, _TURN) for text in _thinned(texts))
            continue
        for part in _RULER.split("".join(texts)):
            if "Subject: " not in part:
                yield from _screens(part)
                continue
            first, rest = _cut(part, _ROWS - 1)
            is_first = not is_held and _WITH_DEADLINE in first
            yield Shown(first, _HELD_MAIL if is_first else _MAIL_AFTER if is_held else _MAIL_BEFORE)
            yield Shown(rest, 0.0)  # it runs through: the next screen follows at once
            is_held |= is_first
    took = events[-1][0] if events else 0.0
    yield Shown(
        f"\r\n\x1b[90m(A run of {took:.0f} s: waiting is shortened, a mail stands still at its first screen.)\x1b[0m",
        0.0,
    )


def _thinned(turns: list[str]) -> list[str]:
    """Some turns of a spinner, evenly chosen; those that say something else as well stay."""
    every = -(-len(turns) // _MOST_TURNS)
    return [text for place, text in enumerate(turns) if place % every == 0 or "\n" in text]


def _cut(text: str, lines: int) -> tuple[str, str]:
    """The first lines of a text as they fill a screen, and the rest."""
    rows = 0
    for found in re.finditer(r"[^\n]*\n", text):
        rows += max(1, -(-len(found[0].rstrip()) // _COLUMNS))
        if rows > lines and found.start():
            return text[: found.start()], text[found.start() :]
    return text, ""


def _screens(text: str) -> Iterator[Shown]:
    """A text by screens: a long one runs through."""
    while text:
        screen, text = _cut(text, _ROWS)
        yield Shown(screen, _TABLE_SCREEN if text else _STEP)


def still_for_less_motion(picture: str) -> str:
    """The picture with its last screen alone for whoever asks for less motion."""
    last = re.findall(r"translateY\((-?\d+)px\)", picture)[-1]
    rule = (
        "@media (prefers-reduced-motion: reduce) "
        f"{{#screen_view {{animation: none !important; transform: translateY({last}px)}}}}"
    )
    return picture.replace("]]></style>", f"\n{rule}\n]]></style>", 1)


def draw() -> None:
    """Draw what was recorded."""
    head, *lines = _CAST.read_text(encoding="utf-8").splitlines()
    events = [(seconds, text) for seconds, kind, text in map(json.loads, lines) if kind == "o"]
    now = 0.0
    with _PACED.open("w", encoding="utf-8") as cast:
        cast.write(head + "\n")
        for shown in paced(events):
            cast.write(json.dumps([round(now, 3), "o", shown.text]) + "\n")
            now += shown.seconds
    subprocess.run(
        [
            *(_TERMTOSVG, "render", _PACED, PICTURE, "-t", _TEMPLATE),
            *("-m", str(_LEAST_FRAME_MS), "-D", str(_SUMMARY_MS)),
        ],
        check=True,
    )
    PICTURE.write_text(still_for_less_motion(PICTURE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    record()
    draw()
