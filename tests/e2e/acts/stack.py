"""The deployed stack as somebody sees it who acts on it: its parts by logical id, and clients that are recorded."""

from functools import cache, cached_property
from typing import Any

from tests.e2e.acts.record import Recorder
from trailbell.cli.local.deployment import STACK
from trailbell.cli.local.local_aws import ACCOUNT, REGION, LocalAws


TRAIL = "trailbell"


class ActedOn:
    """The stack in the embedded AWS. Gives physical ids by the beginning of the logical ones."""

    def __init__(self, aws: LocalAws, recorder: Recorder) -> None:
        self.aws, self.recorder = aws, recorder
        self.client = cache(lambda service: recorder.listen(aws.client(service)))
        self.unrecorded = cache(aws.client)

    @cached_property
    def _parts(self) -> dict[str, str]:
        found = self.aws.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}

    def id(self, name: str) -> str:
        """The physical id of the one part whose logical id is this name and a hash."""
        (found,) = {part for logical, part in self._parts.items() if logical[:-8] == name}
        return found

    def has(self, name: str) -> bool:
        """Whether the stack has a part by this name."""
        return any(logical[:-8] == name for logical in self._parts)

    def arn(self, name: str) -> str:
        """The ARN of a queue or function by the same name."""
        if "Function" in name:
            return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.id(name)}"
        if "Role" in name:
            return f"arn:aws:iam::{ACCOUNT}:role/{self.id(name)}"
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.id(name).rpartition('/')[2]}"

    @cached_property
    def mappings(self) -> dict[str, str]:
        """The event source mappings' UUIDs: "detector" reads the queue, "notifier" the stream."""
        found = self.aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        return {"detector" if ":sqs:" in one["EventSourceArn"] else "notifier": one["UUID"] for one in found}

    def alarms(self) -> set[str]:
        """The stack's alarms, by the names in ops/advice.toml."""
        return {logical[len("Watch") : -8] for logical in self._parts if logical.startswith("Watch")}

    def try_to(self, service: str, operation: str, **arguments: Any) -> None:
        """Make a call; one that the embedded AWS does not know is recorded from its request alone."""
        client = self.client(service)
        try:
            getattr(client, operation)(**arguments)
        except client.exceptions.ClientError:
            if not self.recorder.imitated:
                raise
