"""The states of hits, in rows of their own: the state itself, and beside it every step that led there.

A change is one transaction: the state row, on condition that nobody changed it since it was read, and a row of
history that is never written again. The stream's filter keeps both kinds from the notifier.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from trailbell.errors import StateError
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import HitState, StateChange
from trailbell.store.dynamo import Row, decode, encode, get_all
from trailbell.store.rows import STATE, STATE_CHANGE, state_key


Identity = tuple[str, str, str]


def state_of(row: Mapping[str, Any] | None) -> HitState:
    """The state that a state row holds; open where there is none."""
    if row is None:
        return HitState()
    return HitState(row["state"], row["version"], row["by"], row["at"], row["note"], row.get("resolvedAs", ""))


class DynamoHitStates:
    """Reads and changes the states of hits."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def read(self, identity: Identity) -> tuple[HitState, list[StateChange]]:
        """A hit's state and its history, oldest step first, in one strongly consistent request."""
        key = state_key(*identity)
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues=encode({":pk": key["pk"], ":sk": key["sk"]}),
            ConsistentRead=True,
        )
        rows_by_sk = {row["sk"]: row for page in pages for row in map(decode, page["Items"])}
        state = state_of(rows_by_sk.get(key["sk"]))
        return state, [_change(row) for sk, row in rows_by_sk.items() if sk.startswith(key["sk"] + "#")]

    def words(self, hits: Sequence[Hit]) -> dict[Identity, str]:
        """The states of those hits that somebody or something changed. Raises TableError or what botocore raises."""
        return {identity: state.word for identity, state in self.of(hits).items()}

    def of(self, hits: Sequence[Hit]) -> dict[Identity, HitState]:
        """The same with who, when and the note."""
        keys = {tuple(state_key(*hit.identity).values()): hit.identity for hit in hits}
        rows = get_all(self._client, self._table, [{"pk": pk, "sk": sk} for pk, sk in keys])
        return {keys[row["pk"], row["sk"]]: state_of(row) for row in rows}

    def write(self, identity: Identity, after: HitState, change: StateChange, expires_at: int) -> None:
        """Write a state and the step that led to it. Raises StateError when somebody else was faster."""
        try:
            self._client.transact_write_items(TransactItems=self.puts(identity, after, change, expires_at))
        except ClientError as error:
            if not was_refused(error):
                raise
            now, history = self.read(identity)
            last = f"{history[-1].action} by {history[-1].by} at {history[-1].at}" if history else now.word
            raise StateError(f"somebody changed it at the same moment ({last}): look again, then repeat") from None

    def puts(self, identity: Identity, after: HitState, change: StateChange, expires_at: int) -> list[dict[str, Any]]:
        """A change as the items of a transaction, which is refused where somebody else was faster."""
        key = state_key(*identity)
        state: Row = {"state": after.word, "version": after.version, "by": after.by, "at": after.at, "note": after.note}
        state |= _resolved_as(after.resolved_as)
        rows: Iterable[tuple[Row, dict[str, Any]]] = (
            ({**key, "kind": STATE, **state, "expiresAt": expires_at}, unchanged_since(after.version - 1)),
            (_history_row(key, change, expires_at), {"ConditionExpression": "attribute_not_exists(pk)"}),
        )
        return [{"Put": {"TableName": self._table, "Item": encode(row), **condition}} for row, condition in rows]


def unchanged_since(version: int) -> dict[str, Any]:
    """The condition of a put that its row still has the version that was read; 0 where there was none."""
    if not version:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": encode({":version": version}),
    }


def was_refused(error: ClientError) -> bool:
    """Whether a condition did not hold, or another transaction was at the same rows."""
    if error.response["Error"]["Code"] != "TransactionCanceledException":
        return False
    codes = {reason.get("Code") for reason in error.response.get("CancellationReasons", ())}
    return bool(codes & {"ConditionalCheckFailed", "TransactionConflict"})


def _history_row(key: Row, change: StateChange, expires_at: int) -> Row:
    return {
        "pk": key["pk"],
        "sk": f"{key['sk']}#{change.version:06}",
        "kind": STATE_CHANGE,
        "version": change.version,
        "action": change.action,
        "state": change.word,
        "by": change.by,
        "at": change.at,
        "note": change.note,
        "expiresAt": expires_at,
        **_resolved_as(change.resolved_as),
    }


def _resolved_as(word: str) -> Row:
    """The member of both rows that says so; not there where nobody did, as in rows of versions before."""
    return {"resolvedAs": word} if word else {}


def _change(row: Mapping[str, Any]) -> StateChange:
    said = (row["by"], row["at"], row["note"], row.get("resolvedAs", ""))
    return StateChange(row["version"], row["action"], row["state"], *said)
