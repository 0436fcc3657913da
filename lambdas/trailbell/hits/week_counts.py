"""How the hits of a week are counted for its report, from their pointers and states."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from trailbell.engine.rulebook import Level
from trailbell.hits.hit import Hit, seconds_between
from trailbell.hits.hit_state import UNRESOLVED, HitState
from trailbell.hits.short_id import short_id
from trailbell.hits.week import Deliveries, Mutes, RuleCount, UndoneHit
from trailbell.lazy_dataclass import dataclass


Identity = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class PointedHit:
    """A hit as its pointer has it, with its state."""

    identity: Identity
    at: str
    level: str
    title: str
    muted: bool
    state: HitState

    @property
    def waits(self) -> bool:
        """Whether somebody is still to look at it."""
        return self.state.word in UNRESOLVED and not (self.muted and not self.state.version)

    @property
    def urgency(self) -> tuple[int, str]:
        """Sorts the most severe, then the newest, last."""
        word = self.level.upper()
        return Level[word] if word in Level.__members__ else 0, self.at


def rule_counts(heard: Iterable[PointedHit], alerts: Mapping[Identity, str]) -> tuple[RuleCount, ...]:
    """Hits and alerts by rule; alerts: which one each hit was in, if it was delivered, "" where that is not said."""
    hits, ids = Counter[tuple[str, str]](), defaultdict[tuple[str, str], set[str]](set)
    for one in heard:
        rule = one.level, one.title
        hits[rule] += 1
        if one.identity in alerts:
            ids[rule].add(alerts[one.identity] or "/".join(one.identity))
    return tuple(RuleCount(*rule, count, len(ids[rule])) for rule, count in hits.items())


def deliveries(waiting: Sequence[PointedHit], replayed: int) -> Deliveries:
    """What hits without a delivery record come to, and how many there are of which nobody was to be notified."""
    return Deliveries(len(waiting), min((one.at for one in waiting), default=""), replayed)


def undone_hit(one: PointedHit) -> UndoneHit:
    """A hit in the state undone, as the report says it."""
    account, event_id, kept_as = one.identity
    short = short_id((account, event_id, kept_as), one.at)
    return UndoneHit(short, one.level, one.title, one.state.by, seconds_between(one.at, one.state.at))


def mutes(muted: Iterable[PointedHit], hits: Mapping[Identity, Hit]) -> tuple[Mutes, ...]:
    """Muted hits by their exceptions, as far as the hits were read."""
    counts = Counter[tuple[str, str]]()
    for one in muted:
        hit = hits.get(one.identity)
        counts[(hit.muted_by, hit.muted_owner) if hit else ("", "")] += 1
    return tuple(Mutes(name, owner, count) for (name, owner), count in counts.items())
