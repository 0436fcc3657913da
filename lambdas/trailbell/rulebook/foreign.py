"""Other people's rules: each document alone, told apart by names we make unique, the rest named and counted."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid5

from trailbell.engine.correlation import Correlation
from trailbell.engine.rulebook import Rule
from trailbell.rulebook.compile import Compiler
from trailbell.rulebook.correlations import compile_correlations
from trailbell.rulebook.documents import Document, Kind, Refused
from trailbell.rulebook.load import RuleSet
from trailbell.rulebook.never_matches import findings_in, place_of
from trailbell.rulebook.placeholders import Placeholders
from trailbell.rulebook.record_fields import fault_of_field
from trailbell.text.safe_text import one_line


_NAMESPACE = UUID("0b7b5a0e-52a5-5c1c-8d0e-2f8a3a1f6c55")
_NAME_LENGTH_MAX = 100
_EXPANDED = re.compile(r"%(\w+)%")
_WARNED_STATUS = {
    "deprecated": "its author calls it deprecated: another rule has replaced it, or nobody uses it",
    "unsupported": "its author calls it unsupported: it may not mean here what it meant there",
}
_FILTER_REASON = "a filter is not applied here: it is an exception (folder exceptions/), or goes with `rules match`"


def with_unique_names(found: RuleSet, where: Path) -> RuleSet:
    """The rules and correlations with names and stems of which no two are equal: where they were, the folder or a
    number is added.
    """
    documents = [*found.documents, *(document for document, _ in found.linked)]
    reports = [*found.rules, *(one.rule for one in found.correlations)]
    folders = [_safe_path(_folder(document, where)) for document in documents]
    names = _unique([_safe(rule.name)[:_NAME_LENGTH_MAX] for rule in reports], folders, "-")
    stems = _unique([_safe(rule.stem) for rule in reports], folders, "/")
    called = {(one.path, one.number): _Called(*both) for one, *both in zip(documents, names, stems, strict=True)}
    rules = tuple(
        replace(rule, name=name, stem=stem, rule_id=name if rule.rule_id == rule.name else rule.rule_id)
        for rule, name, stem in zip(found.rules, names, stems, strict=False)
    )
    return _with_rules(found, rules, called)


def told_apart(found: RuleSet, where: Path) -> RuleSet:
    """The rules and correlations with unique names, and ids of which no two are equal: a hit is known by its rule's id.

    Of several with one id, the first keeps it; the others get one made of it and their name.
    """
    named = with_unique_names(found, where)
    taken: set[str] = set()
    rules = []
    for rule in named.rules:
        clashes = rule.rule_id in taken
        rules.append(replace(rule, rule_id=str(uuid5(_NAMESPACE, f"{rule.rule_id} {rule.name}"))) if clashes else rule)
        taken.add(rules[-1].rule_id)
    called = {(document.path, document.number): _Called(one.rule.name, one.rule.stem) for document, one in named.linked}
    return _with_rules(named, tuple(rules), called)


def ids_of_authors(found: RuleSet, where: Path) -> dict[str, str]:
    """By the ids of rules and correlations that are told apart: the ids that their authors gave, which may be equal.

    Those without an id go by their unique names.
    """
    named, apart = with_unique_names(found, where), told_apart(found, where)
    ids = {one.rule_id: other.rule_id for one, other in zip(apart.rules, named.rules, strict=True)}
    for document, correlation in apart.linked:
        given = document.content.get("id")
        ids[correlation.correlation_id] = str(UUID(str(given))) if given else correlation.rule.name
    return ids


class _Called(NamedTuple):
    name: str
    stem: str


def _with_rules(found: RuleSet, rules: tuple[Rule, ...], called: Mapping[tuple[Path, int], _Called]) -> RuleSet:
    """The same rules under other names and ids, by which the correlations over them know them.

    called: what correlations are called, by their places.
    """
    named = zip(found.documents, rules, strict=True)
    linked = compile_correlations(found.correlating, named, Compiler({}))
    others = tuple(one for one in found.left_out if one.kind is not Kind.CORRELATION)
    compiled = []
    for document, correlation in linked.compiled:
        name = called.get((document.path, document.number), _Called(correlation.rule.name, correlation.rule.stem))
        compiled.append((document, replace(correlation, rule=replace(correlation.rule, **name._asdict()))))
    return replace(found, rules=rules, linked=tuple(compiled), left_out=(*others, *linked.refused))


def every_left_out(found: RuleSet) -> tuple[Refused, ...]:
    """Every document that does not run, with the filters that could be read."""
    places = {(one.path, one.number) for one in found.left_out}
    filters = [document for document in found.filters if (document.path, document.number) not in places]
    return (*found.left_out, *(Refused.of(document, _FILTER_REASON, Kind.FILTER) for document in filters))


def left_out(found: RuleSet) -> tuple[Refused, ...]:
    """The documents to name one by one: meant for us, and not run."""
    return tuple(one for one in every_left_out(found) if one.kind not in (Kind.OTHER_SOURCE, Kind.NO_RULE))


def sentence(one: Refused) -> str:
    """File, line, document, title and reason, on one line."""
    number = f" (document {one.number})" if one.number > 1 else ""
    title = f' "{one.title}"' if one.title else ""
    return one_line(f"left out: {one.path}:{one.line}{number}{title}: {one.reason}")


def counts(found: RuleSet) -> str:
    """How many rules run, and how many documents do not, by kind."""
    named = Counter(one.kind for one in left_out(found))
    others = Counter(one.kind for one in found.left_out)
    parts = [f"rules: {len(found.rules) + len(found.linked)} run"]
    if named:
        kinds = ", ".join(f"{count} {kind}" for kind, count in named.items())
        parts.append(f"{named.total()} rules left out ({kinds})")
    if others[Kind.OTHER_SOURCE]:
        parts.append(f"{others[Kind.OTHER_SOURCE]} rules left out as not for CloudTrail")
    if others[Kind.NO_RULE]:
        parts.append(f"{others[Kind.NO_RULE]} documents are no rules")
    return "; ".join(parts)


def never_matching(found: RuleSet) -> tuple[str, ...]:
    """One message for each thing in what runs which no record has: file, line, name and sentence."""
    of_rules = (
        one_line(f"{place_of([document.path], one.written)}{rule.name}: {one.sentence}")
        for document, rule in zip(found.documents, found.rules, strict=True)
        for one in findings_in(rule.detection)
    )
    of_correlations = (
        one_line(f"{document.path}:{document.line}: {correlation.rule.name}: {sentence}")
        for document, correlation in found.linked
        for sentence in _never_counted(correlation)
    )
    return (*of_rules, *of_correlations)


def warnings_of_correlation(document: Document, correlation: Correlation) -> Iterator[str]:
    """What the reader of a foreign correlation that runs should know, a sentence each."""
    given = str(document.content.get("id") or "").lower()
    if given and given != correlation.correlation_id:
        yield f"another rule has its id {given}; hits of this one carry {correlation.correlation_id}"
    yield from _never_counted(correlation)


def _never_counted(correlation: Correlation) -> Iterator[str]:
    """Fields that a correlation over rules groups or counts by, and that no record has."""
    by_rule = (*correlation.group_paths, *correlation.value_paths) if correlation.depth == 1 else ()
    for path in dict.fromkeys(path for paths in by_rule for path in paths):
        if fault := fault_of_field(path):
            yield f"{fault}; a part of this correlation never has an effect"


def warnings_of(document: Document, rule: Rule, placeholders: Placeholders) -> Iterator[str]:
    """What the reader of a foreign rule that runs should know, a sentence each."""
    status = str(document.content.get("status") or "").lower()
    if status in _WARNED_STATUS:
        yield _WARNED_STATUS[status]
    given = str(document.content.get("id") or "").lower()
    if given and given != rule.rule_id:
        yield f"another rule has its id {given}; hits of this one carry {rule.rule_id}"
    for name in dict.fromkeys(_EXPANDED.findall(str(document.content.get("detection")))):
        if placeholders.get(name) == ():
            yield f"%{name}% has no values and matches nothing: give them by --setting {name}=..."
    yield from (finding.sentence for finding in findings_in(rule.detection))


def _folder(document: Document, where: Path) -> str:
    folder = document.path.relative_to(where).parent if where.is_dir() else Path()
    return "" if folder == Path() else folder.as_posix()


def _safe(name: str) -> str:
    """A name that can be part of a file's name and of a line."""
    return "".join(char if char.isprintable() and char not in "/\\" else "-" for char in name)


def _safe_path(folder: str) -> str:
    return "/".join(map(_safe, folder.split("/")))


def _unique(wanted: Sequence[str], folders: Sequence[str], joint: str) -> list[str]:
    """The names; equal ones (case ignored) with as many of their folders as tell them apart, or with a number."""
    groups: dict[str, list[int]] = {}
    for at, name in enumerate(wanted):
        groups.setdefault(name.lower(), []).append(at)
    made = list(wanted)
    taken = {name for name, members in groups.items() if len(members) == 1}
    last_numbers = Counter[str]()
    for members in groups.values():
        if len(members) == 1:
            continue
        for at, folder in zip(members, _distinct([folders[at] for at in members]), strict=True):
            longer = name = f"{folder.replace('/', joint)}{joint}{wanted[at]}" if folder else wanted[at]
            while name.lower() in taken:
                last_numbers[longer.lower()] += 1
                name = f"{longer}-{last_numbers[longer.lower()] + 1}"
            taken.add(name.lower())
            made[at] = name
    return made


def _distinct(folders: Sequence[str]) -> list[str]:
    """Each folder by the fewest of its last parts that make all of them different; whole, where nothing does."""
    parts = [folder.split("/") for folder in folders]
    for depth in range(1, max(map(len, parts)) + 1):
        ends = ["/".join(each[-depth:]) for each in parts]
        if len(set(ends)) == len(set(folders)):
            return ends
    return list(folders)
