"""What in a rule can never match: fields that no record has, calls that no service has, an ARN compared with a name.

Such a rule compiles, runs and stays silent; a reader takes its silence for "nothing happened". Synth refuses it among
the product's rules, the command line says so of other people's.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trailbell.engine.predicates import compile_field
from trailbell.engine.rulebook import Rule, UndoneBy
from trailbell.rulebook.known_calls import SUFFIX, fault_of_call, fault_of_source
from trailbell.rulebook.record_fields import fault_of_field, is_arn, path_meant_by
from trailbell.rulebook.source import rule_files


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that no record has: as the rule writes it (perhaps in lower case), and the sentence about it."""

    written: str
    sentence: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """Of a part of a detection: whether it can come out true, and false, and what was found in it."""

    true: bool = True
    false: bool = True
    findings: tuple[Finding, ...] = ()


_OPEN = _Seen()
_Texts = frozenset[str]


def findings_in(detection: Sequence[Any]) -> tuple[Finding, ...]:
    """What no record has in a detection tree; each says whether the rule, or only a part of it, is lost by it."""
    seen = _examine(detection, frozenset())
    effect = "a part of this rule never has an effect" if seen.true else "this rule can never match"
    return tuple(Finding(one.written, f"{one.sentence}; {effect}") for one in dict.fromkeys(seen.findings))


def findings_in_undo(entry: UndoneBy) -> tuple[Finding, ...]:
    """What no record has in an entry of `undone_by:`."""
    conditions = [entry.detection, *([entry.when] if entry.when else [])]
    found = (one for condition in conditions for one in _examine(condition, frozenset()).findings)
    return tuple(
        Finding(one.written, f"{one.sentence}; a part of undone_by never has an effect") for one in dict.fromkeys(found)
    )


def faults_of_rules(where: Path, rules: Iterable[Rule]) -> tuple[str, ...]:
    """One message for each thing that can never match in rules of a folder (or file): file, line, rule and sentence.

    The exceptions attached to the rules are looked at as well.
    """
    files: dict[str, list[Path]] = {}
    for path in rule_files(where):
        files.setdefault(path.stem, []).append(path)
    faults = dict.fromkeys(
        f"{place_of(files.get(rule.stem, []), one.written)}{rule.name}: {one.sentence}"
        for rule in rules
        for one in findings_in(rule.detection)
    )
    for rule in rules:
        for finding in (one for entry in rule.undone_by for one in findings_in_undo(entry)):
            faults[f"{place_of(files.get(rule.stem, []), finding.written)}{rule.name}: {finding.sentence}"] = None
        for exception in rule.exceptions:
            for one in findings_in(exception.detection):
                faults[f"exception {exception.name}: {one.sentence.partition('; ')[0]}"] = None
    return tuple(faults)


def place_of(files: Iterable[Path], written: str) -> str:
    """File and line of the first file whose detection holds these words, in any case."""
    words = re.compile(rf"(?<![\w.]){re.escape(written)}(?![\w.])", re.IGNORECASE)
    for path in files:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        begin = next((number for number, line in enumerate(lines) if re.match(r"\s*(?:detection|filter):", line)), 0)
        for number, line in enumerate(lines[begin:], start=begin + 1):
            if words.search(line):
                return f"{path}:{number}: "
    return next((f"{path}: " for path in files), "")


def _examine(node: Sequence[Any], sources: _Texts) -> _Seen:
    """sources: the event sources that the parts beside this one ask for."""
    match node:
        case ["not", part]:
            inner = _examine(part, sources)
            return _Seen(inner.false, inner.true, inner.findings)
        case ["and" | "or" as kind, parts]:
            return _examine_parts(kind, parts, sources)
        case ["field", path, test]:
            return _examine_field(path, test, sources)
    return _OPEN


def _examine_parts(kind: str, parts: Sequence[Any], sources: _Texts) -> _Seen:
    if kind == "and":
        for part in parts:
            if part[:2] == ["field", "eventSource"]:
                sources = _equal_to(part[2]) or sources
    seen = [_examine(part, sources) for part in parts]
    findings = tuple(finding for one in seen for finding in one.findings)
    if kind == "and":
        return _Seen(all(one.true for one in seen), any(one.false for one in seen), findings)
    return _Seen(any(one.true for one in seen), all(one.false for one in seen), findings)


def _examine_field(path: str, test: Sequence[Any], sources: _Texts) -> _Seen:
    fault = fault_of_field(path)
    if fault:
        holds = compile_field(lambda _: [], test)(({}, {}))  # what it says of a field that is missing
        return _Seen(holds, not holds, (Finding(path, fault),))
    if path == "eventSource":
        return _all_of(test, ((text, fault_of_source(text)) for text in sorted(_equal_to(test))))
    if path == "eventName":
        return _all_of(test, ((text, _fault_of_name(text, sources)) for text in sorted(_equal_to(test))))
    if test[0] == "fieldref":
        return _examine_reference(path, test[1])
    return _all_of(test, ((text, _fault_of_text(path, test[0], text)) for text in _texts(test)))


def _all_of(test: Sequence[Any], faults: Iterable[tuple[str, str]]) -> _Seen:
    """A test for texts, some of which no record has: it cannot hold if that is said of all."""
    found = list(faults)
    findings = tuple(Finding(text, fault) for text, fault in found if fault)
    return _Seen(true=not found or len(findings) < len(found), findings=findings)


def _fault_of_name(name: str, sources: _Texts) -> str:
    if ":" in name or SUFFIX in name:
        return f"{name} is no eventName: the service stands in eventSource alone"
    return fault_of_call((source.removesuffix(SUFFIX) for source in sorted(sources)), name)


def _examine_reference(path: str, other: str) -> _Seen:
    fault = fault_of_field(other)
    if not fault and is_arn(path) != is_arn(other) and not (_is_open(path) or _is_open(other)):
        fault = f"{path} is compared with {other}: one is an ARN, the other a name, so they are never equal"
    return _Seen(true=False, findings=(Finding(other, fault),)) if fault else _OPEN


def _is_open(path: str) -> bool:
    """Whether nothing says what the field holds: resources are given by ARN as well as by name."""
    return path.startswith("facts.") or (not re.search(r"(?:name|id)$", path, re.IGNORECASE) and not is_arn(path))


def _fault_of_text(path: str, kind: str, text: str) -> str:
    meant = path_meant_by(text)
    if meant:
        return f"{path} is compared with the words {meant!r}; to compare with that field write {path}|fieldref: {meant}"
    if is_arn(path) and kind in ("eq", "in", "prefix") and not _can_begin_an_arn(text, whole=kind != "prefix"):
        return f"{path} is an ARN, and none is or begins with {text!r}; write |contains or |endswith"
    return ""


def _can_begin_an_arn(text: str, *, whole: bool) -> bool:
    return not text or text.lower().startswith("arn:") or (not whole and "arn:".startswith(text.lower()))


def _equal_to(test: Sequence[Any]) -> _Texts:
    """What a test for equality compares with."""
    return frozenset(_texts(test)) if test[0] in ("eq", "in") else frozenset()


def _texts(test: Sequence[Any]) -> Iterator[str]:
    match test:
        case ["in", values]:
            yield from values
        case ["eq" | "prefix" | "suffix" | "contains", str(text), *_]:
            yield text
