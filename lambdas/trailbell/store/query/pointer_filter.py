"""Which pointers cannot be of hits that answer a question: DynamoDB leaves them out before it sends them.

A pointer that lacks a member is never left out for it: its hit is read and looked at.
"""

from collections.abc import Mapping
from typing import Any

from trailbell.hits.hit import kept_forms
from trailbell.hits.query import Question


Pointer = Mapping[str, Any]


def filter_arguments(question: Question) -> tuple[str, dict[str, str], dict[str, Any]]:
    """(FilterExpression, names, values) for a question; the expression is "" if there is nothing to filter by."""
    wanted: dict[str, tuple[Any, ...]] = {
        "level": question.levels,
        "service": (question.service,) if question.service else (),
        "region": (question.region,) if question.region else (),
        "outcome": (question.outcome,) if question.outcome else (),
        "muted": () if question.muted is None else (question.muted,),
    }
    conditions, names, values = list[str](), dict[str, str](), dict[str, Any]()
    for member, allowed in wanted.items():
        if allowed:
            given = {f":{member}{number}": value for number, value in enumerate(allowed)}
            conditions.append(f"(attribute_not_exists(#{member}) OR #{member} IN ({', '.join(given)}))")
            names[f"#{member}"] = member
            values |= given
    for member, part in {"actorNames": question.actor, "resourceNames": question.resource}.items():
        if part:
            forms = {f":{member}{number}": form.lower() for number, form in enumerate(kept_forms(part))}
            holds = " OR ".join(f"contains({member}, {form})" for form in forms)
            conditions.append(f"(attribute_not_exists({member}) OR {holds})")
            values |= forms
    if question.event_id:
        conditions.append("contains(hitPk, :event)")
        values[":event"] = f"#{question.event_id}"
    if question.account:
        conditions.append("begins_with(hitPk, :account)")
        values[":account"] = f"H#{question.account}#"
    return " AND ".join(conditions), names, values


def is_filtered(question: Question) -> bool:
    """Whether many pointers may have to be read for one answer."""
    return bool(filter_arguments(question)[0] or question.text)
