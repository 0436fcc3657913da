"""Correlations in production: what a log file or a live event adds is kept, then every group that it touched is judged
anew.

Its contributions are written first and read back together with everybody else's, strongly consistent. Of the
contributions that make an episode one was written last; whoever wrote it reads all of them. So whatever order they
come in, however often, and wherever the work breaks off and is done again, each episode is found by somebody,
and no episode is found that is none: contributions are only ever added.

Correlations over others come after those: when an inner one fires, that is a contribution to the outer one.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace

from trailbell.engine.buckets import reach_seconds
from trailbell.engine.contributing import Contributing, Group, Share
from trailbell.engine.contribution_code import group_code, short_identity, short_value, version_of
from trailbell.engine.correlation import Contribution, Correlation, CorrelationType
from trailbell.engine.episodes import Episode, episodes_of
from trailbell.flows.collected import Collected
from trailbell.flows.correlation_state import Contributions, CountedGroup, Episodes, FoundEpisode, Merged
from trailbell.flows.each import Each, one_by_one
from trailbell.flows.overflow import GROUPS_MAX, LeftOut, Overflows
from trailbell.hits.base_match import BaseMatch, hit_episode
from trailbell.hits.episode import EpisodeAct, HitEpisode
from trailbell.hits.hit import Hit
from trailbell.lazy_dataclass import dataclass
from trailbell.text.times import iso_seconds


MakeEpisodeHit = Callable[[Correlation, Group, HitEpisode, str, BaseMatch], Hit]
"""Makes the hit of an episode: from its correlation and group, what is to be said of it, when it came true, and the
latest of its acts at hand (hits/base_match.py: episode_hit).
"""


@dataclass(slots=True)
class CorrelationCounts:
    """What a log file came to.

    groups:     that it adds to, over all correlations.
    cut:        contributions that were not kept, because they are of no matter.
    left_out:   by the correlation's id; overflows: the hits that say so.
    """

    groups: int = 0
    cut: int = 0
    episodes_new: int = 0
    episodes_joined: int = 0
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    overflows: list[Hit] = field(default_factory=list)


class Correlating:
    """What correlations need, built once.

    silenced: ids of those that make no hits (engine/correlation.py); each: how groups are judged, side by side or not.
    live: whether records come by live events, too, which may lack what two accounts' records of an event share.
    """

    def __init__(
        self,
        correlations: Sequence[Correlation],
        silenced: frozenset[str],
        contributions: Contributions,
        episodes: Episodes,
        make_hit: MakeEpisodeHit,
        each: Each = one_by_one,
        *,
        live: bool = False,
    ) -> None:
        self.counting = Contributing(correlations)
        self.depths = sorted({one.depth for one in correlations})
        self.silenced, self.contributions, self.episodes = silenced, contributions, episodes
        self.make_hit, self.each, self.live = make_hit, each, live

    def source(self, name: str, shaped: Callable[[Hit], Hit] = lambda hit: hit) -> "SourceCorrelation":
        """For the contributions of one log file or live event; the same name whenever it is read.

        shaped: what becomes of its hits before they are kept: those of a replay are quiet, or say that they are.
        """
        return SourceCorrelation(self, name, shaped)


@dataclass(frozen=True, slots=True)
class _Fired:
    """An inner episode as it is counted: what it adds to whom, at what times, and some of its acts."""

    inner: Collected
    shares: Sequence[Share]
    times: Sequence[int]
    acts: Sequence[EpisodeAct]


class SourceCorrelation:
    """Collects what one log file adds, and judges the groups that it adds to."""

    def __init__(self, correlating: Correlating, name: str, shaped: Callable[[Hit], Hit]) -> None:
        self._our, self._name, self._shaped = correlating, name, shaped
        self._by_depth = defaultdict[int, dict[str, dict[Group, Collected]]](lambda: defaultdict(dict))
        self._counts, self._overflows = CorrelationCounts(), Overflows()

    def add(self, match: BaseMatch) -> None:
        """A record that correlations count."""
        identity, other = short_identity(match.identity), match.other_identity if self._our.live else ""
        alias = short_identity(other) if other else b""
        alone = self._overflows.record(match)
        for share in match.shares:
            groups, is_alone = self._groups(share.correlation), share.correlation.correlation_id in alone
            if share.is_cut:
                self._overflows.leave_out(share, match, alone=is_alone)
            if share.group in groups or len(groups) < GROUPS_MAX:
                value = short_value(share.value)
                self._collected(share, match).add(match, Contribution(match.time, identity, share.rule, value), alias)
            else:
                self._overflows.leave_out(share, match, alone=is_alone)

    def finish(self, check: Callable[[], None] = lambda: None, *, is_whole: bool = True) -> CorrelationCounts:
        """Keep what was collected, and the episodes that follow, inner ones first. Raises TableError, or what `check`
        raises, which is asked before each group.

        is_whole: whether the log file was read to its end. What was read of one that broke off is kept apart, so that
        it never takes the place of the whole.
        """
        source = self._name if is_whole else f"{self._name}\nbroken off"

        def judge(collected: Collected) -> tuple[Merged, list[_Fired]]:
            check()
            return self._judge(collected)

        for depth in self._our.depths:
            collected = [one for groups in self._by_depth.pop(depth, {}).values() for one in groups.values()]
            self._our.contributions.write([part for one in collected for part in one.parts(source)])
            self._counts.groups += len(collected)
            self._counts.cut += sum(one.left for one in collected)
            for merged, fired in self._our.each(judge, collected):
                self._counts.episodes_new += merged.new
                self._counts.episodes_joined += merged.joined
                for one in fired:
                    self._add_fired(one)
        self._counts.left_out = self._overflows.left_out()
        self._counts.overflows = [
            self._shaped(hit) for one in self._counts.left_out.values() for hit in one.hits(self._name)
        ]
        return self._counts

    def _groups(self, correlation: Correlation) -> dict[Group, Collected]:
        return self._by_depth[correlation.depth][correlation.correlation_id]

    def _collected(self, share: Share, match: BaseMatch) -> Collected:
        groups = self._groups(share.correlation)
        if share.group not in groups:
            is_counted = share.correlation.correlation_id in self._our.counting.rule_ids
            of = CountedGroup(share.correlation, share.group)
            groups[share.group] = Collected(of, match, every_second=is_counted)
        return groups[share.group]

    def _add_fired(self, fired: _Fired) -> None:
        """What an inner episode adds to those that count it: the same identity for every episode of its group, for
        nothing that counts episodes is compiled.
        """
        inner = _name_of(fired.inner.of)
        for share in fired.shares:
            identity, value = short_identity(inner), short_value(share.value)
            contributions = [Contribution(time, identity, share.rule, value) for time in fired.times]
            last = fired.inner.last
            self._collected(share, last).add_firings(last, inner, contributions, fired.acts)

    def _judge(self, collected: Collected) -> tuple[Merged, list[_Fired]]:
        """The episodes that what was collected may have made, made longer or joined."""
        correlation, group = collected.of
        reach, times = reach_seconds(correlation), collected.times()
        shares = [*self._our.counting.of_episode(correlation, group)]
        merged, fired = Merged(), list[_Fired]()
        for since, until in _stretches(times, 2 * reach):
            known = self._our.contributions.read(collected.of, since - reach, until + reach)
            for episode in episodes_of(correlation, known):
                if not _has_between(times, episode.first, episode.last):
                    continue  # others wrote all of it
                if correlation.correlation_id not in self._our.silenced:
                    merged = merged.plus(self._keep(collected, episode))
                # One that an own contribution completes is complete at that or within a timespan after it.
                new = [time for time in episode.firings if since <= time <= until + correlation.timespan_seconds]
                if shares and new:
                    fired.append(_Fired(collected, shares, new, self._acts(collected, episode.first, episode.last)))
        return merged, fired

    def _keep(self, collected: Collected, episode: Episode) -> Merged:
        correlation, group = collected.of
        first, last, came_true = episode.first, episode.last, episode.firings[0]
        count = len({one.identity for one in episode.members})
        own = collected.acts(iso_seconds(first), iso_seconds(last))

        def make_hit(partition: str, key: str, came_true: str) -> Hit:
            acts = self._acts(collected, first, last)
            at = sorted([iso_seconds(first), iso_seconds(last), *(act.at for act in acts)])  # of inner episodes, too
            at_least = _may_be_more(correlation, count)
            story = hit_episode(correlation, group, at[0], at[-1], count, acts, at_least=at_least)
            story = replace(story, partition=partition, key=key)
            return self._shaped(self._our.make_hit(correlation, group, story, came_true, collected.last))

        return self._our.episodes.merge(FoundEpisode(collected.of, first, last, came_true, count, own), make_hit)

    def _acts(self, collected: Collected, first: int, last: int) -> list[EpisodeAct]:
        """Some acts of an episode, from all log files."""
        kept = self._our.contributions.acts(collected.of, first, last)
        return [*kept, *collected.acts(iso_seconds(first), iso_seconds(last))]


def _may_be_more(correlation: Correlation, count: int) -> bool:
    """Whether an episode may have more acts than are counted: an inner episode counts once, and what cannot matter is
    cut (engine/buckets.py); of events none is before there are twice as many as are wanted.
    """
    is_exact = correlation.kind is CorrelationType.EVENT_COUNT and count < 2 * correlation.threshold
    return correlation.depth > 1 or not is_exact


def _name_of(of: CountedGroup) -> str:
    return f"{of.correlation.correlation_id}@{version_of(of.correlation)}#{group_code(of.group)}"


def _stretches(times: Sequence[int], gap: int) -> Iterator[tuple[int, int]]:
    """First and last of what lies no further apart than a gap; times are sorted."""
    start = 0
    for at in range(1, len(times) + 1):
        if at == len(times) or times[at] - times[at - 1] > gap:
            yield times[start], times[at - 1]
            start = at


def _has_between(times: Sequence[int], first: int, last: int) -> bool:
    at = bisect_left(times, first)
    return at < len(times) and times[at] <= last
