"""The table of docs/audit.md: what is said of each kind of tampering, made by `make generate`."""

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.audit.audited import audit, honest
from tests.audit.aws_cli import RECORDED
from tests.audit.live_kinds import HAPPENINGS, told_of
from tests.audit.tamperings import KINDS, Tampering
from tests.audit.world import World


PAGE = Path(__file__).resolve().parents[2] / "docs" / "audit.md"
_MARKED = re.compile(r"(<!-- tamperings -->\n)(.*?)(<!-- /tamperings -->\n)", re.DOTALL)
_LIVE = re.compile(r"(<!-- live -->\n)(.*?)(<!-- /live -->\n)", re.DOTALL)
_NOTHING = "nothing"


def written(text: str) -> str:
    """A page's text with the tables as they are."""
    text = _MARKED.sub(lambda found: found[1] + table() + found[3], text)
    return _LIVE.sub(lambda found: found[1] + live_table() + found[3], text)


def live_table() -> str:
    """One row for each thing that happens to a deployment, and the hits that tell of it."""
    lines = ["| what happens | hits |", "|---|---|"]
    for happens in HAPPENINGS:
        hits = ", ".join(f"`{name}`" for name in told_of(happens)) or _NOTHING
        lines.append(f"| {(happens.__doc__ or '').strip().rstrip('.')} | {hits} |")
    return "\n".join(lines) + "\n"


def table() -> str:
    """One row for each kind, told or not."""
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    lines = [f"| what is done | `trailbell audit` | `aws` {recorded['version']} |", "|---|---|---|"]
    for kind in KINDS:
        theirs = ", ".join(recorded["said"][kind.name]) or _NOTHING
        lines.append(f"| {kind.row} | {', '.join(said(kind)) or _NOTHING} | {theirs} |")
    return "\n".join(lines) + "\n"


def said(kind: Tampering) -> list[str]:
    """The different words said of what a kind of tampering changes."""
    world = World(0)
    before = honest(world)
    kind.do(world, world.chains[0])
    with tempfile.TemporaryDirectory() as folder:
        _, told = audit(Path(folder), world)
    return sorted(set(_words(before, told)))


def _words(before: dict[str, str], told: dict[str, str]) -> Iterator[str]:
    for key, word in told.items():
        if key.startswith("gap "):
            yield f"gap: {word}"
        elif before.get(key, "valid") != word:
            yield f"{'digest' if '/CloudTrail-Digest/' in key else 'log'}: {word}"


def write_page() -> None:
    """Write the table into the page anew."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
