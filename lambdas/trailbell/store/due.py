"""Due rows: what is to be done at a time. The clock reads them from where it last ended, so that nothing is skipped.

    D#{yyyy-mm-ddThh}   {due time}#{kind}#{id}    what to do, by kind; written: a new text each time it is written
    D#cursor            -                         the first hour that may still hold work

A row is deleted when it is done, unless it was written again meanwhile: whoever wrote it may have brought something
that was not there when it was done. The cursor stays an hour behind the last hour that was read to its end: a writer
whose clock is late still finds its row read. After an outage of days the hours in between are read one by one.
"""

import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from trailbell.hits.due import Due
from trailbell.store.dynamo import Row, encode, get_row, query, write_all
from trailbell.store.workers import Workers


DUE = "due"
_CURSOR = {"pk": "D#cursor", "sk": "-"}
_HOUR = "%Y-%m-%dT%H"
_LATE = timedelta(hours=1)
_FIRST = timedelta(days=30)
"""How far back the first run of all looks: the clock may have been broken since the stack was deployed."""


def due_key(due: Due) -> Row:
    """The primary key of a due row."""
    return {"pk": f"D#{due.due_at[:13]}", "sk": f"{due.due_at}#{due.kind}#{due.id}"}


class DynamoDueRows:
    """Writes, reads and deletes due rows."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def add(self, due: Due) -> None:
        """Write a row; written again it is done once more."""
        self._client.put_item(TableName=self._table, Item=encode(_row(due)))

    def add_all(self, dues: Iterable[Due]) -> None:
        """Write rows; written again they are done once more. Raises TableError or what botocore raises."""
        write_all(self._client, self._table, map(_row, dict.fromkeys(dues)))

    def until(self, now: str) -> Iterator[Due]:
        """What is due at `now`, earliest first."""
        last = _moment(now)
        hour = min(self._cursor(last), last)
        while hour <= last:
            for row in self._rows(hour, now):
                yield _due(row)
            hour += timedelta(hours=1)

    def planned(self, now: str, last: datetime, workers: Workers) -> list[Due]:
        """What is to be done from the hour of `now` on and until `last`, hours read side by side."""
        first = _moment(now)
        hours = [first + timedelta(hours=each) for each in range((last - first) // timedelta(hours=1) + 1)]
        found = workers.each(lambda hour: list(self._rows(hour, f"{last:%Y-%m-%dT%H:%M:%SZ}")), hours)
        return [_due(row) for rows in found for row in rows]

    def done(self, due: Due) -> bool:
        """Delete a row that is done; False where it was written again since it was read, and stays.

        Raises what botocore raises.
        """
        # A row of a version before has no such text.
        condition = "written = :written" if due.written else "attribute_not_exists(written)"
        values = {"ExpressionAttributeValues": encode({":written": due.written})} if due.written else {}
        try:
            self._client.delete_item(
                TableName=self._table, Key=encode(due_key(due)), ConditionExpression=condition, **values
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return get_row(self._client, self._table, due_key(due)) is None  # another run of the clock did the same
        return True

    def read_to(self, now: str, first_left: str) -> None:
        """Remember where to begin next; first_left: the due time of the earliest row that is not done, "" if none."""
        hour = _moment(first_left or now)
        if not first_left:
            hour -= _LATE
        row = {**_CURSOR, "kind": "cursor", "hour": hour.strftime(_HOUR)}
        self._client.put_item(TableName=self._table, Item=encode(row))

    def _cursor(self, otherwise: datetime) -> datetime:
        row = get_row(self._client, self._table, _CURSOR)
        return _moment(row["hour"] + ":00:00Z") if row else otherwise - _FIRST

    def _rows(self, hour: datetime, now: str) -> Iterator[Row]:
        # `$` follows `#`: everything due at this very second is included.
        return query(self._client, self._table, f"D#{hour.strftime(_HOUR)}", "0", f"{now}$")


def _row(due: Due) -> Row:
    written = uuid.uuid4().hex
    return {**due_key(due), "kind": DUE, "dueAt": due.due_at, "what": due.kind, "id": due.id, "written": written}


def _due(row: Row) -> Due:
    return Due(row["dueAt"], row["what"], row["id"], row.get("written", ""))


def _moment(text: str) -> datetime:
    """The hour of a time."""
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return moment.replace(minute=0, second=0, microsecond=0)
