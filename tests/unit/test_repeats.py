"""Records that only repeat or count others make no hit, unless a rule asks for them by their category."""

import json
from dataclasses import replace
from typing import Any

import pytest

from trailbell.cloudtrail.object_key import classify_key
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.hits.detect import DetectionCounts, HitDetector
from trailbell.rulebook.cases import BASE_RECORD


CALL = ["field", "eventName", ["eq", "disablekey"]]
NETWORK = ["field", "eventCategory", ["eq", "networkactivity"]]
MANAGEMENT = ["field", "eventCategory", ["eq", "management"]]
RECORD = {**BASE_RECORD, "eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}
REPEATED = {**RECORD, "eventCategory": "NetworkActivity", "eventType": "AwsVpceEvent", "eventID": "other"}
DENIED = {**REPEATED, "errorCode": "VpceAccessDenied", "eventID": "denied"}


@pytest.mark.parametrize(
    ("detection", "expected"),
    [
        (CALL, 2),
        (["and", [CALL, ["or", [NETWORK, MANAGEMENT]]]], 3),
        (["and", [CALL, ["field", "eventType", ["prefix", "awsvpceevent"]]]], 2),
        (["and", [CALL, ["not", NETWORK]]], 1),
    ],
)
@pytest.mark.parametrize("full_parse_bytes", [0, 1 << 20])
def test_a_call_through_an_endpoint_is_one_hit(
    rule: Rule, detection: list[Any], expected: int, full_parse_bytes: int
) -> None:
    """It was two: one of the management event, one of the network activity event. What an endpoint denied is one."""
    hit_detector = HitDetector(Rulebook((replace(rule, detection=detection),)), full_parse_bytes)
    body, counts = (
        json.dumps({"Records": [RECORD, REPEATED, DENIED]}, separators=(",", ":")).encode(),
        DetectionCounts(),
    )

    hits = list(hit_detector.detect([body], "", classify_key("log.json"), "2026-09-01T10:00:00Z", counts))

    assert len(hits) == expected
    assert counts.balanced
    assert counts.records_read == 3
