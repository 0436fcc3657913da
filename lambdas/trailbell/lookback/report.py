"""The hits of a report, packed: every text once, hits as rows of positions, so that ten thousand fit into a file.

Whatever came from records is made harmless here (text/safe_text.py); the page inserts it as text, never as markup.
"""

import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from trailbell.alerts.mail_episode import told_acts
from trailbell.alerts.origin_text import seen_text, sources_text
from trailbell.facts.actor import Actor
from trailbell.facts.person import permission_set
from trailbell.hits.dated_steps import DatedStep, dated_steps
from trailbell.hits.episode import EpisodeAct, HitEpisode
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import HitState
from trailbell.text.resource_name import kind_and_name, named_resource
from trailbell.text.safe_text import one_line


_MAX_TEXT = 2048

Value = str | tuple[str, ...]
Identity = tuple[str, str, str]


def _role(actor: Actor) -> str:
    """The role of a session, as people call it; of Identity Center's roles, the permission set."""
    role = actor.role.rpartition("/")[2]
    permissions = permission_set(role)
    return f"permission set {permissions}" if permissions else role


def _session(actor: Actor) -> str:
    """The name of a role's session, which mostly is a person's, or says which machine it is."""
    return actor.arn.rpartition("/")[2] if ":assumed-role/" in actor.arn else ""


def _resources(hit: Hit) -> tuple[str, ...]:
    """All of a hit's resources, those that the call acted upon first."""
    return tuple(dict.fromkeys((*hit.main_resources, *hit.resources)))


def _kind_and_name(resource: str) -> tuple[str, str]:
    """What people call a resource; of a kind that has no name here, service and name as the ARN has them."""
    kind, name = kind_and_name(resource)
    parts = resource.split(":", 5)
    return (parts[2], parts[5]) if not kind and parts[0] == "arn" and len(parts) > 5 else (kind, name)


def _episode(episode: HitEpisode) -> str:
    acts = "1 act" if episode.count == 1 else f"{'at least ' * episode.at_least}{episode.count} acts"
    return f"{acts} from {episode.first} to {episode.last}"


def _told_acts(hit: Hit) -> tuple[EpisodeAct | str, ...]:
    return tuple(told_acts(hit.episode)) if hit.episode else ()


def _act(act: EpisodeAct | str) -> str:
    if isinstance(act, str):
        return act
    on = ", ".join(map(named_resource, act.resources))
    return f"{act.at}  {act.event_name}{f' on {on}' if on else ''}, by {act.actor}"


def _act_id(act: EpisodeAct | str) -> str:
    """By what an act's own hit is found; "" for what stands in place of others."""
    return "" if isinstance(act, str) else f"{act.account}/{act.event_id}"


def _steps(hit: Hit) -> tuple[DatedStep, ...]:
    """Of an episode, whose steps have deadlines of their own; of a single act `undo` and `undoUntil` say all."""
    return dated_steps(hit) if hit.episode else ()


COLUMNS: dict[str, Callable[[Hit], Value]] = {
    "time": lambda hit: hit.event_time,
    "level": lambda hit: hit.level,
    "levelNote": lambda hit: hit.level_note or hit.seen_note,
    "rule": lambda hit: hit.name,
    "ruleID": lambda hit: hit.rule_id,
    "title": lambda hit: hit.title,
    "meaning": lambda hit: " ".join(hit.meaning.split()),
    "service": lambda hit: hit.service,
    "source": lambda hit: hit.event_source,
    "call": lambda hit: hit.event_name,
    "outcome": lambda hit: hit.outcome,
    "error": lambda hit: hit.error_code,
    "errorMessage": lambda hit: hit.error_message,
    "actor": lambda hit: hit.actor.text,
    "name": lambda hit: hit.actor.name,
    "actorKey": lambda hit: hit.actor.key,
    "session": lambda hit: hit.actor.session,
    "address": lambda hit: hit.source_ip,
    "agent": lambda hit: hit.user_agent,
    "actorKind": lambda hit: hit.actor.kind,
    "actorRole": lambda hit: _role(hit.actor),
    "actorAccount": lambda hit: hit.actor.account,
    "sessionName": lambda hit: _session(hit.actor),
    "account": lambda hit: hit.account,
    "accountName": lambda hit: hit.account_name,
    "region": lambda hit: hit.region,
    "resources": _resources,
    "resourceKinds": lambda hit: tuple(_kind_and_name(one)[0] for one in _resources(hit)),
    "resourceNames": lambda hit: tuple(_kind_and_name(one)[1] for one in _resources(hit)),
    "episode": lambda hit: _episode(hit.episode) if hit.episode else "",
    "acts": lambda hit: tuple(map(_act, _told_acts(hit))),
    "actIDs": lambda hit: tuple(map(_act_id, _told_acts(hit))),
    "someActs": lambda hit: "some" if hit.episode and not hit.episode.is_complete else "",
    "shown": lambda hit: tuple(f"{label}: {value}" for label, value in hit.shown),
    "undo": lambda hit: hit.undo,
    "undoUntil": lambda hit: hit.undo_until,
    "steps": lambda hit: tuple(step.text for step in _steps(hit)),
    "stepUntils": lambda hit: tuple(step.until for step in _steps(hit)),
    "stepActs": lambda hit: tuple(" ".join(map(_act_id, step.acts)) for step in _steps(hit)),
    "undoNote": lambda hit: " ".join(hit.undo_note.split()),
    "check": lambda hit: hit.check,
    "falsepositives": lambda hit: hit.falsepositives,
    "references": lambda hit: hit.references,
    "tags": lambda hit: hit.tags,
    "also": lambda hit: hit.also,
    "alsoMuted": lambda hit: hit.also_muted,
    "muted": lambda hit: hit.muted_by,
    "quiet": lambda hit: "quiet" if hit.quiet else "",
    "mutedOwner": lambda hit: hit.muted_owner,
    "mutedReason": lambda hit: hit.muted_reason,
    "mutedUntil": lambda hit: hit.muted_until,
    "eventID": lambda hit: hit.event_id,
    "requestID": lambda hit: hit.request_id,
    "shortID": lambda hit: hit.short_id,
    "hitID": lambda hit: hit.hit_id,
    "file": lambda hit: hit.place.file,
    "index": lambda hit: str(hit.place.index),
    "seen": seen_text,
    "sources": sources_text,
}

STATE_COLUMNS: dict[str, Callable[[HitState], Value]] = {
    "state": lambda state: state.word,
    "stateBy": lambda state: state.by,
    "stateAt": lambda state: state.at,
    "stateNote": lambda state: state.note,
    "resolvedAs": lambda state: state.resolved_as,
}


class NewestHits:
    """Takes any number of hits, each identity once, and keeps the newest `limit` of them.

    left_out: how many older ones were not kept; again: how many came once more.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: list[tuple[str, str, Hit]] = []
        self._ids: set[str] = set()
        self.left_out = self.again = 0

    def add(self, hit: Hit) -> None:
        """Take a hit."""
        if hit.hit_id in self._ids:
            self.again += 1
            return
        self._ids.add(hit.hit_id)
        entry = (hit.event_time, hit.hit_id, hit)
        if len(self._kept) < self._limit:
            heapq.heappush(self._kept, entry)
            return
        _, oldest, _ = heapq.heappushpop(self._kept, entry)
        self._ids.discard(oldest)
        self.left_out += 1

    def newest_first(self) -> list[Hit]:
        """Those that were kept."""
        return [hit for _, _, hit in sorted(self._kept, key=lambda entry: entry[:2], reverse=True)]


DELIVERY_COLUMNS = ("notified", "alert")
"""Whether somebody was notified ("yes", "no", "" where nobody looked), and the first hit of the alert it was in."""


def pack_hits(
    hits: Iterable[Hit],
    states: Mapping[Identity, HitState] | None = None,
    alerts: Mapping[Identity, str] | None = None,
) -> dict[str, Any]:
    """Columns, a pool of texts, and hits as rows of positions in it (lists of them where there are several texts).

    states: of hits by their identity; those of a scan have none, and their columns are empty.
    alerts: of hits that somebody was notified of, the alert; None where nobody looked.
    """
    pool: dict[str, int] = {}

    def place(text: str) -> int:
        return pool.setdefault(one_line(text, _MAX_TEXT), len(pool))

    rows = [
        [place(value) if isinstance(value, str) else [place(one) for one in value] for value in values]
        for values in (_values(hit, (states or {}).get(hit.identity), alerts) for hit in hits)
    ]
    return {"columns": [*COLUMNS, *STATE_COLUMNS, *DELIVERY_COLUMNS], "pool": list(pool), "hits": rows}


def embedded_json(document: Any) -> str:
    """JSON for the inside of a script element: no character in it means anything to HTML or old JavaScript."""
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _values(hit: Hit, state: HitState | None, alerts: Mapping[Identity, str] | None) -> Iterator[Value]:
    yield from (value(hit) for value in COLUMNS.values())
    yield from (value(state) if state else "" for value in STATE_COLUMNS.values())
    alert = None if alerts is None else alerts.get(hit.identity)
    yield "" if alerts is None else "no" if alert is None else "yes"
    yield alert or ""
