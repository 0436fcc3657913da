"""What the audit works with: ledger, what is remembered of digests, outbox, queues, and who switched trails off."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from trailbell.audit.newest import AuditedDigest, Newest
from trailbell.cloudtrail.digest_key import DigestKey, Trail
from trailbell.flows.audit_findings import Switch
from trailbell.hits.hit import Hit
from trailbell.hits.ledger import LedgerHour


class Ledger(Protocol):
    """Which log files were read."""

    def read(self, keys: Sequence[str], hours: Iterable[LedgerHour]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """What was read of log files, by key, and of all others of some hours."""


class Audits(Protocol):
    """What is remembered of digests."""

    def since(self, now: str) -> str:
        """Since when the ledger is kept; from now on where nobody has asked since the audit was switched on."""

    def mark_behind(self, now: str) -> None:
        """Keep that the audit has digests before it that came long ago."""

    def behind(self) -> str:
        """When the audit was last behind; "" if it never was."""

    def keep(self, audited: AuditedDigest) -> None:
        """Write what was found about a digest."""

    def audited(self, key: DigestKey) -> Mapping[str, Any] | None:
        """What was found about a digest before; None if it was not audited."""

    def neighbour(self, key: DigestKey, moment: datetime, *, later: bool) -> Mapping[str, Any] | None:
        """Of a chain's proven digests the last that ended by a moment, or the first that ended after it."""

    def chains(self) -> Iterator[Newest]:
        """The newest proven digest of every chain."""


class Outbox(Protocol):
    """Where findings are kept until everybody is notified."""

    def keep(self, hits: Sequence[Hit]) -> int:
        """Keep hits, each identity once; how many were new."""


class Switches(Protocol):
    """Who switched trails off, by the records that were read."""

    def between(self, trail: Trail, first: datetime, last: datetime, *, anybodys: bool) -> Sequence[Switch]:
        """The calls by which a trail was switched off between two moments; anybodys: by whichever account."""


class Queues(Protocol):
    """Where work is sent."""

    def repair(self, bucket: str, keys: Sequence[str]) -> None:
        """Have log files read (again)."""

    def take_up(self, bucket: str, key: str, tries: int, seconds: int) -> None:
        """Have a digest audited after some seconds."""

    def digests_wait(self) -> bool:
        """Whether digests wait that could be audited now."""
