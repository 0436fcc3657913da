"""Sessions and commands end: that is told where somebody else ended them, and only then."""

from dataclasses import replace
from typing import Any

import pytest

from tests.crash.aws import FakeDynamo
from tests.crash.faults import Faults
from tests.unit.conftest import RULE
from trailbell.engine.rulebook import Rulebook, UndoneBy
from trailbell.hits.detect import HitDetector
from trailbell.rulebook.cases import BASE_RECORD, merged
from trailbell.rulebook.undone_by import undo_rules
from trailbell.store.follow_ups import follow_up_key
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.tracking import DynamoTracking


SEEN_AT = "2026-09-01T09:30:00Z"
SESSION = "requestParameters.sessionId"
BOB = {
    "principalId": "AROAEXAMPLEEXAMPLE123:bob@example.com",
    "arn": "arn:aws:sts::111122223333:assumed-role/Admin/bob@example.com",
}


def named(name: str) -> list[Any]:
    return ["field", "eventName", ["eq", name.lower()]]


def record(name: str, minute: int, **members: Any) -> dict[str, Any]:
    numbered = {"eventID": f"e-{minute}", "eventTime": f"2026-09-01T09:{minute}:00Z"}
    return merged(BASE_RECORD, {"eventName": name, "requestParameters": {"sessionId": "s"}, **numbered, **members})


@pytest.mark.parametrize(("by", "told"), [({}, False), (BOB, True)], ids=["its owner", "another person"])
@pytest.mark.parametrize("word", ["stopped", "undone"])
def test_own_end_is_nobodys_news(by: dict[str, str], told: bool, word: str) -> None:
    """Who opens a session closes it, every day; who undoes a change of his own is told of all the same."""
    way = UndoneBy(named("TerminateSession"), (SESSION,), (SESSION,), word=word, key="k")
    rule = replace(RULE, detection=named("StartSession"), gate={}, undone_by=(way,))
    detector = HitDetector(Rulebook((rule, *undo_rules((rule,)))), undoings=True)
    hit = detector.detect_record(record("StartSession", 14), SEEN_AT)
    undoing = detector.undoing_in_record(record("TerminateSession", 15, userIdentity=by), SEEN_AT)
    assert hit
    assert undoing
    dynamo = FakeDynamo(Faults(lambda call, made, kinds: None))

    DynamoHitTable(dynamo, "hits", 400).keep([hit])
    DynamoTracking(dynamo, "hits", 400).track([hit], [undoing])

    key = follow_up_key(hit.account, hit.event_id, word)
    assert ((key["pk"], key["sk"]) in dynamo.rows) is (told or word == "undone")
