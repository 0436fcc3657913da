"""An explanation as JSON: all of it, with the texts beside the values."""

from typing import TYPE_CHECKING, Any

from trailbell.cli.explain.conditions import has_words, shown_values, wanted_words
from trailbell.cli.explain.words import result
from trailbell.engine.explanation import Part
from trailbell.hits.explained import Explained, RuleExplained
from trailbell.hits.hit import hit_document
from trailbell.text.safe_text import one_line


if TYPE_CHECKING:
    from trailbell.ops.walk.walk import Walk


def walk_document(walk: "Walk", *, show_secrets: bool) -> dict[str, Any]:
    """A walk: its steps, where it ended, and the explanation of the record where there is one."""
    ended = walk.ended_at
    return {
        "eventID": walk.event_id,
        "endedAt": ended.name if ended else "",
        "steps": [
            {"name": step.name, "state": str(step.state), "said": step.said, "action": step.action}
            for step in walk.steps
        ],
        "hitId": walk.hit.hit_id if walk.hit else "",
        **(explained_document(walk.explained, show_secrets=show_secrets) if walk.explained else {}),
    }


def explained_document(explained: Explained, *, show_secrets: bool) -> dict[str, Any]:
    """A record and its rules."""
    record, facts = explained.record, explained.facts
    return {
        "eventID": one_line(record.event_id),
        "eventTime": record.event_time,
        "eventSource": one_line(record.event_source),
        "eventName": one_line(record.event_name),
        "account": record.account,
        "outcome": str(facts.outcome),
        "direct": facts.direct,
        "actor": one_line(facts.actor.text),
        "watched": explained.watched,
        "result": result(explained),
        "hit": hit_document(explained.hit) if explained.hit else None,
        "rules": [_rule(one, show_secrets=show_secrets) for one in explained.rules],
    }


def _rule(one: RuleExplained, *, show_secrets: bool) -> dict[str, Any]:
    return {
        "name": one.rule.name,
        "ruleId": one.rule.rule_id,
        "level": one.rule.level.word,
        "reportedAs": one.level.word,
        "standing": str(one.standing),
        "matches": one.matches,
        "outrankedBy": one.outranked_by,
        "countedBy": list(one.counted_by),
        "shortBy": one.condition.short_by,
        "gate": [
            {"field": fault.field, "value": one_line(str(fault.value)), "wanted": list(fault.wanted)}
            for fault in one.gate
        ],
        "exceptions": [
            {
                "name": each.exception.name,
                "owner": each.exception.owner,
                "reason": each.exception.reason,
                "expires": each.exception.expires,
                "inForce": each.in_force,
                "mutes": each.mutes,
                "condition": _part(each.condition, show_secrets=show_secrets),
            }
            for each in one.exceptions
        ],
        "condition": _part(one.condition, show_secrets=show_secrets),
    }


def _part(part: Part, *, show_secrets: bool) -> dict[str, Any]:
    common: dict[str, Any] = {"kind": part.kind, "holds": part.holds, "wanted": part.wanted, "met": part.is_met}
    if not part.is_test:
        return {**common, "parts": [_part(one, show_secrets=show_secrets) for one in part.parts]}
    return {
        **common,
        "field": one_line(part.path),
        "test": list(part.test),
        "wants": wanted_words(part.test),
        "has": shown_values(part, show_secrets=show_secrets),
        "valuesFound": part.values_found,
        "why": str(part.why) if part.why else "",
        "said": has_words(part, show_secrets=show_secrets),
    }
