"""What is demanded of one's own rules beyond Sigma: every word in them means something.

Sigma takes any field, so `undoo:` would be a rule without undo, and nobody would know. Other people's rules are not
held to this (rulebook/foreign.py).
"""

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from trailbell.errors import RuleError
from trailbell.rulebook.correlation_body import UNDECIDED, read_correlation
from trailbell.rulebook.documents import Document
from trailbell.rulebook.lines import line_of
from trailbell.rulebook.members import CORRELATION, FACTS, RULE
from trailbell.rulebook.misfits import Keys, Misfit, misfits
from trailbell.rulebook.misspellings import meant, question
from trailbell.rulebook.record_fields import fault_of_field
from trailbell.rulebook.undone_by import undone_by_misfits


_OURS = frozenset({"short", "check", "shows", "undo", "undone_by", "once_per_day", "precedence"})
"""Members that trailbell alone reads: who writes them, writes rules for it."""

_CONDITIONS = frozenset({"fields", "unless", "when"})
"""Members of an entry of `undone_by:` that hold fields, as a selection does."""

_MEMBER = re.compile(r"^([A-Za-z_-]+)[ \t]*:", re.MULTILINE)
_WORDS_OF_CONDITIONS = frozenset({"and", "or", "not", "of", "them", "all", "any", "1"})


def faults_of_own(document: Document) -> list[str]:
    """One sentence for each fault, with its line."""
    content = document.content
    if "correlation" in content:
        return [located(document, one) for one in _correlation_misfits(document)]
    found = [
        *misfits(RULE, content),
        *detection_misfits(content.get("detection"), ("detection",)),
        *_undone_by_misfits(content.get("undone_by")),
        *_first_seen_misfits(content.get("first_seen")),
    ]
    return [located(document, one) for one in found]


def _correlation_misfits(document: Document) -> Iterator[Misfit]:
    """What does not fit; of what can never be decided, why, rather than that nothing reads it."""
    found = [*misfits(CORRELATION, document.content)]
    try:
        read_correlation(document)
    except RuleError as error:
        if UNDECIDED in str(error):
            found = [one for one in found if one.keys[:1] != ("correlation",)]
            found.append(Misfit(("correlation",), str(error)))
    yield from found


def is_written_for_us(text: str) -> bool:
    """Whether the text of a rule file has members that only trailbell reads, or what is meant to be one."""
    return any(name in _OURS or meant(name, _OURS) for name in set(_MEMBER.findall(text)))


def near_misses(document: Document) -> list[str]:
    """Fields that are nearly one that a rule may have: of other people's rules they are no faults, but worth a word."""
    schema = CORRELATION if "correlation" in document.content else RULE
    found = (one for one in misfits(schema, document.content) if not one.missing and "did you mean" in one.problem)
    return [located(document, one) for one in found]


def located(document: Document, misfit: Misfit) -> str:
    """`line 7: unknown field 'undoo'; did you mean 'undo'?`"""
    return f"line {line_of(document.path, document.number, misfit.keys)}: {misfit.problem}"


def detection_misfits(detection: Any, keys: Keys) -> Iterator[Misfit]:
    """Selections that the condition does not name, and facts that do not exist."""
    if not isinstance(detection, dict):
        return
    selections = {str(name): value for name, value in detection.items() if name not in ("condition", "rules")}
    yield from _condition_misfits(detection.get("condition"), selections, keys)
    for name, selection in selections.items():
        yield from _fact_misfits(selection, (*keys, name))


def _undone_by_misfits(content: Any) -> Iterator[Misfit]:
    entries = content if isinstance(content, list) else []
    yield from undone_by_misfits(entries)
    for index, entry in enumerate(entries):
        for name in _CONDITIONS.intersection(entry if isinstance(entry, dict) else ()):
            yield from _fact_misfits(entry[name], ("undone_by", index, name))


def _first_seen_misfits(content: Any) -> Iterator[Misfit]:
    key = content.get("key") if isinstance(content, dict) else None
    for at, path in enumerate(key if isinstance(key, list) else ()):
        if isinstance(path, str) and (problem := fault_of_fact(path) or _fault_of_field(path)):
            yield Misfit(("first_seen", "key", at), problem)


def _fault_of_field(path: str) -> str:
    return "" if path.startswith("facts.") else fault_of_field(path)


def _fact_misfits(selection: Any, keys: Keys) -> Iterator[Misfit]:
    if isinstance(selection, list):
        for at, item in enumerate(selection):
            yield from _fact_misfits(item, (*keys, at))
        return
    for field in _fields(selection):
        if problem := fault_of_fact(field.split("|")[0]):
            yield Misfit((*keys, field), problem)


def fault_of_fact(path: str) -> str:
    """What is wrong with the path of a fact; of other fields rulebook/never_matches.py says it."""
    if not path.startswith("facts.") or any(path == fact or fact.startswith(f"{path}.") for fact in FACTS):
        return ""
    return f"no fact is called {path!r}{question(path, FACTS)}"


def _condition_misfits(condition: Any, selections: Iterable[str], keys: Keys) -> Iterator[Misfit]:
    conditions = condition if isinstance(condition, list) else [condition]
    if not all(isinstance(one, str) for one in conditions):
        return  # Sigma's parser says what is wrong
    words = {word for one in conditions for word in re.findall(r"[\w*-]+", one)} - _WORDS_OF_CONDITIONS
    everything = any("them" in one.split() or "them)" in one for one in conditions)
    for word in sorted(words):
        if "*" not in word and word not in selections and (close := question(word, selections)):
            yield Misfit((*keys, "condition"), f"the condition names {word!r}, which is no selection{close}")
    for name in selections:
        if not everything and not any(fnmatchcase(name, word) for word in words):
            yield Misfit((*keys, name), f"the condition does not name the selection {name!r}, so it does nothing")


def _fields(selection: Any) -> Iterator[str]:
    return (field for field in (selection if isinstance(selection, dict) else ()) if isinstance(field, str))
