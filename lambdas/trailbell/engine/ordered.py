"""temporal_ordered: sequences of contributions whose rules rise and whose times do not fall.

A sequence (here: chain) takes each of its rules from another event, since an act does not follow itself. CloudTrail's
times are whole seconds, so contributions of one time (here: a moment) are in order whichever came first.

Chains are followed moment by moment: how late may a chain of so many contributions have begun that uses rules up to
here, and, from the other side, how early may one end. The work grows with the number of moments, and with the cube of
the number of rules, which is small.
"""

import math
from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property
from itertools import groupby
from typing import Any

from trailbell.engine.correlation import Contribution


class Moment:
    """The contributions of one time."""

    def __init__(self, time: Any, contributions: Sequence[Contribution]) -> None:
        self.time, self.contributions = time, contributions
        self._events = dict[int, set[Hashable]]()
        for one in contributions:
            self._events.setdefault(one.rule, set()).add(one.identity)
        self._known = dict[tuple[int, int, Contribution | None], int]()

    def longest(self, low: int, high: int, with_: Contribution | None = None) -> int:
        """How many of the rules from `low` to before `high` different events can stand for, `with_` among them."""
        key = (low, high, with_)
        if key not in self._known:
            self._known[key] = self._longest(low, high, with_)
        return self._known[key]

    @cached_property
    def is_plain(self) -> bool:
        """Whether no event stands for two rules, so that none is wanted twice."""
        return sum(map(len, self._events.values())) == len(set().union(*self._events.values()))

    def _longest(self, low: int, high: int, with_: Contribution | None) -> int:
        rules = [rule for rule in self._events if low <= rule < high and not (with_ and rule == with_.rule)]
        if self.is_plain:
            return len(rules) + (with_ is not None)
        taken = {with_.identity} if with_ else set[Hashable]()
        return _matching([self._events[rule] - taken for rule in rules]) + (with_ is not None)


def _matching(choices: Sequence[set[Hashable]]) -> int:
    """How many of the sets can be given a member of their own (Kuhn's way)."""
    owner = dict[Hashable, int]()

    def give(at: int, seen: set[Hashable]) -> bool:
        for event in choices[at] - seen:
            seen.add(event)
            if event not in owner or give(owner[event], seen):
                owner[event] = at
                return True
        return False

    return sum(give(at, set()) for at in range(len(choices)))


Reach = tuple[tuple[Any, ...], ...]
"""By a bound on the rules and by a number of contributions: the time of the far end of the best chain."""


class Chains:
    """All chains of `wanted` contributions within a timespan.

    contributions: distinct, by time; rules: how many there are.
    """

    def __init__(self, contributions: Sequence[Contribution], rules: int, wanted: int, timespan: int) -> None:
        self._rules, self._wanted, self._timespan = rules, wanted, timespan
        groups = groupby(contributions, key=lambda one: one.time)
        self._moments = [Moment(time, list(group)) for time, group in groups]
        self._before = [*self._starts()]
        self._after = [*self._ends()]
        self._whole = self._whole_chains()

    def members(self) -> list[Contribution]:
        """The contributions that are in some chain, by time."""
        return [one for at, moment in enumerate(self._moments) for one in self._members_of(at, moment)]

    def fires_at(self, time: Any) -> bool:
        """Whether a chain ends at the time of a member."""
        return self._whole[time][0]

    def is_true(self, first: Any, last: Any) -> bool:
        """Whether a chain lies between the times of two members."""
        return bool(self._whole[last][1] >= first)

    def _starts(self) -> Iterator[Reach]:
        """Before each moment: of chains whose rules are below a bound, how late the best of each length began."""
        best = [[math.inf, *[-math.inf] * self._wanted] for _ in range(self._rules + 1)]
        for moment in self._moments:
            yield tuple(map(tuple, best))
            for high in range(self._rules, 0, -1):  # a bound is made of lower ones that lack this moment yet
                for low in range(high):
                    for length, taken in self._lengths(moment.longest(low, high)):
                        start = min(best[low][length - taken], moment.time)
                        best[high][length] = max(best[high][length], start)

    def _ends(self) -> Iterator[Reach]:
        """After each moment: of chains whose rules are a bound or above, how early the best of each length ends."""
        best = [[-math.inf, *[math.inf] * self._wanted] for _ in range(self._rules + 1)]
        after = list[Reach]()
        for moment in reversed(self._moments):
            after.append(tuple(map(tuple, best)))
            for low in range(self._rules):
                for high in range(low + 1, self._rules + 1):
                    for length, taken in self._lengths(moment.longest(low, high)):
                        end = max(best[high][length - taken], moment.time)
                        best[low][length] = min(best[low][length], end)
        return reversed(after)

    def _lengths(self, most: int) -> Iterator[tuple[int, int]]:
        """The lengths that a moment which has `most` contributions to a chain may bring it to, and with how many."""
        for length in range(1, self._wanted + 1):
            for taken in range(1, min(most, length) + 1):
                yield length, taken

    def _whole_chains(self) -> dict[Any, tuple[bool, Any]]:
        """By time: whether a chain ends there, and how late the latest one that has ended by then began."""
        whole, latest = dict[Any, tuple[bool, Any]](), -math.inf
        for before, moment in zip(self._before, self._moments, strict=True):
            starts = [
                min(before[low][self._wanted - taken], moment.time)
                for low in range(self._rules)
                for taken in range(1, min(moment.longest(low, self._rules), self._wanted) + 1)
            ]
            start = max(starts, default=-math.inf)
            fires = bool(moment.time - start <= self._timespan)
            latest = max(latest, start) if fires else latest
            whole[moment.time] = fires, latest
        return whole

    def _members_of(self, at: int, moment: Moment) -> Iterator[Contribution]:
        is_member = dict[Hashable, bool]()
        for one in moment.contributions:
            alike = one.rule if moment.is_plain else one  # else it matters which events the rules have in common
            if alike not in is_member:
                is_member[alike] = self._is_member(at, moment, one)
            if is_member[alike]:
                yield one

    def _is_member(self, at: int, moment: Moment, one: Contribution) -> bool:
        """Whether a chain goes through a contribution: some before its moment, some of it, and some after."""
        before, after = self._before[at], self._after[at]
        return any(
            max(after[high][rest], moment.time) - min(before[low][earlier], moment.time) <= self._timespan
            for low in range(one.rule + 1)
            for high in range(one.rule + 1, self._rules + 1)
            for taken in range(1, min(moment.longest(low, high, one), self._wanted) + 1)
            for earlier in range(self._wanted - taken + 1)
            for rest in [self._wanted - taken - earlier]
        )
