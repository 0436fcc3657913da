"""A record that correlations count, and what it gives to the hit of an episode."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from trailbell.cloudtrail.once import once
from trailbell.cloudtrail.origin import Origin
from trailbell.cloudtrail.record import Record, text
from trailbell.engine.contributing import Group, Share
from trailbell.engine.correlation import Correlation
from trailbell.engine.matcher import Match
from trailbell.engine.rulebook import Rule
from trailbell.facts.actor import Actor
from trailbell.facts.facts import Facts
from trailbell.hits.dated_steps import next_deadline
from trailbell.hits.episode import RESOURCES_MAX, EpisodeAct, HitEpisode, some_acts
from trailbell.hits.hit import ACT, Hit, kept_actor, kept_resource, make_hit, shown_actor_text, shown_call, shown_name
from trailbell.hits.level import highest
from trailbell.hits.undo import fill_steps, undo_deadline
from trailbell.lazy_dataclass import dataclass


SEVERAL = "several"
"""The kind and the key of the actor of an episode that several made."""

_UNDO_STEPS_MAX = 30


@dataclass(frozen=True)
class BaseMatch:
    """A record, what it adds to which correlations, and what is known of it.

    time: of its event, in seconds since 1970; identity: of its event, also where two accounts record it.
    rule: the first of its rules that is counted; hit: the record's, if it has one, which says more.
    origin: where the record came from; seen_at: when (UTC, ISO 8601 with Z).
    """

    shares: tuple[Share, ...]
    time: int
    identity: str
    rule: Rule
    hit: Hit | None
    record: Record
    facts: Facts
    origin: Origin
    seen_at: str

    def __init__(
        self,
        shares: tuple[Share, ...],
        time: int,
        identity: str,
        rule: Rule,
        hit: Hit | None,
        record: Record,
        facts: Facts,
        origin: Origin,
        seen_at: str,
    ) -> None:
        known = self.__dict__  # as Record does: a frozen dataclass would set each member by a call
        known["shares"], known["time"], known["identity"] = shares, time, identity
        known["rule"], known["hit"], known["record"] = rule, hit, record
        known["facts"], known["origin"], known["seen_at"] = facts, origin, seen_at

    @once
    def act(self) -> EpisodeAct:
        """What the hit of an episode says of it, made when it is first asked for: a scan shows few."""
        record = self.record
        told = _told_by(self.hit) if self.hit else _told_without_hit(self)
        source, name, region = shown_call(record)
        return EpisodeAct(record.event_time, record.account, record.event_id, source, name, region, *told)

    @property
    def other_identity(self) -> str:
        """By what a record of the same event is known that lacks what two accounts' records of it share, "" if by
        nothing else: a live event may bring less than the log file.
        """
        return "" if self.identity == self.record.event_id else self.record.event_id


_Told = tuple[str, str, str, str, tuple[str, ...], bool, tuple[str, ...], str]
"""The members of an EpisodeAct from `name` on."""


def _told_by(hit: Hit) -> _Told:
    actor, resources = hit.actor, hit.main_resources[:RESOURCES_MAX]
    return hit.name, hit.title, actor.text, actor.key, resources, hit.is_to_notify, hit.undo, hit.undo_until


def _told_without_hit(match: BaseMatch) -> _Told:
    """The same of a record that has no hit, as one would have it; of most that are counted nothing can be undone."""
    rule, record, facts = match.rule, match.record, match.facts
    actor, key = shown_actor_text(facts.actor.text), kept_actor(facts.actor.key)
    resources = tuple([kept_resource(one) for one in facts.resources[:RESOURCES_MAX]])
    steps, until = fill_steps(rule.undo, record, facts), undo_deadline(rule.undo, record)
    return rule.name, rule.title, actor, key, resources, False, steps, shown_name(until) if until else ""


def base_match(
    shares: Sequence[Share], rule: Rule, hit: Hit | None, record: Record, facts: Facts, origin: Origin, seen_at: str
) -> BaseMatch:
    """A record that correlations count; the arguments are as BaseMatch has them."""
    time = _seconds(record.event_time)
    identity = text(record.fields, "sharedEventID") or record.event_id
    return BaseMatch(tuple(shares), time, identity, rule, hit, record, facts, origin, seen_at)


@lru_cache(256)  # the calls of one log file share few
def _seconds(event_time: str) -> int:
    return int(datetime.fromisoformat(event_time).timestamp())


def episode_hit(
    correlation: Correlation, group: Group, episode: HitEpisode, came_true: str, last: BaseMatch, roles: tuple[str, ...]
) -> Hit:
    """The hit of an episode.

    came_true: when it first was true (UTC, ISO 8601): it is known by this, and later acts do not change it.
    last:      one of its acts, the latest that is at hand: whose act it is, and at what level.
    roles:     the setting automation_roles.
    """
    rule = correlation.rule
    hit = make_hit(last.record, last.facts, [Match(rule)], rule.level, last.origin, last.seen_at)
    level, note = rule.level, ""
    if episode.is_of_one_actor:  # whose acts they are moves the level; what the last of many did does not
        level, note = highest([Match(rule)], last.facts, roles, "")
    steps = tuple(dict.fromkeys((*(step for act in episode.acts for step in act.undo), *hit.undo)))
    return replace(
        hit,
        event_id=episode_id(correlation, group, came_true),
        event_time=came_true,
        level=level.word,
        level_note=note,
        actor=_actor(episode, hit.actor),
        kept_as=ACT,
        once="",
        shared_event_id="",
        request_id="",
        error_code="",
        error_message="",
        source_ip=hit.source_ip if episode.is_of_one_actor else "",
        user_agent=hit.user_agent if episode.is_of_one_actor else "",
        resources=tuple(dict.fromkeys(name for act in episode.acts for name in act.resources)),
        acted_on=(),
        shown=(),
        undo=steps[:_UNDO_STEPS_MAX],
        undo_until=next_deadline(episode.acts, last.seen_at),
        undo_note=_undo_note(episode, steps, hit.undo_note),
        undo_links=(),
        episode=episode,
    )


def _actor(episode: HitEpisode, last: Actor) -> Actor:
    """Whose acts they are, no more precisely than is known of all of them. Acts of one whom alone we know are listed
    as that actor's, by name and key; the text says that there may be others.
    """
    texts = dict.fromkeys(act.actor for act in episode.acts)
    if episode.is_of_one_actor:
        return last if episode.is_complete and len(texts) == 1 else replace(last, text=last.name or last.text)
    keys = dict.fromkeys(act.actor_key or act.actor for act in episode.acts)
    if len(keys) > 1:
        more = "" if episode.is_complete else " or more"
        return Actor(kind=SEVERAL, text=f"{len(keys)} actors{more}", key=SEVERAL, name=f"{len(keys)} actors{more}")
    ((key,), text_of_some) = keys, next(iter(texts))
    if last.key != key:  # a later act of the same log file, which is not of this episode
        return Actor(kind=SEVERAL, text=f"{text_of_some}, and maybe others", key=key, name=text_of_some)
    who = text_of_some if len(texts) == 1 else last.name or last.text
    return Actor(last.kind, f"{who}, and maybe others", key, account=last.account, name=last.name, role=last.role)


def _undo_note(episode: HitEpisode, steps: Sequence[str], note: str) -> str:
    """What of the undo is not in the hit."""
    left_out = len(steps) > _UNDO_STEPS_MAX or (not episode.is_complete and any(act.undo for act in episode.acts))
    if not left_out:
        return note
    more = (
        "These are the commands for the acts that are listed; each of the others has a hit of its own, with its undo."
    )
    return f"{more} {note}".strip()


def hit_episode(
    correlation: Correlation,
    group: Group,
    first: str,
    last: str,
    count: int,
    acts: Sequence[EpisodeAct],
    *,
    at_least: bool = False,
) -> HitEpisode:
    """An episode as its hit holds it; values of the group are text of records, made harmless here."""
    named, held = zip(correlation.group_by, group, strict=True), some_acts(acts)
    return HitEpisode(
        group=tuple((name, shown_name(value)) for name, value in named),
        first=first,
        last=last,
        count=max(count, len(held)),
        acts=held,
        at_least=at_least,
    )


def episode_id(correlation: Correlation, group: Group, came_true: str) -> str:
    """What takes the place of an event's id; the same for the same correlation, group and time."""
    parts = json.dumps([correlation.correlation_id, group, came_true])  # joined, two groups might be one text
    return f"episode-{hashlib.sha256(parts.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def overflow_hit(correlation: Correlation, last: BaseMatch, left_out: int, cause: str, groups_max: int) -> Hit:
    """The hit that says that a log file adds to more groups of a correlation than are followed: whoever fills it with
    names of his choice could otherwise hide among them.

    cause: what it is known by: the log file's name, or the event's id where one record is too much by itself.
    """
    rule = correlation.rule
    hit = make_hit(last.record, last.facts, [Match(rule)], rule.level, last.origin, last.seen_at)
    named = f"{correlation.correlation_id}\n{cause}".encode("utf-8", "surrogatepass")
    return replace(
        hit,
        event_id=f"overflow-{hashlib.sha256(named).hexdigest()[:32]}",
        kept_as=ACT,
        once="",
        shared_event_id="",
        title="Too much at once to be correlated",
        short_title="too much to correlate",
        meaning=f"One log file, or one call in it, names more than {groups_max} different groups or values of what"
        f" {rule.name} counts ({rule.title}). The first are followed; of {left_out} records some or all was left out."
        " Such a number may be somebody"
        " hiding among names of his own choice: look at what the actor called around that time.",
        undo=(),
        undo_until="",
        undo_note="",
        undo_links=(),
    )
