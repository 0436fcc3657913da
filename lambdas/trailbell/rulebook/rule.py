"""One document of Sigma becomes one compiled rule, or an error that names its place."""

from dataclasses import replace
from typing import Any

from sigma.rule import SigmaRule

from trailbell.engine.correlation import NO_MATCH
from trailbell.engine.rulebook import Level, Rule
from trailbell.errors import RuleError
from trailbell.rulebook.compile import Compiler, Node, gate_of
from trailbell.rulebook.detection import compile_detection, parse_rule
from trailbell.rulebook.documents import Document
from trailbell.rulebook.first_seen import compile_first_seen
from trailbell.rulebook.shows import compile_shows
from trailbell.rulebook.undo import compile_undo
from trailbell.rulebook.undone_by import compile_undone_by


_BY_ACTOR = "actor"
_OF_CORRELATIONS = ("correlation", "detection", "generate", "logsource", "undone_by")


def compile_rule(document: Document, compiler: Compiler) -> Rule:
    """Parse, check and compile one rule. Raises RuleError."""
    content, place = document.content, document.place
    parsed = parse_rule(content, place)
    return _rule(parsed, compile_detection(parsed, compiler, place), document, compiler)


def compile_report(document: Document, compiler: Compiler, level: int) -> Rule:
    """How a correlation is reported, as a rule that matches nothing. Raises RuleError.

    level: its level where it gives none.
    """
    about = {name: value for name, value in document.content.items() if name not in _OF_CORRELATIONS}
    content = {**about, "logsource": {"product": "aws"}, "detection": {"s": {"eventName": "x"}, "condition": "s"}}
    parsed = parse_rule(content, document.place)
    report = _rule(parsed, NO_MATCH, replace(document, content=content), compiler)
    return report if parsed.level else replace(report, level=Level(level))


def _rule(parsed: SigmaRule, detection: Node, document: Document, compiler: Compiler) -> Rule:
    stem, content, place = document.path.stem, document.content, document.place
    nth = f"-{document.number}" if document.number > 1 else ""
    name = parsed.name or stem.removeprefix("aws_").replace("_", "-") + nth
    once = content.get("once_per_day", False)
    if not isinstance(once, bool) and once != _BY_ACTOR:
        raise RuleError(f"{place}: once_per_day is true, false or {_BY_ACTOR}, not {once!r}")
    gate = gate_of(detection)
    listed = frozenset(gate.get("eventName", ()))
    return Rule(
        rule_id=str(parsed.id) if parsed.id else name,
        name=name,
        stem=stem,
        title=parsed.title or stem,
        short=_short(content, place),
        level=Level[parsed.level.name] if parsed.level else Level.MEDIUM,
        description=" ".join((parsed.description or "").split()),
        detection=detection,
        gate=gate,
        precedence=_precedence(content, place),
        author=parsed.author or "",
        tags=tuple(f"{tag.namespace}.{tag.name}" for tag in parsed.tags),
        references=tuple(parsed.references or ()),
        falsepositives=tuple(parsed.falsepositives or ()),
        check=_sentences(content, "check", place),
        shows=compile_shows(content.get("shows"), place),
        undo=compile_undo(content.get("undo"), place, listed),
        once_per_day=bool(once),
        once_per_actor=once == _BY_ACTOR,
        undone_by=compile_undone_by(content.get("undone_by", []), content.get("detection"), listed, compiler, place),
        counts_only=_counts_only(content, place),
        first_seen=compile_first_seen(content.get("first_seen"), place),
    )


def _counts_only(content: dict[str, Any], place: str) -> bool:
    value = content.get("generate", True)
    if not isinstance(value, bool):
        raise RuleError(f"{place}: generate is true or false, not {value!r}")
    return not value


def _short(content: dict[str, Any], place: str) -> str:
    value = content.get("short", "")
    if not isinstance(value, str):
        raise RuleError(f"{place}: short is a text, not {value!r}")
    return " ".join(value.split())


def _precedence(content: dict[str, Any], place: str) -> int:
    value = content.get("precedence", 0)
    if not isinstance(value, int) or isinstance(value, bool):
        raise RuleError(f"{place}: precedence is a whole number, not {value!r}")
    return value


def _sentences(content: dict[str, Any], name: str, place: str) -> tuple[str, ...]:
    values = content.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise RuleError(f"{place}: {name} is a list of texts")
    return tuple(" ".join(value.split()) for value in values)
