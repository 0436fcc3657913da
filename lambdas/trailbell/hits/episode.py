"""An episode as its hit holds it: which acts, when, on what; readable without them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trailbell.cloudtrail.record import mapping, text, texts
from trailbell.lazy_dataclass import dataclass


ACTS_MAX = 10
"""Acts that an episode's hit holds: the first half and the last half of those known."""

RESOURCES_MAX = 3

ACTOR_FIELDS = ("facts.actor.key", "facts.actor.arn", "userIdentity.arn", "userIdentity.principalId")
"""By these a group is one actor's."""


@dataclass(frozen=True, slots=True)
class EpisodeAct:
    """One act of an episode.

    at:        its event's time, UTC, ISO 8601 with Z.
    actor, actor_key: who did it, as text and as a key.
    name, title: of the rule that it matches; title is the hit's, if it is one.
    resources: the first of those that it acted upon.
    is_hit:    whether it is a hit of its own, so that it has an alert of its own.
    undo:      its undo steps, filled; undo_until: until when they work, as text, "" for no deadline, and in rows of
               versions before, which do not know it.
    """

    at: str
    account: str
    event_id: str
    event_source: str
    event_name: str
    region: str
    name: str
    title: str
    actor: str = ""
    actor_key: str = ""
    resources: tuple[str, ...] = ()
    is_hit: bool = False
    undo: tuple[str, ...] = ()
    undo_until: str = ""


@dataclass(frozen=True, slots=True)
class HitEpisode:
    """What a correlation's hit says of its episode, as of when it was written.

    group:    names and values by which its acts belong together.
    first, last: times of its first and last act; count: how many, or, with at_least, how many at least.
    acts:     some of them, by time.
    partition, key: where what becomes of it is kept ("" where nothing is: a scan).
    """

    group: tuple[tuple[str, str], ...]
    first: str
    last: str
    count: int
    acts: tuple[EpisodeAct, ...]
    partition: str = ""
    key: str = ""
    at_least: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether all of its acts are held, so that what is said of them is said of it."""
        return not self.at_least and self.count == len(self.acts)

    @property
    def is_of_one_actor(self) -> bool:
        """Whether one actor did all of it: its group says so, or all of its acts do."""
        if any(name in ACTOR_FIELDS for name, _ in self.group):
            return True
        return self.is_complete and len({act.actor_key for act in self.acts}) == 1


def some_acts(acts: Iterable[EpisodeAct], most: int = ACTS_MAX) -> tuple[EpisodeAct, ...]:
    """Of many acts the first and the last, by time; each once."""
    distinct = {(one.account, one.event_id): one for one in acts}.values()
    ordered = sorted(distinct, key=lambda one: (one.at, one.event_id))
    return tuple(ordered if len(ordered) <= most else (*ordered[: most // 2], *ordered[-(most - most // 2) :]))


def act_document(act: EpisodeAct) -> dict[str, Any]:
    """An act as JSON: camelCase names, empty values left out."""
    members = {
        "at": act.at,
        "account": act.account,
        "eventID": act.event_id,
        "eventSource": act.event_source,
        "eventName": act.event_name,
        "region": act.region,
        "name": act.name,
        "title": act.title,
        "actor": act.actor,
        "actorKey": act.actor_key,
        "resources": list(act.resources),
        "isHit": act.is_hit,
        "undo": list(act.undo),
        "undoUntil": act.undo_until,
    }
    return {name: value for name, value in members.items() if value}


def act_from_document(document: Mapping[str, Any]) -> EpisodeAct:
    """Read `act_document` back."""
    return EpisodeAct(
        at=text(document, "at"),
        account=text(document, "account"),
        event_id=text(document, "eventID"),
        event_source=text(document, "eventSource"),
        event_name=text(document, "eventName"),
        region=text(document, "region"),
        name=text(document, "name"),
        title=text(document, "title"),
        actor=text(document, "actor"),
        actor_key=text(document, "actorKey"),
        resources=tuple(texts(document, "resources")),
        is_hit=bool(document.get("isHit")),
        undo=tuple(texts(document, "undo")),
        undo_until=text(document, "undoUntil"),
    )


def episode_document(episode: HitEpisode) -> dict[str, Any]:
    """An episode as JSON; its group is a list, for a map of DynamoDB would lose the order."""
    document = {
        "group": [{"name": name, "value": value} for name, value in episode.group],
        "first": episode.first,
        "last": episode.last,
        "count": episode.count,
        "acts": [act_document(one) for one in episode.acts],
    }
    if episode.at_least:
        document["atLeast"] = True
    return {**document, "partition": episode.partition, "key": episode.key} if episode.key else document


def episode_from_document(document: Mapping[str, Any]) -> HitEpisode:
    """Read `episode_document` back."""
    return HitEpisode(
        group=tuple((text(one, "name"), text(one, "value")) for one in _list(document, "group")),
        first=text(document, "first"),
        last=text(document, "last"),
        count=int(document.get("count", 0)),
        acts=tuple(act_from_document(one) for one in _list(document, "acts")),
        partition=text(document, "partition"),
        key=text(document, "key"),
        at_least=document.get("atLeast") is True,
    )


def _list(document: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    return [one for one in document.get(name, ()) if mapping(one) or isinstance(one, dict)]
