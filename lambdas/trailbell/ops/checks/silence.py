"""Whether every account and Region that delivered log files still does."""

from collections.abc import Iterator, Mapping, Sequence

from trailbell.audit.arrivals import Arrivals, Source
from trailbell.ops.checks.finding import PROBLEM, Finding, fine, found


_CHECK = "silence"
_DAY_HOURS = 24


def silence_findings(arrivals: Mapping[Source, Arrivals], silent: Sequence[Source], hour: int) -> Iterator[Finding]:
    """By the hours in which log files came, whose silence was told of, and the hour that it is (since 1970)."""
    if silent:
        places = [f"{one.account} {one.region}" for one in sorted(silent)]
        yield found(PROBLEM, _CHECK, "silence.some", count=len(places), places=", ".join(places[:5]))
    elif arrivals:
        lately = sum(hour - one.last < _DAY_HOURS for one in arrivals.values())
        yield fine(_CHECK, f"{lately:,} accounts and Regions delivered log files within a day, and nobody is silent.")
