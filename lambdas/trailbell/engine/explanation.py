"""Why a condition holds of an event or does not: its tree again, with what each part decides, wants and found.

Nothing is decided here. Every part is compiled by engine/condition.py and asked, so that the explanation cannot say
anything else than the matcher does; what this module adds is why a test that does not hold does not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import Any

from trailbell.engine.condition import Node, compile_node
from trailbell.engine.fields import json_text, leaves, members, text_of
from trailbell.engine.predicates import FACTS, Roots, compile_finder


MAX_VALUES = 20
"""Values of a field that an explanation keeps; `values_found` counts them all."""

_TEXTUAL = frozenset({"eq", "prefix", "suffix", "contains", "in", "glob", "re", "cidr", "timepart", "fieldref"})
_NUMERIC = frozenset({"number", "compare"})
_SEARCHING = frozenset({"contains", "re"})  # look into objects, too


class Why(StrEnum):
    """Why a test does not hold."""

    ABSENT = "absent"
    """The event has no such field."""
    OTHER_NAME_CASE = "name in another case"
    """The event has no such field, but one whose name differs in upper and lower case alone."""
    NULL = "null"
    """The field is there, and null."""
    OTHER_TYPE = "another type"
    """The field holds nothing that the test could compare: an object, a list of them, a truth value, no number."""
    OTHER_CASE = "another case"
    """The value differs in upper and lower case alone, and the test minds that."""
    OTHER_VALUE = "another value"
    PRESENT = "present"
    """The field is there, and was to be absent or null."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a condition, decided.

    kind:     and, or, not, field or keyword.
    holds:    what the matcher says of this part.
    wanted:   whether the whole asks for it to hold; below an odd number of negations it is to fail.
    parts:    those it is made of.
    path, test: of a field or keyword, as the rulebook has them.
    values:   what the event has at the path, at most MAX_VALUES; values_found: how many there are.
    why:      why a test does not hold, None where it does.
    near:     the name or value that differs in case alone, "" for none.
    """

    kind: str
    holds: bool
    wanted: bool = True
    parts: tuple["Part", ...] = ()
    path: str = ""
    test: Sequence[Any] = ()
    values: tuple[Any, ...] = ()
    values_found: int = 0
    why: Why | None = None
    near: str = ""

    @property
    def is_met(self) -> bool:
        """Whether it is as the whole asks for."""
        return self.holds is self.wanted

    @property
    def is_test(self) -> bool:
        """Whether it looks at the event itself, and not at other parts."""
        return self.kind in ("field", "keyword")

    @property
    def short_by(self) -> int:
        """The fewest tests that would have to turn out otherwise for this part to be as the whole asks for."""
        if self.is_met:
            return 0
        if self.is_test:
            return 1
        missing = [part.short_by for part in self.parts]
        # Of "all of" under a negation any one part is enough, of "one of" all are needed; elsewhere the other way.
        takes_all = (self.kind == "and") is self.wanted or self.kind == "not"
        return sum(missing) if takes_all else min(missing, default=1)

    @property
    def obstacles(self) -> tuple["Part", ...]:
        """The tests that stand against it: those that would have to turn out otherwise, by the shortest way."""
        if self.is_met:
            return ()
        if self.is_test:
            return (self,)
        if (self.kind == "and") is self.wanted or self.kind == "not":
            return tuple(one for part in self.parts for one in part.obstacles)
        return min((part.obstacles for part in self.parts), key=len, default=())


def explain(node: Node, roots: Roots, *, dotted_root: bool = False, wanted: bool = True) -> Part:
    """The tree of a condition as it decides on an event.

    dotted_root: as for the matcher's compile (engine/fields.py); False is what log files are matched with.
    Raises ValueError or KeyError for nodes and tests that this version does not know, as compiling does.
    """
    finder = partial(compile_finder, dotted_root=dotted_root)
    kind, *arguments = node
    holds = compile_node(node, finder)(roots)
    explain_part = partial(explain, roots=roots, dotted_root=dotted_root)
    match kind:
        case "and" | "or":
            parts = tuple(explain_part(part, wanted=wanted) for part in arguments[0])
            return Part(kind, holds, wanted, parts)
        case "not":
            return Part(kind, holds, wanted, (explain_part(arguments[0], wanted=not wanted),))
        case "field":
            path, test = arguments
            values = finder(path)(roots)
            why, near = (None, "") if holds else _why(path, test, values, roots)
            kept = tuple(values[:MAX_VALUES])
            return Part(kind, holds, wanted, (), path, test, kept, len(values), why, near)
    why, near = (None, "") if holds else _why_no_keyword(arguments[0], roots)
    return Part(kind, holds, wanted, test=arguments[0], why=why, near=near)


def _why(path: str, test: Sequence[Any], values: list[Any], roots: Roots) -> tuple[Why, str]:
    """Why a test of a field does not hold, and what differs in case alone."""
    if test[0] == "exists" and values:
        return Why.PRESENT, ""
    if not values:
        near = _other_case_of(path, roots)
        return (Why.OTHER_NAME_CASE, near) if near else (Why.ABSENT, "")
    if test[0] == "null":
        return Why.PRESENT, ""
    inside = [value for value in members(values) if value is not None]
    if not inside:
        return Why.NULL, ""
    relaxed = _without_case(test)
    if relaxed is not None:
        holds = compile_node(["field", "value", relaxed])
        for value in inside:
            if holds(({"value": value}, {})):
                return Why.OTHER_CASE, text_of(value) or json_text(value)
    return (Why.OTHER_VALUE if any(_is_comparable(test, value) for value in inside) else Why.OTHER_TYPE), ""


def _why_no_keyword(test: Sequence[Any], roots: Roots) -> tuple[Why, str]:
    relaxed = _without_case(test)
    if relaxed is not None:
        holds = compile_node(["field", "value", relaxed])
        for leaf in leaves(roots[0]):
            if holds(({"value": leaf}, {})):
                return Why.OTHER_CASE, text_of(leaf) or ""
    return Why.OTHER_VALUE, ""


def _without_case(test: Sequence[Any]) -> list[Any] | None:
    """The same test, not minding case; None for one that does not mind it already."""
    kind, *arguments = test
    match kind:
        case "eq" | "prefix" | "suffix" | "contains" if len(arguments) > 1 and arguments[1]:
            return [kind, str(arguments[0]).lower(), False]
        case "glob" if len(arguments) > 1 and arguments[1]:
            return [kind, [part.lower() if isinstance(part, str) else part for part in arguments[0]], False]
        case "re" if "i" not in arguments[1]:
            return [kind, arguments[0], f"{arguments[1]}i"]
    return None


def _is_comparable(test: Sequence[Any], value: Any) -> bool:
    """Whether a test could hold of some value of this type."""
    kind = test[0]
    if kind in _NUMERIC:
        if isinstance(value, str):
            return _is_number(value)
        return isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, dict):
        return kind in _SEARCHING or (kind == "glob" and test[1][:1] == [0] and test[1][-1:] == [0])
    return kind not in _TEXTUAL or text_of(value) is not None


def _is_number(given: str) -> bool:
    try:
        float(given)
    except ValueError:
        return False
    return True


def _other_case_of(path: str, roots: Roots) -> str:
    """The name of a field of the event that differs from a path in case alone, "" if there is none."""
    if path.startswith(FACTS):
        return ""
    wanted = path.lower()
    return next((name for name in islice(_paths(roots[0], ""), _MAX_PATHS) if name.lower() == wanted), "")


_MAX_PATHS = 20_000  # a forged record has as many names as fit into 256 KB


def _paths(node: object, before: str) -> Iterator[str]:
    if isinstance(node, Mapping):
        for name, value in node.items():
            path = f"{before}.{name}" if before else str(name)
            yield path
            yield from _paths(value, path)
    elif isinstance(node, list):
        for value in node:
            yield from _paths(value, before)
