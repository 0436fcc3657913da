"""Who may send to a queue, by its policy."""

import fnmatch
from collections.abc import Mapping
from typing import Any

from trailbell.ops.answers import Queue, as_list


def senders(queue: Queue) -> list[tuple[str, str]]:
    """The services that the queue's policy lets send to it, each with the ARN they send for ("" for any)."""
    found = []
    for statement in as_list(queue.policy.get("Statement")):
        principal = statement.get("Principal")
        services = as_list(principal.get("Service")) if isinstance(principal, Mapping) else []
        if statement.get("Effect") == "Allow" and any(
            action.lower() in ("sqs:sendmessage", "sqs:*", "*") for action in as_list(statement.get("Action"))
        ):
            found += [(service, arn) for service in services for arn in _source_arns(statement)]
    return found


def sends_to(queue: Queue, service: str, source_arn: str) -> bool:
    """Whether the queue's policy lets a service send for a source (a bucket, a topic, a rule)."""
    return any(
        found == service and (not arn or fnmatch.fnmatchcase(source_arn.split(":", 5)[-1], arn.split(":", 5)[-1]))
        for found, arn in senders(queue)
    )


def _source_arns(statement: Mapping[str, Any]) -> list[str]:
    values = [
        value
        for operator in (statement.get("Condition") or {}).values()
        for name, given in operator.items()
        if name.lower() == "aws:sourcearn"
        for value in as_list(given)
    ]
    return values or [""]
