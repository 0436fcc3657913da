"""The map `correlation` of a document, as its author wrote it, held to what can be decided exactly.

What cannot be decided while events still arrive is refused: fewer than, exactly, not, and means of values. Another
event may undo any of these, so an alert on them would be a guess. What is only ever added to can be decided: at least
so many events, values or rules.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trailbell.engine.correlation import CorrelationType
from trailbell.errors import RuleError
from trailbell.rulebook.documents import Document
from trailbell.rulebook.misspellings import question


_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_TIMESPAN = re.compile(r"([0-9]{1,9})([smhd])", re.ASCII)
UNDECIDED = "cannot be decided while events still arrive"
"""Words of each reason that is not about how a document is written, but about what it asks for."""

_UNDECIDED_TYPES = ("value_sum", "value_avg", "value_percentile", "value_median")
_UNDECIDED_OPERATORS = ("lt", "lte", "eq", "neq")
_IN_ORDER = (CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED)


@dataclass(frozen=True, slots=True)
class CorrelationBody:
    """The members of a correlation; rules by the names that it gives them.

    fields:  what value_count counts together; else none.
    aliases: by their names: field by the name of a rule.
    """

    kind: CorrelationType
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    fields: tuple[str, ...]
    aliases: Mapping[str, Mapping[str, str]]
    timespan_seconds: int
    threshold: int
    generate: bool


def read_correlation(document: Document) -> CorrelationBody:
    """Raises RuleError, without the document's place."""
    content = document.content.get("correlation")
    if not isinstance(content, dict):
        raise RuleError("correlation is a map with type, rules, group-by, timespan and condition")
    kind = _kind(content.get("type"))
    condition = _condition(content, kind)  # first, as one that is text names the rules itself
    rules = _texts(content.get("rules"), "rules", "the ids or names of the rules that it counts")
    if "group-by" not in content:
        raise RuleError("group-by is missing: say by what events belong together, such as facts.actor.key")
    return CorrelationBody(
        kind=kind,
        rules=rules,
        group_by=_paths(content.get("group-by"), "group-by"),
        fields=_fields(condition) if kind is CorrelationType.VALUE_COUNT else (),
        aliases=_aliases(content.get("aliases", {})),
        timespan_seconds=_timespan(content),
        threshold=_threshold(condition, kind, len(rules)),
        generate=_generates(document.content, content),
    )


def _kind(given: Any) -> CorrelationType:
    if given in _UNDECIDED_TYPES:
        raise RuleError(f"type {given} {UNDECIDED}: each further event may make it true or false again")
    known = [one.value for one in CorrelationType]
    if given not in known:
        raise RuleError(f"type {given!r} is unknown; known: {', '.join(known)}{question(str(given), known)}")
    return CorrelationType(given)


def _condition(content: Mapping[str, Any], kind: CorrelationType) -> Mapping[str, Any]:
    """The condition; of rules in time it may be missing: then all are wanted."""
    condition = content.get("condition")
    if condition is None:
        if kind in _IN_ORDER:
            return {}
        raise RuleError("condition is missing: say from how many on, such as gte: 5")
    if isinstance(condition, str):
        raise RuleError(f"condition {condition!r}: as text it {UNDECIDED}, where it says not; write a map with gte")
    if not isinstance(condition, dict):
        raise RuleError("condition is a map, such as {gte: 5}")
    undecided = [name for name in _UNDECIDED_OPERATORS if name in condition]
    if undecided:
        raise RuleError(f"condition {', '.join(undecided)} {UNDECIDED}: a further event may undo it; use gt or gte")
    if unknown := [str(name) for name in condition if name not in ("gt", "gte", "field")]:
        raise RuleError(f"condition has unknown members {', '.join(unknown)}; known: gt, gte, field")
    return condition


def _threshold(condition: Mapping[str, Any], kind: CorrelationType, rules: int) -> int:
    """The least number that makes it true."""
    numbers = [_number(condition[name], name) + (name == "gt") for name in ("gt", "gte") if name in condition]
    if not numbers and kind not in _IN_ORDER:
        raise RuleError("condition has neither gt nor gte")
    threshold = max(numbers, default=rules)
    if threshold < 1:
        raise RuleError(f"condition asks for at least {threshold}, which is always true")
    if kind in _IN_ORDER and threshold > rules:
        raise RuleError(f"condition asks for {threshold} rules of {rules}, which is never true")
    return threshold


def _number(given: Any, name: str) -> int:
    if isinstance(given, float) and given.is_integer():
        return int(given)
    if isinstance(given, bool) or not isinstance(given, int):
        raise RuleError(f"condition {name} is a whole number, not {given!r}")
    return given


def _fields(condition: Mapping[str, Any]) -> tuple[str, ...]:
    if "field" not in condition:
        raise RuleError("value_count needs condition.field: the field, or fields, whose values it counts")
    return _paths(condition["field"], "condition.field")


def _timespan(content: Mapping[str, Any]) -> int:
    if "timespan" not in content:
        instead = "; timeframe is called timespan" if "timeframe" in content else ""
        raise RuleError(f"timespan is missing: a number with s, m, h or d, such as 10m{instead}")
    given = content["timespan"]
    parts = _TIMESPAN.fullmatch(given) if isinstance(given, str) else None
    if not parts or not int(parts[1]):
        raise RuleError(f"timespan is a number from 1 to 999999999 with s, m, h or d, such as 10m, not {given!r}")
    return int(parts[1]) * _SECONDS[parts[2]]


def _generates(document: Mapping[str, Any], correlation: Mapping[str, Any]) -> bool:
    given = [content["generate"] for content in (document, correlation) if "generate" in content]
    for one in given:
        if not isinstance(one, bool):
            raise RuleError(f"generate is true or false, not {one!r}")
    return any(given)


def _aliases(given: Any) -> Mapping[str, Mapping[str, str]]:
    given = {} if given is None else given
    if not isinstance(given, dict) or not all(isinstance(fields, dict) for fields in given.values()):
        raise RuleError("aliases is a map: alias to rule to field")
    return {str(alias): dict(_alias(str(alias), fields)) for alias, fields in given.items()}


def _alias(alias: str, fields: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    for rule, path in fields.items():
        (checked,) = _paths(path if isinstance(path, str) else [path], f"aliases.{alias}")
        yield str(rule), checked


def _paths(given: Any, member: str) -> tuple[str, ...]:
    paths = _texts(given, member, "the name of a field, or several")
    if odd := next((path for path in paths if "[" in path), ""):
        raise RuleError(f"{member} {odd!r}: brackets are reserved by Sigma 3; name the field without an index")
    return paths


def _texts(given: Any, member: str, meaning: str) -> tuple[str, ...]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(one, str) and one for one in texts):
        raise RuleError(f"{member} is {meaning}, not {given!r}")
    return tuple(dict.fromkeys(texts)) if member == "group-by" else tuple(texts)
