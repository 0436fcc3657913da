"""Which pointers cannot be of hits that answer a question: left out before their hits are read.

What can be compared letter by letter is left to DynamoDB (a FilterExpression), so that it is not sent; parts of
names, whatever the case of letters, are looked at here. A pointer that lacks a member is never left out for it.
"""

from collections.abc import Mapping
from typing import Any

from trailalert.core.question import Question, is_part


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
    if question.account:
        conditions.append("begins_with(hitPk, :account)")
        values[":account"] = f"H#{question.account}#"
    return " AND ".join(conditions), names, values


def may_answer(pointer: Pointer, question: Question) -> bool:
    """Whether the hit of a pointer can answer a question, as far as names and their parts go."""
    resources = pointer.get("resources")
    if question.resource and resources is not None and not is_part(question.resource, *resources):
        return False
    if question.actor and "actorKey" in pointer and "actorText" in pointer:
        return is_part(question.actor, pointer["actorKey"], pointer["actorText"])
    return True


def is_filtered(question: Question) -> bool:
    """Whether many pointers may have to be read for one answer."""
    return bool(filter_arguments(question)[0] or question.resource or question.actor or question.text)
