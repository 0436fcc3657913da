"""Silence in the template: an hourly question to the detector, with the audit or without, and the rows it may read."""

import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.infra.test_stack import listed, plain, resources, statements


@pytest.mark.parametrize("audit", [False, True])
def test_detector_is_asked_every_hour_who_is_silent(audit: bool, template_of: Callable[..., dict[str, Any]]) -> None:
    """Also where no digest is audited: then there is nothing else that tells."""
    rules = [one["Properties"] for one in resources(template_of(audit=audit), "AWS::Events::Rule").values()]
    (asked,) = (one for one in rules if "silence" in json.dumps(one["Targets"]))
    (target,) = asked["Targets"]

    assert asked["ScheduleExpression"] == "rate(1 hour)"
    assert json.loads(target["Input"]) == {"silence": True}
    assert "DetectorFunction" in json.dumps(target["Arn"])


def test_detector_may_read_what_silence_is_judged_by(template_of: Callable[..., dict[str, Any]]) -> None:
    """What moto passes over: the condition on keys."""
    keys = [
        key
        for one in statements(template_of(), "DetectorRole")
        if plain(one["Resource"]) == "HitsTable.Arn" and "dynamodb:Query" in listed(one["Action"])
        for key in one["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    ]

    for asked in ("Y#hours", "Y#silent", "Y#behind", "V#newest", "H#1#e", "S#1#e"):
        assert any(fnmatchcase(asked, key) for key in keys), asked
