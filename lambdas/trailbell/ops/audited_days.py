"""What the deployed audit found, by account, region and day: its rows in the hit table, counted."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from trailbell.audit.newest import Newest
from trailbell.audit.verdict import Verdict


if TYPE_CHECKING:  # what judges the days needs no AWS
    from trailbell.store.audits import DynamoAudits
    from trailbell.store.dynamo import Row


COUNTS = ("listed", "read", "repaired", "missing", "altered", "before")
FAULTS = ("missing", "altered")
_OVERDUE = timedelta(hours=3)

SHOWN = timedelta(days=7)
"""How far back is shown where nobody says otherwise."""


@dataclass(slots=True)
class DeployedDay:
    """The digests of one account, region and day: their verdicts, and the counts of the log files they list."""

    account: str
    region: str
    day: str
    digests: Counter[str] = field(default_factory=Counter)
    logs: Counter[str] = field(default_factory=Counter)
    starting: int = 0

    @property
    def chain(self) -> str:
        """One phrase on the digests."""
        parts = [f"{count} {word}" for word, count in sorted(self.digests.items()) if word != Verdict.VALID]
        parts += [f"{self.starting} began anew"] if self.starting else []
        return ", ".join(parts) or "whole"

    @property
    def is_green(self) -> bool:
        """Whether every digest is valid, and every log file that was asked about was read as listed."""
        return set(self.digests) <= {Verdict.VALID.value} and not any(self.logs[name] for name in FAULTS)

    def document(self) -> dict[str, Any]:
        """The day as JSON."""
        counts = {name: self.logs[name] for name in COUNTS}
        verdicts = dict(sorted(self.digests.items()))
        place = {"account": self.account, "region": self.region, "day": self.day}
        return {**place, **counts, "digests": verdicts, "chain": self.chain, "green": self.is_green}


def deployed_days(
    audits: "DynamoAudits", chains: Sequence[Newest], since: datetime, until: datetime
) -> list[DeployedDay]:
    """The days from `since` and before `until`, by account, region and day."""
    found: dict[tuple[str, str, str], DeployedDay] = {}
    for account, region in sorted({(chain.trail.account, chain.trail.region) for chain in chains}):
        for month in _months(since, until):
            for row in audits.of_month(account, region, month):
                end = row["sk"].partition("#")[0]
                if since <= datetime.fromisoformat(end) < until:
                    name = (account, region, end[:10])
                    _add(found.setdefault(name, DeployedDay(*name)), row)
    return [found[name] for name in sorted(found)]


def overdue_chains(chains: Iterable[Newest], since: datetime, until: datetime) -> list[Newest]:
    """Chains that stopped after `since`, so that their next digest should have come before `until`."""
    late = [chain for chain in chains if not chain.backfill and since <= chain.end < until - _OVERDUE]
    return sorted(late, key=lambda chain: (chain.trail, chain.end))


def _add(day: DeployedDay, row: "Row") -> None:
    day.digests[str(row["verdict"])] += 1
    day.starting += bool(row.get("starting"))
    for name in COUNTS:
        day.logs[name] += int(row.get(name, 0))


def _months(first: datetime, last: datetime) -> Iterator[str]:
    month = first.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while month <= last:
        yield f"{month:%Y-%m}"
        month = (month + timedelta(days=32)).replace(day=1)
