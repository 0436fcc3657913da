"""What the audit tells: each finding from what it is about.

Its identity has everything in it that makes it another one: the reason, and the files. What is found again tells nobody
again; what is found later of the same digest does.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from trailbell.audit.newest import Newest
from trailbell.cloudtrail.digest_key import DigestKey
from trailbell.hits.audit_finding import Finding, Found
from trailbell.lazy_dataclass import dataclass
from trailbell.text.times import iso_time


_MAX_CAUSES = 5


def of_digest(
    found: Found, key: DigestKey, place: tuple[str, str], why: str = "", more: tuple[tuple[str, str], ...] = ()
) -> Finding:
    """Something about a digest as a whole, once for each digest. place: its bucket and key."""
    said = (("why", why),) if why else ()
    return _finding(found, key, place, "", (*said, *more))


def of_content(
    found: Found,
    key: DigestKey,
    place: tuple[str, str],
    why: str,
    sha256: str = "",
    more: tuple[tuple[str, str], ...] = (),
) -> Finding:
    """Something about what is in a digest, once for each reason and content."""
    return _finding(found, key, place, f" {why} {sha256}".rstrip(), (("why", why), *more))


def of_files(found: Found, key: DigestKey, place: tuple[str, str], files: Sequence[str]) -> Finding:
    """Something about log files that a digest lists, once for each of them if `files` are those not told of yet."""
    names = hashlib.sha256("\n".join(sorted(files)).encode("utf-8", "surrogatepass")).hexdigest()
    return _finding(found, key, place, f" {names}", (("log files", str(len(files))),), tuple(files))


def _finding(
    found: Found,
    key: DigestKey,
    place: tuple[str, str],
    what: str,
    more: tuple[tuple[str, str], ...],
    files: tuple[str, ...] = (),
) -> Finding:
    trail, end, (bucket, text) = key.trail, iso_time(key.end), place
    details = (("trail", trail.trail), ("digest of the hour until", end), *more)
    return Finding(found, trail.account, trail.region, f"{bucket}/{text}{what}", end, bucket, text, files, details)


@dataclass(frozen=True, slots=True)
class Switch:
    """A call by which a trail or its validation was switched off: its name, who made it, and when (ISO 8601)."""

    event_name: str
    actor: str
    at: str

    def __str__(self) -> str:
        return f"{self.event_name} by {self.actor} at {self.at}"


def of_chain(found: Found, chain: Newest, switches: Sequence[Switch] = ()) -> Finding:
    """Something about a chain since its newest digest, once for that digest. switches: what may explain it."""
    end, trail = iso_time(chain.end), chain.trail
    details = (("trail", trail.trail), ("last digest of the hour until", end), *_causes(switches))
    about = f"{trail.trail}@{trail.home} {end}"
    return Finding(found, trail.account, trail.region, about, end, chain.bucket, chain.key, (), details)


def restarted(
    key: DigestKey, place: tuple[str, str], since: str, until: str, switches: Sequence[Switch] = ()
) -> Finding:
    """That a chain began anew at a digest, once, whether or not it is explained by then.

    since, until: of what is not proven. switches: the calls that explain it; where there is none, that is worse.
    """
    found = Found.CHAIN_RESTARTED if switches else Found.RESTART_UNEXPLAINED
    causes = _causes(switches) or (("switched off by", "nobody, as far as the records say that were read"),)
    finding = of_digest(found, key, place, "", (("nothing is proven", f"{since} to {until}"), *causes))
    return replace(finding, same_as=Found.CHAIN_RESTARTED)


def _causes(switches: Sequence[Switch]) -> tuple[tuple[str, str], ...]:
    return tuple(("switched off by", str(one)) for one in switches[:_MAX_CAUSES])


def row_end(row: Mapping[str, Any]) -> str:
    """When an audited digest ended."""
    return str(row["sk"]).partition("#")[0]


def how_known(known: Mapping[str, Any] | None) -> str:
    """What is remembered of a digest that is gone. known: its row, of a proven one."""
    if not known:
        return "it was never audited: the log files that it lists are not known"
    return f"it was audited before: {known['read']} of its {known['listed']} log files were read"


def file_mark(found: Found, file: str) -> str:
    """A short text that stands for a file which was told of."""
    return hashlib.sha256(f"{found.value}\n{file}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
