"""Acts and what undoes them, in one partition for each link, so that whichever record comes second finds the other.

    U#{account}#{link}   act#{eventTime}#{eventID}      `way`: all links that must be undone with it
    U#{account}#{link}   {word}#{eventTime}#{eventID}   what became of it, a word of hits/undoing.py: by whom

Both sides write their rows, then read the other's, strongly consistent: of two detectors at once at least one sees
both. For each word the earliest call after the act's own second counts; one that is found later and is earlier takes
its place. What an undo closes lies between the undo before it and itself, so that a thing that is switched off and on
a thousand times costs no more to track than one. Everything may be written again, in any order.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from trailbell.errors import TableError
from trailbell.hits.follow_up import FollowUp, What
from trailbell.hits.hit import ACT, Hit
from trailbell.hits.hit_state import RESOLVED, UNDO, UNDONE, change_state
from trailbell.hits.undoing import REPLACED, STOPPED, WORDS, Undoing
from trailbell.store.dynamo import Row, encode, get_row, query, write_all
from trailbell.store.follow_ups import FOLLOW_UP, KNOWN, follow_up_key, follow_up_row
from trailbell.store.kept_hits import DynamoKeptHits
from trailbell.store.states import DynamoHitStates, was_refused
from trailbell.store.workers import Workers
from trailbell.text.times import DAY_SECONDS, utc_now


TRACKED = "tracked"
_WRITERS = 8
_ATTEMPTS = 6
_NEXT = "$"  # follows `#`


def link_partition(account: str, link: str) -> str:
    """The partition of a link's acts and undos."""
    return f"U#{account}#{link}"


class DynamoTracking:
    """Tracks acts until they are undone."""

    def __init__(self, client: Any, table: str, retention_days: int) -> None:
        self._client, self._table, self._retention = client, table, retention_days * DAY_SECONDS
        self._states, self._hits = DynamoHitStates(client, table), DynamoKeptHits(client, table)
        self._workers = Workers(_WRITERS)

    def track(self, hits: Sequence[Hit], undoings: Sequence[Undoing]) -> None:
        """Write acts that are kept and what undoes some, and close each act that is undone by what is known now.

        Raises TableError or what botocore raises; done again it comes to the same.
        """
        expires_at = int(time.time()) + self._retention
        acts = [row for hit in hits for row in _act_rows(hit, expires_at)]
        undos = [row for undoing in undoings for row in _undo_rows(undoing, expires_at)]
        rows = {(row["pk"], row["sk"]): row for row in (*acts, *undos)}
        write_all(self._client, self._table, rows.values(), workers=self._workers)
        found = [(act, word) for act in _distinct(acts) for word in WORDS]
        for undo, before in zip(undos, self._workers.each(self._acts_before, undos), strict=True):
            found += [(act, undo["word"]) for act in before]
        distinct = {(act["way"], act["sk"], word): (act, word) for act, word in found}
        self._workers.each(lambda one: self._close(*one, expires_at), distinct.values())

    def _acts_before(self, undo: Row) -> list[Row]:
        """The acts of an undo's link that came after the undo before it."""
        at, word = undo["at"], undo["word"]
        before = query(self._client, self._table, undo["pk"], f"{word}#", f"{word}#{at}", limit=1, backward=True)
        since = next((one["at"] for one in before), "")
        return list(query(self._client, self._table, undo["pk"], f"act#{since}", f"act#{at}"))

    def _close(self, act: Row, word: str, expires_at: int) -> None:
        """Follow an act up if every link of its way was undone in that word."""
        undos = list[Row]()
        for link in act["way"].split(" "):
            partition = link_partition(act["account"], link)
            later = f"{word}#{act['at']}{_NEXT}", f"{word}{_NEXT}"
            found = next(query(self._client, self._table, partition, *later, limit=1), None)
            if not found:
                return
            undos.append(found)
        self._follow_up(act, _said(undos), expires_at)

    def _follow_up(self, act: Row, said: FollowUp, expires_at: int) -> None:
        """Write what became of an act, unless that is known, or an undo before it is: then nothing is left to say.

        Of a hit that somebody has resolved it is written as known: nobody is notified of it, nor when it is reopened.
        """
        for _ in range(_ATTEMPTS):
            found = self._hits.act(act["account"], act["eventID"])
            if found is None:
                return
            hit, state, _ = found
            known, undone = self._known(hit, said.name), self._known(hit, UNDONE)
            if any(row and row["at"] <= said.at for row in (known, undone)) or _is_ordinary_end(said, hit):
                return
            kind = KNOWN if state.word == RESOLVED else str(known["kind"]) if known else FOLLOW_UP
            row = {**follow_up_row(said, hit, expires_at, utc_now()), "kind": kind}
            items = [{"Put": {"TableName": self._table, "Item": encode(row), **_not_before(said.at)}}]
            if said.word == UNDONE and state.word != RESOLVED and (known is None or state.word == UNDONE):
                after, change = change_state(state, UNDO, said.by, said.at, f"by {said.event_name}")
                items += self._states.puts(hit.identity, after, change, expires_at)
            try:
                self._client.transact_write_items(TransactItems=items)
            except ClientError as error:
                if not was_refused(error):
                    raise
            else:
                return
        raise TableError(f"{self._table}: the state of {act['eventID']} was changed {_ATTEMPTS} times meanwhile")

    def _known(self, hit: Hit, name: str) -> Row | None:
        return get_row(self._client, self._table, follow_up_key(hit.account, hit.event_id, name))


def _act_rows(hit: Hit, expires_at: int) -> Iterator[Row]:
    if hit.kept_as != ACT:
        return
    for way in hit.undo_links:
        for link in way.split(" "):
            yield {
                "pk": link_partition(hit.account, link),
                "sk": f"act#{hit.event_time}#{hit.event_id}",
                "kind": TRACKED,
                "account": hit.account,
                "eventID": hit.event_id,
                "at": hit.event_time,
                "way": way,
                "expiresAt": expires_at,
            }


def _undo_rows(undoing: Undoing, expires_at: int) -> Iterator[Row]:
    notes = dict(undoing.notes)
    for link, word in undoing.links:
        yield {
            "pk": link_partition(undoing.account, link),
            "sk": f"{word}#{undoing.event_time}#{undoing.event_id}",
            "kind": TRACKED,
            "eventID": undoing.event_id,
            "at": undoing.event_time,
            "eventName": undoing.event_name,
            "by": undoing.by,
            "byKey": undoing.by_key,
            "word": word,
            **({"note": notes[link]} if link in notes else {}),
            "expiresAt": expires_at,
        }


def _distinct(rows: Iterable[Row]) -> list[Row]:
    """Rows once each; of an act with several links one row for each way."""
    return [*{(row["way"], row["sk"]): row for row in rows}.values()]


def _said(undos: Sequence[Row]) -> FollowUp:
    """What undid an act: the last of the calls that were needed, and what is left to know after any of them."""
    undo = max(undos, key=lambda one: (one["at"], one["eventID"]))
    return FollowUp(
        what=What.UNDONE,
        name=undo["word"],
        at=undo["at"],
        word=undo["word"],
        by=undo["by"],
        by_key=undo["byKey"],
        event_name=undo["eventName"],
        event_id=undo["eventID"],
        note=" ".join(dict.fromkeys(one["note"] for one in undos if one.get("note"))),
    )


def _is_ordinary_end(said: FollowUp, hit: Hit) -> bool:
    """Whether somebody ended or replaced what is theirs: every session ends, and a role that puts a parameter puts it
    again. That is nobody's news, and what is put is an act of its own.
    """
    return said.word in (STOPPED, REPLACED) and said.by == hit.actor.text


def _not_before(at: str) -> Row:
    return {
        "ConditionExpression": "attribute_not_exists(pk) OR #at > :at",
        "ExpressionAttributeNames": {"#at": "at"},
        "ExpressionAttributeValues": encode({":at": at}),
    }
