"""One act, one alert: whatever rulebooks the deliveries of the same records are read with, and in whatever order."""

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.crash.aws import FakeDynamo
from tests.crash.faults import Faults, nothing
from tests.unit.conftest import RULE
from trailbell.alerts.alert import Alert
from trailbell.engine.rulebook import Level, Rule, Rulebook, RuleException
from trailbell.flows.notifier import Notifier
from trailbell.handlers.notifier import new_hits
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Hit
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.hit_table import DynamoHitTable


SEEN = "2026-09-01T09:18:57Z"
ANYTHING: list[Any] = ["not", ["field", "userAgent", ["eq", "nobody"]]]
MUTE = RuleException("quiet", "ops@example.com", "it tests", "2999-12-31", ANYTHING)

counted = {"histories": 0, "deliveries": 0}


@pytest.fixture(scope="module", autouse=True)
def _say_how_many() -> Iterator[None]:
    """How many histories were played, and that they were: a property that is never tried protects nothing."""
    yield
    sys.stdout.write(f"one act: {counted['histories']} histories, {counted['deliveries']} deliveries\n")
    assert counted["deliveries"] >= counted["histories"]


@st.composite
def rulebooks(draw: st.DrawFn) -> tuple[Rule, ...]:
    """One to three rules about the same call, under ids that come and go, at any level, under an exception or not."""
    names = draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True))
    return tuple(
        replace(
            RULE,
            rule_id=f"id-{name}",
            name=f"rule-{name}",
            level=draw(st.sampled_from([Level.LOW, Level.MEDIUM, Level.HIGH, Level.CRITICAL])),
            precedence=draw(st.integers(0, 1)),
            exceptions=(MUTE,) if draw(st.integers(0, 3)) == 0 else (),
        )
        for name in names
    )


def record(number: int) -> dict[str, Any]:
    return {
        **BASE_RECORD,
        "eventSource": "kms.amazonaws.com",
        "eventName": "DisableKey",
        "eventID": f"e-{number}",
        # Two acts are recorded by two accounts each.
        **({"sharedEventID": f"s-{number // 2}"} if number < 4 else {}),
        **({"recipientAccountId": "444455556666"} if number in (1, 3) else {}),
    }


def act_of(hit: Hit) -> str:
    return hit.shared_event_id or hit.event_id


@dataclass
class Chain:
    """Detector and notifier on one table, with rulebooks that change between deliveries."""

    dynamo: FakeDynamo = field(default_factory=lambda: FakeDynamo(Faults(nothing)))
    alerts: list[Alert] = field(default_factory=list)
    given: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def notify(self, alert: Alert) -> None:
        self.alerts.append(alert)

    def failed(self, what: str, error: Exception) -> None:
        raise AssertionError(what) from error

    def detect(self, number: int, rules: Sequence[Rule], before: bool) -> Hit | None:
        """before: as a version before would have kept it, under the id of its rule."""
        hit = HitDetector(Rulebook(tuple(rules))).detect_record(record(number), SEEN)
        if hit and before:
            hit = replace(hit, kept_as="")
        if hit:
            DynamoHitTable(self.dynamo, "hits", 400).keep([hit])
        return hit

    def deliver(self, shard: int) -> None:
        """Give the notifier what the stream holds and it has not had, and what it had just before once more."""
        changes = self.dynamo.shards[shard][max(self.given[shard] - 2, 0) :]
        self.given[shard] = len(self.dynamo.shards[shard])
        notifier = Notifier(self, DynamoDeliveryRecords(self.dynamo, "hits", 400), self, lambda: SEEN)
        failed, counters = notifier.notify(new_hits({"Records": changes}))
        assert failed == []
        assert counters.balanced


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("detect"), st.integers(0, 5), rulebooks()),
        st.tuples(st.just("deliver"), st.integers(0, 1), st.just(())),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=1500, deadline=None)
@given(STEPS, st.integers(0, 6))
def test_no_act_is_notified_twice_as_new(steps: list[tuple[str, int, tuple[Rule, ...]]], before: int) -> None:
    """An exception that expires, a rule renamed or made stronger between two deliveries pages nobody again; a stronger
    verdict is a follow-up, each time by a graver level. What versions before kept and delivered is honoured.
    """
    chain, levels = Chain(), defaultdict[str, list[Level]](list)
    kept = set[int]()
    for position, (step, number, rules) in enumerate(steps):
        if step == "deliver":
            chain.deliver(number)
            continue
        old = position < before and number > 3 and number not in kept
        kept.add(number)
        if hit := chain.detect(number, rules, before=old):
            levels[act_of(hit)].append(hit.severity)
            counted["deliveries"] += 1
    for shard in (0, 1):
        chain.deliver(shard)
    counted["histories"] += 1

    notified = defaultdict[str, list[Hit]](list)
    for alert in chain.alerts:
        for hit in alert.hits:
            notified[act_of(hit)].append(hit)
    for act, hits in notified.items():
        assert [hit.raised_from for hit in hits].count("") == 1, f"{act} was notified of twice as new"
        for earlier, later in pairwise(hits):
            assert later.raised_from, "a follow-up says what it raises"
            assert later.severity > Level[later.raised_from.upper()]
            assert earlier.hit_id != later.hit_id
        assert max(hit.severity for hit in hits) <= max(levels[act])


def test_graver_verdict_found_later_is_a_follow_up() -> None:
    """The rule was made stronger between two deliveries: it is said, once, and not as a new act."""
    chain = Chain()
    mild, grave = replace(RULE, level=Level.MEDIUM), replace(RULE, level=Level.CRITICAL, rule_id="other", name="graver")
    for rules in ([mild], [grave], [grave], [mild]):
        chain.detect(5, rules, before=False)
        for shard in (0, 1):
            chain.deliver(shard)

    said = [(alert.sample.level, alert.sample.raised_from, alert.sample.raised_from_rule) for alert in chain.alerts]
    assert said == [("medium", "", ""), ("critical", "medium", "kms-key-disabled")]


def test_act_that_a_version_before_delivered_pages_nobody_again() -> None:
    """Its row is kept under the id of a rule that is gone."""
    chain = Chain()
    chain.detect(5, [replace(RULE, rule_id="gone")], before=True)
    for shard in (0, 1):
        chain.deliver(shard)
    chain.detect(5, [RULE], before=False)
    for shard in (0, 1):
        chain.deliver(shard)

    assert [alert.sample.rule_id for alert in chain.alerts] == ["gone"]
