"""The hits that the page shows, as this process knows them: each with the number of the change that brought it.

A browser that has all changes up to a number asks for those after it.
"""

import heapq
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import UNRESOLVED, HitState
from trailbell.lookback.report import pack_hits
from trailbell.store.query.hit_query import FoundHit
from trailbell.text.digests import stand_in


Identity = tuple[str, str, str]


def ref_of(identity: Identity) -> str:
    """What the page calls a hit: a digest, for an identity may hold any text."""
    return stand_in("\n".join(identity), 32)


class KnownHits:
    """Hits by their ref; safe to be asked by many threads. limit: how many are kept, the newest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._found = dict[str, FoundHit]()
        self._changed = dict[str, int]()
        self._alerts = dict[str, str]()
        self._left = dict[str, int]()  # in the order of their numbers
        self._number = self._whole = 0
        self._lock = threading.Lock()
        self.left_out = False

    @property
    def number(self) -> int:
        """Of the last change."""
        return self._number

    def hit(self, ref: str) -> FoundHit | None:
        """The hit of a ref, None if there is none."""
        return self._found.get(ref)

    def unresolved(self, most: int) -> list[Hit]:
        """The newest hits whose states somebody may still change."""
        with self._lock:
            waiting = [one for one in self._found.values() if one.state.word in UNRESOLVED]
        return _newest_hits(waiting, most)

    def untold(self, most: int) -> list[Hit]:
        """The newest hits that somebody is to be notified of, and was not when they were last looked at."""
        with self._lock:
            waiting = [one for ref, one in self._found.items() if one.hit.is_to_notify and ref not in self._alerts]
        return _newest_hits(waiting, most)

    def take_alerts(self, alerts: Mapping[Identity, str]) -> None:
        """Take the alerts of hits that somebody was notified of, known ones or those that are taken next."""
        with self._lock:
            for identity, alert in alerts.items():
                ref = ref_of(identity)
                if self._alerts.get(ref) != alert:
                    self._alerts[ref] = alert
                    self._mark(ref)

    def take(self, found: Iterable[FoundHit]) -> None:
        """Take hits that are new, or known in another state."""
        with self._lock:
            self._take(found)
            self._forget_oldest()

    def take_states(self, states: dict[Identity, HitState], asked: Iterable[Hit]) -> None:
        """Take the states of some hits as they are now; those without one are as nobody ever touched them."""
        with self._lock:
            known = (self._found.get(ref_of(hit.identity)) for hit in asked)
            self._take(_in_state(one, states.get(one.hit.identity, HitState())) for one in known if one)

    def replace(self, found: Sequence[FoundHit], *, left_out: bool) -> None:
        """Take these and forget all others. left_out: whether there are older ones."""
        with self._lock:
            kept = {ref_of(one.hit.identity) for one in found}
            gone = self._found.keys() - kept
            self._take(found)
            self._forget(gone)
            self.left_out = left_out

    def since(self, number: int) -> dict[str, Any]:
        """What changed after a number, packed for the page (lookback/report.py); all where that is not enough.

        Beside the report's columns: `ref`, and the `version` of the state, which an action names. `left`: the refs of
        hits that are shown no more.
        """
        with self._lock:
            whole = number < self._whole or number > self._number
            refs = [ref for ref, at in self._changed.items() if whole or at > number]
            left = [] if whole else [ref for ref, at in self._left.items() if at > number]
            found = sorted((self._found[ref] for ref in refs), key=_newest, reverse=True)
            now, told = self._number, self._alerts.keys() & refs
            alerts = {self._found[ref].hit.identity: self._alerts[ref] for ref in told}
        document = pack_hits((one.hit for one in found), {one.hit.identity: one.state for one in found}, alerts)
        _add_columns(document, found)
        return {"number": now, "whole": whole, "left": left, **document}

    def _take(self, found: Iterable[FoundHit]) -> None:
        for one in found:
            ref = ref_of(one.hit.identity)
            if self._found.get(ref) != one and not self._is_outdated(ref, one.state):
                self._found[ref] = one
                self._left.pop(ref, None)
                self._mark(ref)

    def _mark(self, ref: str) -> None:
        """A known hit changed."""
        if ref in self._found:
            self._number += 1
            self._changed[ref] = self._number

    def _is_outdated(self, ref: str, state: HitState) -> bool:
        """Whether a state is older than the one known: it was read before somebody here changed it."""
        known = self._found.get(ref)
        return known is not None and state.version < known.state.version

    def _forget_oldest(self) -> None:
        over = len(self._found) - self._limit
        if over <= 0:
            return
        oldest = sorted(self._found.items(), key=lambda entry: _newest(entry[1]))[:over]
        self._forget([ref for ref, _ in oldest])
        self.left_out = True

    def _forget(self, refs: Collection[str]) -> None:
        """Show these no more. Who asks after so long that not all that left are remembered gets all hits."""
        self._number += bool(refs)
        for ref in refs:
            del self._found[ref], self._changed[ref]
            self._alerts.pop(ref, None)
            self._left[ref] = self._number
        for ref in [*islice(self._left, max(len(self._left) - self._limit, 0))]:
            self._whole = self._left.pop(ref)


def _newest_hits(found: Iterable[FoundHit], most: int) -> list[Hit]:
    return [one.hit for one in heapq.nlargest(most, found, key=_newest)]


def _newest(found: FoundHit) -> tuple[str, str]:
    return found.hit.event_time, found.hit.hit_id


def _in_state(found: FoundHit, state: HitState) -> FoundHit:
    return FoundHit(found.hit, state, found.place, found.notified_later)


def _add_columns(document: dict[str, Any], found: Sequence[FoundHit]) -> None:
    """Give each row its ref and its state's version."""
    pool, columns, rows = document["pool"], document["columns"], document["hits"]
    columns += ["ref", "version"]
    places = dict[str, int]()
    for row, one in zip(rows, found, strict=True):
        for text in (ref_of(one.hit.identity), str(one.state.version)):
            if text not in places:
                places[text] = len(pool)
                pool.append(text)
            row.append(places[text])
