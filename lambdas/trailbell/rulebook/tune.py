"""A drafted exception is proved before anybody sees it: by the records of all cases, and by every hit that was judged.

The draft is compiled as `cdk deploy` would compile it, and asked with the matcher's own predicates. It must take every
false hit, none that was confirmed, and no record of any rule's cases that the rule matches.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from trailbell.cloudtrail.object_key import classify_key
from trailbell.cloudtrail.record import make_record
from trailbell.engine.condition import compile_node
from trailbell.engine.matcher import CompiledRule
from trailbell.engine.predicates import Predicate, Roots
from trailbell.engine.rulebook import UNMUTABLE, Rule
from trailbell.errors import RuleError
from trailbell.facts.facts import facts_of
from trailbell.lookback.tuning import JudgedHit, Refusal, Selection, may_take, narrowest, shown
from trailbell.rulebook.cases import Case
from trailbell.rulebook.documents import Document
from trailbell.rulebook.draft import FILL_IN, literal
from trailbell.rulebook.exceptions import apply_exceptions
from trailbell.rulebook.pieces import load_documents
from trailbell.rulebook.placeholders import Placeholders
from trailbell.rulebook.source import StrictLoader


Records = Mapping[str, Mapping[str, Any]]
"""Records of hits by their ids; a hit whose record cannot be had is judged by what the hit itself says."""


@dataclass(frozen=True, slots=True)
class Answerable:
    """Who answers for an exception, why, and until when. What only a person can know may be left to be filled in."""

    owner: str
    reason: str
    expires: date


@dataclass(frozen=True, slots=True)
class Tuned:
    """A draft that is proved: its file's name and content, and what it was proved on.

    takes: false hits; spares: confirmed ones; cases: records of cases that the rule matches and that still alert.
    without_record: hits of both kinds that were judged by what the hit says.
    """

    name: str
    content: str
    takes: int
    spares: int
    cases: int
    without_record: int


@dataclass(frozen=True, slots=True)
class Judged:
    """The hits of a rule that were judged: false ones, confirmed ones, and the records of both."""

    false: Sequence[JudgedHit]
    confirmed: Sequence[JudgedHit]
    records: Records


def tune(
    rule: Rule, judged: Judged, cases: Iterable[Case], placeholders: Placeholders, answerable: Answerable, today: date
) -> Tuned | Refusal:
    """Draft and prove an exception from a rule; why not, where none is right. Raises RuleError for a defect of ours."""
    if rule.name.startswith(UNMUTABLE):
        return Refusal(f"{rule.name} guards the trail and the alerter, and cannot be muted")
    if not judged.false:
        return Refusal(f"no hit of {rule.name} is resolved as false")
    selections = narrowest(judged.false)
    if isinstance(selections, Refusal):
        return selections
    content = draft_text(rule, selections, len(judged.false), answerable)
    still_alerts = _compiled(rule, content, placeholders, today)
    trusted = frozenset(placeholders.get("trusted_accounts", ()))

    def roots(hit: JudgedHit) -> Roots:
        return _roots(hit, judged.records.get(hit.hit_id), trusted)

    for hit in judged.false:
        if still_alerts(roots(hit)):
            return Refusal("the draft does not take it: its record says something else than the hit", shown(hit.hit_id))
    for hit in judged.confirmed:
        has_record = hit.hit_id in judged.records
        if not still_alerts(roots(hit)) if has_record else may_take(selections, hit):
            return Refusal("it was confirmed, and what takes all false hits takes it, too", shown(hit.hit_id))
    spared, against = _cases_spared(rule, cases, still_alerts)
    if against:
        return Refusal(
            "the record of a case that it reports would be muted", f"{against.path}:{against.line} {against.name}"
        )
    by_hit = sum(hit.hit_id not in judged.records for hit in (*judged.false, *judged.confirmed))
    counts = (len(judged.false), len(judged.confirmed), spared, by_hit)
    return Tuned(f"tuned-{rule.name}.yml", content, *counts)


def draft_text(rule: Rule, selections: Sequence[Selection], false: int, answerable: Answerable) -> str:
    """The exception as a file of exceptions/ holds it."""
    names = ["expected"] if len(selections) == 1 else [f"expected_{at}" for at in range(1, len(selections) + 1)]
    searches = "".join(f"    {name}:\n{_fields(one)}" for name, one in zip(names, selections, strict=True))
    condition = "not expected" if len(selections) == 1 else "not 1 of expected_*"
    unfilled = FILL_IN in answerable.owner + answerable.reason
    draft = "# It is refused until owner and reason are filled in.\n" if unfilled else ""
    taken = "the hit" if false == 1 else f"the {false} hits"
    return f"""\
# By `trailbell rules tune`: takes {taken} of {rule.name} resolved as false, and nothing wider.
{draft}title: {json.dumps(f"{rule.name} where it was false")}
logsource:
    product: aws
    service: cloudtrail
owner: {_scalar(answerable.owner)}
reason: {_scalar(answerable.reason)}
expires: {answerable.expires}
filter:
    rules:
        - {rule.name}
{searches}    condition: {condition}
"""


def _fields(selection: Selection) -> str:
    lines = []
    for name, values in selection.values.items():
        if len(values) == 1:
            lines.append(f"        {name}: {_value(values[0])}\n")
        else:
            lines.append(f"        {name}:\n" + "".join(f"            - {_value(value)}\n" for value in values))
    lines += [f"        {name}|startswith: {_value(start)}\n" for name, start in selection.begins.items()]
    return "".join(lines)


def _value(text: str) -> str:
    """A text that matches itself alone, as YAML."""
    return json.dumps(literal(text), ensure_ascii=False)


def _scalar(text: str) -> str:
    return text if text.startswith(FILL_IN) else json.dumps(text, ensure_ascii=False)


def _compiled(rule: Rule, content: str, placeholders: Placeholders, today: date) -> Predicate:
    """Whether a record still alerts under the draft. Raises RuleError if it does not compile, or is out of date."""
    (loaded,) = load_documents(content.encode(), StrictLoader)
    whole = {**loaded.content, "owner": "somebody", "reason": "drafted"}
    applied = apply_exceptions((rule,), [Document(Path("draft.yml"), 1, whole)], placeholders, today)
    if applied.errors or applied.lapsed:
        raise RuleError("\n".join((*applied.errors, *applied.expired)))
    return compile_node(applied.rules[0].exceptions[-1].detection)


def _roots(hit: JudgedHit, record: Mapping[str, Any] | None, trusted: frozenset[str]) -> Roots:
    if record is None:
        actor = {"key": hit.actor, "role": hit.role}
        return hit.fields, {"facts": {"actor": actor, "resources": list(hit.resources)}}
    found = make_record(record, hit.place.index, classify_key(hit.place.key).account)
    return record, {"facts": facts_of(found, trusted).as_fields()}


def _cases_spared(rule: Rule, cases: Iterable[Case], still_alerts: Callable[[Any], bool]) -> tuple[int, Case | None]:
    """How many records of cases the rule matches that still alert, and the first one that would not."""
    compiled, spared = CompiledRule(rule, 0, dotted_root=False), 0
    for case in cases:
        facts = facts_of(make_record(case.record, 0)).as_fields()
        roots: Roots = (case.record, {"facts": facts})
        if not compiled.decide(roots):
            continue
        if not still_alerts(roots):
            return spared, case
        spared += 1
    return spared, None
