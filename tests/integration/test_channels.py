"""The chat topic and the event bus get what their readers take, and the table is asked what else an actor did."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

import boto3
import pytest
from moto.events.utils import EventTemplateParser

from trailbell.alerts.alert import Alert, alert_document
from trailbell.alerts.channels.bus import DETAIL_TYPE, OCSF_DETAIL_TYPE, SOURCE, EventBus
from trailbell.alerts.channels.chat import SnsChatTopic, chat_message
from trailbell.alerts.ocsf import ocsf_findings
from trailbell.engine.rulebook import Level
from trailbell.errors import ChannelError
from trailbell.hits.hit import Hit
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.related_hits import DynamoRelatedHits


GivenHit = Callable[..., Hit]
Receive = Callable[[], list[dict[str, Any]]]
LIMIT = 256 * 1024
"""Of an entry of an event bus."""


class RecordingClient:
    """A DynamoDB client that counts queries and the rows they read."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.queries: list[dict[str, Any]] = []
        self.rows = 0

    def query(self, **request: Any) -> Any:
        self.queries.append(request)
        answer = self._client.query(**request)
        self.rows += answer["ScannedCount"]
        return answer


@pytest.fixture
def client(dynamodb: Any) -> RecordingClient:
    return RecordingClient(dynamodb)


@pytest.fixture
def related(client: RecordingClient, table: str) -> DynamoRelatedHits:
    return DynamoRelatedHits(client, table)


@pytest.fixture
def kept(dynamodb: Any, table: str) -> Callable[..., None]:
    """Keep hits as the detector does."""

    def keep(*hits: Hit) -> None:
        DynamoHitTable(dynamodb, table, 400).keep(hits)

    return keep


@pytest.fixture
def bus_inbox(aws: None) -> Receive:
    """A queue that a rule of the bus `trailbell` fills; what is returned empties it of its events."""
    events, sqs = boto3.client("events"), boto3.client("sqs")
    events.create_event_bus(Name="trailbell")
    url = sqs.create_queue(QueueName="automation")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": [SOURCE], "detail-type": [DETAIL_TYPE], "detail": {"level": ["high", "critical"]}}
    events.put_rule(Name="severe", EventBusName="trailbell", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="severe", EventBusName="trailbell", Targets=[{"Id": "q", "Arn": arn}])

    def receive() -> list[dict[str, Any]]:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    return receive


def test_chat_topic_gets_the_custom_notification_alone(
    topic_arn: str, subscribe: Callable[..., Receive], given_hit: GivenHit
) -> None:
    """Amazon Q Developer reads the message as it is; the attributes stay for filters."""
    receive, alert = subscribe(), Alert((given_hit(),))

    SnsChatTopic(boto3.client("sns"), topic_arn, Level.MEDIUM).notify(alert)

    (envelope,) = receive()
    assert json.loads(envelope["Message"]) == chat_message(alert)
    assert {name: value["Value"] for name, value in envelope["MessageAttributes"].items()} == {
        "level": "high",
        "service": "kms",
        "account": "111122223333",
        "rule": "kms-key-disabled",
    }


@pytest.mark.parametrize(("level", "expected"), [("low", False), ("medium", True), ("critical", True)])
def test_chat_is_told_from_its_level_on(given_hit: GivenHit, level: str, expected: bool) -> None:
    """A chat that is told of everything is muted by its readers."""
    assert SnsChatTopic(None, "arn", Level.MEDIUM).wants(Alert((given_hit(level=level),))) is expected


def test_event_bus_gets_the_alert_as_queues_do(bus_inbox: Receive, given_hit: GivenHit) -> None:
    """Rules of automation select on these members (docs/channels.md)."""
    alert = Alert((given_hit(1), given_hit(2)))

    with mock.patch.object(EventTemplateParser, "parse", lambda *, event, **_: event):  # wants jsonpath-ng
        EventBus(boto3.client("events"), "trailbell").notify(alert)
        EventBus(boto3.client("events"), "trailbell").notify(Alert((given_hit(3, level="low"),)))

    (event,) = bus_inbox()
    assert (event["source"], event["detail-type"]) == ("trailbell", "Trailbell Alert")
    assert event["resources"] == list(given_hit().resources)
    assert event["detail"] == json.loads(json.dumps(alert_document(alert)))


class RefusingEvents:
    """An EventBridge client that takes a request and refuses the entry, as a throttled one does."""

    def put_events(self, **_: Any) -> dict[str, Any]:
        return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}]}


def test_entry_that_the_bus_refuses_is_raised(given_hit: GivenHit) -> None:
    """PutEvents answers 200 even then; who does not look has lost the event."""
    with pytest.raises(ChannelError, match="ThrottlingException: slow down"):
        EventBus(RefusingEvents(), "trailbell").notify(Alert((given_hit(),)))


class RecordingEvents:
    """An EventBridge client that remembers the entry."""

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 (the API's name)
        (self.entry,) = Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}

    def bytes_sent(self) -> int:
        entry = self.entry
        return sum(
            len(text.encode()) for text in (entry["Source"], entry["DetailType"], entry["Detail"], *entry["Resources"])
        )


@pytest.mark.parametrize("name", ['"\\' * 500, "\U000e0001" * 1100, "🔑" * 1090, "x" * 2100])
def test_storm_of_hostile_names_fits_into_one_entry(given_hit: GivenHit, name: str) -> None:
    """An entry that is too large is refused however often it is tried."""
    names = tuple(f"arn:aws:ssm:us-east-1:1:document/{number}{name}" for number in range(50))
    events = RecordingEvents()

    EventBus(events, "trailbell").notify(Alert(tuple(given_hit(number, resources=names) for number in range(300))))

    assert events.bytes_sent() < LIMIT
    assert json.loads(events.entry["Detail"])["count"] == 300
    assert len(events.entry["Resources"]) <= 10


def test_event_bus_in_the_form_of_ocsf_gets_a_finding_for_each_hit(bus_inbox: Receive, given_hit: GivenHit) -> None:
    """A finding has one uid through its life, which an alert of several hits could not keep."""
    events, alert = boto3.client("events"), Alert((given_hit(1), given_hit(2)))
    events.put_rule(
        Name="severe",
        EventBusName="trailbell",
        EventPattern=json.dumps({"source": [SOURCE], "detail-type": [OCSF_DETAIL_TYPE]}),
    )

    with mock.patch.object(EventTemplateParser, "parse", lambda *, event, **_: event):  # wants jsonpath-ng
        EventBus(events, "trailbell", "ocsf").notify(alert)
        EventBus(events, "trailbell").notify(alert)  # of another detail-type

    received = bus_inbox()
    assert [event["detail"] for event in received] == json.loads(json.dumps(list(ocsf_findings(alert))))
    assert [event["resources"] for event in received] == [list(hit.resources) for hit in alert.hits]
    assert {event["detail"]["metadata"]["correlation_uid"] for event in received} == {alert_document(alert)["alertId"]}


class Batches:
    """An EventBridge client that remembers its requests, and refuses the entries whose detail holds a text."""

    def __init__(self, refuse: str = "nothing") -> None:
        self.requests: list[list[dict[str, Any]]] = []
        self._refuse = refuse

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 (the API's name)
        self.requests.append(Entries)
        slow = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}
        answers = [slow if self._refuse in entry["Detail"] else {"EventId": "1"} for entry in Entries]
        return {"FailedEntryCount": sum("ErrorCode" in one for one in answers), "Entries": answers}


@pytest.mark.parametrize("name", ['"\\' * 500, "\U000e0001" * 1100, "🔑" * 1090, "x"])
def test_storm_of_findings_keeps_to_what_the_bus_takes_at_once(given_hit: GivenHit, name: str) -> None:
    """Ten entries and 256 KB; a request beyond is refused as a whole."""
    names = tuple(f"arn:aws:ssm:us-east-1:1:document/{number}{name}" for number in range(60))
    client, hits = Batches(), tuple(given_hit(number, resources=names) for number in range(25))

    EventBus(client, "trailbell", "ocsf", clock=lambda: 0.0).notify(Alert(hits))

    sent = [entry for request in client.requests for entry in request]
    uids = [json.loads(entry["Detail"])["metadata"]["uid"] for entry in sent]
    assert uids == [hit.hit_id for hit in hits]
    for request in client.requests:
        assert len(request) <= 10
        assert sum(len(text.encode()) for entry in request for text in _texts(entry)) < LIMIT
    if name == "x":
        assert [len(request) for request in client.requests] == [10, 10, 5]


def _texts(entry: dict[str, Any]) -> list[str]:
    return [entry["Source"], entry["DetailType"], entry["Detail"], *entry["Resources"]]


def test_refused_findings_are_counted_and_named(given_hit: GivenHit) -> None:
    """The others of the same request were taken."""
    hits = tuple(map(given_hit, range(12)))

    with pytest.raises(ChannelError) as caught:
        EventBus(Batches(refuse=hits[11].event_id), "trailbell", "ocsf").notify(Alert(hits))

    assert str(caught.value) == f"event bus: 1 of 12: {hits[11].hit_id}: ThrottlingException: slow down"


def at(time: str, **members: Any) -> dict[str, Any]:
    return {"event_time": time, **members}


def test_related_hits_are_the_actors_of_the_day_before(
    related: DynamoRelatedHits, kept: Callable[..., None], given_hit: GivenHit
) -> None:
    """What somebody did an hour ago makes the difference between a mistake and an attack."""
    now = given_hit(1, **at("2026-09-15T10:00:00Z"))
    kept(
        now,
        given_hit(2, **at("2026-09-15T09:00:00Z", title="KMS Alias Moved", level="medium", event_name="UpdateAlias")),
        given_hit(3, **at("2026-09-14T10:00:01Z", muted_by="planned")),
        given_hit(4, **at("2026-09-14T09:59:59Z")),
        given_hit(5, **at("2026-09-15T10:00:01Z")),
        given_hit(6, actor="arn:aws:iam::111122223333:role/Other", **at("2026-09-15T09:30:00Z")),
    )

    found = related.before(Alert((now,)))

    assert [hit.hit_id for hit in found.hits] == [given_hit(2).hit_id, given_hit(3).hit_id]
    assert (found.more, found.note) == (False, "")
    first = found.hits[0]
    assert (first.event_time, first.title, first.level) == ("2026-09-15T09:00:00Z", "KMS Alias Moved", "medium")
    assert (first.event_name, first.service) == ("UpdateAlias", "kms")


def test_related_hits_of_a_dedup_window_have_their_own_time_and_place(
    related: DynamoRelatedHits, kept: Callable[..., None], given_hit: GivenHit
) -> None:
    """Their pointers stand at midnight: shown so, a probe of 9:45 would be the day's first act, or none of it."""
    once = {"once": "2026-09-15-kms-X", "rule_id": "probe"}
    now = given_hit(1, **at("2026-09-15T10:00:00Z"))
    probe = given_hit(3, **at("2026-09-15T09:45:00Z", **once))
    yesterday = given_hit(4, **at("2026-09-14T15:00:00Z", **once | {"once": "2026-09-14-kms-X"}))
    kept(now, probe, yesterday)
    kept(
        given_hit(2, **at("2026-09-15T09:00:00Z")),
        given_hit(5, **at("2026-09-14T09:00:00Z", **once | {"once": "2026-09-14-kms-Y"})),
        given_hit(6, **at("2026-09-15T10:30:00Z", **once | {"once": "2026-09-15-kms-Z"})),
    )

    found = related.before(Alert((now,)))

    assert [(one.hit_id, one.event_time) for one in found.hits] == [
        (probe.hit_id, "2026-09-15T09:45:00Z"),
        (given_hit(2).hit_id, "2026-09-15T09:00:00Z"),
        (yesterday.hit_id, "2026-09-14T15:00:00Z"),
    ]
    assert not found.more


def test_related_hits_are_found_across_the_turn_of_a_month(
    related: DynamoRelatedHits, client: RecordingClient, kept: Callable[..., None], given_hit: GivenHit
) -> None:
    """Pointers stand by month; the night of the first needs two queries, all others one."""
    now = given_hit(1, **at("2026-10-01T01:00:00Z"))
    kept(given_hit(2, **at("2026-09-30T23:00:00Z")), given_hit(3, **at("2026-10-01T00:30:00Z")))

    found = related.before(Alert((now,)))

    assert [hit.event_time for hit in found.hits] == ["2026-10-01T00:30:00Z", "2026-09-30T23:00:00Z"]
    assert len(client.queries) == 2


def test_busy_actor_costs_one_small_query(
    related: DynamoRelatedHits, client: RecordingClient, kept: Callable[..., None], given_hit: GivenHit
) -> None:
    """Sixty earlier hits must not be read for one mail."""
    now = given_hit(999, **at("2026-09-15T10:00:00Z"))
    kept(*(given_hit(number, **at(f"2026-09-15T09:{number // 60:02}:{number % 60:02}Z")) for number in range(60)))

    found = related.before(Alert((now,)))

    assert (len(client.queries), client.rows) == (1, 25)
    assert (len(found.hits), found.more) == (20, True)
    assert found.hits[0].event_time == "2026-09-15T09:00:59Z"


def test_alerts_own_hits_are_not_related_to_it(
    related: DynamoRelatedHits, kept: Callable[..., None], given_hit: GivenHit
) -> None:
    """A burst within a second is told by its count."""
    burst = [given_hit(number, **at("2026-09-15T10:00:00Z")) for number in range(5)]
    kept(*burst, given_hit(7, **at("2026-09-15T09:59:59Z")))

    assert [hit.hit_id for hit in related.before(Alert(tuple(burst))).hits] == [given_hit(7).hit_id]


def test_first_days_of_the_calendar_are_an_error_not_a_wrong_answer(
    related: DynamoRelatedHits, given_hit: GivenHit
) -> None:
    """Nothing is before them; the flow says so and goes on."""
    with pytest.raises(OverflowError):
        related.before(Alert((replace(given_hit(), event_time="0001-01-01T00:00:00Z"),)))
