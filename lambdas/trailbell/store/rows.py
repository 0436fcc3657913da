"""The rows of the hit table: what their keys are and what they hold. One place, because keys are forever.

    row                 pk                          sk
    hit                 H#{account}#{eventID}       act, or {rule id} (versions before, and dedup windows)
    stronger verdict    the same                    raised-to-{level}
    delivery record     N#{account}#{eventID}       as the hit                   (store/deliveries.py)
    by time             T#{yyyy-mm-dd}#{0..3}       {eventTime}#{account}#{eventID}#act
    by rule             R#{rule id}#{yyyy-mm}       the same
    by actor            P#{actor key}#{yyyy-mm}     the same; also under the role of a person's session
    by resource         X#{resource}                the same
    by account          A#{account}#{yyyy-mm}       the same
    state               S#{account}#{eventID}       as the hit                    (store/states.py)
    place in a log file I#{account}#{eventID}       as the hit                    (store/log_places.py)
    its history         S#{account}#{eventID}       {rule id}#{version, 6 digits}
    malformed record    B#{yyyy-mm-dd}              {bucket}/{key}#{index}       (store/malformed.py)
    ledger              L#{account}#{region}#{yyyy-mm-ddThh}  {file name}           (store/ledger.py)
    audit               V#{account}#{region}#{yyyy-mm}  {end}#{trail}@{home}#...   (store/audits.py)
    hours of a source   Y#hours                     {account}#{region}           (store/arrivals.py)
    whose silence is told  Y#silent                 the same
    weekly report       W#report                    {yyyy-mm-dd}                 (store/reports.py)
    contributions       C#{correlation}@{its version}#{group, digest}
                                                    B#{bucket's start}#{source, digest}    (store/contributions.py)
    acts behind them    the same                    A#{bucket's start}#{source, digest}
    episode             the same                    E#{when it first was true}   (store/episode_rows.py)
    their version       the same                    E

The five in the middle are pointers: small rows that name a hit. Readers skip a pointer whose hit does not exist (a
crash between the two writes). A pointer also holds enough of its hit to answer most queries without it; where it
lacks a member (older rows, and what did not fit) the hit must be read. What comes from a hit's rule (level, title,
muted) is in its pointers as of the last delivery, in its row as of the first. With a dedup window a pointer stands at
the day's beginning, and says in `at` when the act was.
"""

import time
from collections.abc import Mapping
from typing import Any

from trailbell.errors import NewerFormatError
from trailbell.hits import short_id
from trailbell.hits.hit import HIT_FORMAT, Hit, hit_document, hit_from_document
from trailbell.store.dynamo import Row
from trailbell.text.digests import stand_in
from trailbell.text.safe_text import one_line


# Partitions per day of the time pointers: 4,000 writes a second before one is hot.
SHARDS = short_id.SHARDS

HIT = "hit"
MUTED = "muted"
POINTER = "pointer"
QUIET = "quiet"
STATE = "state"
STATE_CHANGE = "state-change"
DELIVERED = "told"
CLAIM = "claim"
LOG_PLACE = "log-place"

AFTER = "$"
"""Follows `#`: at the end of a sort key it is after everything that continues the key."""

# A write takes one unit for each KB: a pointer stays below one.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
_ONE_WRITE_UNIT = 1000

# A partition key takes 2,048 bytes; actor keys and resource names come from records.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
_MAX_KEY_PART = 1500


def hit_key(account: str, event_id: str, rule_id: str) -> Row:
    """The primary key of a hit's row."""
    return {"pk": f"H#{account}#{event_id}", "sk": rule_id}


def delivery_key(account: str, event_id: str, rule_id: str) -> Row:
    """The primary key of the delivery record of a hit."""
    return {"pk": f"N#{account}#{event_id}", "sk": rule_id}


def state_key(account: str, event_id: str, rule_id: str) -> Row:
    """The primary key of a hit's state; the rows of its history are beside it, their sk continued."""
    return {"pk": f"S#{account}#{event_id}", "sk": rule_id}


def log_place_key(account: str, event_id: str, rule_id: str) -> Row:
    """The primary key of the place in a log file of a hit that a live event brought."""
    return {"pk": f"I#{account}#{event_id}", "sk": rule_id}


def hit_row(hit: Hit, expires_at: int) -> Row:
    """The row of a hit: its key, its document, and when it expires (epoch seconds).

    A hit under an exception, or found by a quiet replay, is of another kind, which the stream's filter keeps from
    the notifier. A row of kind QUIET gives way to that of a true delivery: then somebody is notified after all
    (store/hit_table.py).
    """
    kind = QUIET if hit.quiet else MUTED if hit.muted_by else HIT
    return {**hit_key(*hit.identity), "kind": kind, "expiresAt": expires_at, **hit_document(hit)}


def read_hit(row: Mapping[str, Any]) -> Hit:
    """The hit of its row. Raises NewerFormatError when a newer version wrote it, which this one could misread.

    A row without a format is of the first; one whose format is no number is of none that this version knows.
    """
    written = row.get("format", 1)
    if isinstance(written, bool) or not isinstance(written, int) or written > HIT_FORMAT:
        raise NewerFormatError(
            f"a newer trailbell wrote this hit (format {one_line(str(written), 40)}, this one reads {HIT_FORMAT}):"
            " deploy that version again, and update a checkout that asks for hits (git pull, make setup)"
        )
    return hit_from_document(row)


def is_alive(row: Mapping[str, Any]) -> bool:
    """Whether a row has not expired. DynamoDB may take days to delete one that has, so every reader checks.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
    """
    return bool(row["expiresAt"] > time.time())


def is_to_notify(event_name: str, image: Mapping[str, Any]) -> bool:
    """Whether a change in the table's stream is a hit to notify: its row is new, or replaces one of a kind that is
    never notified. Nothing else writes hit rows; if a person does, the delivery record keeps it from being notified
    twice.

    infra/functions.py says the same in the filter of the stream.
    """
    return event_name in ("INSERT", "MODIFY") and image.get("kind") == {"S": HIT}


def pointer_rows(hit: Hit, expires_at: int) -> list[Row]:
    """The pointers to a hit, one for each way of asking for it; the same rows every time."""
    month = hit.event_time[:7]
    partitions = [
        time_partition(hit.event_time[:10], time_shard(hit.identity[1])),
        *(rule_partition(rule_id, month) for rule_id in (hit.rule_id, *hit.also_ids)),
        *(actor_partition(actor, month) for actor in _actors(hit) if actor),
        *map(resource_partition, hit.resources),
        account_partition(hit.account, month),
    ]
    # With a dedup window of a day a hit has one place in it, whichever of its records comes first.
    moment = f"{hit.event_time[:10]}T00:00:00Z" if hit.once else hit.event_time
    sort = "#".join((moment, *hit.identity))
    target = hit_key(*hit.identity)
    members = {
        "kind": POINTER,
        "hitPk": target["pk"],
        "hitSk": target["sk"],
        "level": hit.level,
        "rule": hit.rule,
        "service": hit.service,
        "eventName": hit.event_name,
        "title": hit.title,
        "actor": hit.actor.name,
        "region": hit.region,
        "outcome": hit.outcome,
        "muted": bool(hit.muted_by),
        "expiresAt": expires_at,
    }
    if hit.once:
        members["at"] = hit.event_time
    return [_with_names({"pk": partition, "sk": sort, **members}, hit) for partition in dict.fromkeys(partitions)]


def _actors(hit: Hit) -> tuple[str, ...]:
    """Whose hits it is among: of an episode those of its acts that it holds, too."""
    return (hit.actor.key, hit.actor.role, *(act.actor_key for act in (hit.episode.acts if hit.episode else ())))


def _with_names(row: Row, hit: Hit) -> Row:
    """The pointer with the names that people search in, as far as the row stays one write unit.

    In lower case, because DynamoDB's `contains` tells cases apart; between names a line break, which none contains.
    """
    actor_names = tuple(dict.fromkeys((hit.actor.key, hit.actor.role, hit.actor.text)))
    names = {"actorNames": actor_names, "resourceNames": hit.resources}
    for member, texts in names.items():
        longer = {**row, member: "\n".join(texts).lower()}
        if _size(longer) <= _ONE_WRITE_UNIT:
            row = longer
    return row


def _size(row: Row) -> int:
    """About what DynamoDB counts for a row, never less: names and values as text in UTF-8."""
    return sum(len(str(part).encode("utf-8", "surrogatepass")) for part in (*row, *row.values()))


def time_partition(day: str, shard: int) -> str:
    """Hits of one day (yyyy-mm-dd), one of SHARDS."""
    return f"T#{day}#{shard}"


def rule_partition(rule_id: str, month: str) -> str:
    """Hits of one rule in one month (yyyy-mm)."""
    return f"R#{_fit(rule_id)}#{month}"


def actor_partition(actor_key: str, month: str) -> str:
    """Hits of one actor in one month (yyyy-mm)."""
    return f"P#{_fit(actor_key)}#{month}"


def resource_partition(resource: str) -> str:
    """All hits of one resource."""
    return f"X#{_fit(resource)}"


def account_partition(account: str, month: str) -> str:
    """Hits of one account in one month (yyyy-mm)."""
    return f"A#{account}#{month}"


def group_partition(correlation_id: str, version: str, group_code: str) -> str:
    """Everything that is kept of one group of a correlation."""
    return f"C#{_fit(correlation_id)}@{version}#{group_code}"


def pointed_at(pointer: Mapping[str, Any]) -> Row:
    """The primary key of the hit that a pointer names."""
    return {"pk": pointer["hitPk"], "sk": pointer["hitSk"]}


def identity_of(pointer: Mapping[str, Any]) -> tuple[str, str, str]:
    """The identity of the hit that a pointer names: (account, event id, rule id)."""
    _, account, event_id = str(pointer["hitPk"]).split("#", 2)  # an account is letters, digits and hyphens
    return account, event_id, str(pointer["hitSk"])


def time_shard(event_id: str) -> int:
    """In which of a day's shards the time pointer of a hit is."""
    return short_id.shard_of(event_id)


def _fit(part: str) -> str:
    return part if len(part.encode("utf-8")) <= _MAX_KEY_PART else stand_in(part)
