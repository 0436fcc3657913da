"""docs/channels.md: what it tells to paste works, and selects what it says."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

from trailbell.alerts.alert import Alert
from trailbell.alerts.channels.bus import DETAIL_TYPE, OCSF_DETAIL_TYPE, SOURCE
from trailbell.alerts.channels.email import SnsAlertTopic
from trailbell.hits.hit import Hit


PAGE = (Path(__file__).parents[2] / "docs" / "channels.md").read_text(encoding="utf-8")


def test_documented_filter_policy_selects_severe_acts_on_keys(
    topic_arn: str, subscribe: Callable[..., Any], given_hit: Callable[..., Hit]
) -> None:
    """A filter policy that is wrong is a queue that is silent."""
    (attributes,) = re.findall(r"--attributes '(.*)'", PAGE)
    receive = subscribe(**json.loads(json.loads(attributes)["FilterPolicy"]))
    topic = SnsAlertTopic(boto3.client("sns"), topic_arn)

    for level, source in (("high", "kms"), ("medium", "kms"), ("critical", "ssm"), ("critical", "kms")):
        topic.notify(Alert((given_hit(level=level, event_source=f"{source}.amazonaws.com"),)))

    assert [envelope["MessageAttributes"]["level"]["Value"] for envelope in receive()] == ["high", "critical"]


def test_documented_event_pattern_is_of_our_events() -> None:
    """EventBridge takes any pattern, and a wrong one never matches."""
    severe, findings = map(json.loads, re.findall(r"--event-pattern '(.*)'", PAGE))

    assert severe == {
        "source": [SOURCE],
        "detail-type": [DETAIL_TYPE],
        "detail": {"level": ["high", "critical"]},
    }
    assert findings == {"source": [SOURCE], "detail-type": [OCSF_DETAIL_TYPE]}
