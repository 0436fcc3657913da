"""Exceptions of the deployer: Sigma filters with `owner`, `reason` and `expires`, in exceptions/.

A filter's condition is added to the rule's as it is written, so it says what still alerts: `not selection`.
A hit that only the exception takes away is kept in the table as muted, and not told.
Sigma specification 2.1, "Filters": https://github.com/SigmaHQ/sigma-specification/blob/main/specification/sigma-filters-specification.md
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError

from trailbell.engine.correlation import Correlation
from trailbell.engine.rulebook import UNMUTABLE, Rule, RuleException
from trailbell.errors import RuleError
from trailbell.rulebook.compile import Compiler, Node, gate_of
from trailbell.rulebook.detection import compile_detection, parse_rule
from trailbell.rulebook.documents import Document, Refused
from trailbell.rulebook.draft import FILL_IN
from trailbell.rulebook.lint import normalised
from trailbell.rulebook.load import RuleSet
from trailbell.rulebook.misspellings import question
from trailbell.rulebook.own_exceptions import faults_of_exception, inversion_of
from trailbell.rulebook.placeholders import Placeholders
from trailbell.rulebook.source import judge_documents, rule_files


_PERSONS = (
    "facts.actor.key of a permission set's sessions is the person's; to name the role write facts.actor.role instead"
)
_FIELDS = ("owner", "reason", "expires")


@dataclass(frozen=True, slots=True)
class _Filter:
    """A parsed filter: the rules it names (none: any), and the exception it makes."""

    place: str
    rules: tuple[str, ...]
    exception: RuleException


@dataclass(frozen=True, slots=True)
class Applied:
    """Rules with their exceptions, and the filters that do not apply: out of date, or at fault.

    A filter that no longer says what it meant is among those out of date: the hits it was to mute are notified.
    """

    rules: tuple[Rule, ...]
    lapsed: tuple[Refused, ...]
    refused: tuple[Refused, ...]

    @property
    def expired(self) -> tuple[str, ...]:
        """One message for each that is out of date."""
        return tuple(one.message for one in self.lapsed)

    @property
    def errors(self) -> tuple[str, ...]:
        """One message for each that is at fault."""
        return tuple(one.message for one in self.refused)


def read_exceptions(folder: Path | None) -> tuple[list[Document], list[str]]:
    """The filters of a folder (none, or one that does not exist, has none), and what could not be read."""
    documents, unreadable = judge_exceptions(folder)
    return documents, [one.message for one in unreadable]


def judge_exceptions(folder: Path | None) -> tuple[list[Document], list[Refused]]:
    """As read_exceptions, with the place of what could not be read."""
    documents: list[Document] = []
    unreadable: list[Refused] = []
    for path in rule_files(folder) if folder and folder.exists() else []:
        try:
            judged = list(judge_documents(path))
            documents += [one for one in judged if isinstance(one, Document)]
            unreadable += [one for one in judged if isinstance(one, Refused)]
        except RuleError as error:
            unreadable.append(Refused.of_file(path, error))
    return documents, unreadable


def apply_exceptions(
    rules: Iterable[Rule],
    documents: Iterable[Document],
    placeholders: Placeholders,
    today: date,
    correlations: Iterable[Correlation] = (),
) -> Applied:
    """Attach filters to the rules they name. A filter that names one of the correlations over them is at fault."""
    rules = tuple(rules)
    linked = {key: one for one in correlations for key in (one.correlation_id, one.rule.name)}
    attached: dict[str, list[RuleException]] = {rule.rule_id: [] for rule in rules}
    lapsed: list[Refused] = []
    refused: list[Refused] = []
    for document in documents:
        try:
            found = _read(document, Compiler(placeholders))
            if date.fromisoformat(found.exception.expires) < today:
                problem = f"expired on {found.exception.expires} and no longer works"
                lapsed.append(Refused.of(document, problem))
            else:
                for rule in _named(found, rules, linked):
                    attached[rule.rule_id].append(found.exception)
                if _names_persons_role(found.exception.detection):
                    lapsed.append(Refused.of(document, _PERSONS))
        except RuleError as error:
            refused.append(Refused.of(document, str(error).removeprefix(f"{document.place}: ")))
    changed = (replace(rule, exceptions=tuple(attached[rule.rule_id])) for rule in rules)
    return Applied(tuple(changed), tuple(lapsed), tuple(refused))


def _names_persons_role(node: Node) -> bool:
    """Whether a condition looks for a permission set's role where only its persons stand."""
    kind, *arguments = node
    if kind in ("and", "or"):
        return any(map(_names_persons_role, arguments[0]))
    if kind == "not":
        return _names_persons_role(arguments[0])
    return kind == "field" and arguments[0] == "facts.actor.key" and ":role/aws-reserved/" in str(arguments[1])


def apply_filters(found: RuleSet, placeholders: Placeholders) -> RuleSet:
    """Plain Sigma filters among rules: each condition is added to the rules it names, as the specification says."""
    rules, left_out = list(found.rules), list(found.left_out)
    for document in found.filters:
        try:
            names = _rules_named(_body(document).get("rules"), document.place)
            tree = _tree(document, Compiler(placeholders))
            for at, rule in enumerate(rules):
                if not names or {rule.rule_id, rule.name} & set(names):
                    detection = ["and", [rule.detection, tree]]
                    rules[at] = replace(rule, detection=detection, gate=gate_of(detection))
        except RuleError as error:
            reason = str(error).removeprefix(f"{document.place}: ")
            left_out.append(Refused.of(document, reason))
    return replace(found, rules=tuple(rules), left_out=tuple(left_out))


def _read(document: Document, compiler: Compiler) -> _Filter:
    content, place = document.content, document.place
    faults = faults_of_exception(document)
    body = {} if faults else _body(document)
    missing = [name for name in _FIELDS if not str(content.get(name) or "").strip()]
    if missing and ("filter" in content or not faults):
        faults.append(f"an exception needs {', '.join(missing)}")
    if faults:
        raise RuleError(f"{place}: {'; '.join(faults)}")
    unfilled = [name for name in _FIELDS if FILL_IN in str(content[name])]
    if unfilled:
        raise RuleError(f"{place}: is a draft: fill in {', '.join(unfilled)}, or remove the file")
    expires = str(content["expires"])
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", expires) or not _is_date(expires):
        raise RuleError(f"{place}: expires is a date such as 2026-12-31, not {expires!r}")
    name = str(content.get("name") or document.path.stem)
    reason = " ".join(str(content["reason"]).split())
    tree = _tree(document, compiler)
    if inversion := inversion_of(document, tree):
        raise RuleError(f"{place}: {inversion}")
    exception = RuleException(name, str(content["owner"]), reason, expires, tree)
    return _Filter(place, _rules_named(body.get("rules"), place), exception)


def _body(document: Document) -> dict[str, Any]:
    body = document.content.get("filter")
    if not isinstance(body, dict):
        raise RuleError(f"{document.place}: an exception is a Sigma filter: it needs a map `filter`")
    try:
        SigmaCollection.from_dicts([normalised(document.content)], collect_filters=True)  # validates title and source
    except SigmaError as error:
        raise RuleError(f"{document.place}: {' '.join(str(error).split())}") from None
    return body


def _tree(document: Document, compiler: Compiler) -> Node:
    """The filter's condition, compiled as a rule's would be."""
    detection = {key: value for key, value in _body(document).items() if key != "rules"}
    source = {"product": "aws", "service": "cloudtrail"}
    parsed = parse_rule({"title": "filter", "logsource": source, "detection": detection}, document.place)
    return compile_detection(parsed, compiler, document.place)


def _rules_named(given: Any, place: str) -> tuple[str, ...]:
    if given in ("any", []):  # pySigma takes an empty list for any
        return ()
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise RuleError(f"{place}: filter.rules is `any`, or a list of rules' names or ids")
    return tuple(names)


def _named(found: _Filter, rules: tuple[Rule, ...], linked: Mapping[str, Correlation]) -> list[Rule]:
    """The rules a filter applies to. `any` never means those that cannot be muted; naming one is an error.

    linked: the correlations, by name and id.
    """
    by_key = {key: rule for rule in rules for key in (rule.rule_id, rule.name)}
    if one := next((linked[name] for name in found.rules if name in linked), None):
        counted = ", ".join(rule.name for rule in rules if rule.rule_id in one.rules)
        raise RuleError(
            f"{found.place}: {one.rule.name} is a correlation, which no single call can be excepted from: name the"
            f" rules that it counts{counted and f' ({counted})'}"
        )
    unknown = [name for name in found.rules if name not in by_key]
    if unknown:
        close = question(unknown[0], by_key) if len(unknown) == 1 else ""
        raise RuleError(f"{found.place}: no rule is called {', '.join(unknown)}{close}")
    named = [by_key[name] for name in found.rules] or rules
    refused = [rule.name for rule in named if rule.name.startswith(UNMUTABLE)]
    if found.rules and refused:
        raise RuleError(f"{found.place}: {', '.join(refused)} cannot be muted: it guards the trail and the alerter")
    return [rule for rule in named if not rule.name.startswith(UNMUTABLE)]


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
