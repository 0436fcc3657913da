"""A query says which hits somebody wants; whether a hit is one of them is decided here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from trailbell.hits.hit import Hit, kept_forms


@dataclass(frozen=True, slots=True)
class HitQuery:
    """Which hits to find; "" (or an empty tuple, or None) asks for any. Conditions are combined.

    since, until: event time, UTC, both included.
    rules:    rule ids; a hit that also matched one of them counts.
    actor:    an actor's key, or part of its text.
    resource: an ARN, as AWS or a hit spells it, or part of one (an id, an alias).
    levels:   words of levels, any of them.
    outcome:  success, denied, dryrun or failed.
    muted:    whether the hit is under an exception.
    event_id: of the hit's identity, whole.
    text:     words that the texts of a hit must all contain.
    states:   what became of it (hits/hit_state.py), any of them.
    """

    since: datetime
    until: datetime
    rules: tuple[str, ...] = ()
    actor: str = ""
    resource: str = ""
    account: str = ""
    region: str = ""
    service: str = ""
    levels: tuple[str, ...] = ()
    outcome: str = ""
    muted: bool | None = None
    event_id: str = ""
    text: str = ""
    states: tuple[str, ...] = ()


def answers(hit: Hit, query: HitQuery) -> bool:
    """Whether a hit answers a query, its time and its state (which is not in the hit) aside."""
    conditions: tuple[tuple[object, Callable[[], bool]], ...] = (
        (query.rules, lambda: bool({hit.rule_id, *hit.also_ids} & set(query.rules))),
        (query.actor, lambda: is_part(query.actor, hit.actor.key, hit.actor.role, hit.actor.text)),
        (query.resource, lambda: is_part(query.resource, *hit.resources)),
        (query.account, lambda: hit.account == query.account),
        (query.region, lambda: hit.region == query.region),
        (query.service, lambda: hit.service == query.service),
        (query.levels, lambda: hit.level in query.levels),
        (query.outcome, lambda: hit.outcome == query.outcome),
        (query.muted is not None, lambda: bool(hit.muted_by) is query.muted),
        (query.event_id, lambda: hit.identity[1] == query.event_id),
        (query.text, lambda: all(is_part(word, *_said(hit)) for word in query.text.split())),
    )
    return all(not asked or holds() for asked, holds in conditions)


def is_part(part: str, *texts: str) -> bool:
    """Whether one of a hit's texts contains `part`, in upper or lower case."""
    return any(form.lower() in text.lower() for form in kept_forms(part) for text in texts)


def _said(hit: Hit) -> tuple[str, ...]:
    """What a person may remember of a hit."""
    return (
        *(hit.hit_id, hit.name, hit.title, hit.event_name, hit.event_source, hit.region, hit.outcome),
        *(hit.actor.text, hit.actor.key, hit.actor.role, hit.actor.arn, hit.source_ip, hit.user_agent, hit.request_id),
        *(hit.error_code, hit.error_message, hit.shared_event_id, hit.muted_by),
        *hit.resources,
        *hit.also,
        *hit.tags,
    )
