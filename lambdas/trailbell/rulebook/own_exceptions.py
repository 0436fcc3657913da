"""What is demanded of an exception beyond Sigma: every word in it means something, and it mutes what it names.

Sigma adds a filter's condition to the rule's with `and`, so the condition says what still alerts. Whoever writes
`condition: rotator` has muted everybody but the rotator.
"""

from collections.abc import Sequence
from typing import Any

from trailbell.rulebook.documents import Document
from trailbell.rulebook.members import EXCEPTION
from trailbell.rulebook.misfits import Misfit, misfits
from trailbell.rulebook.own_rules import detection_misfits, located


def faults_of_exception(document: Document) -> list[str]:
    """One sentence for each word that means nothing, with its line; what is missing is said elsewhere."""
    content = document.content
    found = [one for one in misfits(EXCEPTION, content) if not one.missing]
    return [located(document, one) for one in (*found, *detection_misfits(content.get("filter"), ("filter",)))]


def inversion_of(document: Document, detection: Sequence[Any]) -> str:
    """What to write instead of a condition that mutes everything but what the exception names, "" if it does not."""
    if _holds_elsewhere(detection):
        return ""
    condition = document.content["filter"]["condition"]
    instead = f"not {condition}" if str(condition).isidentifier() else f"not ({condition})"
    problem = f"the condition mutes every hit but those it names: it says what still alerts, so write `{instead}`"
    return located(document, Misfit(("filter", "condition"), problem))


def _holds_elsewhere(node: Sequence[Any]) -> bool:
    """Whether the detection holds for a record of which nothing is as it says: whether other hits still alert."""
    match node:
        case ["not", part]:
            return not _holds_elsewhere(part)
        case ["and", parts]:
            return all(map(_holds_elsewhere, parts))
        case ["or", parts]:
            return any(map(_holds_elsewhere, parts))
    return False
