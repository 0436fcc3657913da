"""`undone_by:` of a rule: the later calls that undo what it reports, as silent rules of the rulebook.

    undone_by:
        - event: RevokeGrant                                    # one name or several
          act: responseElements.grantId                         # what names the thing in the act's record,
          undo: requestParameters.grantId                       # and in the later one; `link:` where both are the same

Each entry becomes a condition on later records. Entries that ask for the same become one silent rule, whichever rules
they stand in, so that a record is matched once and an act of several rules is tracked once.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from trailbell.cloudtrail.event_source import service_of
from trailbell.engine.rulebook import Level, Rule, Undoes, UndoneBy
from trailbell.errors import RuleError
from trailbell.hits.undo_values import RESOURCE_TYPE, parts_of
from trailbell.hits.undoing import WORDS, is_path
from trailbell.rulebook.compile import Compiler, gate_of
from trailbell.rulebook.detection import compile_detection, parse_rule
from trailbell.rulebook.misfits import Misfit
from trailbell.rulebook.record_fields import fault_of_field


_SOURCE = "eventSource"
_MEMBERS = frozenset(
    {"event", "source", "link", "act", "undo", "type", "fields", "unless", "of", "when", "word", "anywhere", "note"}
)
_LINKS = ("link", "act", "undo")


def compile_undone_by(
    content: Any, detection: Any, listed: frozenset[str], compiler: Compiler, place: str
) -> tuple[UndoneBy, ...]:
    """The entries of a rule with that detection, as its author wrote it. Raises RuleError.

    listed: the names of events that the rule asks for, in lower case; none if it asks in another way.
    """
    if not isinstance(content, list):
        raise RuleError(f"{place}: undone_by is a list of maps")
    faults = [one.problem for one in undone_by_misfits(content)]
    if faults:
        raise RuleError(f"{place}: {'; '.join(faults)}")
    sources = sorted(set(_sources(detection)))
    entries = tuple(_entry(one, sources, compiler, f"{place}: undone_by") for one in content)
    unlisted = {name for entry in entries for name in entry.of if listed and name not in listed}
    if unlisted:
        raise RuleError(f"{place}: undone_by.of names events that the rule does not: {', '.join(sorted(unlisted))}")
    return entries


def undone_by_misfits(content: Sequence[Any]) -> Iterator[Misfit]:
    """Links that are not said, or said twice, paths that no record has, and types that no ARN has."""
    for index, entry in enumerate(content):
        keys = ("undone_by", index)
        if not isinstance(entry, dict):
            continue  # compiling says so
        given = [name for name in _LINKS if name in entry]
        if given not in (["link"], ["act", "undo"]):
            problem = f"say either link:, or act: and undo:, not {' and '.join(given) or 'neither'}"
            yield Misfit(keys, f"undone_by: {problem}")
        if "type" in entry and not RESOURCE_TYPE.fullmatch(str(entry["type"])):
            problem = f"service and type as ARNs have them, such as ssm:parameter, not {entry['type']!r}"
            yield Misfit((*keys, "type"), f"undone_by.type: {problem}")
        for name in given:
            for path in _texts(entry[name]):
                if problem := _fault_of_path(path):
                    yield Misfit((*keys, name), f"undone_by.{name}: {problem}")


def undo_rules(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The silent rules that find what undoes the acts of some rules."""
    by_detection = defaultdict[str, list[UndoneBy]](list)
    for entry in (one for rule in rules for one in rule.undone_by):
        by_detection[json.dumps(entry.detection, sort_keys=True)].append(entry)
    return tuple(_silent(text, entries) for text, entries in sorted(by_detection.items()))


def _silent(detection: str, entries: list[UndoneBy]) -> Rule:
    name = f"undo-{hashlib.sha256(detection.encode()).hexdigest()[:16]}"
    tree = json.loads(detection)
    undoes = dict.fromkeys(
        Undoes(one.key, one.undo, one.word, one.anywhere, one.resource_type, one.note) for one in entries
    )
    return Rule(
        rule_id=name,
        name=name,
        stem=name,
        title="Undone",
        level=Level.INFORMATIONAL,
        description="",
        detection=tree,
        gate=gate_of(tree),
        undoes=tuple(undoes),
    )


def _sources(detection: Any) -> Iterator[str]:
    """The event sources of a rule. Not by its gate, which is empty where a deployer's setting is."""
    if isinstance(detection, dict):
        given = detection.get(_SOURCE)
        yield from (str(one) for one in _texts(given) if given is not None)
        yield from (source for part in detection.values() for source in _sources(part))
    elif isinstance(detection, list):
        yield from (source for part in detection for source in _sources(part))


def _entry(content: Any, own_sources: list[str], compiler: Compiler, place: str) -> UndoneBy:
    if not isinstance(content, dict) or set(content) - _MEMBERS or "event" not in content:
        raise RuleError(f"{place}: an entry is a map with event, and some of {', '.join(sorted(_MEMBERS))}")
    sources = _texts(content["source"]) if "source" in content else own_sources
    if not sources or ("source" not in content and len(set(map(service_of, sources))) > 1):
        raise RuleError(f"{place}: the rule has not exactly one event source, so say source: of the undo")
    word = content.get("word", WORDS[0])
    if word not in WORDS:
        raise RuleError(f"{place}: word is {', '.join(WORDS[:-1])} or {WORDS[-1]}, not {word!r}")
    resource_type, note = str(content.get("type", "")), " ".join(str(content.get("note", "")).split())
    act, undo = (tuple(_texts(content.get(name, content.get("link")))) for name in ("act", "undo"))
    when = {"selection": content["when"], "condition": "selection"} if "when" in content else None
    return UndoneBy(
        detection=_compiled(_detection(sources, content), compiler, place),
        act=act,
        undo=undo,
        of=tuple(name.lower() for name in _texts(content.get("of", []))),
        when=_compiled(when, compiler, place) if when else [],
        word=word,
        anywhere=bool(content.get("anywhere", False)),
        key=_key(sources, content, undo, word),
        resource_type=resource_type,
        note=note,
    )


def _detection(sources: list[Any], content: Mapping[str, Any]) -> dict[str, Any]:
    selection = {
        _SOURCE: sources,
        "eventName": content["event"],
        "facts.outcome": "success",
        **content.get("fields", {}),
    }
    if "unless" not in content:
        return {"selection": selection, "condition": "selection"}
    return {"selection": selection, "unless": content["unless"], "condition": "selection and not unless"}


def _compiled(detection: Mapping[str, Any], compiler: Compiler, place: str) -> list[Any]:
    logsource = {"product": "aws", "service": "cloudtrail"}
    parsed = parse_rule({"title": "undone", "logsource": logsource, "detection": dict(detection)}, place)
    return compile_detection(parsed, compiler, place)


def _key(sources: list[Any], content: Mapping[str, Any], undo: tuple[str, ...], word: str) -> str:
    """What is asked of the later call, as its author wrote it: placeholders are not filled yet."""
    events = sorted(map(str, _texts(content["event"])))
    conditions = [content.get(name) for name in ("fields", "unless", "anywhere")]
    # What one rule says of the later call is not said of another rule's act.
    more = [(name, content[name]) for name in ("type", "note") if name in content]
    asked = json.dumps([sorted(map(str, sources)), events, undo, word, conditions, *more], sort_keys=True, default=str)
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def _fault_of_path(path: Any) -> str:
    if not isinstance(path, str):
        return f"a path is text, not {path!r}"
    faults = (fault_of_field(part) for part in parts_of(path) if part and not is_path(part))
    return "" if is_path(path) else next(filter(None, faults), f"no record has {path!r}")


def _texts(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]
