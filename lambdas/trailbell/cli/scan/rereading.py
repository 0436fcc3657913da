"""Records of log files are read again for the episodes that show them: here, or by the processes of the scan."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from trailbell.cli.scan.correlating import ReadAgain
from trailbell.cli.scan.work import Fetcher, Source, base_match_of, base_matches_at, scan_detector
from trailbell.cloudtrail.json_text import Entry
from trailbell.engine.rulebook import Rulebook
from trailbell.hits.base_match import BaseMatch
from trailbell.hits.detect import HitDetector


if TYPE_CHECKING:
    from trailbell.cli.scan.workers import Workers

_Found = Iterator[tuple[int, Mapping[int, ReadAgain]]]


class Rereading:
    """From the numbers of log files, each with positions in it, to what stands there: a correlating.Reread.

    sources: by their numbers; workers: the processes of the scan, once they have nothing else to do; None for none.
    """

    def __init__(self, sources: Sequence[Source], rulebook: Rulebook, seen_at: str, workers: "Workers | None") -> None:
        self._sources, self._rulebook, self._seen_at, self._workers = sources, rulebook, seen_at, workers

    def __call__(self, wanted: Mapping[int, Sequence[int]]) -> _Found:
        """What is gone is left out."""
        return self._apart(wanted, self._workers) if self._workers else self._here(wanted)

    def _here(self, wanted: Mapping[int, Sequence[int]]) -> _Found:
        fetcher = Fetcher()
        for number, indexes in wanted.items():
            source = self._sources[number]
            matches = base_matches_at(self._detector, source, fetcher.begin(source), indexes, self._seen_at)
            yield number, {index: ReadAgain(match.act, partial(_same, match)) for index, match in matches.items()}

    def _apart(self, wanted: Mapping[int, Sequence[int]], workers: "Workers") -> _Found:
        """A process sends acts and texts, and of the few records of which more is asked it is worked out here."""
        where = {number: (self._sources[number], indexes) for number, indexes in wanted.items()}
        for number, found in workers.read_again(where):
            again = dict[int, ReadAgain]()
            for index, (act, entry) in found.items():
                again[index] = ReadAgain(act, partial(self._match, number, index, entry))
            yield number, again

    def _match(self, number: int, index: int, entry: Entry) -> BaseMatch | None:
        return base_match_of(self._without_acts, self._sources[number], index, entry, self._seen_at)

    @cached_property
    def _detector(self) -> HitDetector:
        return scan_detector(self._rulebook, acts=True)

    @cached_property
    def _without_acts(self) -> HitDetector:
        return scan_detector(self._rulebook)


def _same(match: BaseMatch) -> BaseMatch:
    return match
