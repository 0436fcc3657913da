"""What a check of a deployment found: its state, what it means, what to do, by the table of advice."""

from dataclasses import dataclass

from trailbell.ops.advice import advice_on
from trailbell.text.safe_text import one_line


OK, WARNING, PROBLEM, UNKNOWN = "ok", "warning", "problem", "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: what it means, how to fix it, and by which condition of advice.toml.

    `fix` and `condition` are "" where nothing is to be done.
    """

    state: str
    check: str
    meaning: str
    fix: str = ""
    condition: str = ""


def fine(check: str, meaning: str) -> Finding:
    """What is as it should be."""
    return Finding(OK, check, one_line(meaning))


def found(state: str, check: str, condition: str, **values: object) -> Finding:
    """A condition of the table, its {names} filled in. Raises KeyError for one that the table lacks."""
    advice = advice_on(condition, **values)
    return Finding(state, check, advice.meaning, advice.next_step, condition)
