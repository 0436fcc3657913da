"""What a request names: one thing, however it is spelt, is one resource."""

from typing import Any

import pytest

from trailbell.cloudtrail.record import make_record
from trailbell.facts.resources import resources_of


ACCOUNT = "111122223333"
FUNCTION = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:orders"
MAPPING = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:event-source-mapping:u"


def resources(source: str, name: str, request: dict[str, Any], response: dict[str, Any] | None = None) -> list[str]:
    fields = {
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "recipientAccountId": ACCOUNT,
        "requestParameters": request,
        "responseElements": response,
    }
    return list(resources_of(make_record(fields, 0)))


@pytest.mark.parametrize("name", ["orders", FUNCTION, f"{ACCOUNT}:function:orders"])
def test_a_function_is_the_same_in_each_of_its_spellings(name: str) -> None:
    """A rule that knows one of them would be walked around by the others."""
    assert resources("lambda", "DeleteFunction20150331", {"functionName": name}) == [FUNCTION]


@pytest.mark.parametrize("host", ["sqs.eu-west-1.amazonaws.com", "eu-west-1.queue.amazonaws.com"])
def test_a_queue_is_known_by_its_url(host: str) -> None:
    """Requests name queues by URL, messages move by ARN."""
    url = f"https://{host}/{ACCOUNT}/orders"

    assert resources("sqs", "PurgeQueue", {"queueUrl": url}) == [f"arn:aws:sqs:eu-west-1:{ACCOUNT}:orders"]


def test_a_mapping_is_known_by_what_the_answer_says() -> None:
    """The request holds a UUID, which says nothing of whose mapping it is."""
    answer = {"uUID": "u", "functionArn": FUNCTION, "eventSourceArn": "arn:aws:sqs:eu-west-1:111122223333:q"}

    found = resources("lambda", "UpdateEventSourceMapping20150331", {"uUID": "u", "enabled": False}, answer)

    assert found == [MAPPING, FUNCTION, answer["eventSourceArn"]]
    assert resources("lambda", "DeleteEventSourceMapping20150331", {"uUID": "u"}) == [MAPPING]


@pytest.mark.parametrize(
    ("source", "name", "request_", "expected"),
    [
        (
            "sns",
            "Unsubscribe",
            {"subscriptionArn": "arn:aws:sns:x:1:t:s"},
            ["arn:aws:sns:x:1:t", "arn:aws:sns:x:1:t:s"],
        ),
        ("dynamodb", "DeleteTable", {"tableName": "t"}, [f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/t"]),
        ("dynamodb", "DeleteTable", {"tableName": "arn:aws:dynamodb:x:1:table/t"}, ["arn:aws:dynamodb:x:1:table/t"]),
        ("logs", "DeleteLogGroup", {"logGroupName": "/g"}, [f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/g"]),
        ("iam", "DeleteRole", {"roleName": "r"}, [f"arn:aws:iam::{ACCOUNT}:role/r"]),
        (
            "monitoring",
            "DeleteAlarms",
            {"alarmNames": ["a", "b"]},
            [f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:{name}" for name in "ab"],
        ),
        (
            "monitoring",
            "PutAlarmMuteRule",
            {"name": "m", "muteTargets": {"alarmNames": ["a"]}},
            [f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:{name}" for name in ("alarm:a", "alarm-mute-rule:m")],
        ),
        ("events", "PutRule", {"name": "r", "eventBusName": "b"}, [f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/r"]),
        ("events", "PutTargets", {"rule": "r"}, [f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/r"]),
        ("events", "DeleteEventBus", {"name": "b"}, [f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/b"]),
        (
            "scheduler",
            "DeleteSchedule",
            {"name": "s"},
            [f"arn:aws:scheduler:eu-west-1:{ACCOUNT}:schedule/default/s"],
        ),
        (
            "scheduler",
            "DeleteScheduleGroup",
            {"name": "g"},
            [f"arn:aws:scheduler:eu-west-1:{ACCOUNT}:schedule-group/g"],
        ),
        ("cloudformation", "DeleteStack", {"stackName": "s"}, [f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/s"]),
        (
            "cloudformation",
            "CreateStackRefactor",
            {"stackDefinitions": [{"stackName": "s"}, None]},
            [f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/s"],
        ),
        ("example", "DeleteStack", {"stackName": "s"}, []),
        ("lambda", "DeleteFunction", {"functionName": {"odd": 1}}, []),
    ],
)
def test_parts_are_found(source: str, name: str, request_: dict[str, Any], expected: list[str]) -> None:
    """What is not found cannot be recognised as the alerter's own."""
    assert resources(source, name, request_) == expected
