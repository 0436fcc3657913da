"""Records of log files are read again for the episodes that show them: here, or by the processes of the scan."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import cached_property, partial
from typing import TYPE_CHECKING

from trailbell.cli.scan.correlating import Place, ReadAgain
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

    def __call__(self, wanted: Mapping[int, Sequence[int]], lasts: Set[Place]) -> _Found:
        """As Reread has it."""
        return self._apart(wanted, lasts, self._workers) if self._workers else self._here(wanted, lasts)

    def _here(self, wanted: Mapping[int, Sequence[int]], lasts: Set[Place]) -> _Found:
        for number, indexes in wanted.items():
            source = self._sources[number]
            found = base_matches_at(self._detector, source, self._fetcher.begin(source), indexes, self._seen_at)
            again = dict[int, ReadAgain]()
            for index, match in found.items():
                is_last = (number, index) in lasts
                again[index] = ReadAgain(match.act, partial(_same, match) if is_last else self._later(number, index))
            yield number, again

    def _apart(self, wanted: Mapping[int, Sequence[int]], lasts: Set[Place], workers: "Workers") -> _Found:
        """A process sends acts, and the few texts of which more is asked, which is worked out here."""
        from trailbell.cli.scan.worker import Records  # here, as one process needs none of it

        work = (
            Records(number, self._sources[number], indexes, [index for index in indexes if (number, index) in lasts])
            for number, indexes in wanted.items()
        )
        for number, found in workers.read_again(work):
            again = dict[int, ReadAgain]()
            for index, (act, entry) in found.items():
                match = partial(self._match, number, index, entry) if entry else self._later(number, index)
                again[index] = ReadAgain(act, match)
            yield number, again

    def _match(self, number: int, index: int, entry: Entry) -> BaseMatch | None:
        return base_match_of(self._without_acts, self._sources[number], index, entry, self._seen_at)

    def _later(self, number: int, index: int) -> Callable[[], BaseMatch | None]:
        """For a record of which nothing more is asked, unless the last one of its episode is gone."""
        return lambda: self._alone(number, index)

    def _alone(self, number: int, index: int) -> BaseMatch | None:
        source = self._sources[number]
        pieces = self._fetcher.begin(source)
        return base_matches_at(self._without_acts, source, pieces, [index], self._seen_at).get(index)

    @cached_property
    def _fetcher(self) -> Fetcher:
        return Fetcher()

    @cached_property
    def _detector(self) -> HitDetector:
        return scan_detector(self._rulebook, acts=True)

    @cached_property
    def _without_acts(self) -> HitDetector:
        return scan_detector(self._rulebook)


def _same(match: BaseMatch) -> BaseMatch:
    return match
