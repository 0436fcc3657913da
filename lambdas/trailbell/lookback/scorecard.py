"""How each rule does: what it found, how many alerts that made, what people said of them, and how soon they looked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from trailbell.engine.rulebook import Rule
from trailbell.hits.hit import Hit, seconds_between
from trailbell.hits.hit_state import CONFIRMED, FALSE, RESOLVED, UNDONE, HitState, StateChange


_LOOKED = ("ack", "resolve")


@dataclass(frozen=True, slots=True)
class ScoredHit:
    """A hit, its state, the steps that led there, and the alert that it was in ("" for none)."""

    hit: Hit
    state: HitState
    history: Sequence[StateChange] = ()
    alert: str = ""


@dataclass(slots=True)
class Score:
    """One rule.

    hits, muted:  those it is primary for, and how many of them an exception muted.
    also:         hits of other rules that it matched as well.
    alerts:       messages that its hits were in.
    waits:        its hits that nobody resolved or undid, muted ones aside.
    last_fired:   the time of its newest hit, "" for none in this time.
    seconds_to_look: from when a hit was read until somebody acknowledged or resolved it, for each that was.
    is_gone:      whether no rule of that id is there today.
    """

    rule_id: str
    name: str
    level: str
    tags: tuple[str, ...] = ()
    operations: int = 0
    hits: int = 0
    muted: int = 0
    also: int = 0
    resolved: int = 0
    false: int = 0
    confirmed: int = 0
    undone: int = 0
    waits: int = 0
    last_fired: str = ""
    is_gone: bool = False
    alerts_seen: set[str] = field(default_factory=set)
    seconds_to_look: list[int] = field(default_factory=list)

    @property
    def alerts(self) -> int:
        """How many alerts its hits made."""
        return len(self.alerts_seen)

    @property
    def median_seconds_to_look(self) -> int | None:
        """Half of its hits that somebody looked at waited no longer; None where nobody did."""
        return int(median(self.seconds_to_look)) if self.seconds_to_look else None

    @property
    def has_fired(self) -> bool:
        """Whether it found anything in this time, as primary rule or beside another one."""
        return bool(self.hits or self.also)


def scorecard(rules: Iterable[Rule], hits: Iterable[ScoredHit]) -> list[Score]:
    """Every rule that can make hits, those with most false hits first, then with most alerts."""
    scores = {rule.rule_id: _blank(rule) for rule in rules if not rule.is_silent}
    for scored in hits:
        hit = scored.hit
        score = scores.get(hit.rule_id)
        if score is None:
            score = scores[hit.rule_id] = Score(hit.rule_id, hit.name, hit.level, hit.tags, is_gone=True)
        _add(score, scored)
        for rule_id in hit.also_ids:
            if rule_id in scores:
                scores[rule_id].also += 1
                _fired(scores[rule_id], hit)
    return sorted(scores.values(), key=lambda one: (-one.false, -one.alerts, -one.hits, one.name))


def _blank(rule: Rule) -> Score:
    return Score(rule.rule_id, rule.name, rule.level.word, rule.tags, len(rule.gate.get("eventName", ())))


def _add(score: Score, scored: ScoredHit) -> None:
    hit, state = scored.hit, scored.state
    score.hits += 1
    score.muted += bool(hit.muted_by)
    score.resolved += state.word == RESOLVED
    score.undone += state.word == UNDONE
    score.false += state.resolved_as == FALSE
    score.confirmed += state.resolved_as == CONFIRMED
    score.waits += state.word not in (RESOLVED, UNDONE) and not (hit.muted_by and not state.version)
    _fired(score, hit)
    if scored.alert:
        score.alerts_seen.add(scored.alert)
    looked = next((one for one in scored.history if one.action in _LOOKED), None)
    if looked:
        score.seconds_to_look.append(seconds_between(hit.seen_at, looked.at))


def _fired(score: Score, hit: Hit) -> None:
    score.last_fired = max(score.last_fired, hit.event_time)


def totals(scores: Sequence[Score]) -> Mapping[str, int]:
    """What a summary line says."""
    return {
        "rules": len(scores),
        "fired": sum(one.has_fired for one in scores),
        "hits": sum(one.hits for one in scores),
        "false": sum(one.false for one in scores),
        "confirmed": sum(one.confirmed for one in scores),
    }
