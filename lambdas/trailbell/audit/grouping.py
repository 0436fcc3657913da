"""Files of an audit by account and region, and which of them are asked for."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from trailbell.audit.files import AuditedFile
from trailbell.audit.region import AuditedRegion
from trailbell.cloudtrail.digest_key import delivery_span, parse_digest_key
from trailbell.cloudtrail.object_key import ObjectKind, classify_key
from trailbell.cloudtrail.selection import Selection


@dataclass(slots=True)
class _Lists:
    digests: list[AuditedFile] = field(default_factory=list)
    logs: list[AuditedFile] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Folder:
    """What the files of a folder are; a folder of a day holds hundreds, so it is worked out once."""

    kind: ObjectKind
    account: str
    region: str
    asked_for: bool


_DIGEST, _LOG = (".json.gz",), (".json.gz", ".json")


def by_region(files: Iterable[AuditedFile], selection: Selection) -> list[AuditedRegion]:
    """The digests and log files that are asked for, by account and region; what is neither is left out.

    A file in the digests' folder whose name is no digest's is one all the same: it lies where none should.
    """
    found: dict[tuple[str, str], _Lists] = {}
    folders: dict[str, _Folder] = {}
    for file in files:
        name = file.key.rpartition("/")[0]
        folder = folders.get(name) or folders.setdefault(name, _folder(name, selection))
        is_digest = folder.kind is ObjectKind.DIGEST
        if not folder.asked_for or not file.key.endswith(_DIGEST if is_digest else _LOG):
            continue
        if not _is_in_time(file.key, selection):
            continue
        lists = found.setdefault((folder.account, folder.region), _Lists())
        (lists.digests if is_digest else lists.logs).append(file)
    return [
        AuditedRegion(account, region, lists.digests, lists.logs, selection.since)
        for (account, region), lists in sorted(found.items())
    ]


def _folder(name: str, selection: Selection) -> _Folder:
    key = classify_key(f"{name}/any.json.gz")
    of_any_time = replace(selection, since=None, until=None)
    asked_for = key.kind in (ObjectKind.DIGEST, ObjectKind.LOG_FILE) and of_any_time.may_hold(name)
    return _Folder(key.kind, key.account, key.region, asked_for)


def _is_in_time(key: str, selection: Selection) -> bool:
    """A digest by the end of its period, a log file by when it was delivered; else by the day of its folder."""
    if selection.since is None and selection.until is None:
        return True
    digest = parse_digest_key(key)
    span = (digest.end, digest.end) if digest else delivery_span(key)
    if not span:
        return selection.may_hold(key.rpartition("/")[0])
    return (selection.since is None or span[1] >= selection.since) and (
        selection.until is None or span[0] < selection.until
    )
