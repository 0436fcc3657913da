"""The cost of rules in alerts: for each rule its hits, its alerts, who made them, and on which days.

Counters, never hits: a year takes no more memory than a day. Two of them have a limit, which only a very large
or hostile history comes near: the acts remembered to count each once, and the actors counted for one rule.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from trailbell.alerts.grouping import MAX_ACTORS
from trailbell.alerts.over_time import window_of
from trailbell.alerts.quiet import Arrival, QuietMinutes, digest, messages
from trailbell.engine.rulebook import Level
from trailbell.hits.hit import Hit
from trailbell.lookback.remembered import Remembered


_MAX_REMEMBERED = 1_000_000
_MAX_ACTORS = 2_000


@dataclass(frozen=True, slots=True)
class Act:
    """As much of a hit as counting needs. resources: digests, of critical hits (alerts/quiet.py)."""

    identity: str
    rule_id: str
    rule: str
    level: str
    event_time: str
    actor: str
    actor_name: str
    account: str
    muted: bool
    resources: Sequence[str] = ()


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
        [*map(digest, hit.resources)] if hit.severity is Level.CRITICAL else [],
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

    def __init__(self, quiet: QuietMinutes) -> None:
        self._rules: dict[str, RuleCost] = {}
        self._seen = Remembered()
        self._quiet = quiet
        self._groups = defaultdict[tuple[str, str, str], _Group](_Group)
        self._remembered = 0

    def __iter__(self) -> Iterator[RuleCost]:
        """Rules that had a hit, those with most alerts first."""
        for cost in self._rules.values():
            cost.alerts = 0
        for (rule_id, level, _), group in self._groups.items():
            cost = self._rules[rule_id]
            cost.alerts += group.alerts(self._quiet.seconds(cost.rule, level), level)
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
        group = self._groups[act.rule_id, act.level, act.account]
        self._remembered += group.add(act, full=self._remembered >= _MAX_REMEMBERED)


@dataclass(slots=True)
class _Group:
    """A rule's acts of a level in an account: by window of arrival and actor what the critical ones name together.

    beyond: acts that came when too much was remembered already; each counts as an alert.
    """

    windows: dict[int, dict[str, set[tuple[str, ...]]]] = field(default_factory=lambda: defaultdict(dict))
    beyond: int = 0

    def add(self, act: Act, *, full: bool) -> int:
        """Count an act; how much more is remembered."""
        named = self.windows[window_of(act.event_time)].setdefault(act.actor, set())
        resources = tuple(act.resources)
        if resources in named:
            return 0
        if full:
            self.beyond += 1
            return 0
        named.add(resources)
        return 1

    def alerts(self, seconds: int, level: str) -> int:
        """The messages they come to, grouped and gathered as the notifier does."""
        batches = defaultdict[str, list[tuple[int, list[Arrival]]]](list)
        for window in sorted(self.windows):
            actors = self.windows[window]
            if len(actors) > MAX_ACTORS:  # one alert of them all
                actors = {"": set[tuple[str, ...]]().union(*actors.values())}
            for actor, named in actors.items():
                # Hits that name the same are held or not held together, so one stands for all of them.
                found = [Arrival(f"{window} {resources}", resources) for resources in sorted(named)]
                if found:
                    batches[actor].append((window, found))
        return self.beyond + sum(len(list(messages(one, seconds, level))) for one in batches.values())


def _count_actor(cost: RuleCost, act: Act) -> None:
    """Past the limit the rarer half is forgotten: whoever makes most of the hits is never among it."""
    if act.actor not in cost.actors and len(cost.actors) >= _MAX_ACTORS:
        kept = cost.actors.most_common(_MAX_ACTORS // 2)
        cost.actors = Counter(dict(kept))
        cost.names = {key: cost.names[key] for key, _ in kept}
    cost.actors[act.actor] += 1
    cost.names.setdefault(act.actor, act.actor_name)
