"""The hits of a report, packed: every text once, hits as rows of positions, so that ten thousand fit into a file.

Whatever came from records is made harmless here (text/safe_text.py); the page inserts it as text, never as markup.
"""

import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from trailbell.alerts.origin_text import seen_text
from trailbell.hits.episode import EpisodeAct, HitEpisode
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import HitState
from trailbell.text.resource_name import named_resource
from trailbell.text.safe_text import one_line


_MAX_TEXT = 2048

Value = str | tuple[str, ...]
Identity = tuple[str, str, str]


def _episode(episode: HitEpisode) -> str:
    acts = "1 act" if episode.count == 1 else f"{episode.count} acts"
    return f"{acts} from {episode.first} to {episode.last}"


def _act(act: EpisodeAct) -> str:
    on = ", ".join(map(named_resource, act.resources))
    return f"{act.at}  {act.event_name}{f' on {on}' if on else ''}, by {act.actor}"


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
    "account": lambda hit: hit.account,
    "region": lambda hit: hit.region,
    "resources": lambda hit: hit.resources,
    "episode": lambda hit: _episode(hit.episode) if hit.episode else "",
    "acts": lambda hit: tuple(map(_act, hit.episode.acts)) if hit.episode else (),
    "shown": lambda hit: tuple(f"{label}: {value}" for label, value in hit.shown),
    "undo": lambda hit: hit.undo,
    "undoUntil": lambda hit: hit.undo_until,
    "undoNote": lambda hit: " ".join(hit.undo_note.split()),
    "check": lambda hit: hit.check,
    "falsepositives": lambda hit: hit.falsepositives,
    "references": lambda hit: hit.references,
    "tags": lambda hit: hit.tags,
    "also": lambda hit: hit.also,
    "muted": lambda hit: hit.muted_by,
    "quiet": lambda hit: "quiet" if hit.quiet else "",
    "mutedOwner": lambda hit: hit.muted_owner,
    "mutedReason": lambda hit: hit.muted_reason,
    "eventID": lambda hit: hit.event_id,
    "requestID": lambda hit: hit.request_id,
    "shortID": lambda hit: hit.short_id,
    "hitID": lambda hit: hit.hit_id,
    "file": lambda hit: hit.place.file,
    "index": lambda hit: str(hit.place.index),
    "seen": seen_text,
}

STATE_COLUMNS: dict[str, Callable[[HitState], Value]] = {
    "state": lambda state: state.word,
    "stateBy": lambda state: state.by,
    "stateAt": lambda state: state.at,
    "stateNote": lambda state: state.note,
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


def pack_hits(hits: Iterable[Hit], states: Mapping[Identity, HitState] | None = None) -> dict[str, Any]:
    """Columns, a pool of texts, and hits as rows of positions in it (lists of them where there are several texts).

    states: of hits by their identity; those of a scan have none, and their columns are empty.
    """
    pool: dict[str, int] = {}

    def place(text: str) -> int:
        return pool.setdefault(one_line(text, _MAX_TEXT), len(pool))

    rows = [
        [place(value) if isinstance(value, str) else [place(one) for one in value] for value in values]
        for values in (_values(hit, (states or {}).get(hit.identity)) for hit in hits)
    ]
    return {"columns": [*COLUMNS, *STATE_COLUMNS], "pool": list(pool), "hits": rows}


def embedded_json(document: Any) -> str:
    """JSON for the inside of a script element: no character in it means anything to HTML or old JavaScript."""
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _values(hit: Hit, state: HitState | None) -> Iterator[Value]:
    yield from (value(hit) for value in COLUMNS.values())
    yield from (value(state) if state else "" for value in STATE_COLUMNS.values())
