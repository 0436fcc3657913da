"""The histories of tests/crash/test_correlations.py find what is wrong: each of these would be a plausible fault."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.crash.correlations import Broken
from tests.crash.test_correlations import no_pauses, play, play_broken_repeats  # noqa: F401 (the fixture)
from trailbell.cloudtrail.origin import LiveEvent
from trailbell.flows.collected import Collected
from trailbell.flows.correlating import SourceCorrelation
from trailbell.flows.correlation_state import BucketPart, CountedGroup
from trailbell.hits.base_match import BaseMatch, base_match
from trailbell.store.contributions import DynamoContributions
from trailbell.store.episode_rows import EpisodeRows, KeptEpisode


SEEDS = 1500

Patch = Callable[[pytest.MonkeyPatch], None]


def reading_nothing_later(patch: pytest.MonkeyPatch) -> None:
    """What comes late carries on what came before it."""
    read = DynamoContributions.read

    def earlier(self: DynamoContributions, of: CountedGroup, since: int, until: int) -> Any:
        return read(self, of, since, until - of.correlation.timespan_seconds)

    patch.setattr(DynamoContributions, "read", earlier)


def reading_before_writing(patch: pytest.MonkeyPatch) -> None:
    """Two detectors at once each see their own contributions alone."""
    write, waiting = DynamoContributions.write, list[tuple[DynamoContributions, Sequence[BucketPart]]]()
    finish = SourceCorrelation.finish

    def later(self: DynamoContributions, parts: Sequence[BucketPart]) -> None:
        waiting.append((self, parts))

    def finish_then_write(self: SourceCorrelation, **how: Any) -> Any:
        counts = finish(self, **how)
        while waiting:
            write(*waiting.pop())
        return counts

    patch.setattr(DynamoContributions, "write", later)
    patch.setattr(SourceCorrelation, "finish", finish_then_write)


def changing_what_others_changed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("trailbell.store.episodes.unchanged_since", lambda version: {})


def not_looking_before(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(EpisodeRows, "_before", lambda self, key: iter(()))


def not_looking_after(patch: pytest.MonkeyPatch) -> None:
    onward = EpisodeRows._from

    def only_between(self: EpisodeRows, key: str, last: str) -> Iterator[KeptEpisode]:
        return (one for one in onward(self, key, last) if one.key <= last)

    patch.setattr(EpisodeRows, "_from", only_between)


def not_following_what_was_joined(patch: pytest.MonkeyPatch) -> None:
    before = EpisodeRows._before

    def nearest(self: EpisodeRows, key: str) -> Iterator[KeptEpisode]:
        found = next(before(self, key), None)
        if found and not [row for row in self._rows(found.key + "!", key) if row["joined"]]:
            yield found

    patch.setattr(EpisodeRows, "_before", nearest)


def taking_a_broken_file_for_the_whole(patch: pytest.MonkeyPatch) -> None:
    finish = SourceCorrelation.finish
    patch.setattr(SourceCorrelation, "finish", lambda self, is_whole=True: finish(self))


def keeping_one_inner_group_for_all(patch: pytest.MonkeyPatch) -> None:
    """Two inner groups of one log file add to one outer group."""
    parts = Collected.parts

    def overwriting(self: Collected, source: str) -> Iterator[BucketPart]:
        for part in parts(self, source):
            yield BucketPart(part.of, part.start, source, part.contributions, part.acts, part.is_inner)

    patch.setattr(Collected, "parts", overwriting)


def knowing_nothing_by_two_names(patch: pytest.MonkeyPatch) -> None:
    """What two accounts' records of an event share is missing in a live event, which so counts beside both."""
    patch.setattr("trailbell.store.contributions.decoded_aliases", lambda text: {})


def counting_live_events_by_an_id_of_their_own(patch: pytest.MonkeyPatch) -> None:
    """A live event and its log file's record count as two."""

    def base(shares: Any, rule: Any, hit: Any, record: Any, facts: Any, origin: Any, seen_at: str) -> BaseMatch:
        match = base_match(shares, rule, hit, record, facts, origin, seen_at)
        return replace(match, identity=f"live {match.identity}") if isinstance(origin, LiveEvent) else match

    patch.setattr("tests.crash.correlations.base_match", base)


@pytest.mark.parametrize(
    ("fault", "since"),
    [
        (reading_nothing_later, 0),
        (reading_before_writing, 0),
        (changing_what_others_changed, 800),
        (not_looking_before, 50),
        (not_looking_after, 300),
        (not_following_what_was_joined, 0),
        (keeping_one_inner_group_for_all, 0),
        (knowing_nothing_by_two_names, 0),
        (counting_live_events_by_an_id_of_their_own, 0),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_histories_find_it(fault: Patch, since: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """since: a little before the first seed that finds it; where histories have changed, any of the many after it."""
    fault(monkeypatch)

    with pytest.raises((Broken, AssertionError)):
        play(range(since, since + SEEDS))


def test_broken_repeats_find_what_takes_them_for_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """In histories of any kind it takes a whole file, a broken repeat and nothing whole after it, in that order."""
    taking_a_broken_file_for_the_whole(monkeypatch)

    with pytest.raises(Broken):
        play_broken_repeats(range(SEEDS // 10))
