"""Who falls silent is told once and who comes back is told, to those who were notified, whatever crashes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from tests.audit.test_arrivals import HERE, NOW, arrivals_of, until
from tests.audit.test_flow import TABLE, decoded_hits, finding_hits, table
from trailbell.alerts.alert import Alert, alert_document
from trailbell.audit.arrivals import Source, begin_of, text_of_hour
from trailbell.audit.newest import Newest
from trailbell.cloudtrail.digest_key import Trail
from trailbell.flows.follow_ups import may_be_followed_up
from trailbell.flows.silence import SilenceWatch
from trailbell.store.arrivals import DynamoArrivals
from trailbell.store.dynamo import decode, encode
from trailbell.store.ends import DynamoEnds
from trailbell.store.follow_ups import read_follow_up
from trailbell.store.hit_table import DynamoHitTable


__all__ = ["table"]

BUSY = Source("9", "eu-west-1")
FELL = NOW - 20


class KilledError(Exception):
    """The function's end."""


@dataclass
class Killing:
    """A client whose n-th write kills whoever makes it, before or after it was done."""

    client: Any
    at: int
    after: bool
    writes: int = 0

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.client, name)
        if name not in ("put_item", "batch_write_item", "transact_write_items", "delete_item"):
            return call

        def write(**arguments: Any) -> Any:
            self.writes += 1
            if self.writes == self.at and not self.after:
                raise KilledError
            answer = call(**arguments)
            if self.writes == self.at:
                raise KilledError
            return answer

        return write


@dataclass
class Chains:
    found: list[Newest] = field(default_factory=list)

    def chains(self) -> Iterator[Newest]:
        return iter(self.found)


def put_hours(client: Any, source: Source, hours: Iterable[int]) -> None:
    """The row that log files of these hours lead to."""
    arrivals = arrivals_of(sorted(hours))
    row = {"pk": "Y#hours", "sk": f"{source.account}#{source.region}", "lastHour": text_of_hour(arrivals.last)}
    client.put_item(TableName=TABLE, Item=encode({**row, "kind": "arrivals", "hourBits": f"{arrivals.bits:x}"}))


def watch(client: Any, chains: Sequence[Newest] = ()) -> SilenceWatch:
    arrivals, ends = DynamoArrivals(client, TABLE), DynamoEnds(client, TABLE)
    return SilenceWatch(arrivals, Chains([*chains]), DynamoHitTable(client, TABLE, 400), ends, finding_hits())


def follow_ups(client: Any) -> list[dict[str, Any]]:
    return [row for row in map(decode, client.scan(TableName=TABLE)["Items"]) if row["kind"] == "follow-up"]


def newest(end_hour: int) -> Newest:
    return Newest(Trail(HERE.account, HERE.region, "t", HERE.region), False, begin_of(end_hour), "b", "k")


def test_silence_is_told_once_and_its_end(table: Any) -> None:
    """A critical hit, closed by a follow-up to whoever was notified; a later silence is another one."""
    put_hours(table, BUSY, until(NOW))
    put_hours(table, HERE, until(FELL))
    for _ in range(3):
        watch(table).judge(text_of_hour(NOW))
    (hit,) = decoded_hits(table)
    assert (hit["name"], hit["level"], hit["account"], hit["region"]) == (
        *("audit-logs-silent", "critical"),
        *(HERE.account, HERE.region),
    )
    assert {"label": "last log file in the hour from", "value": text_of_hour(FELL)} in hit["shown"]
    assert follow_ups(table) == []

    put_hours(table, HERE, [*until(FELL), NOW])
    for _ in range(3):
        watch(table).judge(text_of_hour(NOW + 1))

    (row,) = follow_ups(table)
    said, about = read_follow_up(row)
    text = alert_document(Alert((about,), follow_ups=(said,), as_of=text_of_hour(NOW + 1)))["text"]
    assert about.name == "audit-logs-silent"
    assert may_be_followed_up(about)
    assert "It is over after 20 h" in text
    assert "log files come again" in text
    assert len(decoded_hits(table)) == 1
    ((_, state, _),) = (DynamoEnds(table, TABLE).act(about.account, about.event_id),)  # type: ignore[misc]
    assert state.word == "undone"


def test_silence_after_silence_is_another_one(table: Any) -> None:
    """Told anew, though what was told before has made the longest pause longer."""
    put_hours(table, BUSY, [*until(NOW), *range(NOW, NOW + 200)])
    put_hours(table, HERE, until(FELL))
    watch(table).judge(text_of_hour(NOW))
    put_hours(table, HERE, [*until(FELL), NOW])

    watch(table).judge(text_of_hour(NOW + 150))

    assert len(decoded_hits(table)) == 2
    assert len(follow_ups(table)) == 1


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 12))
def test_crash_anywhere_tells_once_and_ends_once(at: int, after: bool, table: Any) -> None:
    """Of the silence, and of its end."""
    put_hours(table, BUSY, until(NOW))
    put_hours(table, HERE, until(FELL))
    killing = Killing(table, at, after)
    for hours, now in ((until(FELL), NOW), ([*until(FELL), NOW], NOW + 1)):
        put_hours(table, HERE, hours)
        for _ in range(3):
            try:
                watch(killing).judge(text_of_hour(now))
            except KilledError:
                continue

    assert len(decoded_hits(table)) == 1
    assert len(follow_ups(table)) == 1
    assert DynamoArrivals(table, TABLE).told() == []


@pytest.mark.parametrize(
    ("chains", "told"),
    [([], 1), ([newest(NOW)], 0), ([newest(FELL)], 0), ([newest(FELL - 1)], 0), ([newest(FELL - 5)], 1)],
    ids=["no digests", "empty digests come", "stopped with it", "an hour before", "stopped long before"],
)
def test_digests_speak_for_their_account_and_region(chains: list[Newest], told: int, table: Any) -> None:
    """An empty digest proves that the trail lives, and one that is overdue is told sooner."""
    put_hours(table, BUSY, until(NOW))
    put_hours(table, HERE, until(FELL))

    watch(table, chains).judge(text_of_hour(NOW))

    assert len(decoded_hits(table)) == told


def test_nobody_is_silent_while_log_files_are_read_late(table: Any) -> None:
    """After an outage some are read before others; for a day, which whoever sends old ones again cannot make longer."""
    put_hours(table, BUSY, until(NOW))
    put_hours(table, HERE, until(FELL))
    late = DynamoArrivals(table, TABLE)
    late.arrived("8", "x", begin_of(NOW - 9), text_of_hour(NOW), asked_for=False)

    watch(table).judge(text_of_hour(NOW))
    assert decoded_hits(table) == []

    put_hours(table, BUSY, [*until(NOW), *range(NOW, NOW + 20)])
    now = text_of_hour(NOW + 20)
    DynamoArrivals(table, TABLE).arrived("8", "x", begin_of(NOW), now, asked_for=False)
    watch(table).judge(now)
    assert len(decoded_hits(table)) == 1


def test_somebody_who_closed_the_hit_is_left_alone(table: Any) -> None:
    """Whoever resolved it knows; the end is forgotten without a mail."""
    put_hours(table, BUSY, until(NOW))
    put_hours(table, HERE, until(FELL))
    watch(table).judge(text_of_hour(NOW))
    (hit,) = decoded_hits(table)
    state = {"pk": f"S#{hit['account']}#{hit['eventID']}", "sk": "act", "kind": "state", "state": "resolved"}
    members = {
        "version": 1,
        "by": "dana",
        "at": text_of_hour(NOW),
        "note": "closed account",
        "expiresAt": 9_999_999_999,
    }
    table.put_item(TableName=TABLE, Item=encode({**state, **members}))

    put_hours(table, HERE, [*until(FELL), NOW])
    watch(table).judge(text_of_hour(NOW + 1))

    assert follow_ups(table) == []
    assert DynamoArrivals(table, TABLE).told() == []


def test_hour_is_told_apart_from_its_minutes(table: Any) -> None:
    """The schedule comes at any minute."""
    put_hours(table, BUSY, until(NOW))
    put_hours(table, HERE, until(FELL))
    for minutes in (3, 59):
        moment = begin_of(NOW) + timedelta(minutes=minutes)
        watch(table).judge(f"{moment:%Y-%m-%dT%H:%M:%SZ}")

    assert len(decoded_hits(table)) == 1
