"""What the rules make of log files without AWS: the hits, and which acts later calls undo. The stack is held to it."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from trailbell.cli.options.rulebooks import find_rulebook
from trailbell.cli.scan.log_files import read_pieces
from trailbell.cloudtrail.object_key import classify_key
from trailbell.engine.correlation import Contribution, silenced
from trailbell.engine.correlator import Correlator
from trailbell.engine.rulebook import Rulebook
from trailbell.errors import LogFileError
from trailbell.hits.base_match import BaseMatch
from trailbell.hits.detect import Detected, DetectionCounts, HitDetector
from trailbell.hits.due import Due
from trailbell.hits.hit import ACT, Hit, shown_name
from trailbell.hits.reminders import reminders_of
from trailbell.hits.undoing import ANSWERED, UNDONE, WORDS, Undoing


Identity = tuple[str, str, str]
Told = tuple[str, tuple[str, ...]]
"""An episode: the name of what reports it, and the values of its group."""
Said = tuple[str, str]
"""A hit's whole id, and the name of what is said about it later: undone, replaced, stopped, reminder-24h ..."""


@dataclass(slots=True)
class Expectation:
    """Everything that was read so far; rulebook, detector: as the stack's, with the same settings.

    seen_live: ids of the hits that a live event brings before their log files.
    """

    rulebook: Rulebook
    detector: HitDetector
    hits: dict[Identity, Hit] = field(default_factory=dict)
    undoings: list[Undoing] = field(default_factory=list)
    counted: list[BaseMatch] = field(default_factory=list)
    seen_live: set[str] = field(default_factory=set)

    def read(self, files: Iterable[Path], seen_at: str) -> list[Hit]:
        """Read log files, as far as they are any; the hits that were found now."""
        found = list[Hit]()
        for file in files:
            for one in self._read(file, seen_at):
                if isinstance(one, Undoing):
                    self.undoings.append(one)
                elif isinstance(one, BaseMatch):
                    self.counted.append(one)
                elif one.identity not in self.hits:
                    self.hits[one.identity] = one
                    found.append(one)
        return found

    def _read(self, file: Path, seen_at: str) -> Iterator[Detected]:
        with suppress(LogFileError):
            yield from self.detector.detect_all(
                read_pieces(file), "", classify_key(str(file)), seen_at, DetectionCounts()
            )

    @property
    def episodes(self) -> set[Told]:
        """The rule and group of each episode: when it came true, and so its id, depends on which file comes first."""
        correlator = Correlator(self.rulebook.correlations, set[Contribution])
        for match in self.counted:
            for share in match.shares:
                bag = correlator.bag(share.correlation.correlation_id, share.group)
                bag.add(Contribution(match.time, match.identity, share.rule, share.value))
        silent = silenced(self.rulebook.rules, self.rulebook.correlations)
        told = (one for one in correlator.episodes() if one.correlation.correlation_id not in silent)
        return {(one.correlation.rule.name, tuple(map(shown_name, one.group))) for one in told}

    @property
    def to_notify(self) -> set[str]:
        """The ids of the hits that people are to be notified of: all that no exception mutes."""
        return {hit.hit_id for hit in self.hits.values() if hit.is_to_notify}

    @property
    def follow_ups(self) -> set[Said]:
        """What is to be said later of hits: what other calls made of them after their own second and before an undo."""
        said = set[Said]()
        for hit in self.hits.values():
            at = {word: time for word in WORDS if (time := self._followed_up_at(hit, word))}
            undone_at = at.get(UNDONE, "")
            said |= {(hit.hit_id, word) for word in at if word == UNDONE or not undone_at or at[word] < undone_at}
        return said

    def reminders(self, hours: tuple[int, ...], now: str) -> list[Due]:
        """What the clock is to remind of later than now, earliest first."""
        ended = {hit_id for hit_id, word in self.follow_ups if word in (UNDONE, ANSWERED)}
        open_hits = [hit for hit in self.hits.values() if hit.hit_id not in ended]
        return sorted((due for hit in open_hits for due in reminders_of(hit, hours, now)), key=lambda due: due.due_at)

    def _followed_up_at(self, hit: Hit, word: str) -> str:
        """When a later call first made that of a hit, "" if none did."""
        if hit.kept_as != ACT or not hit.is_to_notify:
            return ""
        times = dict[str, str]()
        for undoing in self.undoings:
            if undoing.account == hit.account and undoing.event_time > hit.event_time:
                for link in (link for link, made in undoing.links if made == word):
                    times[link] = min(times.get(link, undoing.event_time), undoing.event_time)
        ways = (way.split(" ") for way in hit.undo_links)
        return min((max(times[link] for link in way) for way in ways if times.keys() >= {*way}), default="")


def expectation_for(*settings: str) -> Expectation:
    """Nothing read yet, with the product's rules under some settings (`name=value`)."""
    from trailbell.rulebook.undone_by import undo_rules  # here, as this needs pySigma

    rulebook = find_rulebook(None, settings)
    complete = replace(rulebook, rules=(*rulebook.rules, *undo_rules(rulebook.rules)))
    return Expectation(complete, HitDetector(complete, undoings=True, correlating=True))
