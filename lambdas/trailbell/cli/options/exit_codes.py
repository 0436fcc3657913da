"""Exit statuses: one meaning each, the same in all commands; `make generate` writes them into docs/looking-back.md."""

from collections.abc import Mapping
from enum import IntEnum


class Exit(IntEnum):
    """What a command ends with."""

    DONE = 0
    FOUND = 1
    FAILED = 2
    INTERRUPTED = 130


MEANINGS: Mapping[Exit, str] = {
    Exit.DONE: "done",
    Exit.FOUND: "done, and something was found that somebody has to look at, or a question was answered with no",
    Exit.FAILED: "not done, or not all of it: a usage error, a setting, AWS refused, something could not be read",
    Exit.INTERRUPTED: "Ctrl-C; what was printed until then is right",
}

FOUND: Mapping[str, str] = {
    "scan": "hits that are not muted, if `--exit-code` is given",
    "replay": "the question whether to send was answered with no",
    "audit": "a log file is missing or altered, a digest is not valid, or one is overdue",
    "rules": "`check` found faults",
    "doctor": "a problem (with `--strict` also something unknown), or a canary that `--fire` sent did not come back",
    "dlq": "messages could not be redriven",
    "undelivered": "hits that nobody was notified of",
}
"""When a command ends with FOUND; all others never do."""

FAILED: Mapping[str, str] = {
    "scan": "a file could not be read, or nothing was: no log file in what was named, or only files of other kinds;"
    " or a file that was named itself is of another kind",
    "report": "as `scan`, with `--from-scan`",
    "actor": "a log file could not be read, or nobody goes by that name, or several do",
    "rules": "`match` and `check`: a document cannot run",
    "local": "what arrived is not what the rules say",
}
"""When a command ends with FAILED, beside what holds for all."""


def table() -> str:
    """Both as Markdown."""
    lines = ["| status | meaning |", "|---|---|", *(f"| {one.value} | {text} |" for one, text in MEANINGS.items())]
    lines += ["", "| command | 1 | 2, besides |", "|---|---|---|"]
    for name in sorted({*FOUND, *FAILED}):
        lines.append(f"| `{name}` | {FOUND.get(name, 'never')} | {FAILED.get(name, '')} |")
    return "\n".join(lines) + "\n"
