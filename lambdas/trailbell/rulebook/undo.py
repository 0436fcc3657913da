"""How a rule says that its act is undone: the YAML's `undo`, checked and compiled.

A step, or a note, is for every event of the rule, or it stands under the names of those it is for:

    undo:
        steps:
            - aws kms describe-key ...
            - UpdateAlias: aws kms update-alias ...
            - DeleteAlias, DeleteKey: [first step, second step]
        notes:
            UpdateAlias: The record does not name the old key.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from trailbell.engine.rulebook import Undo
from trailbell.errors import RuleError
from trailbell.hits.undo import unknown_places


_MEMBERS = frozenset({"steps", "until", "within", "note", "notes"})

Events = tuple[str, ...]


def compile_undo(content: Any, place: str, listed: frozenset[str]) -> Undo:
    """Compile `undo`. Raises RuleError.

    listed: the names of events that the rule asks for, in lower case; none if it asks in another way.
    """
    if content is None:
        return Undo()
    if not isinstance(content, dict) or set(content) - _MEMBERS:
        raise RuleError(f"{place}: undo is a map of {', '.join(sorted(_MEMBERS))}")
    steps = list(_steps(content.get("steps", []), place))
    notes = list(_notes(content.get("notes", {}), place))
    unlisted = {name for events, _ in (*steps, *notes) for name in events if listed and name.lower() not in listed}
    if unlisted:
        raise RuleError(f"{place}: undo names events that the rule does not: {', '.join(sorted(unlisted))}")
    until, within = content.get("until", ""), content.get("within", 0)
    if not isinstance(within, int) or isinstance(within, bool) or within < 0:
        raise RuleError(f"{place}: undo.within is a number of days, not {within!r}")
    templates = (*(step for _, step in steps), f"{{{until}}}" if until else "")
    malformed = [name for template in templates for name in unknown_places(template)]
    if malformed:
        raise RuleError(f"{place}: undo names what no record has: {', '.join(malformed)}")
    return Undo(
        steps=tuple(step for _, step in steps),
        until=until,
        within=within,
        note=_line(str(content.get("note", ""))),
        events=tuple(events for events, _ in steps) if any(events for events, _ in steps) else (),
        notes=tuple(notes),
    )


def _steps(content: Any, place: str) -> Iterator[tuple[Events, str]]:
    if not isinstance(content, list):
        raise RuleError(f"{place}: undo.steps is a list of texts, or of texts under the events they are for")
    for item in content:
        under = item if isinstance(item, Mapping) else {"": item}
        for names, steps in under.items():
            for step in steps if isinstance(steps, list) else [steps]:
                if not isinstance(step, str) or not isinstance(names, str):
                    raise RuleError(
                        f"{place}: undo.steps is a list of texts, or of texts under the events they are for"
                    )
                yield _events(names), _line(step)


def _notes(content: Any, place: str) -> Iterator[tuple[Events, str]]:
    if not isinstance(content, Mapping) or not all(isinstance(part, str) for one in content.items() for part in one):
        raise RuleError(f"{place}: undo.notes is a map from events to the text for them")
    yield from ((_events(names), _line(note)) for names, note in content.items())


def _events(names: str) -> Events:
    return tuple(name.strip() for name in names.split(",") if name.strip())


def _line(text: str) -> str:
    return " ".join(text.split())
