"""The filter for pointers whose hits cannot answer a query: DynamoDB leaves them out of its response.

A pointer is never left out for a member that it lacks: its hit is read instead.
"""

from collections.abc import Mapping
from typing import Any

from trailbell.hits.hit import kept_forms
from trailbell.hits.query import HitQuery


Pointer = Mapping[str, Any]


def filter_arguments(query: HitQuery) -> tuple[str, dict[str, str], dict[str, Any]]:
    """(FilterExpression, names, values) for a query; the expression is "" if there is nothing to filter by."""
    allowed_by_member: dict[str, tuple[Any, ...]] = {
        "level": query.levels,
        "service": (query.service,) if query.service else (),
        "region": (query.region,) if query.region else (),
        "outcome": (query.outcome,) if query.outcome else (),
        "muted": () if query.muted is None else (query.muted,),
    }
    conditions, names, values = list[str](), dict[str, str](), dict[str, Any]()
    for member, allowed in allowed_by_member.items():
        if allowed:
            placeholders = {f":{member}{number}": value for number, value in enumerate(allowed)}
            conditions.append(f"(attribute_not_exists(#{member}) OR #{member} IN ({', '.join(placeholders)}))")
            names[f"#{member}"] = member
            values |= placeholders
    for member, part in {"actorNames": query.actor, "resourceNames": query.resource}.items():
        if part:
            forms = {f":{member}{number}": form.lower() for number, form in enumerate(kept_forms(part))}
            holds = " OR ".join(f"contains({member}, {form})" for form in forms)
            conditions.append(f"(attribute_not_exists({member}) OR {holds})")
            values |= forms
    if query.event_id:
        conditions.append("contains(hitPk, :event)")
        values[":event"] = f"#{query.event_id}"
    if query.account:
        conditions.append("begins_with(hitPk, :account)")
        values[":account"] = f"H#{query.account}#"
    return " AND ".join(conditions), names, values


def is_filtered(query: HitQuery) -> bool:
    """Whether many pointers may have to be read for one answer."""
    return bool(filter_arguments(query)[0] or query.text)
