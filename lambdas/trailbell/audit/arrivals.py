"""In which hours log files of an account and Region were delivered, and who has fallen silent by that.

CloudTrail writes a log file when there is something to write: an account may be idle at night, a Region for a month. So
silence is measured against each one's own past, in hours in which others delivered: where nothing comes at all, it is
the way here that is cut, and nobody's silence.

What is remembered is a set of hours. It is the same in whichever order and however often log files are read.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from trailbell.lazy_dataclass import dataclass
from trailbell.text.times import iso_time


WINDOW_HOURS = 35 * 24
"""So many hours are remembered of each: five weeks, and as many weekends."""

KNOWN_HOURS = 100
"""Who delivered in fewer of them has no habit that silence could break."""

KNOWN_SPAN_HOURS = 14 * 24
"""Nor who was first heard less than so long before the silence: a habit is known by its pauses, not by its hours, and
two weeks hold two weekends. Nights say nothing of weekends, so that no number of pauses is taken for them.
"""

LEAST_HOURS = 6
"""Nobody is silent before: deliveries have been late for hours."""

TIMES = 3
"""Silent is who is quiet for longer than so many times the longest that it was quiet before.

Of n pauses of pure chance (exponential), the next one is longer than three times the longest of them once in
(n+1)(n+2)(n+3)/6 cases: with a hundred pauses once in 177,000. Twice would be once in 5,000, and in an organisation
somebody every day.
"""

LONGEST_HOURS = 14 * 24
"""Beyond, it was told, or cannot be: too little is left of what is remembered of the others."""

BEHIND_HOURS = 24
"""For so much longer nobody is silent while log files are read late."""

_UNDER_WAY = 2
"""The newest hours: log files of some were read, those of others are under way."""

_ALL = (1 << WINDOW_HOURS) - 1


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """An account and Region whose log files are delivered."""

    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The hours of a source.

    last: the newest, in hours since 1970. bits: the n-th says whether log files came in the n-th hour before it, for
    WINDOW_HOURS; its own, the lowest, is always set.
    """

    last: int
    bits: int = 1

    def with_hour(self, hour: int) -> "Arrivals":
        """These and one more; what is older than the window is let go."""
        ago = self.last - hour
        if ago >= 0:
            return Arrivals(self.last, (self.bits | 1 << ago) if ago < WINDOW_HOURS else self.bits)
        bits = (self.bits << -ago) & _ALL if -ago < WINDOW_HOURS else 0
        return Arrivals(hour, bits | 1)

    @property
    def has_habit(self) -> bool:
        """Whether enough is known of it to say what is unusual."""
        return self.bits.bit_count() >= KNOWN_HOURS and self.bits.bit_length() > KNOWN_SPAN_HOURS

    def seen_from(self, hour: int) -> int:
        """The bits of the same hours counted back from another one."""
        ago = hour - self.last
        return self.bits << ago if ago >= 0 else self.bits >> -ago


@dataclass(frozen=True, slots=True)
class Silence:
    """A source that is silent. last: its last hour; quiet_hours: since then, of those in which others delivered;
    longest_hours: it was quiet at a time before.
    """

    source: Source
    last: int
    quiet_hours: int
    longest_hours: int


def hour_of(moment: datetime) -> int:
    """In which hour since 1970 a moment is."""
    return int(moment.timestamp()) // 3600


def hour_of_text(text: str) -> int:
    """The hour of an ISO 8601 time with Z."""
    return hour_of(datetime.fromisoformat(text))


def begin_of(hour: int) -> datetime:
    """When an hour since 1970 begins."""
    return datetime.fromtimestamp(hour * 3600, UTC)


def text_of_hour(hour: int) -> str:
    """The same as ISO 8601 with Z."""
    return iso_time(begin_of(hour))


def silent_sources(arrivals: Mapping[Source, Arrivals], hour: int, *, behind: bool = False) -> Iterator[Silence]:
    """Who is silent at an hour (since 1970). behind: log files are read late, so that a silence may be ours."""
    by_all = 0
    for one in arrivals.values():
        if hour - one.last < WINDOW_HOURS:
            by_all |= one.seen_from(hour)
    # Of what is older than the window nobody knows when others delivered: as if they always had.
    by_all |= _ALL << WINDOW_HOURS
    for source, one in sorted(arrivals.items()):
        since = hour - one.last
        if not _UNDER_WAY < since <= LONGEST_HOURS or not one.has_habit:
            continue
        quiet = _count(by_all, _UNDER_WAY, since)
        if quiet <= LEAST_HOURS:
            continue
        longest = _longest_pause(one, by_all >> since)
        if quiet > max(TIMES * longest, LEAST_HOURS) + (BEHIND_HOURS if behind else 0):
            yield Silence(source, one.last, quiet, longest)


def _longest_pause(one: Arrivals, by_all: int) -> int:
    """The most hours of others between two hours of a source. by_all: as seen from its last."""
    bits, longest, place = one.bits >> 1, 0, 1
    while bits:
        idle = (bits & -bits).bit_length() - 1
        if idle > longest:
            longest = max(longest, _count(by_all, place, place + idle))
        bits >>= idle + 1
        place += idle + 1
    return longest


def _count(bits: int, first: int, end: int) -> int:
    """How many bits are set from one place to before another."""
    return ((bits >> first) & ((1 << max(end - first, 0)) - 1)).bit_count()
