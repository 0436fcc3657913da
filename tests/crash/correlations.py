"""Histories of correlations: generated, split into log files and live events, delivered anyhow, and judged against one
look at all.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

from tests.crash.faults import Killed
from tests.crash.turns import FaultyClient, Turns
from tests.unit.conftest import RULE
from trailbell.cloudtrail.origin import LiveEvent, Place
from trailbell.cloudtrail.record import make_record
from trailbell.engine.contributing import Contributing, Group
from trailbell.engine.correlation import NO_MATCH, Contribution, Correlation, CorrelationType, silenced
from trailbell.engine.episodes import episodes_of
from trailbell.engine.predicates import Roots
from trailbell.facts.facts import Facts, facts_of
from trailbell.flows.correlating import Correlating, SourceCorrelation
from trailbell.flows.correlation_state import CountedGroup
from trailbell.hits.base_match import BaseMatch, base_match, episode_hit
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.store.contributions import DynamoContributions, partition_of
from trailbell.store.dynamo import Row
from trailbell.store.episode_rows import EPISODE
from trailbell.store.episodes import DynamoEpisodes
from trailbell.store.rows import HIT, POINTER
from trailbell.store.workers import Workers
from trailbell.text.times import iso_seconds


BASE = 1_790_000_000
RULES = ("a", "b", "c", "d")
_VALUES = {"g": ("g1", "g2"), "h": ("h1",), "v": ("v1", "v2", "v3")}
_WORKERS = Workers(1)

Interval = tuple[int, int]
Final = dict[tuple[str, Group], list[Interval]]
"""The intervals of the episodes of each group, by time."""


class Broken(Exception):  # noqa: N818 (as tests/crash/world.py calls it)
    """A promise does not hold."""


@dataclass
class Played:
    """What all histories together came to."""

    histories: int = 0
    deliveries: int = 0
    crashes: int = 0
    episodes: int = 0
    chained: int = 0
    joined: int = 0
    live: int = 0

    def __str__(self) -> str:
        return (
            f"{self.histories} histories, {self.deliveries} deliveries ({self.live} of live events),"
            f" {self.crashes} faults: {self.episodes} episodes"
            f" ({self.chained} over others), {self.joined} joined, no hit twice"
        )


def correlations(dice: random.Random, most: int) -> list[Correlation]:
    """Some correlations of any type, some over others, up to three deep."""
    found = list[Correlation]()
    for number in range(dice.randint(1, most)):
        inner = [one for one in found if one.depth < 3 and dice.random() < 0.6][:2]
        if not set("gh").intersection(*(one.group_by for one in inner)):
            inner = inner[:1]
        kind = dice.choice([kind for kind in CorrelationType if not inner or kind is not CorrelationType.EVENT_COUNT])
        fields = ("g", "h") if not inner else tuple(sorted(set("gh").intersection(*(one.group_by for one in inner))))
        group_by = fields if dice.random() < 0.3 else (dice.choice(fields),)
        names = [*dice.sample(RULES, dice.randint(0 if inner else 1, 3)), *(one.correlation_id for one in inner)]
        dice.shuffle(names)
        counted = "v" if not inner else "g" if all("g" in one.group_by for one in inner) else ""
        if kind is CorrelationType.VALUE_COUNT and not counted:
            kind = CorrelationType.TEMPORAL
        values = (counted,) if kind is CorrelationType.VALUE_COUNT else ()
        threshold = dice.randint(1, len(names)) if kind.startswith("temporal") else dice.randint(1, 4)
        found.append(
            Correlation(
                replace(RULE, rule_id=f"k{number}", name=f"k{number}", detection=NO_MATCH, exceptions=()),
                kind,
                tuple(names),
                group_by,
                (group_by,) * len(names),
                (values,) * len(names),
                dice.choice((1, 2, 3, 4, 6, 90)),
                threshold,
                generate=dice.random() < 0.7,
                depth=1 + max((one.depth for one in inner), default=0),
            )
        )
    return found


class Event(NamedTuple):
    """An event: which rules it matches, and its fields; shared: what two records of it share, "" if nothing."""

    time: int
    identity: str
    rules: tuple[str, ...]
    fields: dict[str, Any]
    shared: str = ""


def events(dice: random.Random, most: int) -> list[Event]:
    """A history of some seconds; many events in the same."""
    found = []
    seconds = dice.choice((8, 20, 40))
    for number in range(dice.randint(1, most)):
        fields = {name: _values(dice, values) for name, values in _VALUES.items() if dice.random() < 0.95}
        rules = tuple(dice.sample(RULES, dice.choice((1, 1, 1, 2))))
        event = Event(BASE + dice.randint(0, seconds), f"e-{number}", rules, fields)
        if dice.random() < 0.1:
            event = event._replace(shared=f"s-{number}")
            found.append(event._replace(identity=f"other-{number}"))
        found.append(event)
    return found


def _values(dice: random.Random, values: Sequence[str]) -> Any:
    return dice.choice(values) if dice.random() < 0.8 else dice.sample(values, dice.randint(0, len(values)))


class _Inner(NamedTuple):
    correlation_id: str
    group: Group
    number: int


def final_episodes(asked: Sequence[Correlation], history: Sequence[Event]) -> Final:
    """What one look at the whole history finds: nothing cut, nothing hashed, every episode a thing of its own."""
    counting, found = Contributing(asked), Final()
    groups = defaultdict[tuple[str, Group], set[Contribution]](set)

    def add(share: Any, time: int, identity: Hashable) -> None:
        contribution = Contribution(time, identity, share.rule, share.value)
        groups[share.correlation.correlation_id, share.group].add(contribution)

    for event in history:
        for rule in event.rules:
            for share in counting.shares(rule, (event.fields, {})):
                add(share, event.time, event.shared or event.identity)
    for correlation in sorted(asked, key=lambda one: one.depth):
        for key in [key for key in groups if key[0] == correlation.correlation_id]:
            episodes = episodes_of(correlation, groups[key])
            found[key] = [(one.first, one.last) for one in episodes]
            for number, episode in enumerate(episodes):
                for share in counting.of_episode(correlation, key[1]):
                    for time in episode.firings:
                        add(share, time, _Inner(*key, number))
    return found


_RECORD = make_record(BASE_RECORD, 0)
_FACTS: Facts = facts_of(_RECORD)


@dataclass
class History:
    """Correlations, events, and the log files and live events that these come in.

    files: by name; what a name has that begins with "live" is one event as EventBridge brings it.
    """

    correlations: list[Correlation]
    events: list[Event]
    files: dict[str, list[Event]]

    @classmethod
    def by_chance(
        cls, dice: random.Random, *, in_order: bool = False, correlations_max: int = 5, events_max: int = 26
    ) -> "History":
        """in_order: no event is in two files, and of two files all events of one come before those of the other."""
        given = events(dice, events_max)
        files = defaultdict[str, list[Event]](list)
        if in_order:
            given.sort(key=lambda event: event.time)
            number = 0
            for event in given:
                number += dice.random() < 0.3
                files[f"file-{number:03}"].append(event)
        else:
            count = dice.randint(1, 6)
            for event in given:
                for _ in range(dice.choice((1, 1, 1, 2))):
                    files[f"file-{dice.randrange(count)}"].append(event)
            if dice.random() < 0.7:
                files |= {f"live-{event.identity}": [_brought(dice, event)] for event in given if dice.random() < 0.5}
        return cls(correlations(dice, correlations_max), given, dict(files))

    def matches(self, name: str) -> Iterator[BaseMatch]:
        """What the detector finds in a log file."""
        counting = Contributing(self.correlations)
        for index, event in enumerate(self.files[name]):
            roots: Roots = (event.fields, {})
            shares = [share for rule in event.rules for share in counting.shares(rule, roots)]
            fields = {**_RECORD.fields, **({"sharedEventID": event.shared} if event.shared else {})}
            record = replace(_RECORD, fields=fields, event_id=event.identity, event_time=iso_seconds(event.time))
            origin = LiveEvent(f"id-{index}", "", "") if is_live(name) else Place("bucket", name, index)
            if shares:
                yield base_match(shares, RULE, None, record, _FACTS, origin, iso_seconds(event.time + 300))

    def lacks_what_is_shared(self, name: str) -> bool:
        """Whether a live event does not say which other record is of the same event, though its log file does."""
        known = {event.identity: event.shared for event in self.events}
        return is_live(name) and any(event.shared != known[event.identity] for event in self.files[name])

    def files_of(self, name: str) -> set[str]:
        """The log files that hold the event of a live event."""
        wanted = {event.identity for event in self.files[name]}
        return {
            file
            for file, events in self.files.items()
            if not is_live(file) and wanted & {one.identity for one in events}
        }


def is_live(name: str) -> bool:
    """Whether a live event is of this name, and no log file."""
    return name.startswith("live-")


def _brought(dice: random.Random, event: Event) -> Event:
    """An event as EventBridge brings it, which may be less than CloudTrail writes."""
    if dice.random() < 0.3:
        event = event._replace(shared="")
    if dice.random() < 0.3 and event.fields:
        event = event._replace(fields={name: value for name, value in event.fields.items() if dice.random() < 0.7})
    return event


@dataclass
class World:
    """One history through the real adapters, on a client of DynamoDB."""

    history: History
    client: Any
    read_rows: Callable[[], list[Row]]
    dice: random.Random
    table: str = "hits"
    counts: Counter[str] = field(default_factory=Counter)
    done: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.turns = Turns(self.dice)
        self.faulty = FaultyClient(self.client, self.turns, self.dice)
        asked = self.history.correlations
        self.silenced = silenced((), asked)

    def correlating(self) -> Correlating:
        """A detector's, in a process of its own."""
        return Correlating(
            self.history.correlations,
            self.silenced,
            DynamoContributions(self.faulty, self.table, _WORKERS),
            DynamoEpisodes(self.faulty, self.table, 400, lambda seconds: None),
            partial(episode_hit, roles=()),
            live=True,
        )

    def deliver_in_order(self) -> None:
        """Each log file once, one after another, and nothing goes wrong."""
        for name in sorted(self.history.files):
            self._deliver(name)

    def deliver_with_broken_repeats(self) -> None:
        """One after another in any order; after each, a log file that was read whole is read again, and breaks off."""
        names = [*self.history.files]
        self.dice.shuffle(names)
        names.sort(key=self.history.lacks_what_is_shared)
        for at, name in enumerate(names):
            self._deliver(name)
            if files := [one for one in names[: at + 1] if not is_live(one)]:
                self._deliver_broken_off(self.dice.choice(files))

    def deliver_anyhow(self, faults: float) -> None:
        """Every log file at least once, some more often, in any order, several at once; what fails comes again."""
        names = [*self.history.files]
        waiting = [*names, *(self.dice.choice(names) for _ in range(self.dice.randint(0, 3)))]
        self.dice.shuffle(waiting)
        # What was counted as two events before anything said that it is one has been notified of.
        later = [name for name in waiting if self.history.lacks_what_is_shared(name)]
        waiting = [name for name in waiting if name not in later]
        self.faulty.rate = faults
        for _ in range(200):
            batch, waiting = waiting[:3], waiting[3:]
            failed = list[str]()
            self.turns.run([partial(self._try, name, failed) for name in batch])
            waiting += failed
            now = [name for name in later if self.history.files_of(name) <= self.done]
            later = [name for name in later if name not in now]
            waiting += now
            self.dice.shuffle(waiting)
            if not waiting and not later:
                return
            if self.counts["deliveries"] > 30 + len(names):
                self.faulty.rate = 0.0
        raise Broken("it never settles")

    def _try(self, name: str, failed: list[str]) -> None:
        broken_off = not is_live(name) and self.dice.random() < 0.1
        try:
            (self._deliver_broken_off if broken_off else self._deliver)(name)
        except (Exception, Killed) as error:
            if isinstance(error, AssertionError | TypeError | KeyError | AttributeError):
                raise
            failed.append(name)
        else:
            is_known = name in self.done
            if not broken_off:
                self.done.add(name)
            elif not is_known or self.dice.random() < 0.5:  # else: the message goes to the dead letters
                failed.append(name)

    def _deliver_broken_off(self, name: str) -> None:
        self._deliver(name, self.dice.randint(0, len([*self.history.matches(name)])))

    def _deliver(self, name: str, read: int | None = None) -> None:
        """read: how many matches there were before the log file broke off; it did not if None."""
        self.counts["deliveries"] += 1
        self.counts["live"] += is_live(name)
        file: SourceCorrelation = self.correlating().source(name)
        for match in [*self.history.matches(name)][:read]:
            file.add(match)
        file.finish(is_whole=read is None)

    def judge(self, played: Played) -> list[Row]:
        """Compare what is kept with what is to be; the episodes' rows."""
        rows = self.read_rows()
        kept = [row for row in rows if row["kind"] == EPISODE]
        asked = {one.correlation_id: one for one in self.history.correlations}
        expected = {
            partition_of(CountedGroup(asked[name], group)): intervals
            for (name, group), intervals in final_episodes(self.history.correlations, self.history.events).items()
            if intervals and name not in self.silenced
        }
        live = defaultdict[str, list[Interval]](list)
        for row in kept:
            if not row["joined"]:
                live[row["pk"]].append((row["first"], row["last"]))
        _must({pk: sorted(found) for pk, found in live.items()} == expected, f"{dict(live)} is not {expected}")
        self._judge_joined(kept)
        self._judge_hits(rows, kept)
        played.histories += 1
        played.deliveries += self.counts["deliveries"]
        played.live += self.counts["live"]
        played.crashes += self.faulty.crashes
        played.episodes += len(kept)
        depths = {name: one.depth for name, one in asked.items()}
        played.chained += sum(depths[row["pk"][2:].partition("@")[0]] > 1 for row in kept)
        played.joined += sum(bool(row["joined"]) for row in kept)
        return kept

    def _judge_joined(self, kept: Sequence[Row]) -> None:
        by_key = {(row["pk"], row["sk"]): row for row in kept}
        for row in kept:
            earlier = row
            while earlier["joined"]:
                _must(earlier["joined"] < earlier["sk"], "joined into a later one")
                earlier = by_key[row["pk"], earlier["joined"]]
            _must(earlier["first"] <= row["first"] <= row["last"] <= earlier["last"], "a joined episode sticks out")
            key = row["sk"].removeprefix("E#")
            _must(iso_seconds(row["first"]) <= key <= iso_seconds(row["last"]), "an episode's key lies outside")

    def _judge_hits(self, rows: Sequence[Row], kept: Sequence[Row]) -> None:
        hits = {(row["pk"], row["sk"]): row for row in rows if row["kind"] == HIT}
        of_episodes = Counter((row["hit"]["pk"], row["hit"]["sk"]) for row in kept)
        _must(set(of_episodes) == set(hits), f"{len(kept)} episodes, hits {sorted(hits)}")
        _must(max(of_episodes.values(), default=1) == 1, "two episodes of one hit")
        _must(sorted(self.faulty.hit_puts) == sorted({*self.faulty.hit_puts}), "a hit's row was written twice")
        pointed = Counter((row["hitPk"], row["hitSk"]) for row in rows if row["kind"] == POINTER)
        for key, row in hits.items():
            _must(pointed[key] > 0, "a hit without pointers")
            story = row["episode"]
            _must(story["acts"] and story["count"] > 0 and story["first"] <= story["last"], f"a poor story: {story}")
            _must((story["partition"], story["key"]) in {(one["pk"], one["sk"]) for one in kept}, "a hit of no episode")


def _must(holds: object, otherwise: str) -> None:
    if not holds:
        raise Broken(otherwise)
