"""Hits that somebody judged: out of the table, or out of files of JSON lines; and the records of both."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from trailbell.cli.options.account import aws_client
from trailbell.cli.options.connection import Connection
from trailbell.cli.scan.log_files import read_pieces
from trailbell.cloudtrail.origin import Place
from trailbell.cloudtrail.record import make_record
from trailbell.errors import LogFileError
from trailbell.hits.hit_state import CONFIRMED, FALSE, RESOLVED
from trailbell.hits.query import HitQuery
from trailbell.lookback.tuning import JudgedHit, judged_hit
from trailbell.store.query.hit_query import find_found
from trailbell.wrappings.read import wrapped_records


_S3 = "s3://"


@dataclass(slots=True)
class JudgedHits:
    """Hits by what was said of them."""

    false: list[JudgedHit] = field(default_factory=list)
    confirmed: list[JudgedHit] = field(default_factory=list)


def from_table(connection: Connection, query: HitQuery) -> JudgedHits:
    """Those that were resolved as one or the other. Raises what asking the table raises."""
    found = JudgedHits()
    by_word = {FALSE: found.false, CONFIRMED: found.confirmed}
    for one in find_found(connection.client("dynamodb"), connection.table(), query):
        if one.state.word == RESOLVED and one.state.resolved_as in by_word and not one.hit.episode:
            by_word[one.state.resolved_as].append(judged_hit(one.hit))
    return found


def from_file(path: Path) -> list[JudgedHit]:
    """The hits of a file as `trailbell hits` and `scan --format jsonl` print them. Raises LogFileError for another."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            try:
                found.append(_of_line(json.loads(line)))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise LogFileError(f"{path}: line {number} is no hit of --format jsonl ({error!r})") from None
    return found


def _of_line(line: Mapping[str, Any]) -> JudgedHit:
    address = str(line["file"])
    bucket, _, key = address.removeprefix(_S3).partition("/") if address.startswith(_S3) else ("", "", address)
    return JudgedHit(
        hit_id=str(line.get("hitId") or f"{line['account']}/{line['eventID']}"),
        rule_ids=(str(line["ruleId"]), *map(str, line.get("alsoIds", ()))),
        actor=str(line["actorKey"]),
        role=str(line.get("actorRole", "")),
        resources=tuple(map(str, line["resources"])),
        account=str(line["account"]),
        region=str(line["region"]),
        call=str(line["eventName"]),
        agent="",
        place=Place(bucket, key, int(line["index"])),
    )


def records_of(hits: Sequence[JudgedHit], connection: Connection, *, local: bool) -> dict[str, Mapping[str, Any]]:
    """The records of hits that can be had, by hit id; of log files of this machine where `local`."""
    found = dict[str, Mapping[str, Any]]()
    remote = [hit for hit in hits if hit.place.bucket]
    if remote:
        from trailbell.ops.record_reader import fetch_records

        client = aws_client("s3") if local else connection.client("s3")
        fetched = fetch_records(client, {hit.place for hit in remote})
        for hit in remote:
            fetched_record = fetched[hit.place]
            if not isinstance(fetched_record, str):
                found[hit.hit_id] = fetched_record
    for hit in hits:
        local_record = None if hit.place.bucket else _local(hit.place)
        if local_record is not None:
            found[hit.hit_id] = local_record
    return {hit.hit_id: found[hit.hit_id] for hit in hits if _is_of(hit, found.get(hit.hit_id))}


def _local(place: Place) -> Mapping[str, Any] | None:
    try:
        record = next(islice(wrapped_records(read_pieces(Path(place.key))), place.index, None), None)
    except LogFileError:
        return None
    return record if isinstance(record, dict) else None


def _is_of(hit: JudgedHit, record: Mapping[str, Any] | None) -> bool:
    """Whether a record is the hit's: log files are replaced now and then."""
    return record is not None and make_record(record, hit.place.index).event_id in hit.hit_id
