"""`undone_by:` of a rule: the later calls that undo what it reports, as silent rules of the rulebook.

    undone_by:
        - event: RevokeGrant                                    # one name or several
          act: responseElements.grantId                         # what names the thing in the act's record,
          undo: requestParameters.grantId                       # and in the later one; `link:` where both are the same

Each entry becomes a condition on later records. Entries that ask for the same become one silent rule, whichever rules
they stand in, so that a record is matched once.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from trailbell.engine.rulebook import Level, Rule, Undoes, UndoneBy
from trailbell.errors import RuleError
from trailbell.hits.undoing import WORDS, is_path
from trailbell.rulebook.compile import Compiler, gate_of
from trailbell.rulebook.detection import compile_detection, parse_rule


_SOURCE = "eventSource"
_MEMBERS = frozenset({"event", "source", "link", "act", "undo", "fields", "unless", "of", "word", "anywhere"})


def compile_undone_by(
    content: Any, gate: Mapping[str, tuple[str, ...]], compiler: Compiler, place: str
) -> tuple[UndoneBy, ...]:
    """The entries of a rule whose own detection has that gate. Raises RuleError."""
    if not isinstance(content, list):
        raise RuleError(f"{place}: undone_by is a list of maps")
    return tuple(_entry(one, gate.get(_SOURCE, ()), compiler, f"{place}: undone_by") for one in content)


def undo_rules(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The silent rules that find what undoes the acts of some rules."""
    by_detection = defaultdict[str, list[tuple[Rule, UndoneBy]]](list)
    for rule in rules:
        for entry in rule.undone_by:
            by_detection[json.dumps(entry.detection, sort_keys=True)].append((rule, entry))
    return tuple(_silent(text, entries) for text, entries in sorted(by_detection.items()))


def _silent(detection: str, entries: list[tuple[Rule, UndoneBy]]) -> Rule:
    name = f"undo-{hashlib.sha256(detection.encode()).hexdigest()[:16]}"
    tree = json.loads(detection)
    return Rule(
        rule_id=name,
        name=name,
        stem=name,
        title="Undone",
        level=Level.INFORMATIONAL,
        description="",
        detection=tree,
        gate=gate_of(tree),
        undoes=tuple(Undoes(rule.rule_id, one.undo, one.word, one.anywhere) for rule, one in entries),
    )


def _entry(content: Any, sources: tuple[str, ...], compiler: Compiler, place: str) -> UndoneBy:
    if not isinstance(content, dict) or set(content) - _MEMBERS or "event" not in content:
        raise RuleError(f"{place}: an entry is a map with event, and some of {', '.join(sorted(_MEMBERS))}")
    source = content.get("source") or (sources[0] if len(sources) == 1 else "")
    if not source:
        raise RuleError(f"{place}: the rule has not exactly one event source, so say source: of the undo")
    word = content.get("word", WORDS[0])
    if word not in WORDS:
        raise RuleError(f"{place}: word is {', '.join(WORDS[:-1])} or {WORDS[-1]}, not {word!r}")
    if ("link" in content) == ("act" in content or "undo" in content) or ("act" in content) != ("undo" in content):
        raise RuleError(f"{place}: say either link:, or act: and undo:")
    act, undo = (_paths(content.get(name, content.get("link")), place) for name in ("act", "undo"))
    return UndoneBy(
        detection=_detection(source, content, compiler, place),
        act=act,
        undo=undo,
        of=tuple(name.lower() for name in _texts(content.get("of", []))),
        word=word,
        anywhere=bool(content.get("anywhere", False)),
    )


def _detection(source: str, content: Mapping[str, Any], compiler: Compiler, place: str) -> list[Any]:
    selection = {
        _SOURCE: source,
        "eventName": content["event"],
        "facts.outcome": "success",
        **content.get("fields", {}),
    }
    detection: dict[str, Any] = {"selection": selection, "condition": "selection"}
    if "unless" in content:
        detection |= {"unless": content["unless"], "condition": "selection and not unless"}
    logsource = {"product": "aws", "service": "cloudtrail"}
    return compile_detection(
        parse_rule({"title": "undone", "logsource": logsource, "detection": detection}, place), compiler, place
    )


def _paths(given: Any, place: str) -> tuple[str, ...]:
    paths = _texts(given)
    if not paths or not all(isinstance(path, str) for path in paths):
        raise RuleError(f"{place}: link, act and undo are one path or a list of paths")
    for path in paths:
        if not is_path(path):
            raise RuleError(f"{place}: no record has {path!r}")
    return tuple(paths)


def _texts(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]
