"""What is said later about an act: only what is news, once, and to whom it is one piece of news in one message."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.crash.aws import FakeDynamo
from tests.crash.faults import Faults, nothing
from trailbell.alerts.alert import Alert
from trailbell.alerts.mail import mail_text
from trailbell.flows.follow_ups import FollowUpNotifier, StreamFollowUp
from trailbell.flows.reminders import Reminders
from trailbell.hits.due import Due
from trailbell.hits.follow_up import FollowUp, What, still_news
from trailbell.hits.hit import ACT, Hit
from trailbell.hits.hit_state import ACKED, OPEN, RESOLVED, UNDONE, change_state
from trailbell.hits.reminders import DUE_KIND, TOO_LATE
from trailbell.hits.undoing import Undoing
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.dynamo import decode
from trailbell.store.follow_ups import FOLLOW_UP, KNOWN, DynamoFollowUps, follow_up_key
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.kept_hits import DynamoKeptHits
from trailbell.store.states import DynamoHitStates
from trailbell.store.tracking import DynamoTracking
from trailbell.text.times import iso_time


GivenHit = Callable[..., Hit]
ACTED = datetime.fromisoformat("2026-09-01T10:00:00Z")
DEADLINE = "2026-09-08 10:00:00 UTC"


def after(days: float) -> str:
    return iso_time(ACTED + timedelta(days=days))


@dataclass
class World:
    """Acts, what people make of them, and who says what about them later."""

    dynamo: FakeDynamo = field(default_factory=lambda: FakeDynamo(Faults(nothing)))
    sent: list[Alert] = field(default_factory=list)
    due: list[Due] = field(default_factory=list)
    now: str = after(0)

    def notify(self, alert: Alert) -> None:
        self.sent.append(alert)

    def failed(self, what: str, error: Exception) -> None:
        raise AssertionError(what) from error

    def add(self, due: Due) -> None:
        self.due.append(due)

    def keep(self, *hits: Hit) -> None:
        DynamoHitTable(self.dynamo, "hits", 400).keep(hits)
        DynamoTracking(self.dynamo, "hits", 400).track(hits, [])
        DynamoDeliveryRecords(self.dynamo, "hits", 400).record(hits)

    def undo(self, hit: Hit, word: str, days: float, by: str = "dana", call: str = "Undo") -> None:
        links = tuple((link, word) for link in hit.undo_links)
        undoing = Undoing(hit.account, f"u-{word}-{days}", after(days), call, by, by, links)
        DynamoTracking(self.dynamo, "hits", 400).track([hit], [undoing])

    def change(self, hit: Hit, action: str) -> None:
        states = DynamoHitStates(self.dynamo, "hits")
        state, change = change_state(states.read(hit.identity)[0], action, "eve", self.now)
        states.write(hit.identity, state, change, 2**40)

    def row(self, hit: Hit, name: str) -> dict[str, Any] | None:
        key = follow_up_key(hit.account, hit.event_id, name)
        item = self.dynamo.rows.get((key["pk"], key["sk"]))
        return decode(item) if item else None

    def remind(self, hit: Hit, name: str, days: float) -> None:
        """The clock does a due row when it was due."""
        hits, said = DynamoKeptHits(self.dynamo, "hits"), DynamoFollowUps(self.dynamo, "hits")
        self.now = after(days)
        assert Reminders(hits, said, self).judge(
            Due(self.now, DUE_KIND, f"{hit.account}/{hit.event_id}/{name}"), self.now
        )

    def deliver(self, found: Sequence[tuple[FollowUp, Hit]]) -> FollowUpNotifier:
        records = DynamoDeliveryRecords(self.dynamo, "hits", 400)
        stored = DynamoFollowUps(self.dynamo, "hits"), DynamoHitStates(self.dynamo, "hits")
        notifier = FollowUpNotifier(self, records, *stored, self, lambda: 0.0, lambda: self.now)
        entries = [StreamFollowUp(str(number), said, hit) for number, (said, hit) in enumerate(found)]
        assert notifier.notify(entries, [], 1.0) == []
        return notifier


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def given_act(given_hit: GivenHit) -> GivenHit:
    def make(number: int = 1, **members: Any) -> Hit:
        hit = replace(given_hit(eventID=f"e-{number}"), kept_as=ACT, event_time=after(0), undo_links=(f"l-{number}",))
        return replace(hit, **{"undo_until": DEADLINE, "undo": ("aws kms enable-key --key-id k",), **members})

    return make


def test_undo_of_a_resolved_act_is_known_and_never_sent(world: World, given_act: GivenHit) -> None:
    """Somebody has looked at it; when it is reopened later, the old undo is no news either."""
    act = given_act()
    world.keep(act)
    world.change(act, "resolve")
    world.undo(act, "undone", 1)
    row = world.row(act, "undone")
    assert row
    assert row["kind"] == KNOWN
    assert DynamoHitStates(world.dynamo, "hits").read(act.identity)[0].word == RESOLVED

    world.change(act, "reopen")
    world.undo(act, "undone", 2)
    world.undo(act, "undone", 0.5)  # read later, and the earlier one

    row = world.row(act, "undone")
    assert row
    assert (row["kind"], row["at"]) == (KNOWN, after(0.5))
    follow_ups = DynamoFollowUps(world.dynamo, "hits")
    assert follow_ups.of([act]) == []
    assert [said.at for said, _ in follow_ups.known([act])] == [after(0.5)]
    assert DynamoHitStates(world.dynamo, "hits").read(act.identity)[0].word == OPEN


def test_nothing_that_follows_an_undo_is_said(world: World, given_act: GivenHit) -> None:
    """What is undone cannot be stopped or replaced any more; what came before it may still be said."""
    act = given_act()
    world.keep(act)
    world.undo(act, "undone", 2)
    world.undo(act, "replaced", 3)
    world.undo(act, "stopped", 1)

    assert world.row(act, "replaced") is None
    stopped = world.row(act, "stopped")
    assert stopped
    assert stopped["kind"] == FOLLOW_UP


def test_later_word_that_waits_is_not_sent_after_an_undo_that_was_before_it(world: World, given_act: GivenHit) -> None:
    """The records came the other way round."""
    act = given_act()
    world.keep(act)
    world.undo(act, "replaced", 3)
    world.undo(act, "undone", 2)
    notifier = world.deliver(DynamoFollowUps(world.dynamo, "hits").of([act]))

    assert [alert.follow_ups[0].name for alert in world.sent] == ["undone"]
    assert (notifier.counters.sent, notifier.counters.skipped) == (1, 1)
    assert world.deliver(DynamoFollowUps(world.dynamo, "hits").of([act])).counters.known == 2


@pytest.mark.parametrize("closed", ["undone", "resolve"])
def test_closed_act_is_not_reminded_of_until_it_is_reopened(world: World, given_act: GivenHit, closed: str) -> None:
    """The clock asks again every six hours: whoever reopens a hit gets its reminder while there is time."""
    act = given_act()
    world.keep(act)
    if closed == "undone":
        world.undo(act, closed, 1)
    else:
        world.change(act, closed)
    world.remind(act, "reminder-24h", 6)
    assert world.row(act, "reminder-24h") is None
    assert [(due.due_at, due.id) for due in world.due] == [(after(6.25), f"{act.account}/e-1/reminder-24h")]

    world.change(act, "reopen")
    world.remind(act, "reminder-24h", 6.25)
    assert world.row(act, "reminder-24h")
    assert len(world.due) == 1


def test_closed_act_is_not_asked_about_for_ever(world: World, given_act: GivenHit) -> None:
    """Once the deadline is so near that no further reminder fits, it is done; so it is where there is none to come."""
    act = given_act()
    world.keep(act)
    world.change(act, "resolve")
    world.remind(act, "reminder-24h", 6.9)
    world.remind(act, TOO_LATE, 7)

    assert world.due == []
    assert world.row(act, TOO_LATE) is None


def test_clock_that_is_late_does_not_remind_of_what_is_over(world: World, given_act: GivenHit) -> None:
    """After an outage of days the deadline has passed: that is said, and nothing that contradicts it."""
    act = given_act()
    world.keep(act)
    world.remind(act, "reminder-24h", 8)
    world.remind(act, TOO_LATE, 8)

    assert world.row(act, "reminder-24h") is None
    assert world.row(act, TOO_LATE)
    assert world.due == []


def test_reminder_that_waited_is_not_sent_when_it_is_over(world: World, given_act: GivenHit) -> None:
    """It was written in time, and the notifier came too late, or somebody was faster."""
    act, another = given_act(1), given_act(2)
    world.keep(act, another)
    for one in (act, another):
        world.remind(one, "reminder-24h", 6)
    found = DynamoFollowUps(world.dynamo, "hits").of([act, another])
    world.change(another, "resolve")
    world.deliver(found[1:])
    assert world.sent == []
    world.now = after(7)
    world.deliver(found[:1])
    assert world.sent == []


def test_what_is_news(given_act: GivenHit) -> None:
    """As a table: a resolved act is nobody's news; reminders are for what is open, and in time."""
    hit = given_act()

    @given(
        st.sampled_from([*What]),
        st.sampled_from(["undone", "replaced", "stopped", "answered"]),
        st.sampled_from([OPEN, ACKED, RESOLVED, UNDONE]),
        st.sampled_from(["", after(1), after(3)]),
        st.sampled_from([after(6), after(7), after(8)]),
    )
    def is_as_in_the_table(what: What, word: str, state: str, undone_at: str, now: str) -> None:
        said = FollowUp(what, word, after(2), word=word if what is What.UNDONE else "")
        expected = {
            What.UNDONE: state != RESOLVED and (word == "undone" or undone_at in ("", after(3))),
            What.REMINDER: state in (OPEN, ACKED) and now == after(6),
            What.TOO_LATE: state in (OPEN, ACKED),
        }[what]

        assert still_news(said, hit, state, undone_at, now) is expected

    is_as_in_the_table()


def test_who_undoes_many_acts_is_one_message(world: World, given_act: GivenHit) -> None:
    """Forty acts by several people in several sessions, undone by one person with several calls."""
    acts = [given_act(number) for number in range(40)]
    acts = [replace(one, actor=replace(one.actor, key=f"a-{number % 3}")) for number, one in enumerate(acts)]
    world.keep(*acts)
    for number, act in enumerate(acts):
        undoing = Undoing(
            act.account,
            f"u-{number}",
            after(1),
            ("CancelKeyDeletion", "EnableKey")[number % 2],
            "role Admin, session dana" if number < 30 else "role Admin, session eve",
            f"session {number}",
            ((act.undo_links[0], "undone"),),
        )
        DynamoTracking(world.dynamo, "hits", 400).track([], [undoing])
    world.deliver(DynamoFollowUps(world.dynamo, "hits").of(acts))

    assert sorted(len(alert.hits) for alert in world.sent) == [10, 30]
    text = next(alert.text(30_000) for alert in world.sent if len(alert.hits) == 30)
    assert "(CancelKeyDeletion, EnableKey," in text.replace("\n", " ")
    assert "... and 20 more" in text


def test_reminder_has_the_undo_and_the_links_of_the_alert_itself(given_act: GivenHit) -> None:
    """Two tellings of one thing would drift apart."""
    acts = tuple(given_act(number, undo=(f"aws kms enable-key --key-id {number}",)) for number in (1, 2))
    said = tuple(FollowUp(What.REMINDER, "reminder-24h", after(6)) for _ in acts)
    text = Alert(acts, follow_ups=said, as_of=after(6.5), runbook="https://runbooks.example.com/{rule}").text(30_000)
    alert = mail_text(acts, as_of=after(6.5), runbook="https://runbooks.example.com/{rule}")

    for head in ("Undo (until", "Links"):
        section = next(one for one in alert.split("\n\n") if one.startswith(head))
        assert section in text
    assert "12 h left as of 2026-09-08 00:00:00" not in text
    assert "12 h left as of 2026-09-07 22:00:00 UTC" in text


def test_message_names_what_was_acted_upon(given_act: GivenHit) -> None:
    """The role that a call handed over is no key that was undone."""
    role, key = "arn:aws:iam::111122223333:role/r", "arn:aws:kms:us-east-1:111122223333:key/k"
    act = given_act(1, resources=(role, key), acted_on=(key,))
    said = FollowUp(What.UNDONE, "undone", after(1), word="undone", by="dana", event_name="EnableKey")
    text = Alert((act,), follow_ups=(said,)).text(30_000)

    assert key in text
    assert role not in text.partition("Links")[0]


@pytest.mark.parametrize(("until", "expected"), [("", False), (DEADLINE, True)])
def test_end_of_reminders_is_said_where_there_were_any(given_act: GivenHit, until: str, expected: bool) -> None:
    """An act without a deadline had none."""
    said = FollowUp(What.UNDONE, "undone", after(1), word="undone", by="dana", event_name="EnableKey")
    text = Alert((given_act(1, undo_until=until),), follow_ups=(said,)).text(30_000)

    assert ("No reminder of it will come any more." in text) is expected
