"""Files of an audit by account and region, and which of them are asked for."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from trailbell.audit.files import AuditedFile
from trailbell.audit.metadata import SIDECAR
from trailbell.audit.region import AuditedRegion
from trailbell.cloudtrail.digest_key import delivery_span, parse_digest_key
from trailbell.cloudtrail.object_key import ObjectKind, classify_key, trail_levels
from trailbell.cloudtrail.selection import Selection


@dataclass(slots=True)
class _Lists:
    digests: list[AuditedFile] = field(default_factory=list)
    logs: list[AuditedFile] = field(default_factory=list)


def by_region(files: Iterable[AuditedFile], selection: Selection) -> list[AuditedRegion]:
    """The digests and log files that are asked for, by account and region; what is neither is left out.

    A file in the digests' folder whose name is no digest's is one all the same: it lies where none should.
    """
    found: dict[tuple[str, str], _Lists] = {}
    for file in files:
        kind = classify_key(file.key).kind
        is_digest = kind is ObjectKind.DIGEST and file.key.endswith(".gz") and not file.key.endswith(SIDECAR)
        if not (is_digest or kind is ObjectKind.LOG_FILE) or not _is_asked_for(file.key, selection):
            continue
        account, _, region = trail_levels(file.key)[:3]
        lists = found.setdefault((account, region), _Lists())
        (lists.digests if is_digest else lists.logs).append(file)
    return [
        AuditedRegion(account, region, lists.digests, lists.logs, selection.since)
        for (account, region), lists in sorted(found.items())
    ]


def _is_asked_for(key: str, selection: Selection) -> bool:
    """By account and region; a digest by the end of its period, a log file by when it was delivered."""
    if not replace(selection, since=None, until=None).may_hold(key.rpartition("/")[0]):
        return False
    digest = parse_digest_key(key)
    span = (digest.end, digest.end) if digest else delivery_span(key)
    if not span:
        return selection.may_hold(key.rpartition("/")[0])
    return (selection.since is None or span[1] >= selection.since) and (
        selection.until is None or span[0] < selection.until
    )
