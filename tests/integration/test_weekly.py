"""The weekly report from a table as detector, notifier, clock and people leave it; and which keys are asked for it."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from trailbell.alerts.weekly import weekly_subject, weekly_text
from trailbell.cli.main import cli
from trailbell.engine.rulebook import Rulebook, RuleException, dump_rulebook
from trailbell.handlers import clock
from trailbell.hits.hit import ACT, Hit
from trailbell.hits.hit_state import change_state
from trailbell.hits.reminders import reminders_of
from trailbell.hits.undoing import Undoing
from trailbell.hits.week import Week, expiring
from trailbell.rulebook.canary import canary_rule
from trailbell.store.canaries import DynamoCanaries
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.due import DynamoDueRows
from trailbell.store.dynamo import write_all
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.rows import pointer_rows
from trailbell.store.states import DynamoHitStates
from trailbell.store.tracking import DynamoTracking
from trailbell.store.week import DynamoWeek


GivenHit = Callable[..., Hit]
SINCE, UNTIL, NOW = "2026-11-23", "2026-11-30", "2026-11-30T08:02:11Z"
DAY = "2026-11-25T10:00:00Z"
EXPIRES = 4_000_000_000


class Counting:
    """A DynamoDB client that counts requests, and the beginnings of the keys they name."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.requests = Counter[str]()
        self.keys: set[tuple[str, str]] = set()

    def query(self, **arguments: Any) -> Any:
        assert arguments["ConsistentRead"]
        self._count("Query", [arguments["ExpressionAttributeValues"][":pk"]["S"]])
        return self._client.query(**arguments)

    def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803 (boto3's name)
        ((_, request),) = RequestItems.items()
        self._count("BatchGetItem", [key["pk"]["S"] for key in request["Keys"]])
        return self._client.batch_get_item(RequestItems=RequestItems)

    def _count(self, action: str, partitions: list[str]) -> None:
        self.requests[action] += 1
        self.keys |= {(action, partition[:2]) for partition in partitions}


@pytest.fixture
def given_week(dynamodb: Any, table: str, given_hit: GivenHit) -> list[Hit]:
    """A busy week: two that wait (one of them of weeks before), undone, resolved, muted, replayed, undelivered ones."""

    def act(number: int, until: str = "", **members: Any) -> Hit:
        undo = ("aws kms cancel-key-deletion --key-id 1",) if until else ()
        given: dict[str, Any] = {"kept_as": ACT, "event_time": DAY, "undo": undo, "undo_until": until, **members}
        return given_hit(number, **given)

    old = act(1, "2026-12-10 09:00:00 UTC", event_time="2026-11-10T09:00:00Z", title="KMS Deletion Scheduled")
    passed = act(2, "2026-11-28 10:00:00 UTC", level="critical", title="HSM Backup Deleted")
    undone = act(3, "2026-12-02 10:00:00 UTC", undo_links=("link",))
    resolved, several = act(4), [act(number) for number in (5, 6)]
    muted = [act(number, muted_by="nightly", muted_owner="sre", muted_reason="r") for number in (7, 8)]
    replayed, undelivered = act(9, quiet=True), act(10, level="critical", title="Trail Deleted")
    once = act(11, kept_as="", once="2026-11-29-kms.amazonaws.com-X", event_time="2026-11-29T23:59:59Z", level="low")
    shared = act(12, shared_event_id="s-1")
    every = [old, passed, undone, resolved, *several, *muted, replayed, undelivered, once, shared]
    before, after = act(20, event_time="2026-11-22T23:59:59Z"), act(21, event_time="2026-11-30T00:00:00Z")

    DynamoHitTable(dynamodb, table, 400).keep([*every, before, after])
    due = DynamoDueRows(dynamodb, table)
    due.add_all([one for hit in (old, passed, undone) for one in reminders_of(hit, (24,), "2026-11-29T00:00:00Z")])
    records = DynamoDeliveryRecords(dynamodb, table, 400)
    for alert in ([old], [passed], [undone], [resolved], several, [once], [shared], [before]):
        records.record(alert)
    undo = Undoing(undone.account, "e-undo", "2026-11-25T10:12:00Z", "EnableKey", "omar", "omar", (("link", "undone"),))
    DynamoTracking(dynamodb, table, 400).track(every, [undo])
    states = DynamoHitStates(dynamodb, table)
    first, _ = states.read(resolved.identity)
    states.write(resolved.identity, *change_state(first, "resolve", "alice", "2026-11-25T11:00:00Z"), EXPIRES)
    canaries = DynamoCanaries(dynamodb, table)
    for hour, seconds in enumerate((240, 300, 280, 0), start=9):
        canaries.add(f"2026-11-24T{hour:02}", "sent", nonce="n", at=DAY)
        if seconds:
            canaries.add(f"2026-11-24T{hour:02}", "returned", at=DAY, seconds=seconds)
    canaries.add("2026-11-24T12", "reported", at=DAY)
    return every


def read(dynamodb: Any, table: str, **limits: int) -> Week:
    return DynamoWeek(dynamodb, table, **limits).read(SINCE, UNTIL, NOW)


TEXT = """\
The week 2026-11-23 to 2026-11-29 (UTC), as of 2026-11-30 08:02:11 UTC
table hits in eu-central-1

8 hits in 6 alerts.

Hits by level and rule
  critical: 2 hits, 1 alert
        1  HSM Backup Deleted
        1  Trail Deleted
  high: 5 hits, 4 alerts
        5  KMS Key Disabled
  low: 1 hit, 1 alert
        1  KMS Key Disabled

Open: 2 critical, 3 high, 1 low
  with a deadline, whichever week they are of:
    {passed}  critical HSM Backup Deleted, 111122223333 by role/Deploy
              until 2026-11-28 10:00:00 UTC: DEADLINE PASSED 1 d 22 h ago
    {old}  high KMS Deletion Scheduled, 111122223333 by role/Deploy
              until 2026-12-10 09:00:00 UTC: 10 d 57 min left

Undone, of this week's: 1
    {undone}  high KMS Key Disabled: after 12 min, by omar

Muted by exceptions: 2
        2  nightly (owner: sre)

Exceptions that expire within 30 days, or have expired: their hits are notified again
    2026-11-29 (expired)  old drill (owner: sre)
    2026-12-24  nightly (owner: sre)

Deliveries: 1 hit without a delivery record, the oldest of 2026-11-25 10:00:00 UTC
    trailbell undelivered --stack other lists them; those of the last 1 h may be gathered in a quiet period
    1 hit found by a replay of which nobody was to be notified
    How often one was deferred or failed and was tried again is not in the
    table: see the metrics HitsDeferred, HitsFailed and ChannelsFailed.

Canary: 4 sent, 3 came back, 1 reported as missing
    from act to publication: median 4 min 40 s, longest 5 min

All of it: trailbell hits --from 2026-11-23 --to 2026-11-29 --stack other
What is open: trailbell hits --open --from 2026-11-23 --to 2026-11-29 --stack other
This report again: trailbell weekly --until 2026-11-29 --stack other
"""


def exceptions() -> list[RuleException]:
    return [
        RuleException("nightly", "sre", "r", "2026-12-24", []),
        RuleException("nightly", "sre", "r", "2026-12-24", []),  # on another rule
        RuleException("old drill", "sre", "r", "2026-11-29", []),
        RuleException("far", "sre", "r", "2027-06-01", []),
    ]


def test_report_says_what_the_week_came_to(given_week: list[Hit], dynamodb: Any, table: str) -> None:
    """Every number by hand: what waits, what was undone, what was muted by what, and what nobody heard of."""
    week = read(dynamodb, table)

    old, passed, undone = (hit.short_id for hit in given_week[:3])
    text = weekly_text(
        week, expiring(exceptions(), "2026-11-30"), place="table hits in eu-central-1", where="--stack other"
    )
    assert text == TEXT.format(old=old, passed=passed, undone=undone)
    assert weekly_subject(week) == (
        "trailbell: 2026-11-23 to 2026-11-29: 8 hits, 2 open with a deadline, 1 not delivered"
    )


def test_quiet_week_is_a_report_too(dynamodb: Any, table: str) -> None:
    """That nothing happened, and that the alerter would have said so, is the news."""
    text = weekly_text(read(dynamodb, table), [])

    assert "No hits." in text
    assert "Open: none of this week" in text
    assert "every hit was delivered" in text
    assert "Canary: none was sent." in text


def test_report_of_more_than_it_reads_says_so(given_week: list[Hit], dynamodb: Any, table: str) -> None:
    """Bounds protect the clock; a number that is too small must not look exact."""
    text = weekly_text(read(dynamodb, table, max_hits=4, max_read=1), [])

    assert "at least " in text
    assert "More hits than are counted here" in text
    assert "exceptions that were not looked up" in weekly_text(read(dynamodb, table, max_read=1), [])


def test_pointer_without_a_hit_is_none(given_week: list[Hit], given_hit: GivenHit, dynamodb: Any, table: str) -> None:
    """A detector broke off between the two, or another one overtook it: `trailbell hits` does not count it either."""
    before = read(dynamodb, table)
    broken_off = given_hit(30, kept_as=ACT, event_time=DAY, level="critical")
    write_all(dynamodb, table, pointer_rows(broken_off, EXPIRES))

    assert read(dynamodb, table) == before


def test_clock_may_read_what_the_report_needs(given_week: list[Hit], dynamodb: Any, table: str) -> None:
    """infra/clock.py grants these beginnings of keys; one more is refused in AWS alone, on a Monday."""
    counting = Counting(dynamodb)

    DynamoWeek(counting, table).read(SINCE, UNTIL, NOW)

    assert counting.keys == {
        ("Query", "T#"),
        ("Query", "D#"),
        *(("BatchGetItem", key) for key in ("H#", "S#", "N#", "K#")),
    }
    assert counting.requests["Query"] == 7 * 4 + 31 * 24 + 1
    assert counting.requests["BatchGetItem"] < 20


@pytest.fixture
def sent(given_week: list[Hit], table: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    """The clock's handler on Mondays; what is returned gives the messages that operations got."""
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic, url = sns.create_topic(Name="operations")["TopicArn"], sqs.create_queue(QueueName="operations")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    rule = replace(canary_rule(), exceptions=tuple(exceptions()))
    rulebook = tmp_path / "rulebook.json"
    rulebook.write_text(dump_rulebook(Rulebook((rule,))), encoding="utf-8")
    for name, value in {
        "TRAILBELL_TABLE": table,
        "TRAILBELL_OPERATIONS_TOPIC_ARN": topic,
        "TRAILBELL_CANARY_QUEUE_URL": sqs.create_queue(QueueName="canaries")["QueueUrl"],
        "TRAILBELL_CANARY_MINUTES": "0",
        "TRAILBELL_REPORT_DAY": "monday",
        "TRAILBELL_RULEBOOK": str(rulebook),
        "TRAILBELL_WHERE": "--local",
        "AWS_REGION": "eu-central-1",
        "POWERTOOLS_METRICS_NAMESPACE": "trailbell",
    }.items():
        monkeypatch.setenv(name, value)
    clock._parts.cache_clear()

    def receive() -> list[dict[str, Any]]:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ())
        bodies = [json.loads(message["Body"]) for message in found]
        return [body for body in bodies if " to 2026-" in body["Subject"]]

    yield receive
    clock._parts.cache_clear()


def test_clock_sends_the_report_once_a_week_and_what_was_missed_in_one(sent: Any, table: str) -> None:
    """Nothing on the first run of all; then one each Monday from 08:00 on, and one for three that were missed."""
    for now in ("2026-11-24T12:00:00Z", "2026-11-30T07:59:00Z"):
        clock.handler({"time": now}, None)
    assert sent() == []

    for now in ("2026-11-30T08:02:11Z", "2026-11-30T08:07:11Z", "2026-12-06T23:59:00Z"):
        clock.handler({"time": now}, None)
    (first,) = sent()
    clock.handler({"time": "2026-12-23T10:00:00Z"}, None)
    (second,) = sent()

    assert first["Subject"] == "trailbell: 2026-11-23 to 2026-11-29: 8 hits, 2 open with a deadline, 1 not delivered"
    assert "2026-12-24  nightly (owner: sre)" in first["Message"]
    assert second["Subject"].startswith("trailbell: 2026-11-30 to 2026-12-20: 1 hit")
    assert second["Message"].startswith("The 21 days 2026-11-30 to 2026-12-20 (UTC)")
    assert "This report again: trailbell weekly --until 2026-12-20 --days 21 --local" in second["Message"]
    assert f"table {table} in eu-central-1" in second["Message"]


def test_command_prints_the_same(given_week: list[Hit], dynamodb: Any, table: str) -> None:
    """Whoever was on holiday on Monday."""
    result = CliRunner().invoke(cli, ["weekly", "--until", "2026-11-29", "--table", table], catch_exceptions=False)
    shown = result.stdout.partition("\n\n")[2]
    now = datetime.now(UTC) - timedelta(seconds=5)

    assert result.exit_code == 0
    assert shown.startswith("The week 2026-11-23 to 2026-11-29 (UTC), as of ")
    if now.date().isoformat() >= UNTIL:
        assert TEXT.partition("Open:")[0].split("\n", 1)[1] in shown
    assert "Exceptions: " in shown
