"""A hit is a match worth keeping: who did what to which resource, what it means, and how to undo it.

It holds everything a reader needs, so that it stays readable when its rule is changed or gone. It never holds
the record itself (up to 256 KB, and full of other people's secrets), only where to find it.
"""

import functools
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from trailbell.cloudtrail.event_source import service_of
from trailbell.cloudtrail.origin import NO_PLACE, LiveEvent, Origin, Place
from trailbell.cloudtrail.record import Record, mapping, text
from trailbell.engine.rulebook import Level, Rule
from trailbell.facts.acted_on import acted_on
from trailbell.facts.actor import Actor
from trailbell.hits.episode import HitEpisode, episode_document, episode_from_document
from trailbell.hits.quickly import quick_maker
from trailbell.hits.short_id import SHORT, short_id
from trailbell.hits.shown import shown_of
from trailbell.hits.undo import fill_steps, undo_deadline
from trailbell.hits.undo_note import undo_note
from trailbell.lazy_dataclass import dataclass
from trailbell.text.digests import stand_in
from trailbell.text.safe_text import encodable, one_line, unlinked
from trailbell.text.secrets import is_uuid, redacted, redacted_name


if TYPE_CHECKING:  # a hit that is read from its row needs none
    from trailbell.engine.matcher import Match
    from trailbell.facts.facts import Facts


HIT_FORMAT = 1

ACT = "act"
"""The last part of an act's identity, whichever rule reports it."""

FINDING = "TrailbellFinding"
"""The event type of what no event says."""

_FINDER = Actor(
    kind="service", text="nobody known: the audit of log files found this", key="trailbell-audit", name="the audit"
)

_RAISED = "raised-to-"
_SHARED = "shared"

# A row of DynamoDB has at most 400 KB; only forged records come near these limits.
_REMEMBERED = 1024  # texts that were made harmless: in a storm all hits have the same
_ACTORS_REMEMBERED = 64
_MAX_CALL = 512  # characters of a call that is remembered
_UTF8_MOST = 4  # bytes of a character
_MAX_NAME = 256
_MAX_RESOURCE = 2048
_MAX_RESOURCES_BYTES = 120_000
_MAX_ACTOR = 1024
_MAX_ACTED_ON = 20_000
_MAX_ACCOUNT_NAME = 50


@dataclass(frozen=True, slots=True)
class Hit:
    """One act that a rule reports. Its identity is (account, event_id, kept_as), or (account, once, rule_id).

    rule:     the rule's file stem; name: its slug; short_title: its title for subjects, "" where the title does.
    level:    the rule's, shifted by the actor (hits/level.py); level_note says why it differs.
    also:     slugs of the weaker rules the record matches too; also_ids: their ids; also_muted: those under
              an exception.
    muted_by: the exception under which nobody is notified of it, with muted_owner, muted_reason and muted_until
              (its last day; "" in rows of versions before); "" if none.
    muted_before: the exception that had muted it when it was found, where it is delivered later (ops/muted.py).
    once:     in place of the event's id where the rule has a dedup window of a day; "" otherwise.
    place:    where its record is in a log file; NO_PLACE while only a live event has brought it.
    live:     the live event that brought it, None where a log file did.
    filed_at: when the log file of a record was read that a live event had brought, UTC, ISO 8601 with Z; "" before.
    account_name: what the deployer called the account when it was found, "" if nothing.
    seen_at:  when we read it first, UTC, ISO 8601 with Z.
    acted_on: those of the resources that the call acted upon; empty if it was all of them.
    shown:    label and value of what tells what was asked for (hits/shown.py).
    undo:     steps, filled; undo_until: the deadline as text, or ""; of an episode the next one of its acts as of when
              it was found (hits/dated_steps.py).
    quiet:    found by a replay of history whose hits are kept and nobody is notified of.
    replayed: found by a replay of history that notifies.
    kept_as:  "act", or what a stronger verdict found later is kept as; "" where the rule's id takes its place: in rows
              of versions before, and where a rule has a dedup window of a day.
    undo_links: what an undo of it is found by (hits/undoing.py): each text is one way, all links in it must be undone.
    seen_keys, seen_what: what its sightings are kept under (hits/first_seen.py), as digests and for people.
    seen_note: what these say, where that does not stand in level_note.
    episode: of a correlation's hit, the acts that made it true; the rest of the hit is that of one of them.
    raised_from, raised_from_rule: the level and the rule an act was reported with before this stronger verdict.
    """

    account: str
    event_id: str
    rule_id: str
    rule: str
    name: str
    title: str
    level: str
    event_time: str
    event_source: str
    event_name: str
    region: str
    partition: str
    outcome: str
    actor: Actor
    resources: tuple[str, ...]
    place: Place
    seen_at: str
    event_type: str = ""
    error_code: str = ""
    error_message: str = ""
    source_ip: str = ""
    user_agent: str = ""
    request_id: str = ""
    shared_event_id: str = ""
    meaning: str = ""
    author: str = ""
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    acted_on: tuple[str, ...] = ()
    shown: tuple[tuple[str, str], ...] = ()
    undo: tuple[str, ...] = ()
    undo_until: str = ""
    undo_note: str = ""
    also: tuple[str, ...] = ()
    also_ids: tuple[str, ...] = ()
    also_muted: tuple[str, ...] = ()
    level_note: str = ""
    muted_by: str = ""
    muted_owner: str = ""
    muted_reason: str = ""
    muted_until: str = ""
    muted_before: str = ""
    once: str = ""
    quiet: bool = False
    replayed: bool = False
    kept_as: str = ""
    raised_from: str = ""
    raised_from_rule: str = ""
    short_title: str = ""
    undo_links: tuple[str, ...] = ()
    episode: HitEpisode | None = None
    seen_keys: tuple[str, ...] = ()
    seen_what: str = ""
    seen_note: str = ""
    live: LiveEvent | None = None
    filed_at: str = ""
    account_name: str = ""
    format: int = HIT_FORMAT

    @property
    def identity(self) -> tuple[str, str, str]:
        """(account, event id, "act"): two hits with the same are the same act, whichever rule reports it."""
        return self.account, self.once or self.event_id, self.kept_as or self.rule_id

    @property
    def delivery_identity(self) -> tuple[str, str, str]:
        """What a hit is notified of once by: its identity, but one for both records of an act between two accounts.

        https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
        (sharedEventID)
        """
        return delivery_identity(self.identity, self.shared_event_id if self.kept_as else "")

    @property
    def identities_before(self) -> tuple[tuple[str, str, str], ...]:
        """How versions before may have kept the same act: under the id of a rule that reports it."""
        if not self.kept_as:
            return ()
        return tuple((self.account, self.event_id, rule_id) for rule_id in (self.rule_id, *self.also_ids))

    @property
    def delivered_as(self) -> tuple[tuple[str, str, str], ...]:
        """What to look a delivery record of this hit up by, its own first."""
        return (self.delivery_identity, *self.identities_before)

    @property
    def delivery_identities(self) -> tuple[tuple[str, str, str], ...]:
        """Everything that a delivery record of this act may be kept under, also where a version before kept the act and
        this one delivered it.
        """
        if self.kept_as or self.once:
            return self.delivered_as
        act = (self.account, self.event_id, ACT)
        return (self.identity, delivery_identity(act, self.shared_event_id))

    @property
    def hit_id(self) -> str:
        """The identity as one text, for people and machines."""
        return "/".join(self.identity)

    @property
    def short_id(self) -> str:
        """The id that people type; a stronger verdict has that of its act."""
        return self.short_id_of()

    def short_id_of(self, length: int = SHORT) -> str:
        """The same with more characters, which tell apart what eight do not."""
        account, event_id, kept_as = self.identity
        return short_id((account, event_id, ACT if self.kept_as else kept_as), self.event_time, length)

    @property
    def main_resources(self) -> tuple[str, ...]:
        """The resources that the call acted upon."""
        return self.acted_on or self.resources

    @property
    def service(self) -> str:
        """kms, cloudhsm, ssm, iotfleethub, cloudtrail …"""
        return service_of(self.event_source)

    @property
    def delay(self) -> int:
        """Seconds from the event to when we read it: mostly CloudTrail's own delivery; never below 0."""
        return seconds_between(self.event_time, self.seen_at)

    @property
    def shown_account(self) -> str:
        """The account as people read it: its id, and behind it the deployer's name for it, where there is one."""
        return f"{self.account} ({self.account_name})" if self.account_name else self.account

    @property
    def is_finding(self) -> bool:
        """Whether the audit found it (hits/audit_finding.py): no record says it, and nobody is known who did it."""
        return self.event_type == FINDING

    @property
    def is_to_notify(self) -> bool:
        """Whether the notifier is to receive it: the kind of its row says the same (store/rows.py)."""
        return not (self.muted_by or self.quiet)

    @property
    def severity(self) -> Level:
        """The level as something that can be compared."""
        return Level[self.level.upper()]


def make_hit(
    record: Record,
    facts: "Facts",
    matches: "list[Match]",
    level: Level,
    origin: Origin,
    seen_at: str,
    level_note: str = "",
    undo_links: tuple[str, ...] = (),
    seen: tuple[tuple[str, ...], str] = ((), ""),
    known: Mapping[str, Any] | None = None,
) -> Hit:
    """The hit of a record: of its matches (strongest first, at least one) the first that is not muted is primary.

    level, level_note: as hits/level.py says of the matches that count. If all are muted the first is primary, and the
    hit is muted. seen: its seen_keys and seen_what. known: what rules see of the facts, where it was made already.
    """
    primary_rule = primary(matches)
    rule, muted = primary_rule.rule, primary_rule.muted_by
    weaker: list[Rule] = []
    also_muted: list[str] = []
    if len(matches) > 1:
        others = [match for match in matches if match is not primary_rule]
        weaker = [match.rule for match in others if muted or not match.muted_by]
        also_muted = [match.rule.name for match in others if match.muted_by and not muted]
    resources = _first([kept_resource(one) for one in facts.resources], _MAX_RESOURCES_BYTES)
    live = origin if isinstance(origin, LiveEvent) else None
    place = origin if isinstance(origin, Place) else NO_PLACE
    steps = fill_steps(rule.undo, record, facts)
    stated = _stated(record.fields)
    source, name, region = shown_call(record)
    return _quick_hit()(
        account=record.account,
        event_id=record.event_id,
        rule_id=rule.rule_id,
        rule=rule.stem,
        name=rule.name,
        title=rule.title,
        short_title=rule.short,
        level=level.word,
        event_time=record.event_time,
        event_source=source,
        event_name=name,
        region=region,
        partition=record.partition,
        outcome=facts.outcome.value,
        actor=_FINDER if stated.event_type == FINDING else shown_actor(facts.actor),
        resources=resources,
        place=_encodable(place) if place.key else place,
        seen_at=seen_at,
        event_type=stated.event_type,
        error_code=stated.error_code,
        error_message=stated.error_message,
        source_ip=stated.source_ip,
        user_agent=stated.user_agent,
        request_id=_id(record.fields.get("requestID")),
        shared_event_id=_id(shared) if (shared := record.fields.get("sharedEventID")) else "",
        meaning=rule.description,
        author=rule.author,
        tags=rule.tags,
        references=rule.references,
        falsepositives=rule.falsepositives,
        check=rule.check,
        acted_on=_acted_on(record, facts, resources) if len(resources) > 1 else (),
        shown=shown_of(rule.shows, record, facts, known),
        undo=steps,
        undo_until=_name(undo_deadline(rule.undo, record)),
        undo_note=undo_note(rule.undo, record, steps),
        also=tuple([other.name for other in weaker]),
        also_ids=tuple([other.rule_id for other in weaker]),
        also_muted=tuple(also_muted),
        level_note=level_note,
        muted_by=muted.name if muted else "",
        muted_owner=muted.owner if muted else "",
        muted_reason=muted.reason if muted else "",
        muted_until=muted.expires if muted else "",
        once=_once(record, facts.actor.key if rule.once_per_actor else "") if rule.once_per_day else "",
        kept_as="" if rule.once_per_day else ACT,
        undo_links=() if rule.once_per_day else undo_links,
        seen_keys=seen[0],
        seen_what=seen[1],
        live=live,
        account_name=one_line(facts.account_name, _MAX_ACCOUNT_NAME) if facts.account_name else "",
    )


@functools.cache  # made for the first hit: a cold start need not wait for it
def _quick_hit() -> type[Hit]:
    return quick_maker(Hit)


def delivery_identity(identity: tuple[str, str, str], shared_event_id: str) -> tuple[str, str, str]:
    """What a hit is notified of once by, from its identity and the id that both records of an act share ("")."""
    return (_SHARED, shared_event_id, identity[2]) if shared_event_id else identity


def raised(hit: Hit, level: str, rule: str) -> Hit:
    """A stronger verdict on an act that was reported before, by a rule at a level."""
    return replace(hit, kept_as=f"{_RAISED}{hit.level}", raised_from=level, raised_from_rule=rule)


def complete(hit: Hit) -> Hit:
    """The hit, if it is complete enough for an alert: with an identity, a level we know, and times that are times.

    Raises ValueError, TypeError, KeyError or AttributeError if it is not.
    """
    if not all(isinstance(part, str) and part for part in hit.identity):
        raise ValueError(f"identity {hit.identity} is not whole")
    _ = hit.severity, hit.delay  # what grouping and the mail compute
    return hit


def seconds_between(earlier: str, later: str) -> int:
    """Whole seconds from one ISO 8601 time to another, 0 if the second is not later."""
    return max(int((datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()), 0)


def primary(matches: "list[Match]") -> "Match":
    """The primary match of a record: the strongest that is not muted, else the strongest."""
    for match in matches:
        if not match.muted_by:
            return match
    return matches[0]


def counted(matches: "list[Match]") -> "list[Match]":
    """The matches that a record's level follows from, the primary rule's first: those not muted, if any is not."""
    if len(matches) == 1:
        return matches
    main = primary(matches)
    muted = bool(main.muted_by)
    return [main, *[match for match in matches if match is not main and bool(match.muted_by) is muted]]


@functools.lru_cache(_REMEMBERED)
def _name(given: str, limit: int = _MAX_NAME) -> str:
    """A name or an id as a hit keeps it: harmless, no link, without secrets, bounded."""
    return one_line(unlinked(redacted_name(given)), limit)


@functools.lru_cache(_REMEMBERED)
def _key(given: str, limit: int) -> str:
    """The same for a key by which hits are grouped or found: two that differ stay different."""
    kept = _name(given, limit)
    if kept == given:
        return kept
    return f"{kept[: limit - 17]}#{hashlib.sha256(given.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def shown_name(given: str) -> str:
    """A name from a record as hits hold it: harmless, no link, without secrets, bounded."""
    return _name(given)


def kept_resource(given: str) -> str:
    """A resource as hits hold it, which is how it is found."""
    return _key(given, _MAX_RESOURCE)


def kept_actor(key: str) -> str:
    """An actor's key as hits hold it."""
    return _key(key, _MAX_ACTOR)


@functools.lru_cache(maxsize=64)  # the same few parts are looked for in every hit
def kept_forms(part: str) -> tuple[str, ...]:
    """The forms that a part of a name may have in hits: as it is, and made harmless (www[.]example.com)."""
    return tuple(dict.fromkeys((part, _name(part, _MAX_RESOURCE))))


def _first(names: Sequence[str], max_bytes: int) -> tuple[str, ...]:
    """The first names, as many as there is room for."""
    if sum(map(len, names)) * _UTF8_MOST <= max_bytes:  # as all but forged ones
        return tuple(names)
    for at, name in enumerate(names):
        max_bytes -= len(name.encode("utf-8", "surrogatepass"))
        if max_bytes < 0:
            return tuple(names[:at])
    return tuple(names)


@functools.lru_cache(_REMEMBERED)
def _prose(given: str) -> str:
    """Free text, which anybody may have filled with anything."""
    return one_line(unlinked(redacted(given)))


class _Stated(NamedTuple):
    """What a hit says as the record does, made harmless; "" for what is missing. Most records of an actor agree in it,
    and it is remembered together.
    """

    event_type: str
    error_code: str
    error_message: str
    source_ip: str
    user_agent: str


def _stated(fields: Mapping[str, Any]) -> _Stated:
    get = fields.get
    values = get("eventType"), get("errorCode"), get("errorMessage"), get("sourceIPAddress"), get("userAgent")
    try:
        return _harmless(*values)
    except TypeError:  # an object or a list, which cannot be remembered
        return _harmless(*[value if isinstance(value, str) else "" for value in values])


@functools.lru_cache(_REMEMBERED)
def _harmless(*values: object) -> _Stated:
    event_type, error_code, error_message, source_ip, user_agent = (
        value if isinstance(value, str) else "" for value in values
    )
    return _Stated(_name(event_type), _name(error_code), _prose(error_message), _name(source_ip), _prose(user_agent))


def shown_call(record: Record) -> tuple[str, str, str]:
    """What was called and where, as a hit keeps it: the source, the call's name, the Region."""
    source, name, region = record.event_source, record.event_name, record.region
    if len(source) + len(name) + len(region) > _MAX_CALL:
        return _name(source), _name(name), _name(region)
    return _call(source, name, region)


@functools.lru_cache(_REMEMBERED)
def _call(source: str, name: str, region: str) -> tuple[str, str, str]:
    return _name(source), _name(name), _name(region)


def _id(given: object) -> str:
    """An id as a hit keeps it, "" for what is none: mostly a UUID, in which there is nothing to hide, and which does
    not occur again.
    """
    if not isinstance(given, str):
        return ""
    return given if is_uuid(given) else _name(given)


def _encodable(place: Place) -> Place:
    """The place with a key that can be written as UTF-8; all else of a record is one line of printable text."""
    key = encodable(place.key)
    return place if key == place.key else replace(place, key=key)


def shown_actor_text(text: str) -> str:
    """An actor's text as `shown_actor` has it; sessions that differ in nothing else agree in it."""
    return _name(text, _MAX_ACTOR)


@functools.lru_cache(_ACTORS_REMEMBERED)
def shown_actor(actor: Actor) -> Actor:
    """The actor as a hit keeps it; rules were decided on the unchanged one."""
    parts = {part.name: getattr(actor, part.name) for part in fields(Actor)}
    texts: dict[str, Any] = {name: _name(value, _MAX_ACTOR) for name, value in parts.items() if isinstance(value, str)}
    return replace(actor, **{**texts, "key": kept_actor(actor.key), "role": kept_actor(actor.role)})


def _acted_on(record: Record, facts: "Facts", resources: tuple[str, ...]) -> tuple[str, ...]:
    """None where it is all of the resources, or so much text that only a forged record can hold it."""
    acted = acted_on(record, facts.resources)
    if len(acted) == len(facts.resources):
        return ()
    mine = tuple(map(kept_resource, acted))
    if mine == resources or sum(map(len, mine)) > _MAX_ACTED_ON or not set(mine) <= set(resources):
        return ()
    return mine


def _once(record: Record, actor: str) -> str:
    """The same for all records of one operation, and of one actor if one is given, on one day."""
    name = f"{record.event_time[:10]}-{record.event_source}-{record.event_name}"
    if actor:
        name += f"-{hashlib.sha256(actor.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
    if re.fullmatch(r"[A-Za-z0-9.-]{1,128}", name, re.ASCII):
        return name
    return stand_in(name, 32)


def hit_document(hit: Hit) -> dict[str, Any]:
    """A hit as JSON: camelCase names, empty values left out. The form in the table, the alert and `scan`."""
    document: dict[str, Any] = {"hitId": hit.hit_id, "shortId": hit.short_id, "service": hit.service}
    _add_members(document, hit)
    if hit.shown:
        document["shown"] = shown_document(hit)
    if hit.episode:
        document["episode"] = episode_document(hit.episode)
    return document


def shown_document(hit: Hit) -> list[dict[str, str]]:
    """What a hit shows of its request, as JSON: a list, for a map of DynamoDB would lose the order."""
    return [{"label": label, "value": value} for label, value in hit.shown]


def hit_from_document(document: Mapping[str, Any]) -> Hit:
    """Read `hit_document` back; members that this version does not know are ignored."""
    known = _known(Hit, document)
    return Hit(
        **{
            **known,
            "actor": Actor(**_known(Actor, mapping(document, "actor"))),
            "place": Place(**{"index": 0, **_known(Place, mapping(document, "place"))}),
            "live": LiveEvent(**_known(LiveEvent, mapping(document, "live"))) if document.get("live") else None,
            "resources": tuple(document.get("resources", ())),
            "shown": tuple((text(one, "label"), text(one, "value")) for one in document.get("shown", ())),
            "episode": episode_from_document(mapping(document, "episode")) if document.get("episode") else None,
        }
    )


def _document(value: Any) -> dict[str, Any]:
    """The members of a dataclass that are not empty, by what they are called in JSON."""
    document = dict[str, Any]()
    _add_members(document, value)
    return document


def _add_members(document: dict[str, Any], value: Any) -> None:
    names, members_of, numbers = _spelling(value.__class__)
    for name, member in zip(names, members_of(value), strict=True):
        if member:
            document[name] = member if type(member) is str else _FORMS.get(type(member), _form)(member)
        elif type(member) is int and name in numbers:  # 0 is a position
            document[name] = member


def _form(member: Any) -> Any:
    """A member that is no text as JSON has it."""
    if isinstance(member, tuple):
        return list(member)
    return _document(member) if is_dataclass(member) else member


def _actor_form(actor: Actor) -> dict[str, Any]:
    return _actor_document(actor).copy()


@functools.lru_cache(_ACTORS_REMEMBERED)
def _actor_document(actor: Actor) -> dict[str, Any]:
    return _document(actor)


def _place_form(place: Place) -> dict[str, Any]:
    """The same as `_form` makes of it; mostly it has nothing but a position, or all three."""
    if type(place.index) is not int:  # a row that somebody else wrote
        return _document(place)
    return _document(place) if place.bucket or place.key else {"index": place.index}


_FORMS: Mapping[type, Callable[[Any], Any]] = {tuple: list, int: int, Actor: _actor_form, Place: _place_form}
"""What makes JSON of the members that most hits have; `_form` does the same for all others."""


def _known(kind: type, document: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_members(kind, document))


def _members(kind: Any, document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for part in fields(kind):
        name = _camel(part.name)
        if name in document:
            value = document[name]
            yield part.name, tuple(value) if isinstance(value, list) else value
        elif part.default is MISSING:
            yield part.name, ""


# As CloudTrail spells them.
_SPELT = {
    "event_id": "eventID",
    "shared_event_id": "sharedEventID",
    "request_id": "requestID",
    "source_ip": "sourceIPAddress",
}


class _Spelling(NamedTuple):
    """What a dataclass's members are called in JSON, what gives them all in the same order; which are numbers."""

    names: tuple[str, ...]
    members_of: Callable[[Any], tuple[Any, ...]]
    numbers: frozenset[str]


@functools.cache
def _spelling(kind: Any) -> _Spelling:
    names = [part.name for part in fields(kind)]
    numbers = frozenset(_camel(part.name) for part in fields(kind) if part.type is int)
    return _Spelling(tuple(map(_camel, names)), attrgetter(*names), numbers)


def _camel(name: str) -> str:
    if name in _SPELT:
        return _SPELT[name]
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
