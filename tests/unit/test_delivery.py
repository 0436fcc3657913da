"""Everybody is told of an alert, and what it does not depend on neither stops nor delays it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from trailbell.alerts.alert import Alert
from trailbell.flows.delivery import MAX_LOOKUPS, Delivery
from trailbell.flows.rate_limit import RateLimit
from trailbell.hits.hit import Hit
from trailbell.hits.related import Related, RelatedHit


GivenHit = Callable[..., Hit]
EARLIER = Related((RelatedHit("1/2/3", "2026-09-01T09:00:00Z", "KMS Alias Moved", "high", "kms", "UpdateAlias"),))


@dataclass
class FakeReader:
    """The alert topic, or another reader. `fails` says how often before it works."""

    name: str = "topic"
    fails: int = 0
    notified: list[Alert] = field(default_factory=list)
    order: list[str] = field(default_factory=list)

    def wants(self, alert: Alert) -> bool:
        return alert.sample.level != "low"

    def notify(self, alert: Alert) -> None:
        self.order.append(self.name)
        if self.fails:
            self.fails -= 1
            raise TimeoutError(f"{self.name} is down")
        self.notified.append(alert)


@dataclass
class FakeRelated:
    fails: bool = False
    seconds: float = 0.0
    clock: float = 0.0
    asked: int = 0

    def before(self, alert: Alert) -> Related:
        self.asked += 1
        self.clock += self.seconds
        if self.fails:
            raise OverflowError("date value out of range")
        return EARLIER


@dataclass
class FakeJournal:
    lines: list[str] = field(default_factory=list)

    def dropped(self, what: str, error: Exception) -> None:
        self.lines.append(f"{what}: {error}")


def given_delivery(
    topic: FakeReader, related: FakeRelated, *channels: FakeReader, event_log: FakeJournal | None = None
) -> Delivery:
    clock = lambda: related.clock  # noqa: E731 (a clock that the fake moves)
    rate_limit = RateLimit(sleep=lambda seconds: None)
    return Delivery(
        topic, related, channels, event_log or FakeJournal(), rate_limit, "https://r.example.com/{rule}", clock
    )


def alerts(given_hit: GivenHit, count: int) -> list[Alert]:
    return [Alert((given_hit(eventID=f"e-{number}"),)) for number in range(count)]


def test_everybody_is_told_the_topic_first(given_hit: GivenHit) -> None:
    """What the topic refuses comes back, and must not have been told in the chat ten times by then."""
    order: list[str] = []
    topic, chat, bus = (FakeReader(name, order=order) for name in ("topic", "chat", "bus"))
    delivery = given_delivery(topic, FakeRelated(), chat, bus)

    delivery.notify(Alert((given_hit(),)))

    assert order == ["topic", "chat", "bus"]
    (notified,) = topic.notified
    assert notified.related == EARLIER
    assert notified.runbook == "https://r.example.com/{rule}"
    assert chat.notified == bus.notified == [notified]
    assert (delivery.counters.channels_notified, delivery.counters.channels_failed, delivery.counters.related_read) == (
        2,
        0,
        1,
    )


def test_topic_that_refuses_is_raised_and_nobody_else_is_told(given_hit: GivenHit) -> None:
    """The stream brings the hits back; the other readers are told then."""
    chat = FakeReader("chat")
    delivery = given_delivery(FakeReader(fails=1), FakeRelated(), chat)

    with pytest.raises(TimeoutError):
        delivery.notify(Alert((given_hit(),)))

    assert chat.notified == []


def test_reader_that_fails_stops_neither_topic_nor_the_other_reader(given_hit: GivenHit) -> None:
    """A chat that is down must not tell the mail again and again, nor hold up what comes after."""
    topic, chat, bus, event_log = FakeReader(), FakeReader("chat", fails=1), FakeReader("bus"), FakeJournal()
    delivery = given_delivery(topic, FakeRelated(), chat, bus, event_log=event_log)

    for alert in alerts(given_hit, 2):
        delivery.notify(alert)

    assert [len(one.notified) for one in (topic, chat, bus)] == [2, 1, 2]
    assert (delivery.counters.channels_notified, delivery.counters.channels_failed) == (3, 1)
    assert event_log.lines == ["chat of alert 111122223333/e-0/act: chat is down"]


def test_reader_that_failed_twice_is_left_alone_and_every_alert_it_misses_is_counted(given_hit: GivenHit) -> None:
    """Time-outs of a reader add up to the function's; nothing it misses may be lost in silence."""
    topic, chat, event_log = FakeReader(), FakeReader("chat", fails=99), FakeJournal()
    delivery = given_delivery(topic, FakeRelated(), chat, event_log=event_log)

    for alert in alerts(given_hit, 5):
        delivery.notify(alert)

    assert chat.order == ["chat", "chat"]
    assert (len(topic.notified), delivery.counters.channels_failed, len(event_log.lines)) == (5, 5, 5)
    assert event_log.lines[-1].endswith("chat failed 2 times in this batch")


def test_reader_is_told_what_it_wants(given_hit: GivenHit) -> None:
    """A chat that asked for high is not told of low."""
    chat = FakeReader("chat")
    delivery = given_delivery(FakeReader(), FakeRelated(), chat)

    delivery.notify(Alert((replace(given_hit(), level="low"),)))

    assert chat.notified == []
    assert delivery.counters.channels_failed == 0


def test_alert_goes_out_when_related_hits_cannot_be_read(given_hit: GivenHit) -> None:
    """Whatever goes wrong, it is said in the mail and counted, and not tried again in this batch."""
    topic, related, event_log = FakeReader(), FakeRelated(fails=True), FakeJournal()
    delivery = given_delivery(topic, related, event_log=event_log)

    for alert in alerts(given_hit, 3):
        delivery.notify(alert)

    notes = [alert.related.note for alert in topic.notified if alert.related]
    assert notes == ["could not be read; the alert did not wait"] * 3
    assert related.asked == len(event_log.lines) == 1
    assert (delivery.counters.related_failed, delivery.counters.related_skipped) == (1, 2)


def test_storm_does_not_become_queries(given_hit: GivenHit) -> None:
    """A thousand alerts at once, and the table that is written at that moment is asked 25 times."""
    topic, related = FakeReader(), FakeRelated()
    delivery = given_delivery(topic, related)

    for alert in alerts(given_hit, MAX_LOOKUPS + 10):
        delivery.notify(alert)

    assert related.asked == MAX_LOOKUPS
    assert (delivery.counters.related_read, delivery.counters.related_skipped) == (MAX_LOOKUPS, 10)
    assert topic.notified[-1].related == Related(note="not looked up; many alerts came at once")


def test_slow_table_costs_a_batch_a_few_seconds_at_most(given_hit: GivenHit) -> None:
    """Twenty-five look-ups of two seconds each would be the function's minute."""
    related = FakeRelated(seconds=2.0)
    delivery = given_delivery(FakeReader(), related)

    for alert in alerts(given_hit, 10):
        delivery.notify(alert)

    assert related.asked == 3
    assert delivery.counters.related_skipped == 7


def test_nobody_asks_what_else_many_actors_or_a_service_did(given_hit: GivenHit) -> None:
    """There is no one actor, or one whose hits have nothing to do with each other."""
    topic, related = FakeReader(), FakeRelated()
    delivery = given_delivery(topic, related)
    hit = given_hit()
    other = replace(hit, actor=replace(hit.actor, key="other"))
    service = replace(hit, actor=replace(hit.actor, kind="service", key="svc:AWS Internal"))

    delivery.notify(Alert((hit, other)))
    delivery.notify(Alert((service,)))

    assert [alert.related for alert in topic.notified] == [None, None]
    assert related.asked == 0
