"""From hits that were resolved as false to the narrowest exception that takes them all: what they have in common.

Hits of one actor are one selection: the actor, and whatever else its hits share (the resource, the call, the account,
the Region, the agent's product). An exception is the union of a few of these. Refused is what would be more than that:
too many actors that share no role and no resource, the root user, and names that a reader cannot see.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any

from trailbell.cloudtrail.origin import Place
from trailbell.cloudtrail.record import text
from trailbell.facts.actor import actor_of
from trailbell.hits.hit import Hit
from trailbell.text.safe_text import is_safe, one_line


MAX_SELECTIONS = 4
"""Actors (or roles) of one exception: more is a rule that is wrong here, not an exception from it."""

MAX_VALUES = 5
"""Values of one field that are listed; where there are more the field says nothing."""

ACTOR, ROLE, RESOURCES, CALL, ACCOUNT, REGION, AGENT = (
    *("facts.actor.key", "facts.actor.role", "facts.resources"),
    *("eventName", "recipientAccountId", "awsRegion", "userAgent"),
)


@dataclass(frozen=True, slots=True)
class JudgedHit:
    """As much of a hit that somebody judged as tuning needs.

    rule_ids: of the rules it matches, the primary one first. role, agent: "" where they are not known.
    resources: those that the call acted upon, or all; named: all, where that is more.
    """

    hit_id: str
    rule_ids: tuple[str, ...]
    actor: str
    role: str
    resources: tuple[str, ...]
    account: str
    region: str
    call: str
    agent: str
    place: Place
    named: tuple[str, ...] = ()

    @property
    def fields(self) -> dict[str, str]:
        """What its record has, of what an exception looks at; facts aside."""
        return {CALL: self.call, ACCOUNT: self.account, REGION: self.region, AGENT: self.agent}


def judged_hit(hit: Hit) -> JudgedHit:
    """The part of a hit that counts."""
    return JudgedHit(
        hit.hit_id,
        (hit.rule_id, *hit.also_ids),
        hit.actor.key,
        hit.actor.role,
        hit.main_resources,
        hit.account,
        hit.region,
        hit.event_name,
        hit.user_agent,
        hit.place,
        hit.resources,
    )


def completed(hit: JudgedHit, fields: Mapping[str, Any] | None) -> JudgedHit:
    """The same with what a line of JSON leaves out, by its record where that can be had."""
    if fields is None or (hit.role and hit.agent):
        return hit
    return replace(hit, role=hit.role or actor_of(fields).role, agent=hit.agent or text(fields, "userAgent"))


@dataclass(frozen=True, slots=True)
class Selection:
    """What some false hits have in common: by field its values, any of them; or how its values begin."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    begins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing is drafted, and the hit that stands against it ("" for none)."""

    reason: str
    hit_id: str = ""


def narrowest(hits: Sequence[JudgedHit]) -> tuple[Selection, ...] | Refusal:
    """The narrowest selections that together take all hits (at least one)."""
    root = next((hit for hit in hits if hit.actor.startswith("root:")), None)
    if root:
        return Refusal("the root user is excepted from nothing", root.hit_id)
    unsafe = next((hit for hit in hits if not all(map(is_safe, (hit.actor, hit.role, *hit.resources)))), None)
    if unsafe:
        return Refusal("its actor or resource has characters that a reader cannot see", unsafe.hit_id)
    for name, value in ((ACTOR, _actor), (ROLE, _role)):
        clusters = _by(hits, value)
        if "" not in clusters and len(clusters) <= MAX_SELECTIONS:
            return tuple(_selection(cluster, {name: (key,)}) for key, cluster in clusters.items())
    alone = _selection(hits, {})
    if RESOURCES in alone.values or RESOURCES in alone.begins:
        return (alone,)
    actors = len({hit.actor for hit in hits})
    return Refusal(
        f"{actors} actors share neither a role nor a resource: what takes them all would mute the rule; change the"
        " rule's level or condition instead"
    )


def may_take(selections: Iterable[Selection], hit: JudgedHit) -> bool:
    """Whether selections may take a hit whose record cannot be had: what the hit does not say may be so.

    Hits hide parts of user agents, so these decide nothing.
    """
    known: dict[str, tuple[str, ...]] = {name: (value,) for name, value in hit.fields.items()}
    known |= {ACTOR: (hit.actor,), ROLE: (hit.role,), RESOURCES: hit.named or hit.resources, AGENT: ()}
    lowered = {name: [value.lower() for value in values if value] for name, values in known.items()}
    return any(_may_be(one, lowered) for one in selections)


def _may_be(selection: Selection, known: Mapping[str, Sequence[str]]) -> bool:
    """Whether what is known contradicts no part of a selection."""
    for name, values in selection.values.items():
        if known[name] and {value.lower() for value in values}.isdisjoint(known[name]):
            return False
    for name, start in selection.begins.items():
        if known[name] and not any(value.startswith(start.lower()) for value in known[name]):
            return False
    return True


def _actor(hit: JudgedHit) -> str:
    return hit.actor


def _role(hit: JudgedHit) -> str:
    return hit.role


def _by(hits: Iterable[JudgedHit], value: Callable[[JudgedHit], str]) -> dict[str, list[JudgedHit]]:
    found: dict[str, list[JudgedHit]] = {}
    for hit in sorted(hits, key=lambda one: (value(one), one.hit_id)):
        found.setdefault(value(hit), []).append(hit)
    return found


def _selection(hits: Sequence[JudgedHit], who: Mapping[str, tuple[str, ...]]) -> Selection:
    """What these hits share beside who acted."""
    values, begins = dict(who), dict[str, str]()
    resources = _few(hit.resources[0] if hit.resources else "" for hit in hits)
    if resources:
        values[RESOURCES] = resources
    else:
        prefix = _common_folder([hit.resources[0] if hit.resources else "" for hit in hits])
        if prefix:
            begins[RESOURCES] = prefix
    for name in (CALL, ACCOUNT, REGION):
        shared = _few(hit.fields[name] for hit in hits)
        if shared:
            values[name] = shared
    product = _few(hit.agent.partition("/")[0] if "/" in hit.agent else "" for hit in hits)
    if len(product) == 1 and is_safe(product[0]) and " " not in product[0]:
        begins[AGENT] = f"{product[0]}/"
    return Selection(values, begins)


def _few(given: Iterable[str]) -> tuple[str, ...]:
    """The values if they are few, and every hit has one; none otherwise."""
    found = sorted(set(given))
    return tuple(found) if found and "" not in found and len(found) <= MAX_VALUES else ()


def _common_folder(names: Sequence[str]) -> str:
    """How all names begin, up to a "/" that follows the kind of thing: `arn:...:parameter/app/`; "" if not so."""
    if not all(names):
        return ""
    letters = takewhile(lambda column: len(set(column)) == 1, zip(*names, strict=False))
    shared = "".join(column[0] for column in letters)
    folder = shared[: shared.rfind("/") + 1]
    kind, _, rest = folder.rpartition(":")[2].partition("/")
    return folder if kind and rest.strip("/") else ""


def shown(hit_id: str) -> str:
    """A hit's id on one safe line."""
    return one_line(hit_id, 200)
