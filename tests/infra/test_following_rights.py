"""What follows an alert stays within the roles: every request of a whole history, compared with the keys they grant."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.crash.aws import FakeDynamo
from tests.crash.faults import Faults, nothing
from tests.crash.test_life import CALLS, DAY, Event, World
from tests.infra.iam.statements import listed
from tests.infra.test_stack import plain, statements


Template = dict[str, Any]

ROLES = {"detect": "DetectorRole", "deliver": "NotifierRole", "run_clock": "ClockRole"}
ACTIONS = {
    "put_item": "PutItem",
    "query": "Query",
    "delete_item": "DeleteItem",
    "batch_write_item": "BatchWriteItem",
    "batch_get_item": "BatchGetItem",
    "transact_write_items": "PutItem",  # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
}


@dataclass
class RecordingDynamo(FakeDynamo):
    """Remembers which keys each function asked for."""

    role: str = ""
    asked: set[tuple[str, str, str]] = field(default_factory=set)

    def __getattribute__(self, name: str) -> Any:
        method = super().__getattribute__(name)
        if name not in ACTIONS:
            return method

        def recorded(**request: Any) -> Any:
            for key in _keys(name, request):
                self.asked.add((self.role, ACTIONS[name], key.split("#")[0] + "#"))
            return method(**request)

        return recorded


def _keys(name: str, request: Any) -> Iterator[str]:
    if name == "query":
        yield request["ExpressionAttributeValues"][":pk"]["S"]
    elif name == "batch_write_item":
        yield from (one["PutRequest"]["Item"]["pk"]["S"] for ones in request["RequestItems"].values() for one in ones)
    elif name == "batch_get_item":
        yield from (key["pk"]["S"] for one in request["RequestItems"].values() for key in one["Keys"])
    elif name == "transact_write_items":
        yield from (one["Put"]["Item"]["pk"]["S"] for one in request["TransactItems"])
    else:
        yield (request.get("Item") or request["Key"])["pk"]["S"]


def may(template: Template, role: str, action: str, key: str) -> bool:
    return any(
        f"dynamodb:{action}" in listed(one["Action"]) and any(fnmatchcase(key, pattern) for pattern in _bound(one))
        for one in statements(template, role)
        if plain(one["Resource"]) == "HitsTable.Arn"
    )


def _bound(statement: dict[str, Any]) -> list[str]:
    condition = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
    return list(condition.get("dynamodb:LeadingKeys", ["*"]))


@pytest.fixture(scope="module")
def template(template_of: Callable[..., Template]) -> Template:
    """The stack with its defaults."""
    return template_of()


@pytest.fixture(scope="module")
def asked() -> set[tuple[str, str, str]]:
    """What a history with everything in it asks for: an undo, held hits, a reminder, a deadline that passes."""
    world = World(Faults(nothing), quiet=60)
    dynamo = RecordingDynamo(world.faults)
    world.dynamo = dynamo
    events = [Event(number, call, "k1", number) for number, call in enumerate(CALLS)]

    def step(name: str, *arguments: Any) -> None:
        dynamo.role = ROLES[name]
        getattr(world, name)(*arguments)

    step("detect", events[:1])
    step("deliver", 0)
    step("deliver", 1)
    later = [Event(number, CALLS[0], "k1", 1) for number in range(10, 14)]
    step("detect", [*later, events[1]])
    step("deliver", 0)
    step("deliver", 1)
    for day in range(1, 9):
        world.now = max(world.now, DAY.format(day, 2))
        for _ in range(2):
            step("run_clock")
            step("deliver", 0)
            step("deliver", 1)
        if day == 5:
            step("detect", events[2:])
    assert {alert.follow_ups[0].what for *_, alert in world.published if alert.follow_ups} == {"undone", "reminder"}
    assert any(alert.gathered for *_, alert in world.published)
    return dynamo.asked


@pytest.mark.parametrize("role", ROLES.values())
def test_role_allows_what_following_up_asks_for(
    template: Template, asked: set[tuple[str, str, str]], role: str
) -> None:
    """A key that is forgotten in a policy is found by the first undo, or the first reminder, after the deployment."""
    own = [(action, key) for asking, action, key in asked if asking == role]

    assert len(own) > 3
    assert [one for one in own if not may(template, role, *one)] == []


def test_roles_write_no_hit_but_the_detector(template: Template) -> None:
    """The half that talks to the outside must not be able to forge one."""
    writes = ("PutItem", "BatchWriteItem", "DeleteItem")
    for role in ("NotifierRole", "ClockRole"):
        assert not any(may(template, role, action, key) for action in writes for key in ("H#", "S#", "U#", "R#", "T#"))
