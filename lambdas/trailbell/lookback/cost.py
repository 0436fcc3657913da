"""The cost of rules in alerts: for each rule its hits, its alerts, who made them, and on which days.

Counters, never hits: a year takes no more memory than a day. Two of them have a limit, which only a very large
or hostile history comes near: the acts remembered to count each once, and the actors counted for one rule.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from trailbell.alerts.grouping import MAX_ACTORS
from trailbell.engine.rulebook import Level
from trailbell.hits.hit import Hit


_WINDOW = 300  # seconds: CloudTrail delivers about every five minutes, and what comes together makes one alert
_MAX_REMEMBERED = 1_000_000
_MAX_ACTORS = 2_000


@dataclass(frozen=True, slots=True)
class Act:
    """As much of a hit as counting needs."""

    identity: str
    rule_id: str
    rule: str
    level: str
    event_time: str
    actor: str
    actor_name: str
    account: str
    muted: bool


def act_of(hit: Hit) -> Act:
    """The part of a hit that is counted."""
    actor = hit.actor
    return Act(
        hit.hit_id,
        hit.rule_id,
        hit.name,
        hit.level,
        hit.event_time,
        actor.key,
        actor.name or actor.text,
        hit.account,
        bool(hit.muted_by),
    )


@dataclass(slots=True)
class RuleCost:
    """One rule: its `hits`, and the `alerts` they would make; `muted` hits are in neither.

    level: the highest of its hits; days, actors: hits by day (yyyy-mm-dd) and by actor key; names: who that is.
    """

    rule_id: str
    rule: str
    level: str = "informational"
    hits: int = 0
    alerts: int = 0
    muted: int = 0
    days: Counter[str] = field(default_factory=Counter)
    actors: Counter[str] = field(default_factory=Counter)
    names: dict[str, str] = field(default_factory=dict)

    def top_actors(self, count: int) -> list[tuple[str, int]]:
        """Those who made most hits, with how many."""
        return sorted(self.actors.items(), key=lambda entry: (-entry[1], entry[0]))[:count]


class Cost:
    """Counts acts, each identity once however often its record was delivered."""

    def __init__(self) -> None:
        self._rules: dict[str, RuleCost] = {}
        self._seen = _Remembered(_MAX_REMEMBERED)
        self._delivered = _Remembered(_MAX_REMEMBERED)
        self._actors: dict[str, int] = {}

    def __iter__(self) -> Iterator[RuleCost]:
        """Rules that had a hit, those with most alerts first."""
        return iter(sorted(self._rules.values(), key=lambda cost: (-cost.alerts, -cost.hits, cost.rule)))

    def add(self, act: Act) -> None:
        """Count an act."""
        if not self._seen.is_new(act.identity):
            return
        cost = self._rules.setdefault(act.rule_id, RuleCost(act.rule_id, act.rule))
        if act.muted:
            cost.muted += 1
            return
        cost.hits += 1
        cost.level = max(cost.level, act.level, key=lambda word: Level[word.upper()])
        cost.days[act.event_time[:10]] += 1
        _count_actor(cost, act)
        cost.alerts += self._more_alerts(act)

    def _more_alerts(self, act: Act) -> int:
        """How many alerts an act adds, grouped as the notifier does: one for each actor, one for a storm of many."""
        window = int(datetime.fromisoformat(act.event_time).timestamp()) // _WINDOW
        group = f"{act.rule_id} {act.level} {act.account} {window}"
        if not self._delivered.is_new(f"{group} {act.actor}"):
            return 0
        actors = self._actors[group] = self._actors.pop(group, 0) + 1
        if len(self._actors) > _MAX_REMEMBERED:
            del self._actors[next(iter(self._actors))]
        if actors == MAX_ACTORS + 1:
            return 1 - MAX_ACTORS
        return int(actors <= MAX_ACTORS)


def _count_actor(cost: RuleCost, act: Act) -> None:
    """Past the limit the rarer half is forgotten: whoever makes most of the hits is never among it."""
    if act.actor not in cost.actors and len(cost.actors) >= _MAX_ACTORS:
        kept = cost.actors.most_common(_MAX_ACTORS // 2)
        cost.actors = Counter(dict(kept))
        cost.names = {key: cost.names[key] for key, _ in kept}
    cost.actors[act.actor] += 1
    cost.names.setdefault(act.actor, act.actor_name)


class _Remembered:
    """Texts that were there before, by their hash; of more than `limit` the oldest are forgotten."""

    def __init__(self, limit: int) -> None:
        self._hashes: dict[int, None] = {}
        self._limit = limit

    def is_new(self, text: str) -> bool:
        """Whether a text was not there before; now it was."""
        key = hash(text)
        if key in self._hashes:
            return False
        if len(self._hashes) == self._limit:
            del self._hashes[next(iter(self._hashes))]
        self._hashes[key] = None
        return True
