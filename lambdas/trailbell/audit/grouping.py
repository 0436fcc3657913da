"""Files of an audit by account and region, and which of them are asked for."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from trailbell.audit.files import AuditedFile
from trailbell.audit.metadata import SIDECAR
from trailbell.audit.region import AuditedRegion
from trailbell.cloudtrail.digest_key import DigestKey, delivery_span, parse_digest_key
from trailbell.cloudtrail.object_key import ObjectKey, ObjectKind, place_below
from trailbell.cloudtrail.selection import Selection


@dataclass(frozen=True, slots=True)
class Grouped:
    """What is audited, and how many files were passed over as they are neither digests nor log files."""

    regions: list[AuditedRegion]
    passed_over: int


@dataclass(slots=True)
class _Lists:
    digests: list[AuditedFile] = field(default_factory=list)
    logs: list[AuditedFile] = field(default_factory=list)
    earlier: list[DigestKey] = field(default_factory=list)


_SUFFIX = ".json.gz"
_SUFFIXES = {ObjectKind.DIGEST: (_SUFFIX,), ObjectKind.LOG_FILE: (_SUFFIX, ".json")}


def by_region(files: Iterable[AuditedFile], selection: Selection) -> Grouped:
    """The digests and log files that are asked for, by account and region.

    A file below an account's folder of digests whose name is no digest's is one all the same: it lies where none
    should. So are, and log files, those that lie too deep, too high or under a name in another case.
    """
    found: dict[tuple[str, str], _Lists] = {}
    known = list(files)
    partners = _partners(known)
    passed_over = 0
    for file in known:
        if file.place in partners:
            continue
        place = place_below(file.key)
        if not file.key.lower().endswith(_SUFFIXES.get(place.kind, ())):
            passed_over += 1
            continue
        if not _is_chosen(place, selection):
            continue
        lists = found.setdefault((place.account, place.region), _Lists())
        digest = parse_digest_key(file.key) if place.kind is ObjectKind.DIGEST else None
        if not _is_in_time(file.key, digest, selection):
            if digest and selection.since and digest.end < selection.since:
                lists.earlier.append(digest)
        else:
            (lists.digests if place.kind is ObjectKind.DIGEST else lists.logs).append(file)
    regions = [
        AuditedRegion(account, region, lists.digests, lists.logs, selection.since, lists.earlier)
        for (account, region), lists in sorted(found.items())
    ]
    return Grouped(regions, passed_over)


def _partners(files: Iterable[AuditedFile]) -> set[str]:
    """The places of sidecars whose file is there, too."""
    sidecars = [file.place for file in files if file.key.endswith(SIDECAR)]
    if not sidecars:
        return set()
    places = {file.place for file in files}
    return {
        place
        for place, of_it in ((place, place.removesuffix(SIDECAR)) for place in sidecars)
        if of_it in places or f"{of_it}{_SUFFIX}" in places
    }


def _is_chosen(place: ObjectKey, selection: Selection) -> bool:
    return (not selection.accounts or place.account in selection.accounts) and (
        not selection.regions or not place.region or place.region in selection.regions
    )


def _is_in_time(key: str, digest: DigestKey | None, selection: Selection) -> bool:
    """A digest by the end of its period, a log file by when it was delivered; else by the day of its folder."""
    if selection.since is None and selection.until is None:
        return True
    span = (digest.end, digest.end) if digest else delivery_span(key)
    if not span:
        return selection.may_hold(key.rpartition("/")[0])
    return (selection.since is None or span[1] >= selection.since) and (
        selection.until is None or span[0] < selection.until
    )
